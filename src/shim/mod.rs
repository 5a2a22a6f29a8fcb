//! Standing in front of pip: what the user asked pip for, read as pip reads it.
//!
//! Owns the reading of pip's command line. Runs nothing.

pub mod arguments;
pub mod invocation;
pub mod options;
