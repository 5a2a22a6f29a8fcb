//! Wheels and sdists in the cache, named by the sha256 of their bytes.
//!
//! Owns moving them in and out by hard link, or by copying if a link is not possible.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::cache::bucket::Bucket;
use crate::cache::{Cache, CacheKind, in_shard, is_mine, part_in};
use crate::package::digest::Sha256;

impl Cache {
    /// Puts the cached file of this sha256 at `path` in `directory`, with the permissions `mode`.
    /// Returns `false` if the file is not cached or its bytes have another sha256; such a file is
    /// removed.
    #[must_use]
    pub fn take(&self, sha256: &Sha256, directory: &Path, path: &Path, mode: u32) -> bool {
        let entry = self.path(CacheKind::Files, sha256);
        let here = fs::symlink_metadata(&entry).ok();
        let Some(here) = here.filter(|entry| entry.is_file() && is_mine(entry)) else {
            return false;
        };
        // The link or copy is hashed, not the cached file: another process could change that after
        // the check (time of check, time of use).
        let mut temporary = tempfile::Builder::new();
        let temporary = temporary.prefix(".part-");
        // A hard link shares the permissions of the cached file, so it serves only if they are
        // `mode`.
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
            touch(&entry);
            return taken.persist_noclobber(path).is_ok();
        }
        let _ = fs::remove_file(&entry);
        false
    }

    /// Caches the file at `path`, whose sha256 was computed.
    pub fn keep(&self, sha256: &Sha256, path: &Path) {
        // Best effort: after an error, the file is not cached.
        let _ = self.try_keep(sha256, path);
    }

    fn try_keep(&self, sha256: &Sha256, path: &Path) -> io::Result<()> {
        let size = fs::metadata(path)?.len();
        let entry = self.path(CacheKind::Files, sha256);
        if size > self.bucket(CacheKind::Files).largest() || entry.exists() {
            return Ok(());
        }
        if in_shard(&entry, |_| fs::hard_link(path, &entry)).is_err() {
            let mut part = in_shard(&entry, part_in)?;
            io::copy(&mut File::open(path)?, &mut part)?;
            part.persist(&entry)?;
        }
        self.bucket(CacheKind::Files).add_size(size);
        Ok(())
    }
}

fn touch(entry: &Path) {
    if let Ok(file) = File::open(entry)
        && let Ok(metadata) = file.metadata()
    {
        Bucket::touch(&file, &metadata);
    }
}

fn hash(path: &Path) -> io::Result<Sha256> {
    Sha256::of_reader(&mut File::open(path)?)
}
