//! terminal.

pub mod escape;
pub mod progress;
pub mod report;
