//! Copies of files that can be read only once: a pipe, `/dev/stdin` at a terminal, `<(command)`.
//!
//! This program reads the user's requirements files, and pip reads them again, more than once. A
//! second reader of a pipe would see an empty file. So the content is copied into the private
//! directory, and the command line names the copy.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::evidence::sources::read_bounded;
use crate::failure::{Failure, Status};
use crate::pip::command_line::arguments::{InstallArgs, Positionals};
use crate::pip::command_line::invocation::{Invocation, classify};
use crate::pip::command_line::table::{self, Fact, PipOption};
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::requirement_files::MAX_FILE;

/// Returns whether the value of an option is such a file.
fn names_file(option: &PipOption) -> bool {
    option.is(Fact::NamesFile) || option.is(Fact::NamesScript)
}

/// Copies the files that can be read only once, and returns the command line with the paths of the
/// copies. Returns `None` if the command line names no such file.
///
/// # Errors
/// A file cannot be read, or an unknown option makes it uncertain which arguments are files.
pub(super) fn copied(
    process: &Process,
    arguments: &InstallArgs,
    run: &Run,
) -> Result<Option<InstallArgs>, Failure> {
    let is_once = |value: &OsStr| is_read_once(&process.directory.join(value));
    let files = table::names(names_file);
    let mut named = files.iter().flat_map(|option| arguments.values(option));
    let Some(first) = named.find(|value| is_once(value)) else { return Ok(None) };
    let cannot = |reason: &str| {
        let message =
            format!("cannot copy {}, which can be read only once: {reason}", first.display());
        Failure::new(Status::BadInput, message).hint("write it to a file, and name that")
    };
    if arguments.unknown() {
        return Err(cannot("an option beside it is not known"));
    }
    let mut argv = arguments.global_without(|_| false);
    argv.push(arguments.subcommand().word().into());
    for option in files.iter().copied() {
        for value in arguments.values(option) {
            let value = if is_once(value) {
                copy(process, value, run)?.into_os_string()
            } else {
                value.to_owned()
            };
            argv.extend([OsString::from(option), value]);
        }
    }
    argv.extend(arguments.without(names_file, Positionals::Keep));
    match classify(&argv) {
        Invocation::Install(arguments) => Ok(Some(arguments)),
        _ => Err(cannot("the command line is unclear")),
    }
}

/// Returns whether a second reader would see other content than the first. A null device is empty
/// for every reader, so it needs no copy.
fn is_read_once(path: &Path) -> bool {
    let is_special = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
    path != Path::new("/dev/null") && std::fs::metadata(path).is_ok_and(is_special)
}

/// Copies a file under its own name into a new directory.
fn copy(process: &Process, value: &OsStr, run: &Run) -> Result<PathBuf, Failure> {
    let path = process.directory.join(value);
    let bytes = read_bounded(&path, MAX_FILE).map_err(|error| {
        let message = format!("cannot read {}: {error}", path.display());
        Failure::new(Status::BadInput, message)
    })?;
    let directory = run.subdirectory("given").map_err(Failure::temporary_directory)?;
    let copy = directory.join(path.file_name().unwrap_or(OsStr::new("given")));
    std::fs::write(&copy, bytes).map(|()| copy).map_err(Failure::temporary_directory)
}
