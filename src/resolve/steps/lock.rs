//! The command lines of `pip lock`: one of ours, that answers what would be installed, and the
//! user's own.
//!
//! Owns where the lock of either goes. Pure.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::resolve::Probe;
use crate::resolve::steps::{NOT_FOR_QUESTIONS, clones_beside, with_wheels_only, words};

/// `pip lock`, wheels only, writing to `output`. `wheels_only` is a requirements file that holds
/// `--only-binary :all:`: as the last one it cannot be undone by any other.
#[must_use]
pub fn lock(arguments: &InstallArgs, output: &Path, wheels_only: &Path) -> Vec<OsString> {
    let mut argv = arguments.global_without(&NOT_FOR_QUESTIONS);
    argv.extend(words(&["lock", "--disable-pip-version-check", "--output"]));
    argv.push(output.into());
    argv.extend(clones_beside(output));
    argv.extend(with_wheels_only(arguments, &NOT_FOR_QUESTIONS, wheels_only));
    argv
}

/// The place that the user wants the lock at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPlace {
    /// In a file. pip says which: it expands `~`, and knows its own default.
    File,
    /// On standard output (`-o -`), behind what pip says there.
    Output,
}

/// Returns the place that the user wants the lock at, by the command line, else by the
/// configuration.
///
/// Beside an option that is not known, `-o -` may be that one's value, and is left to pip.
#[must_use]
pub fn lock_place(arguments: &InstallArgs, probe: &Probe) -> LockPlace {
    let given = arguments.last_value("--output");
    let named = given.or_else(|| probe.configuration.get("output").map(OsStr::new));
    match named {
        Some(place) if place == "-" && !arguments.unknown() => LockPlace::Output,
        _ => LockPlace::File,
    }
}

/// The user's own `pip lock`, wheels only.
#[must_use]
pub fn own_lock(arguments: &InstallArgs, place: LockPlace, wheels_only: &Path) -> Vec<OsString> {
    let (head, without) = own_lock_head(place);
    let mut argv = arguments.global_without(&[]);
    argv.extend(head);
    argv.extend(with_wheels_only(arguments, without, wheels_only));
    argv
}

/// How the user's own `pip lock` begins, and the options of the user's that go.
///
/// The guard keeps back a file and no standard output. A file of pip's default name lies where
/// paths in a lock on standard output count from: in the working directory.
#[must_use]
pub fn own_lock_head(place: LockPlace) -> (Vec<OsString>, &'static [&'static str]) {
    match place {
        LockPlace::File => (words(&["lock"]), &[]),
        LockPlace::Output => (words(&["lock", "--output", "pylock.toml"]), &["--output"]),
    }
}
