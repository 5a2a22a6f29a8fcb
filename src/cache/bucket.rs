//! Size limit of one kind of entries.
//!
//! Owns the removal of the least recently used entries, without a count of all entries on each
//! write. Each process appends one byte for each [`UNIT`] that it wrote to the file `growth`. When
//! the file stands for a quarter of the limit, one process counts the entries and removes old ones
//! until they take three quarters of the limit.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::package::digest::Sha256;

/// Number of written bytes that one byte of the growth file stands for.
const UNIT: u64 = 64 * 1024;
/// Age of an entry's modification time at which a use renews it, so that not each use writes.
const TOUCH_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// Age after which an unfinished file is removed.
const ABANDONED: Duration = Duration::from_secs(2 * 60 * 60);
/// Prefix of the names of unfinished files.
pub(super) const PART: &str = ".part-";

/// Directory of one kind and its size limit.
#[derive(Debug)]
pub(super) struct Bucket {
    directory: PathBuf,
    most: u64,
    /// Bytes written by this process that are not in the growth file yet.
    written: AtomicU64,
}

/// A cached file.
#[derive(Debug)]
pub(super) struct CachedFile {
    path: PathBuf,
    pub(super) size: u64,
    used: SystemTime,
}

impl Bucket {
    pub(super) const fn new(directory: PathBuf, most: u64) -> Self {
        Self { directory, most, written: AtomicU64::new(0) }
    }

    pub(super) const fn most(&self) -> u64 {
        self.most
    }

    /// Returns the maximum size of an entry; a larger one would displace too many others.
    pub(super) const fn largest(&self) -> u64 {
        self.most / 4
    }

    /// Returns the directory of the shards.
    pub(super) fn shards(&self) -> PathBuf {
        self.directory.join("sha256")
    }

    /// Renews the time of an entry's last use.
    pub(super) fn touch(file: &File, metadata: &fs::Metadata) {
        let now = SystemTime::now();
        let age = metadata.modified().ok().and_then(|used| now.duration_since(used).ok());
        if age.is_none_or(|age| age > TOUCH_INTERVAL) {
            let _ = file.set_modified(now);
        }
    }

    /// Adds the size of a written entry, and removes old entries if that is due.
    pub(super) fn add_size(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::SeqCst).saturating_add(bytes);
        if written >= UNIT {
            // The first thread to swap adds the bytes of all threads.
            self.add(self.written.swap(0, Ordering::SeqCst));
        }
    }

    /// Appends to the growth file. After a lost byte, old entries are removed a little later.
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
        // Only the process with the lock removes entries; the others continue.
        if grown > self.most / 4 && growth.try_lock().is_ok() {
            self.evict();
            let _ = growth.set_len(0);
        }
    }

    fn growth(&self) -> PathBuf {
        self.directory.join("growth")
    }

    /// Removes the least recently used entries until three quarters of the limit are left.
    fn evict(&self) {
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

    /// Lists every entry; removes abandoned unfinished files.
    pub(super) fn entries(&self) -> Vec<CachedFile> {
        let shards = list(&self.shards());
        let files = shards.iter().flat_map(|shard| list(shard));
        files.filter_map(|path| cached_file(path, SystemTime::now())).collect()
    }

    /// Removes every entry, then the directories that are empty.
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

impl Drop for Bucket {
    fn drop(&mut self) {
        self.add(self.written.swap(0, Ordering::SeqCst));
    }
}

fn cached_file(path: PathBuf, now: SystemTime) -> Option<CachedFile> {
    let metadata = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
    let used = metadata.modified().ok()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let is_abandoned = now.duration_since(used).is_ok_and(|age| age > ABANDONED);
    if name.starts_with(PART) && is_abandoned {
        let _ = fs::remove_file(&path);
    }
    // Other names are not those of entries.
    Sha256::parse(&name).ok().map(|_| CachedFile { path, size: metadata.len(), used })
}

fn list(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
