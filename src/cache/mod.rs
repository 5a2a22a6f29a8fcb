//! Cache of fetched bytes below pip's own cache directory.
//!
//! Owns the layout `CACHE/pypi-verify-now/KIND/sha256/AB/SHA256`, its bounds, and the rule that
//! cached bytes are hashed again on each use; a changed entry is removed. Errors are ignored:
//! without the cache, bytes are fetched. Processes may use the cache at the same time, since an
//! entry appears whole or not at all. The cache must not hold verdicts, and does not know whether
//! an entry is still current: the module that stored it decides that.

mod bucket;
mod entry;
mod files;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucket::Bucket;
pub use entry::{CacheEntry, MAX_ENTRY};

use crate::package::digest::Sha256;

/// Maximum size of all files, in bytes: a large environment and its successor.
pub const MOST_OF_FILES: u64 = 4 << 30;
/// Maximum size of all pages, in bytes; also of all documents.
pub const MOST_OF_PAGES: u64 = 512 << 20;
/// Maximum size of all METADATA, in bytes.
pub const MOST_OF_METADATA: u64 = 128 << 20;

/// Kind of cached entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    /// Wheels and sdists, by their sha256.
    Files,
    /// Pages of indexes, by a hash of the request.
    Pages,
    /// Provenance documents, by a hash of the request.
    Documents,
    /// METADATA (PEP 658), by the sha256 that the index states.
    Metadata,
}

/// Handle to the cache directory; cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    buckets: [Bucket; 4],
}

/// Maximum size of each kind, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum size of all files.
    pub files: u64,
    /// Maximum size of all pages.
    pub pages: u64,
    /// Maximum size of all documents.
    pub documents: u64,
    /// Maximum size of all METADATA.
    pub metadata: u64,
}

/// Usage of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Kind of the entries.
    pub kind: CacheKind,
    /// Number of entries.
    pub entries: usize,
    /// Size of all entries, in bytes.
    pub bytes: u64,
    /// Maximum size of all entries, in bytes.
    pub most: u64,
}

impl CacheKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Files, Self::Pages, Self::Documents, Self::Metadata];

    /// Returns the name of the kind, which is that of its directory.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Pages => "pages",
            Self::Documents => "documents",
            Self::Metadata => "metadata",
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            files: MOST_OF_FILES,
            pages: MOST_OF_PAGES,
            documents: MOST_OF_PAGES,
            metadata: MOST_OF_METADATA,
        }
    }
}

impl Cache {
    /// Opens the cache below pip's. Returns `None` if the directory does not belong to this user:
    /// under `sudo`, pip also leaves the user's cache alone. The directory is created with the
    /// first entry.
    #[must_use]
    pub fn open(pip_cache: &Path) -> Option<Self> {
        Self::bounded(pip_cache, Bounds::default())
    }

    /// Opens the cache with other bounds.
    #[must_use]
    pub fn bounded(pip_cache: &Path, bounds: Bounds) -> Option<Self> {
        let root = pip_cache.join("pypi-verify-now");
        let existing = root.ancestors().find(|path| path.exists())?;
        if !root.is_absolute() || !is_ours(existing) {
            return None;
        }
        let bucket = |kind: CacheKind, most| Bucket::new(root.join(kind.name()), most);
        let buckets = [
            bucket(CacheKind::Files, bounds.files),
            bucket(CacheKind::Pages, bounds.pages),
            bucket(CacheKind::Documents, bounds.documents),
            bucket(CacheKind::Metadata, bounds.metadata),
        ];
        Some(Self(Arc::new(Inner { root, buckets })))
    }

    /// Returns the cache directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0.root
    }

    /// Counts the entries of each kind.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        let usage = |kind: CacheKind| {
            let bucket = self.bucket(kind);
            let entries = bucket.entries();
            let bytes = entries.iter().map(|entry| entry.size).sum();
            Usage { kind, entries: entries.len(), bytes, most: bucket.most() }
        };
        CacheKind::ALL.map(usage).to_vec()
    }

    /// Removes every entry and returns the usage before. Other files in the directory stay.
    ///
    /// # Errors
    /// An entry cannot be removed.
    pub fn purge(&self) -> io::Result<Vec<Usage>> {
        let usage = self.usage();
        for bucket in &self.0.buckets {
            bucket.clear()?;
        }
        let _ = fs::remove_dir(&self.0.root);
        Ok(usage)
    }

    fn bucket(&self, kind: CacheKind) -> &Bucket {
        let [files, pages, documents, metadata] = &self.0.buckets;
        match kind {
            CacheKind::Files => files,
            CacheKind::Pages => pages,
            CacheKind::Documents => documents,
            CacheKind::Metadata => metadata,
        }
    }

    fn path(&self, kind: CacheKind, key: &Sha256) -> PathBuf {
        let digits = key.to_string();
        let shard: String = digits.chars().take(2).collect();
        self.bucket(kind).shards().join(shard).join(digits)
    }
}

/// Creates a file in an entry's shard directory with `make`; creates the directory if it is
/// missing.
fn in_shard<T>(entry: &Path, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let shard = entry.parent().ok_or(io::ErrorKind::NotFound)?;
    match make(shard) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(shard)?;
            make(shard)
        }
        made => made,
    }
}

/// Creates an unfinished file in a shard directory.
fn part_in(shard: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(bucket::PART).tempfile_in(shard)
}

fn is_ours(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir() && is_mine(&metadata))
}

fn is_mine(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
