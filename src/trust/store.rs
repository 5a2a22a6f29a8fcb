//! The trust file on disk: read whole, and added to without losing anything.
//!
//! Owns its locking and its replacement. Recording locks the file, reads it again under the lock
//! and renames a finished copy over it, so a reader sees the old file or the new one, and of
//! fifty processes that record at once each finds what the others wrote. Never changes a pin,
//! never overwrites what it cannot read. Which file it is, `location` says.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Status};
use crate::name::PackageName;
use crate::publisher::PublisherUrl;
use crate::trust::file::{ParseError, TrustFile};
use crate::trust::location::Location;

/// The largest trust file that is read: a hundred thousand projects fit.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How long recording waits for others that record.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// How long it sleeps between two attempts at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// The trust file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    location: Location,
}

/// A trust file that could not be read or added to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The text is not a trust file.
    #[error("cannot read the trust file `{}`: {error}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        error: ParseError,
    },
    /// The file is there and cannot be read.
    #[error("cannot read the trust file `{}`: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// More than [`MAX_BYTES`].
    #[error("the trust file `{}` is larger than {} MiB", .0.display(), MAX_BYTES >> 20)]
    TooLarge(PathBuf),
    /// A device, a pipe or a directory cannot be replaced by a file.
    #[error("cannot record in `{}`: it is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Nothing was recorded; the file is as it was.
    #[error("cannot record in the trust file `{}`: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others hold the lock for longer than [`LOCK_PATIENCE`].
    #[error("cannot record in the trust file `{}`: another process keeps it locked", .0.display())]
    Locked(PathBuf),
    /// Between verdict and recording, or within one run, the project got another publisher.
    #[error(transparent)]
    Conflict(Box<Conflict>),
}

/// A project that is bound to another publisher than the one to be recorded.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is bound to {recorded} in `{}`, so {found} is not recorded", .path.display())]
pub struct Conflict {
    /// The file.
    pub path: PathBuf,
    /// The project.
    pub name: PackageName,
    /// What the file says, or what was to be recorded first.
    pub recorded: PublisherUrl,
    /// What was to be recorded.
    pub found: PublisherUrl,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Parse { path, error } => Self::new(Status::BadInput, message).hint(
                format!("put line {} of {} right; nothing was changed", error.line, path.display()),
            ),
            StoreError::Conflict(_) => Self::new(Status::Refused, message)
                .hint("run the same command again to see it judged by the file as it is now"),
            StoreError::Read { .. }
            | StoreError::TooLarge(_)
            | StoreError::NotAFile(_)
            | StoreError::Write { .. }
            | StoreError::Locked(_) => Self::new(Status::BadInput, message),
        }
    }
}

impl Store {
    /// The trust file at a location; touches nothing yet.
    #[must_use]
    pub const fn at(location: Location) -> Self {
        Self { location }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.location.path()
    }

