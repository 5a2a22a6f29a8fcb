//! A place on disk where a trust file may be: followed, opened, and held to be the user's.
//!
//! Owns the opening. What is no regular file is an error at once, and is never waited for: a pipe
//! would block, and a terminal would ask. Whose file counts is the rule of `ownership`; this
//! module asks the disk for the values. Reads no content.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::trust::ownership::{Attributes, Objection, User};

/// How many symbolic links lead to a file at most, as for Linux.
const MAX_LINKS: usize = 40;

/// The mode of a new trust file, before the umask: others may read it.
const MODE: u32 = 0o644;

/// Why a place has no trust file that counts.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
    /// A device, a pipe, a terminal, a directory.
    #[error("it is not a regular file")]
    NotAFile,
    /// A symbolic link, and what it leads to is not there.
    #[error("it is a link to {}, which does not exist", .0.display())]
    Dangling(PathBuf),
    /// Links that lead in a circle.
    #[error("too many links lead from it")]
    Loop,
    /// The file, or a link that leads to it, is not the user's.
    #[error("{}{objection}", of(.path.as_deref()))]
    Objection {
        /// Where the links lead that is objected to; nothing if it is the place itself.
        path: Option<PathBuf>,
        /// What is wrong with it.
        objection: Objection,
    },
}

fn of(path: Option<&Path>) -> String {
    path.map(|path| format!("it leads to {}: ", path.display())).unwrap_or_default()
}

/// Follows the symbolic links of the last part of a path, each of which must belong to the user as
/// the file must. Returns `None` if there is nothing of this name.
///
/// # Errors
/// It leads to something that is no regular file, to nothing, or through a stranger's link.
pub fn follow(path: &Path, user: User) -> Result<Option<PathBuf>, PlaceError> {
    let mut at = path.to_owned();
    for followed in 0..=MAX_LINKS {
        let found = match at.symlink_metadata() {
            Ok(found) => found,
            Err(error) if !is_absent(&error) => return Err(error.into()),
            Err(_) if followed == 0 => return Ok(None),
            // `/dev/stdin` leads to a pipe that has a name for the system alone.
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

/// Opens a file that [`follow`] found, and holds the open file to the rule, so that nobody can
/// exchange it in between. `place` is the path that led there, for messages.
///
/// # Errors
/// It cannot be opened, is no regular file any more, or is not the user's.
pub fn open(place: &Path, target: &Path, access: Access, user: User) -> Result<File, PlaceError> {
    let access = match access {
        Access::Read => OFlags::RDONLY,
        // For writing too, so that a network file system grants the lock.
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

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be locked, read and replaced.
    Record,
    /// The same of a file that is not there yet.
    Create,
}

/// Whether a directory has an entry of this name that counts as a mark, be it a link that leads
/// nowhere.
#[must_use]
pub fn is_marked(directory: &Path, name: &str, user: User) -> bool {
    let mark = directory.join(name).symlink_metadata();
    let (Ok(mark), Ok(directory)) = (mark, directory.metadata()) else { return false };
    user.heeds(&attributes(&mark), &attributes(&directory))
}

/// Whether the error says that there is nothing of this name.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The directory that a path lies in.
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
