//! pip's command line: the grammar of `optparse` as pip uses it, as data and pure functions.
//!
//! [`table`] is the table of options, [`option`] a row of it, [`invocation`] parses a command line,
//! and [`arguments`] is the parsed value.

pub mod arguments;
pub mod invocation;
pub mod option;
pub mod table;
