//! How much is kept of one kind, and what goes first.
//!
//! Owns the bound: what was not used for longest is removed once there is too much. Nobody counts
//! the entries to know that. Each process adds what it has written to a file of one byte a
//! [`UNIT`], and only when a quarter of the bound was written since are they counted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::package::digest::Sha256;

/// How many bytes of entries one byte of the growth file stands for.
const UNIT: u64 = 64 * 1024;
/// How old the mark of the last use of an entry gets before it is made anew: not each use writes.
const MARK_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// How old an unfinished file is that nobody will finish.
const ABANDONED: Duration = Duration::from_secs(2 * 60 * 60);
/// How the names of unfinished files begin.
pub(super) const PART: &str = ".part-";

/// The place of one kind.
#[derive(Debug)]
pub(super) struct Room {
    directory: PathBuf,
    most: u64,
    /// Written by this process and not yet added to the growth file.
    written: AtomicU64,
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    pub(super) size: u64,
    used: SystemTime,
}

impl Room {
    pub(super) const fn new(directory: PathBuf, most: u64) -> Self {
        Self { directory, most, written: AtomicU64::new(0) }
    }

    pub(super) const fn most(&self) -> u64 {
        self.most
    }

    /// The largest entry: one that were larger would push out too much else.
    pub(super) const fn largest(&self) -> u64 {
        self.most / 4
    }

    /// The directory of the shards.
    pub(super) fn shards(&self) -> PathBuf {
        self.directory.join("sha256")
    }

    /// Notes that an entry was used.
    pub(super) fn mark(file: &File, metadata: &fs::Metadata) {
        let now = SystemTime::now();
        let age = metadata.modified().ok().and_then(|used| now.duration_since(used).ok());
        if age.is_none_or(|age| age > MARK_AGE) {
            let _ = file.set_modified(now);
        }
    }

    /// Notes that an entry of this size was written, and makes room if that is due.
    pub(super) fn grow(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::SeqCst).saturating_add(bytes);
        if written >= UNIT {
            // Whoever swaps first adds all of it.
            self.add(self.written.swap(0, Ordering::SeqCst));
        }
    }

    /// Adds to the growth file. A lost byte costs little: the bound is kept a little later.
    fn add(&self, bytes: u64) {
        let units = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(0);
        if units == 0 {
            return;
        }
        let Ok(mut growth) = OpenOptions::new().create(true).append(true).open(self.growth())
        else {
            return;
        };
        let _ = growth.write_all(&vec![b'.'; units]);
        let grown = growth.metadata().map_or(0, |metadata| metadata.len()).saturating_mul(UNIT);
        // One process at a time: the others go on, and the room is theirs too.
        if grown > self.most / 4 && growth.try_lock().is_ok() {
            self.make_room();
            let _ = growth.set_len(0);
        }
    }

    fn growth(&self) -> PathBuf {
        self.directory.join("growth")
    }

    /// Removes what was not used for longest, until three quarters of the bound are left.
    fn make_room(&self) {
        let mut entries = self.entries();
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        let enough = self.most / 4 * 3;
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if total <= enough {
                return;
            }
            if fs::remove_file(&entry.path).is_ok() {
                total = total.saturating_sub(entry.size);
            }
        }
    }

    /// Every entry; what nobody finished is removed on the way.
    pub(super) fn entries(&self) -> Vec<Kept> {
        let shards = list(&self.shards());
        let files = shards.iter().flat_map(|shard| list(shard));
        files.filter_map(|path| kept(path, SystemTime::now())).collect()
    }

    /// Removes every entry, and the directories that are empty then.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in self.entries() {
            match fs::remove_file(&entry.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let _ = fs::remove_file(self.growth());
        for directory in list(&self.shards()).into_iter().chain([self.shards()]) {
            let _ = fs::remove_dir(directory);
        }
        let _ = fs::remove_dir(&self.directory);
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.add(self.written.swap(0, Ordering::SeqCst));
    }
}

fn kept(path: PathBuf, now: SystemTime) -> Option<Kept> {
    let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let used = metadata.modified().ok()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let is_abandoned = now.duration_since(used).is_ok_and(|age| age > ABANDONED);
    if name.starts_with(PART) && is_abandoned {
        let _ = fs::remove_file(&path);
    }
    // What has no name of an entry is none of ours.
    Sha256::parse(&name).ok().map(|_| Kept { path, size: metadata.len(), used })
}

fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