    /// Reads the file; one that does not exist has no pins.
    ///
    /// # Errors
    /// It exists and cannot be read, is too large, or does not parse.
    pub fn load(&self) -> Result<TrustFile, StoreError> {
        match File::open(self.path()) {
            Ok(file) => self.read(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(TrustFile::default()),
            Err(error) => Err(StoreError::Read { path: self.path().into(), error }),
        }
    }

    /// Adds pins, each on a line of its own, and returns the file as it is then. What is recorded
    /// already with the same publisher is left alone; with nothing to add nothing is written.
    ///
    /// # Errors
    /// One of the projects is bound to another publisher, in the file or in `new`; the file does
    /// not read; or the system refuses. In each case the file is as it was.
    pub fn record(&self, new: &[(PackageName, PublisherUrl)]) -> Result<TrustFile, StoreError> {
        if new.is_empty() {
            return self.load();
        }
        let locked = self.lock()?;
        let recorded = self.add(&locked, new);
        if recorded.is_err() && locked.created {
            locked.remove_if_empty();
        }
        recorded
    }

    /// What [`Store::record`] does while it holds the lock.
    fn add(
        &self,
        locked: &Locked,
        new: &[(PackageName, PublisherUrl)],
    ) -> Result<TrustFile, StoreError> {
        let old = self.read(&locked.file)?;
        let mut bound: BTreeMap<_, _> = old.pins().map(|(name, pin)| (name, &pin.url)).collect();
        for (name, found) in new {
            let recorded = *bound.entry(name).or_insert(found);
            if recorded != found {
                return Err(StoreError::Conflict(Box::new(Conflict {
                    path: self.path().into(),
                    name: name.clone(),
                    recorded: recorded.clone(),
                    found: found.clone(),
                })));
            }
        }
        let recorded = old.with_pins(new);
        if recorded != old {
            locked.replace(&recorded.to_string()).map_err(|error| self.unwritten(error))?;
        }
        Ok(recorded)
    }

    /// Reads an open trust file to its end.
    fn read(&self, file: &File) -> Result<TrustFile, StoreError> {
        let path = || self.path().to_owned();
        let mut bytes = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| StoreError::Read { path: path(), error })?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(StoreError::TooLarge(path()));
        }
        TrustFile::from_bytes(&bytes).map_err(|error| StoreError::Parse { path: path(), error })
    }

    /// Opens the file, creating it if need be, and waits for the lock on it. A file that was
    /// replaced while we waited is let go: the lock must be on the one that has the name.
    fn lock(&self) -> Result<Locked, StoreError> {
        let end = Instant::now() + LOCK_PATIENCE;
        while Instant::now() < end {
            let (file, created) = self.open()?;
            while let Err(error) = file.try_lock() {
                match error {
                    TryLockError::WouldBlock if Instant::now() < end => thread::sleep(LOCK_PAUSE),
                    TryLockError::WouldBlock => return Err(StoreError::Locked(self.path().into())),
                    TryLockError::Error(error) => return Err(self.unwritten(error)),
                }
            }
            if let Some(target) = self.named_by(&file).map_err(|error| self.unwritten(error))? {
                return Ok(Locked { file, target, created });
            }
        }
        Err(StoreError::Locked(self.path().into()))
    }

    /// The file for reading and writing, so that a network file system grants the lock too; and
    /// whether it was made just now. Symbolic links are followed, dangling ones included.
    fn open(&self) -> Result<(File, bool), StoreError> {
        let path = self.path();
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(StoreError::NotAFile(path.to_owned()));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match options.open(path) {
            Ok(file) => Ok((file, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = options.create(true).open(path);
                made.map(|file| (file, true)).map_err(|error| self.unwritten(error))
            }
            Err(error) => Err(self.unwritten(error)),
        }
    }

    /// Where the file lies without symbolic links, if the store's path still leads to it.
    fn named_by(&self, file: &File) -> io::Result<Option<PathBuf>> {
        let found = self.path().canonicalize().and_then(|path| Ok((path.metadata()?, path)));
        let (there, target) = match found {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let here = file.metadata()?;
        Ok(((here.dev(), here.ino()) == (there.dev(), there.ino())).then_some(target))
    }

    fn unwritten(&self, error: io::Error) -> StoreError {
        StoreError::Write { path: self.path().into(), error }
    }
}

/// The trust file, locked until this value is dropped.
struct Locked {
    file: File,
    target: PathBuf,
    created: bool,
}

impl Locked {
    /// Puts `text` in the file's place: a finished copy beside it, on disk, then renamed. It keeps
    /// the mode, and the owner where the system lets it.
    fn replace(&self, text: &str) -> io::Result<()> {
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        let old = self.file.metadata()?;
        let mut copy = tempfile::Builder::new().prefix(".provenance.").tempfile_in(directory)?;
        copy.write_all(text.as_bytes())?;
        let _ = fchown(copy.as_file(), Some(old.uid()), Some(old.gid()));
        copy.as_file().set_permissions(old.permissions())?;
        copy.as_file().sync_all()?;
        copy.persist(&self.target)?;
        // The file is in place; a directory that cannot be synced makes it no less recorded.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    }

    /// Takes back the empty file that was made only to be locked.
    fn remove_if_empty(&self) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&self.target);
        }
    }
}
