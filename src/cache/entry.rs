//! Small entries of the cache: pages, documents and METADATA, each with a note.
//!
//! Owns their file format, in which a torn or damaged entry is recognised by its checksum:
//!
//! ```text
//! sha256 (64 hex digits) of everything after this line, LF
//! note (one line), LF
//! bytes
//! ```
//!
//! The checksum proves only integrity on disk. It must not be taken for proof of where the bytes
//! come from.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;
use sha2::Digest as _;

use crate::cache::bucket::Bucket;
use crate::cache::{Cache, CacheKind, in_shard, is_mine, part_in};
use crate::package::digest::Sha256;

/// Maximum size of an entry, in bytes; no page or document is larger.
pub const MAX_ENTRY: u64 = 65 * 1024 * 1024;
/// Length of the first line: a sha256 and a line feed.
const HEAD: usize = 65;

/// A cached entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// One line of metadata, in the format of the module that cached the entry.
    pub note: String,
    /// Bytes of the entry.
    pub bytes: Vec<u8>,
}

impl Cache {
    /// Reads the entry of this key. Returns `None` if there is none, or if it is damaged; a damaged
    /// entry is removed.
    #[must_use]
    pub fn read(&self, kind: CacheKind, key: &Sha256) -> Option<CacheEntry> {
        let path = self.path(kind, key);
        // Without following a symbolic link, and without blocking on a named pipe.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or(0);
        let mut file = OpenOptions::new().read(true).custom_flags(flags).open(&path).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || !is_mine(&metadata) {
            return None;
        }
        let mut whole = Vec::with_capacity(usize::try_from(metadata.len().min(MAX_ENTRY)).ok()?);
        (&mut file).take(MAX_ENTRY).read_to_end(&mut whole).ok()?;
        let entry = parse(whole);
        if entry.is_some() {
            Bucket::touch(&file, &metadata);
        } else {
            self.forget(kind, key);
        }
        entry
    }

    /// Stores an entry and replaces an earlier one of the same key. `note` must be one line.
    pub fn write(&self, kind: CacheKind, key: &Sha256, entry: &CacheEntry) {
        // Best effort: after an error, the entry is not cached.
        let _ = self.try_write(kind, key, entry);
    }

    /// Removes the entry of this key.
    pub fn forget(&self, kind: CacheKind, key: &Sha256) {
        let _ = std::fs::remove_file(self.path(kind, key));
    }

    fn try_write(&self, kind: CacheKind, key: &Sha256, entry: &CacheEntry) -> std::io::Result<()> {
        let size = [HEAD, entry.note.len(), 1, entry.bytes.len()].iter().sum::<usize>() as u64;
        if entry.note.contains('\n') || size > MAX_ENTRY.min(self.bucket(kind).largest()) {
            return Ok(());
        }
        let path = self.path(kind, key);
        let mut part = in_shard(&path, part_in)?;
        part.write_all(
            format!("{}\n{}\n", checksum(&entry.note, &entry.bytes), entry.note).as_bytes(),
        )?;
        part.write_all(&entry.bytes)?;
        part.persist(path)?;
        self.bucket(kind).add_size(size);
        Ok(())
    }
}

fn parse(mut whole: Vec<u8>) -> Option<CacheEntry> {
    let (head, rest) = whole.split_at_checked(HEAD)?;
    let stated = Sha256::parse(std::str::from_utf8(head.strip_suffix(b"\n")?).ok()?).ok()?;
    if Sha256::of(rest) != stated {
        return None;
    }
    let note = rest.split(|byte| *byte == b'\n').next()?;
    let end = HEAD.checked_add(note.len())?.checked_add(1)?;
    let note = std::str::from_utf8(note).ok()?.to_owned();
    // In place, without a second copy, since a page may be large.
    whole.drain(..end.min(whole.len()));
    Some(CacheEntry { note, bytes: whole })
}

fn checksum(note: &str, bytes: &[u8]) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    hasher.update(note);
    hasher.update(b"\n");
    hasher.update(bytes);
    Sha256::from_bytes(hasher.finalize().into())
}
