//! The trust files on disk: read whole and added up, and one of them added to without losing
//! anything.
//!
//! Owns locking and replacement. Recording locks the file, reads it again under the lock and
//! renames a finished copy over it, so a reader sees the old file or the new one, and of fifty
//! processes that record at once each finds what the others wrote. Never changes a pin, never
//! overwrites what it cannot read. Which files there are, `location` says.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::attestation::publisher::PublisherUrl;
use crate::package::name::PackageName;
use crate::trust::file::TrustFile;
use crate::trust::location::{Places, Project};
use crate::trust::pins::{InForce, Pins};
use crate::trust::place::{Access, PlaceError, follow, open, parent};
use crate::trust::policy::Unrecorded;
use crate::trust::store_error::{Conflict, StoreError};

/// The largest trust file that is read: a hundred thousand projects fit.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How long recording waits for others that record.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// How long it sleeps between two attempts at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// The trust files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    places: Places,
}

impl Store {
    /// The trust files at these places; touches nothing yet.
    #[must_use]
    pub const fn at(places: Places) -> Self {
        Self { places }
    }

    /// Reads all files and adds them up; one that does not exist has no pins.
    ///
    /// # Errors
    /// A file cannot be read, is not the user's, is too large, or does not parse; two contradict
    /// each other; or the one that `FILENAME` names is not there and nobody will record in it.
    pub fn load(&self, unrecorded: Unrecorded) -> Result<Pins, StoreError> {
        let files = self.read_all()?;
        if let (Project::Named(path), Unrecorded::Refuse) = (&self.places.project, unrecorded)
            && !files.iter().any(|file| file.path == *path)
            && self.find(path)?.is_none()
        {
            return Err(StoreError::Missing(path.clone()));
        }
        Ok(added_up(files)?.recorded_in(self.places.record().as_deref()))
    }

    /// Every path by which trust files come into force, whether or not there is one: the places
    /// themselves, what links lead to from there, and the directories of the system's and of the
    /// user's configuration. Nothing that is installed may write to them or below them.
    #[must_use]
    pub fn guarded_paths(&self) -> Vec<PathBuf> {
        let configured = [Some(&self.places.system), self.places.own.as_ref()];
        let directories = configured.into_iter().flatten().map(|path| parent(path).to_owned());
        let places = self.places.all().map(Path::to_owned).chain(self.places.record());
        let mut paths: Vec<_> = directories.chain(places).collect();
        let led_to: Vec<_> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        paths.extend(led_to);
        paths.sort();
        paths.dedup();
        paths
    }

    /// Reads the files that are there, from the outermost to the nearest. One that several places
    /// lead to counts once.
    fn read_all(&self) -> Result<Vec<InForce>, StoreError> {
        let (mut files, mut targets) = (Vec::new(), Vec::new());
        for path in self.places.all() {
            let Some(target) = self.find(path)? else { continue };
            if targets.contains(&target) {
                continue;
            }
            let file = self.open(path, &target, Access::Read)?;
            files.push(InForce { path: path.to_owned(), file: read(path, &file)? });
            targets.push(target);
        }
        Ok(files)
    }

    /// Adds pins to the one file that is recorded in, each on a line of its own, and returns the
    /// path of the file that was changed. A project that the file binds already to the same
    /// publisher is left alone; with nothing to add nothing is written.
    ///
    /// # Errors
    /// One of the projects is bound to another publisher, in any of the files or in `new`; a file
    /// does not read; there is no file to record in, or none that may be written to; or the system
    /// refuses. In each case the file is as it was.
    pub fn record(&self, new: &[(PackageName, PublisherUrl)]) -> Result<PathBuf, StoreError> {
        let path = self.places.record().ok_or(StoreError::Nowhere)?;
        if new.is_empty() {
            return Ok(path);
        }
        if Some(&path) == self.places.own.as_ref() {
            // Of the user alone, as the XDG Base Directory Specification has it.
            let made = DirBuilder::new().recursive(true).mode(0o700).create(parent(&path));
            made.map_err(|error| unwritten(&path, error))?;
        }
        let locked = self.lock(&path)?;
        let recorded = self.add(&path, &locked, new);
        if recorded.is_err() && locked.created {
            locked.remove_if_empty();
        }
        recorded.map(|()| if locked.target == path { path } else { locked.target.clone() })
    }

