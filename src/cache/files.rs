//! Wheels and source archives: files that are named by the sha256 of their bytes.
//!
//! Owns how they get out and in without being copied where a link will do.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::cache::room::Room;
use crate::cache::{Cache, Kind, in_shard, is_mine, part_in};
use crate::package::digest::Sha256;

impl Cache {
    /// Puts the file of this sha256 at `path` in `directory`, with the permissions `mode`, if it is
    /// here and is what its name says. One that is not is removed.
    #[must_use]
    pub fn take(&self, sha256: &Sha256, directory: &Path, path: &Path, mode: u32) -> bool {
        let entry = self.path(Kind::Files, sha256);
        let here = fs::symlink_metadata(&entry).ok();
        let Some(here) = here.filter(|entry| entry.is_file() && is_mine(entry)) else {
            return false;
        };
        // What is hashed is what pip will get: first out of the cache's reach, then read.
        let mut temporary = tempfile::Builder::new();
        let temporary = temporary.prefix(".part-");
        // A link has the permissions of the entry: somebody else's umask, perhaps, or a file's own.
        let link = |part: &Path| match here.mode() & 0o777 == mode {
            true => fs::hard_link(&entry, part),
            false => Err(io::ErrorKind::Unsupported.into()),
        };
        let copy = |part: &Path| {
            fs::copy(&entry, part)?;
            fs::set_permissions(part, Permissions::from_mode(mode))
        };
        let taken =
            temporary.make_in(directory, link).or_else(|_| temporary.make_in(directory, copy));
        let Ok(taken) = taken else { return false };
        if hash(taken.path()).is_ok_and(|got| got == *sha256) {
            mark(&entry);
            return taken.persist_noclobber(path).is_ok();
        }
        let _ = fs::remove_file(&entry);
        false
    }

    /// Keeps the file at `path`, whose sha256 was computed.
    pub fn keep(&self, sha256: &Sha256, path: &Path) {
        // It fails where it cannot be done, and then nothing is kept.
        let _ = self.try_keep(sha256, path);
    }

    fn try_keep(&self, sha256: &Sha256, path: &Path) -> io::Result<()> {
        let size = fs::metadata(path)?.len();
        let entry = self.path(Kind::Files, sha256);
        if size > self.room(Kind::Files).largest() || entry.exists() {
            return Ok(());
        }
        if in_shard(&entry, |_| fs::hard_link(path, &entry)).is_err() {
            let mut part = in_shard(&entry, part_in)?;
            io::copy(&mut File::open(path)?, &mut part)?;
            part.persist(&entry)?;
        }
        self.room(Kind::Files).grow(size);
        Ok(())
    }
}

fn mark(entry: &Path) {
    if let Ok(file) = File::open(entry)
        && let Ok(metadata) = file.metadata()
    {
        Room::mark(&file, &metadata);
    }
}

fn hash(path: &Path) -> io::Result<Sha256> {
    Sha256::of_reader(&mut File::open(path)?)
}
