//! The command lines of `pip lock`: one that asks for the set, and the user's own.
//!
//! Owns where each of the two writes its lock. Pure.

use std::ffi::OsString;
use std::path::Path;

use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::command_line::table::PipOption;
use crate::pip::options::Options;
use crate::resolve::steps::{clones_beside, is_not_for_questions, with_wheels_only, words};

/// Returns `pip lock` with wheels only, writing to `output`. `wheels_only` is a requirements file
/// that contains `--only-binary :all:`. It is the last file, so that no other file can override it.
#[must_use]
pub fn lock(
    arguments: &InstallArgs,
    options: &Options,
    output: &Path,
    wheels_only: &Path,
) -> Vec<OsString> {
    let mut argv = arguments.global_without(is_not_for_questions);
    argv.extend(words(&["lock", "--disable-pip-version-check", "--output"]));
    argv.push(output.into());
    argv.extend(clones_beside(output));
    argv.extend(with_wheels_only(arguments, options, is_not_for_questions, wheels_only));
    argv
}

/// The destination of the user's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPlace {
    /// A file. pip states its path, since pip expands `~` and has its own default.
    File,
    /// Standard output (`-o -`), behind pip's messages.
    Output,
}

/// Returns the destination of the user's lock, from the command line or else from the
/// configuration.
///
/// If the command line has an unknown option, `-o -` may be the value of that option. Then pip
/// decides.
#[must_use]
pub fn lock_place(arguments: &InstallArgs, options: &Options) -> LockPlace {
    match options.last("--output") {
        Some(place) if place == "-" && !arguments.unknown() => LockPlace::Output,
        _ => LockPlace::File,
    }
}

/// Returns the user's own `pip lock`, with wheels only.
#[must_use]
pub fn own_lock(
    arguments: &InstallArgs,
    options: &Options,
    place: LockPlace,
    wheels_only: &Path,
) -> Vec<OsString> {
    let (head, without) = own_lock_head(place);
    let mut argv = arguments.global_without(|_| false);
    argv.extend(head);
    argv.extend(with_wheels_only(arguments, options, without, wheels_only));
    argv
}

/// Returns the beginning of the user's own `pip lock`, and a function that selects the
/// options of the user that are left out.
///
/// The guard can keep a file, but not standard output. So a lock for standard output is written to
/// a file of pip's default name in the working directory, because pip writes paths in a lock
/// relative to the lock.
#[must_use]
pub fn own_lock_head(place: LockPlace) -> (Vec<OsString>, fn(&PipOption) -> bool) {
    match place {
        LockPlace::File => (words(&["lock"]), |_| false),
        LockPlace::Output => {
            let head = words(&["lock", "--output", "pylock.toml"]);
            (head, |option| option.name() == "--output")
        }
    }
}
