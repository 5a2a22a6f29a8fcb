//! Writes the lock file that the user asked for.
//!
//! A regular file is replaced atomically, with the permissions that pip would give it. A pipe or a
//! terminal is written in place. Every file in the lock has a good verdict before this module
//! writes.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Status};
use crate::resolve::steps::LockPlace;
use crate::terminal::report::Report;

/// The permissions of a new file, before the umask is applied.
const MADE: u32 = 0o666;

/// The destination of a lock, checked before the run as far as that is possible.
pub(super) enum LockFile {
    /// Standard output.
    Output,
    /// A regular file, with symbolic links resolved, or a file that does not exist yet. A complete
    /// file is renamed over it.
    Exchanged(PathBuf),
    /// A pipe, a terminal or a file with several hard links, which is written in place.
    InPlace(PathBuf),
}

impl LockFile {
    /// Checks that the lock can be written to `path`. An existing file is not changed.
    ///
    /// # Errors
    /// The path cannot be written.
    pub(super) fn at(place: LockPlace, path: &Path) -> Result<Self, Failure> {
        if place == LockPlace::Output {
            return Ok(Self::Output);
        }
        let cannot = |error: io::Error| cannot_write(path, &error);
        let found = match std::fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_link = path.symlink_metadata().is_ok();
                let directory = directory_of(path).metadata().map_err(cannot)?;
                if !directory.is_dir() {
                    return Err(cannot(io::ErrorKind::NotADirectory.into()));
                }
                // A symbolic link to a missing file: the file is created at the link's target.
                let path = path.to_owned();
                return Ok(if is_link { Self::InPlace(path) } else { Self::Exchanged(path) });
            }
            Err(error) => return Err(cannot(error)),
        };
        if found.is_dir() {
            return Err(cannot(io::ErrorKind::IsADirectory.into()));
        }
        if !found.is_file() {
            return Ok(Self::InPlace(path.to_owned()));
        }
        OpenOptions::new().write(true).open(path).map_err(cannot)?;
        if found.nlink() > 1 {
            return Ok(Self::InPlace(path.to_owned()));
        }
        path.canonicalize().map(Self::Exchanged).map_err(cannot)
    }

    /// Writes the lock.
    ///
    /// # Errors
    /// The destination cannot be written.
    pub(super) fn write(&self, report: Report, text: &str) -> Result<(), Failure> {
        let (path, written) = match self {
            Self::Output => (Path::new("-"), report.bytes(text.as_bytes())),
            Self::InPlace(path) => (path.as_path(), std::fs::write(path, text)),
            Self::Exchanged(path) => (path.as_path(), exchange(path, text)),
        };
        written.map_err(|error| cannot_write(path, &error))
    }
}

/// Renames a complete file to `path`, with the permissions of the file that it replaces.
fn exchange(path: &Path, text: &str) -> io::Result<()> {
    let old = path.metadata().ok();
    let made = tempfile::Builder::new()
        .prefix(".pylock.")
        .permissions(Permissions::from_mode(MADE))
        .tempfile_in(directory_of(path));
    let mut made = match (made, &old) {
        (Ok(made), _) => made,
        // The user may have write access to the file, but not to its directory.
        (Err(_), Some(_)) => return std::fs::write(path, text),
        (Err(error), None) => return Err(error),
    };
    made.write_all(text.as_bytes())?;
    if let Some(old) = old {
        if is_of_another(&old, made.as_file())? {
            return std::fs::write(path, text);
        }
        made.as_file().set_permissions(old.permissions())?;
    }
    made.persist(path)?;
    Ok(())
}

fn is_of_another(old: &std::fs::Metadata, made: &File) -> io::Result<bool> {
    let made = made.metadata()?;
    Ok((old.uid(), old.gid()) != (made.uid(), made.gid()))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the failure for a lock that cannot be written, with the exit code that pip has for it.
fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write the lock {}: {error}", path.display());
    Failure::new(Status::Usage, message).hint("name another place: pip lock --output FILE …")
}
