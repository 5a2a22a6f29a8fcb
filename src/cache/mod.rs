//! What was fetched before, kept below pip's own cache directory.
//!
//! Owns the layout `CACHE/pypi-verify-now/KIND/AB/SHA256`, its bounds, and the rule that nothing in
//! it is believed: an entry is hashed again each time, and what is not as it was written is gone.
//! It keeps bytes, never verdicts. Nothing about it is ever an error: without it, things are
//! fetched. Safe for processes side by side, since an entry appears whole or not at all. Knows
//! nothing of networks: whether an entry may still be used is for whoever kept it to say.

mod entry;
mod files;
mod room;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use entry::{Entry, MAX_ENTRY};
use room::Room;

use crate::package::digest::Sha256;

/// The most that is kept of all files together, in bytes: a large environment and its successor.
pub const MOST_OF_FILES: u64 = 4 << 30;
/// The most that is kept of all pages together, in bytes; and the same of all documents.
pub const MOST_OF_PAGES: u64 = 512 << 20;
/// The most that is kept of all METADATA together, in bytes.
pub const MOST_OF_METADATA: u64 = 128 << 20;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Wheels and source archives, by their sha256.
    Files,
    /// Pages of indexes, by what was asked.
    Pages,
    /// Provenance documents, by what was asked.
    Documents,
    /// METADATA (PEP 658), by the sha256 that the index states.
    Metadata,
}

/// The directory of the entries; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    rooms: [Room; 4],
}

/// How much there may be of each kind, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of files.
    pub files: u64,
    /// Of pages.
    pub pages: u64,
    /// Of documents.
    pub documents: u64,
    /// Of METADATA.
    pub metadata: u64,
}

/// How much there is of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Of what.
    pub kind: Kind,
    /// How many entries.
    pub entries: usize,
    /// How large they are together, in bytes.
    pub bytes: u64,
    /// How large they may be together, in bytes.
    pub most: u64,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Files, Self::Pages, Self::Documents, Self::Metadata];

    /// What it is called.
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
    /// The cache below pip's; nothing where the place is not ours: under `sudo` pip leaves the
    /// cache of the user alone, too. Nothing is made before there is something to keep.
    #[must_use]
    pub fn open(pip_cache: &Path) -> Option<Self> {
        Self::bounded(pip_cache, Bounds::default())
    }

    /// The same with other bounds.
    #[must_use]
    pub fn bounded(pip_cache: &Path, bounds: Bounds) -> Option<Self> {
        let root = pip_cache.join("pypi-verify-now");
        let existing = root.ancestors().find(|path| path.exists())?;
        if !root.is_absolute() || !is_ours(existing) {
            return None;
        }
        let room = |kind: Kind, most| Room::new(root.join(kind.name()), most);
        let rooms = [
            room(Kind::Files, bounds.files),
            room(Kind::Pages, bounds.pages),
            room(Kind::Documents, bounds.documents),
            room(Kind::Metadata, bounds.metadata),
        ];
        Some(Self(Arc::new(Inner { root, rooms })))
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0.root
    }

    /// How much there is of each kind, counted entry by entry.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        let usage = |kind: Kind| {
            let room = self.room(kind);
            let entries = room.entries();
            let bytes = entries.iter().map(|entry| entry.size).sum();
            Usage { kind, entries: entries.len(), bytes, most: room.most() }
        };
        Kind::ALL.map(usage).to_vec()
    }

    /// Removes every entry, and says what there was of each kind. What else lies there is
    /// somebody else's.
    ///
    /// # Errors
    /// An entry cannot be removed.
    pub fn purge(&self) -> io::Result<Vec<Usage>> {
        let usage = self.usage();
        for room in &self.0.rooms {
            room.clear()?;
        }
        let _ = fs::remove_dir(&self.0.root);
        Ok(usage)
    }

    fn room(&self, kind: Kind) -> &Room {
        let [files, pages, documents, metadata] = &self.0.rooms;
        match kind {
            Kind::Files => files,
            Kind::Pages => pages,
            Kind::Documents => documents,
            Kind::Metadata => metadata,
        }
    }

    fn path(&self, kind: Kind, key: &Sha256) -> PathBuf {
        let digits = key.to_string();
        let shard: String = digits.chars().take(2).collect();
        self.room(kind).shards().join(shard).join(digits)
    }
}

/// Makes something in the shard of an entry, and the shard, if need be, before it.
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

/// An unfinished file in a shard.
fn part_in(shard: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(room::PART).tempfile_in(shard)
}

fn is_ours(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir() && is_mine(&metadata))
}

fn is_mine(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
