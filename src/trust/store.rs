//! The trust files on disk: reads and combines them, and adds pins to one of them.
//!
//! Owns locking and replacement. To record, the store locks the file, reads it again under the lock
//! and renames a complete copy over it. So a reader sees either the old file or the new one, and
//! processes that record at the same time keep each other's pins. The store must not change a pin
//! or overwrite a file that it cannot parse. `location` lists the files.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
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

/// Maximum size of a trust file, in bytes: enough for a hundred thousand projects.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Maximum time to wait for the lock.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two attempts at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// The trust files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    places: Places,
}

impl Store {
    /// Creates a store for these paths. Does not access the disk yet.
    #[must_use]
    pub const fn at(places: Places) -> Self {
        Self { places }
    }

    /// Reads all files and combines them. A missing file has no pins.
    ///
    /// # Errors
    /// A file cannot be read, is not the user's, is too large, or does not parse; two files
    /// contradict each other; or the file that `FILENAME` names is missing and the policy does not
    /// record in it.
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

    /// Returns every path through which a trust file can come into force, even if it does not
    /// exist: the paths themselves, the targets of their links, and the directories of the system's
    /// and the user's configuration. No installed file may be written there or below.
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

    /// Reads the existing files, from the outermost to the nearest. A file that several paths lead
    /// to is read once.
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

    /// Adds pins to the recording file, each on a line of its own, and returns the path of the
    /// changed file. A project that is bound to the same publisher already is skipped. Without new
    /// pins, the file is not written.
    ///
    /// # Errors
    /// A project is bound to another publisher, in any of the files or in `new`; a file does not
    /// parse; there is no file to record in, or it must not be written; or the system reports an
    /// error. In each case the file is unchanged.
    pub fn record(&self, new: &[(PackageName, PublisherUrl)]) -> Result<PathBuf, StoreError> {
        let path = self.places.record().ok_or(StoreError::Nowhere)?;
        if new.is_empty() {
            return Ok(path);
        }
        if Some(&path) == self.places.own.as_ref() {
            // Private to the user, as the XDG Base Directory Specification demands.
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

    /// Adds the pins while the lock is held.
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
        // Another process may have bound a project in another file since the verdict. Checked here,
        // since the contradiction would stop the next run.
        let mut files = self.read_all()?;
        files.retain(|file| file.path != path);
        files.push(InForce { path: path.into(), file: recorded.clone() });
        added_up(files)?;
        locked.replace(&recorded.to_string()).map_err(|error| unwritten(path, error))
    }

    /// Opens the file, creates it if it is missing, and waits for its lock. If the file was
    /// replaced during the wait, the function opens it again: the lock must be on the file that has
    /// the name.
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

    /// Opens the recording file, and returns it with its real path and whether it was created.
    /// Returns `None` if it appeared or vanished at the same time.
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

    /// Checks that no link leads from the repository to a file outside it.
    fn within_bounds(&self, path: &Path, target: &Path) -> Result<(), StoreError> {
        let Some(bounds) = self.places.bounds(path) else { return Ok(()) };
        // The directory is compared, because a new file does not exist yet.
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
    let bytes = crate::package::bounded::read(file, MAX_BYTES)
        .map_err(|error| StoreError::Place { path: path(), error: error.into() })?
        .ok_or_else(|| StoreError::TooLarge { path: path(), limit: MAX_BYTES })?;
    TrustFile::from_bytes(&bytes).map_err(|error| StoreError::Parse { path: path(), error })
}

/// Returns whether the name still refers to the open file.
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

/// A trust file that is locked until this value is dropped.
struct Locked {
    file: File,
    target: PathBuf,
    created: bool,
}

impl Locked {
    /// Writes `text` to a copy beside the file, syncs it, and renames it over the file. The copy
    /// gets the mode of the file, and its owner if the system allows that.
    fn replace(&self, text: &str) -> io::Result<()> {
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        let old = self.file.metadata()?;
        let mut copy = tempfile::Builder::new().prefix(".provenance.").tempfile_in(directory)?;
        copy.write_all(text.as_bytes())?;
        let _ = fchown(copy.as_file(), Some(old.uid()), Some(old.gid()));
        copy.as_file().set_permissions(old.permissions())?;
        copy.as_file().sync_all()?;
        copy.persist(&self.target)?;
        // The file has its new content already, so an error while syncing the directory is ignored.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
        Ok(())
    }

    /// Removes the empty file that was created only to be locked.
    fn remove_if_empty(&self) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&self.target);
        }
    }
}
