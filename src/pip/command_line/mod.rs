//! pip's command line: the grammar of `optparse` as pip uses it, as data and pure functions.
//!
//! [`options`] is the table of options, [`invocation`] reads a command line, [`arguments`] is what
//! the reading results in.

pub mod arguments;
pub mod invocation;
pub mod options;
