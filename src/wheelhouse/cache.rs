//! What was fetched before, kept by sha256 below pip's own cache directory.
//!
//! Owns the layout `CACHE/pypi-verify-now/files/sha256/AB/SHA256`. Nothing in it is believed: an
//! entry is hashed again each time. Nothing about it is ever an error: without it, files are
//! fetched. Safe for processes side by side, since an entry appears whole or not at all.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::Digest as _;

use crate::digest::Sha256;

/// The directory of the entries.
pub(super) struct Cache(PathBuf);

impl Cache {
    /// The cache below pip's, made if need be; nothing where the place is not ours: under `sudo`
    /// pip leaves the cache of the user alone, too.
    pub(super) fn open(pip_cache: &Path) -> Option<Self> {
        let root = pip_cache.join("pypi-verify-now/files/sha256");
        let existing = root.ancestors().find(|path| path.exists())?;
        if !is_ours(existing) || !root.is_absolute() {
            return None;
        }
        fs::create_dir_all(&root).ok()?;
        is_ours(&root).then_some(Self(root))
    }

    fn entry(&self, sha256: &Sha256) -> PathBuf {
        let digits = sha256.to_string();
        let shard: String = digits.chars().take(2).collect();
        self.0.join(shard).join(digits)
    }

    /// Puts the entry at `path` in `directory`, if there is one and it is what its name says.
    pub(super) fn take(&self, sha256: &Sha256, directory: &Path, path: &Path) -> bool {
        let entry = self.entry(sha256);
        if !fs::symlink_metadata(&entry).is_ok_and(|entry| entry.is_file() && is_mine(&entry)) {
            return false;
        }
        // What is hashed is what pip will get: first out of the cache's reach, then read.
        let mut temporary = tempfile::Builder::new();
        let temporary = temporary.prefix(".part-");
        let taken = temporary
            .make_in(directory, |part| fs::hard_link(&entry, part))
            .or_else(|_| temporary.make_in(directory, |part| fs::copy(&entry, part).map(|_| ())));
        let Ok(taken) = taken else { return false };
        if hash(taken.path()).is_ok_and(|got| got == *sha256) {
            return taken.persist_noclobber(path).is_ok();
        }
        let _ = fs::remove_file(&entry);
        false
    }

    /// Keeps the file at `path`, whose sha256 was computed.
    pub(super) fn keep(&self, sha256: &Sha256, path: &Path) {
        // It fails where it cannot be done, and then nothing is kept.
        let _ = self.try_keep(sha256, path);
    }

    fn try_keep(&self, sha256: &Sha256, path: &Path) -> io::Result<()> {
        let entry = self.entry(sha256);
        let shard = entry.parent().unwrap_or(&self.0);
        fs::create_dir_all(shard)?;
        if fs::hard_link(path, &entry).is_ok() || entry.exists() {
            return Ok(());
        }
        let mut part = tempfile::NamedTempFile::new_in(shard)?;
        io::copy(&mut File::open(path)?, &mut part)?;
        part.persist(&entry)?;
        Ok(())
    }
}

fn hash(path: &Path) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Sha256::from_bytes(hasher.finalize().into())),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

fn is_ours(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir() && is_mine(&metadata))
}

fn is_mine(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
