//! Entries of a few kilobytes or megabytes, kept with a note by whoever keeps them.
//!
//! Owns their form: a line with the sha256 of all that follows, a line of note, the bytes. That
//! tells a torn or changed entry from a whole one; it proves nothing about where the bytes are
//! from, and nobody may take it for that.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;
use sha2::Digest as _;

use crate::cache::room::Room;
use crate::cache::{Cache, Kind, in_shard, is_mine, part_in};
use crate::package::digest::Sha256;

/// The largest entry of this form, in bytes: no page and no document is larger.
pub const MAX_ENTRY: u64 = 65 * 1024 * 1024;
/// How long a sha256 and the end of its line are.
const HEAD: usize = 65;

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What whoever kept it noted about it; one line.
    pub note: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Cache {
    /// The entry under this key. One that is not as it was written is removed, and there is none.
    #[must_use]
    pub fn read(&self, kind: Kind, key: &Sha256) -> Option<Entry> {
        let path = self.path(kind, key);
        // Neither through a link, nor waiting for the writer of a pipe.
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
            Room::mark(&file, &metadata);
        } else {
            self.forget(kind, key);
        }
        entry
    }

    /// Keeps an entry, in place of one under the same key. `note` is one line.
    pub fn write(&self, kind: Kind, key: &Sha256, entry: &Entry) {
        // It fails where it cannot be done, and then nothing is kept.
        let _ = self.try_write(kind, key, entry);
    }

    /// Removes the entry under this key.
    pub fn forget(&self, kind: Kind, key: &Sha256) {
        let _ = std::fs::remove_file(self.path(kind, key));
    }

    fn try_write(&self, kind: Kind, key: &Sha256, entry: &Entry) -> std::io::Result<()> {
        let size = [HEAD, entry.note.len(), 1, entry.bytes.len()].iter().sum::<usize>() as u64;
        if entry.note.contains('\n') || size > MAX_ENTRY.min(self.room(kind).largest()) {
            return Ok(());
        }
        let path = self.path(kind, key);
        let mut part = in_shard(&path, part_in)?;
        part.write_all(
            format!("{}\n{}\n", checksum(&entry.note, &entry.bytes), entry.note).as_bytes(),
        )?;
        part.write_all(&entry.bytes)?;
        part.persist(path)?;
        self.room(kind).grow(size);
        Ok(())
    }
}

fn parse(mut whole: Vec<u8>) -> Option<Entry> {
    let (head, rest) = whole.split_at_checked(HEAD)?;
    let stated = Sha256::parse(std::str::from_utf8(head.strip_suffix(b"\n")?).ok()?).ok()?;
    if Sha256::of(rest) != stated {
        return None;
    }
    let note = rest.split(|byte| *byte == b'\n').next()?;
    let end = HEAD.checked_add(note.len())?.checked_add(1)?;
    let note = std::str::from_utf8(note).ok()?.to_owned();
    // In place: a page is large.
    whole.drain(..end.min(whole.len()));
    Some(Entry { note, bytes: whole })
}

fn checksum(note: &str, bytes: &[u8]) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    hasher.update(note);
    hasher.update(b"\n");
    hasher.update(bytes);
    Sha256::from_bytes(hasher.finalize().into())
}
