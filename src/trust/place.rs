//! Opens a trust file after a check that it is the user's.
//!
//! Follows symbolic links, opens the file and checks the open file by the rule of `ownership`. A
//! path that is not a regular file is an error at once, because reading a pipe or a terminal would
//! block. Must not read content.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::trust::ownership::{Attributes, Objection, User};

/// Maximum number of symbolic links that are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// The mode of a new trust file, before the umask. Other users may read it.
const MODE: u32 = 0o644;

/// Reasons why a path has no trust file that counts.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// An error of the system.
    #[error(transparent)]
    System(#[from] io::Error),
    /// A device, a pipe, a terminal or a directory.
    #[error("it is not a regular file")]
    NotAFile,
    /// A symbolic link to a missing file.
    #[error("it is a link to {}, which does not exist", .0.display())]
    Dangling(PathBuf),
    /// A cycle of symbolic links.
    #[error("too many links lead from it")]
    Loop,
    /// The file, or a link that leads to it, is not the user's.
    #[error("{}{objection}", of(.path.as_deref()))]
    Objection {
        /// The path of the file or link, if it differs from the path of the trust file.
        path: Option<PathBuf>,
        /// The broken part of the rule.
        objection: Objection,
    },
}

fn of(path: Option<&Path>) -> String {
    path.map(|path| format!("it leads to {}: ", path.display())).unwrap_or_default()
}

/// Follows the symbolic links of the last part of a path; each link must belong to the user, as the
/// file must. Returns `None` if there is no entry of this name.
///
/// # Errors
/// The path leads to a missing file, to a file that is not regular, or through a link of another
/// user.
pub fn follow(path: &Path, user: User) -> Result<Option<PathBuf>, PlaceError> {
    let mut at = path.to_owned();
    for followed in 0..=MAX_LINKS {
        let found = match at.symlink_metadata() {
            Ok(found) => found,
            Err(error) if !is_absent(&error) => return Err(error.into()),
            Err(_) if followed == 0 => return Ok(None),
            // `/dev/stdin` leads to a pipe, whose link text is not a path.
            Err(_) if path.metadata().is_ok() => return Err(PlaceError::NotAFile),
            Err(_) => return Err(PlaceError::Dangling(at)),
        };
        if !found.is_symlink() {
            return if found.is_file() { Ok(Some(at)) } else { Err(PlaceError::NotAFile) };
        }
        let owned = user.owns(&attributes(&found), &attributes(&parent(&at).metadata()?));
        owned.map_err(|objection| objected(path, &at, objection))?;
        at = parent(&at).join(fs::read_link(&at)?);
    }
    Err(PlaceError::Loop)
}

/// Opens a file that [`follow`] found, and checks the rule on the open file. An attacker who
/// replaces the path between the two calls gains nothing. `place` is the original path, for
/// messages.
///
/// # Errors
/// The file cannot be opened, is no longer a regular file, or is not the user's.
pub fn open(place: &Path, target: &Path, access: Access, user: User) -> Result<File, PlaceError> {
    let access = match access {
        Access::Read => OFlags::RDONLY,
        // Opened for writing too, because network file systems grant a lock only then.
        Access::Record => OFlags::RDWR,
        Access::Create => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
    };
    let never_wait = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(target, access | never_wait, Mode::from_raw_mode(MODE));
    let file = File::from(file.map_err(io::Error::from)?);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(PlaceError::NotAFile);
    }
    let trusted = user.trusts(&attributes(&found), &attributes(&parent(target).metadata()?));
    trusted.map_err(|objection| objected(place, target, objection))?;
    Ok(file)
}

/// The purpose for which a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read it.
    Read,
    /// To lock, read and replace it.
    Record,
    /// To create it, then lock and replace it.
    Create,
}

/// Returns whether a directory has an entry of this name that counts by [`User::heeds`]. The entry
/// may be a symbolic link to a missing file.
#[must_use]
pub fn is_marked(directory: &Path, name: &str, user: User) -> bool {
    let mark = directory.join(name).symlink_metadata();
    let (Ok(mark), Ok(directory)) = (mark, directory.metadata()) else { return false };
    user.heeds(&attributes(&mark), &attributes(&directory))
}

/// Returns whether the error means that there is no entry of this name.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns the directory of a path.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("/"))
}

fn objected(place: &Path, at: &Path, objection: Objection) -> PlaceError {
    PlaceError::Objection { path: (at != place).then(|| at.to_owned()), objection }
}

fn attributes(metadata: &Metadata) -> Attributes {
    Attributes { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() }
}
