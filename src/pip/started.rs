//! The pips that this program has started for one command line, because each led back to it.
//!
//! A pip on PATH may be a wrapper that looks for the next pip itself and finds this program again:
//! a shim of pyenv or asdf whose version is `system`, or a script of the user's. Called again with
//! the arguments that it has just passed on, this program goes on to the pip behind the wrapper.
//! The environment carries the arguments and the wrappers:
//!
//! ```text
//! COUNT:SHA256:PROGRAM[:PROGRAM]…      number of arguments, digest of them, pips started so far
//! ```
//!
//! The variable says which files on PATH are passed over, and nothing more: a call is classified
//! and an install verified whatever the variable says. A pip that a build starts has other
//! arguments, and so the pip that comes first on PATH. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::package::digest::Sha256;

/// The environment variable of this module.
pub const STARTED_VARIABLE: &str = "PYPI_VERIFY_NOW_STARTED";

/// Returns the variable's value for a pip that is started with these arguments after `programs`.
#[must_use]
pub fn value<'a>(arguments: &[OsString], programs: impl IntoIterator<Item = &'a Path>) -> OsString {
    let mut value = format!("{}:{}", arguments.len(), digest(arguments)).into_bytes();
    for program in programs {
        value.push(b':');
        value.extend_from_slice(program.as_os_str().as_bytes());
    }
    OsString::from_vec(value)
}

/// Returns the programs in the variable's `value`, if the arguments of this call are those that the
/// last one of them was started with. A wrapper may have added some in front or behind.
#[must_use]
pub fn programs(value: Option<&OsStr>, arguments: &[OsString]) -> Vec<PathBuf> {
    let mut parts = value.map(OsStr::as_bytes).unwrap_or_default().split(|byte| *byte == b':');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (count, stated) = (text(), text().unwrap_or_default());
    let count = count.and_then(|text| text.parse::<usize>().ok());
    let last = count.and_then(|count| Some((count, arguments.len().checked_sub(count)?)));
    let is_run = |at: usize, count: usize| {
        let run = arguments.get(at..at + count);
        run.is_some_and(|run| digest(run).to_string() == stated)
    };
    if !last.is_some_and(|(count, last)| (0..=last).any(|at| is_run(at, count))) {
        return Vec::new();
    }
    parts.map(|part| PathBuf::from(OsStr::from_bytes(part))).collect()
}

fn digest(arguments: &[OsString]) -> Sha256 {
    let mut bytes = Vec::new();
    for argument in arguments {
        bytes.extend_from_slice(argument.as_bytes());
        bytes.push(0);
    }
    Sha256::of(&bytes)
}