    /// The part of [`Store::record`] that holds the lock.
    fn add(
        &self,
        path: &Path,
        locked: &Locked,
        new: &[(PackageName, PublisherUrl)],
    ) -> Result<(), StoreError> {
        let old = read(path, &locked.file)?;
        let mut bound: BTreeMap<_, _> = old.pins().map(|(name, pin)| (name, &pin.url)).collect();
        for (name, found) in new {
            let recorded = *bound.entry(name).or_insert(found);
            if recorded != found {
                return Err(StoreError::Conflict(Box::new(Conflict {
                    path: path.into(),
                    name: name.clone(),
                    recorded: recorded.clone(),
                    found: found.clone(),
                })));
            }
        }
        let recorded = old.with_pins(new);
        if recorded == old {
            return Ok(());
        }
        // Another file may have bound a project since: the next run would stop at that.
        let mut files = self.read_all()?;
        files.retain(|file| file.path != path);
        files.push(InForce { path: path.into(), file: recorded.clone() });
        added_up(files)?;
        locked.replace(&recorded.to_string()).map_err(|error| unwritten(path, error))
    }

    /// Opens the file, creating it if need be, and waits for the lock on it. A file that was
    /// replaced while we waited is let go: the lock must be on the one that has the name.
    fn lock(&self, path: &Path) -> Result<Locked, StoreError> {
        let end = Instant::now() + LOCK_PATIENCE;
        while Instant::now() < end {
            let Some((file, target, created)) = self.open_or_create(path)? else { continue };
            while let Err(error) = file.try_lock() {
                match error {
                    TryLockError::WouldBlock if Instant::now() < end => thread::sleep(LOCK_PAUSE),
                    TryLockError::WouldBlock => return Err(StoreError::Locked(path.into())),
                    TryLockError::Error(error) => return Err(unwritten(path, error)),
                }
            }
            if self.find(path)?.is_some_and(|found| found == target)
                && is_still(&file, &target).map_err(|error| unwritten(path, error))?
            {
                return Ok(Locked { file, target, created });
            }
        }
        Err(StoreError::Locked(path.into()))
    }

    /// The file to be recorded in, where it lies, and whether it was made just now; nothing where
    /// it appeared or vanished meanwhile.
    fn open_or_create(&self, path: &Path) -> Result<Option<(File, PathBuf, bool)>, StoreError> {
        let found = self.find(path)?;
        let created = found.is_none();
        let target = found.unwrap_or_else(|| path.to_owned());
        self.within_bounds(path, &target)?;
        let access = if created { Access::Create } else { Access::Record };
        match self.open(path, &target, access) {
            Ok(file) => Ok(Some((file, target, created))),
            Err(StoreError::Place { error: PlaceError::System(error), .. }) => {
                match (created, error.kind()) {
                    (true, io::ErrorKind::AlreadyExists) => Ok(None),
                    (false, io::ErrorKind::NotFound) => Ok(None),
                    _ => Err(unwritten(path, error)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// That no link leads from the repository to a file elsewhere.
    fn within_bounds(&self, path: &Path, target: &Path) -> Result<(), StoreError> {
        let Some(bounds) = self.places.bounds(path) else { return Ok(()) };
        // The directory: a new file is not there yet.
        let lies = parent(target).canonicalize().and_then(|at| Ok((at, bounds.canonicalize()?)));
        let (at, within) = lies.map_err(|error| unwritten(path, error))?;
        if at.starts_with(within) {
            return Ok(());
        }
        Err(StoreError::Leaves { path: path.into(), target: target.into(), bounds })
    }

    fn find(&self, path: &Path) -> Result<Option<PathBuf>, StoreError> {
        let found = follow(path, self.places.user);
        found.map_err(|error| StoreError::Place { path: path.into(), error })
    }

    fn open(&self, path: &Path, target: &Path, access: Access) -> Result<File, StoreError> {
        let opened = open(path, target, access, self.places.user);
        opened.map_err(|error| StoreError::Place { path: path.into(), error })
    }
}

fn added_up(files: Vec<InForce>) -> Result<Pins, StoreError> {
    Pins::of(files).map_err(StoreError::Contradiction)
}

/// Reads an open trust file to its end.
fn read(path: &Path, file: &File) -> Result<TrustFile, StoreError> {
    let path = || path.to_owned();
    let mut bytes = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| StoreError::Place { path: path(), error: error.into() })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(StoreError::TooLarge { path: path(), limit: MAX_BYTES });
    }
    TrustFile::from_bytes(&bytes).map_err(|error| StoreError::Parse { path: path(), error })
}

/// Whether an open file still has the name.
fn is_still(file: &File, target: &Path) -> io::Result<bool> {
    let (here, there) = (file.metadata()?, target.symlink_metadata());
    match there {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn unwritten(path: &Path, error: io::Error) -> StoreError {
    StoreError::Write { path: path.into(), error }
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
