//! pip's command line: the grammar of `optparse` as pip uses it, as data and pure functions.
//!
//! [`options`] is the table of options, [`invocation`] parses a command line, and [`arguments`] is
//! the parsed value.

pub mod arguments;
pub mod invocation;
pub mod options;
