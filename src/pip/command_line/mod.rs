//! pip::command_line.

pub mod arguments;
pub mod invocation;
pub mod options;
