//! The wheelhouse: a private directory of verified files, from which pip installs.
//!
//! Owns the rule that a file gets its name in the directory only after its sha256 was computed from
//! the written bytes and compared with the lock's, if the lock states one. Downloads in parallel.
//! Cached files are hashed again. The wheelhouse must not judge anything but bytes.

mod receive;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::{NamedTempFile, TempPath};
use url::Url;

use crate::cache::Cache;
use crate::failure::{Failure, Status};
use crate::http::{Client, HttpError};
use crate::package::digest::{Claims, Computed, Contradiction, Hasher, Sha256};
use crate::package::plain_filename::FileName;
use crate::sync::{in_order, lock, unpoisoned};
use crate::terminal::progress::{Activity, Progress};

/// Number of parallel downloads.
pub const JOBS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Maximum size of a file, in bytes. Indexes state sizes only sometimes, so this limit and
/// [`crate::http::settings::Patience::download`] stop an endless download.
pub const MAX_FILE: u64 = 16 * 1024 * 1024 * 1024;
/// Prefix of the names of files whose bytes were not compared yet.
const PART: &str = ".part-";

/// A directory that contains only verified files after [`Self::fetch_all`] returns.
pub struct Wheelhouse {
    directory: PathBuf,
    cache: Option<Cache>,
    progress: Arc<Progress>,
    prefetched: Option<Prefetched>,
    limit: u64,
}

/// Looks a URL up among the files that the gateway prefetched. Returns the path on the same disk or
/// why the fetch failed, or `None` if the file was not prefetched. May block until it arrives.
pub type Prefetched = Box<dyn Fn(&Url) -> Option<Result<PathBuf, Failure>> + Send + Sync>;

/// A file to fetch. In contrast to the [`File`](crate::package::lock::File) of a lock, it has a
/// URL: a path that is not absolute cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the file in the wheelhouse.
    pub filename: FileName,
    /// URL of the file: `http`, `https` or `file`.
    pub url: Url,
    /// Expected sha256; if `None`, the sha256 is computed only.
    pub sha256: Option<Sha256>,
    /// Other digests and the size that the bytes must have.
    pub claims: Claims,
}

/// A file in the wheelhouse. In contrast to a [`Wanted`] file, its bytes are on disk and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Name of the file.
    pub filename: FileName,
    /// Path of the file.
    pub path: PathBuf,
    /// Sha256 computed from the bytes.
    pub sha256: Sha256,
}

/// Why a file is not in the wheelhouse.
#[derive(Debug, thiserror::Error)]
pub enum WheelhouseError {
    /// The bytes contradict the lock or the index.
    #[error("{filename} is another file than stated: {contradiction}")]
    Mismatch {
        /// Name of the file.
        filename: FileName,
        /// Statement that the bytes contradict.
        contradiction: Contradiction,
    },
    /// Two files have the same name.
    #[error("the lock has two files named {0}")]
    Twice(FileName),
    /// The download failed.
    #[error("{0}")]
    Http(HttpError),
    /// The prefetch of the file failed.
    #[error("{}", .0.message)]
    Prefetch(Failure),
    /// A local file that the lock names cannot be read.
    #[error("cannot read {path}: {reason}")]
    Local {
        /// Path of the file.
        path: String,
        /// Cause of the error.
        reason: String,
    },
    /// A file or directory of the wheelhouse cannot be written.
    #[error("cannot write {path}: {error}")]
    Disk {
        /// Path of the directory or file.
        path: String,
        /// Message of the system.
        error: io::Error,
    },
}

impl Wheelhouse {
    /// Makes a wheelhouse in `directory`, which must exist, be empty and private. `pip_cache` is
    /// pip's own cache directory (`pip cache dir`), below which fetched files are cached; without
    /// it, or if it belongs to another user, files are not cached.
    #[must_use]
    pub fn new(directory: PathBuf, pip_cache: Option<&Path>) -> Self {
        Self::with_cache(directory, pip_cache.and_then(Cache::open))
    }

    /// Makes a wheelhouse with an open cache.
    #[must_use]
    pub fn with_cache(directory: PathBuf, cache: Option<Cache>) -> Self {
        Self { directory, cache, progress: Arc::default(), prefetched: None, limit: MAX_FILE }
    }

    /// Uses prefetched files instead of downloads. A prefetched file is hashed as a downloaded one
    /// is. A file that cannot be linked is downloaded.
    #[must_use]
    pub fn with_prefetched(self, prefetched: Option<Prefetched>) -> Self {
        Self { prefetched, ..self }
    }

    /// Sets the maximum size of a download, in bytes.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Reports progress to this value.
    #[must_use]
    pub fn with_progress(self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self }
    }

    /// Returns the directory, for `pip --find-links`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Fetches every file with `jobs` threads. Returns them in the order of `files`.
    ///
    /// # Errors
    /// The first error, but a contradiction of bytes takes precedence. Files that were not complete
    /// are removed.
    pub fn fetch_all(
        &self,
        client: &Client,
        files: &[Wanted],
        jobs: NonZeroUsize,
    ) -> Result<Vec<Fetched>, WheelhouseError> {
        self.fetch_until(&AtomicBool::new(false), client, files, jobs)
    }

    /// Fetches files as [`Self::fetch_all`] does until `stop` is set. No download begins after
    /// that, running ones end soon, and complete files are returned.
    ///
    /// # Errors
    /// As for [`Self::fetch_all`]; an error sets `stop`.
    pub fn fetch_until(
        &self,
        stop: &AtomicBool,
        client: &Client,
        files: &[Wanted],
        jobs: NonZeroUsize,
    ) -> Result<Vec<Fetched>, WheelhouseError> {
        let files = distinct(files)?;
        let failed = Mutex::new(None);
        let fetched = in_order(&files, jobs.get(), stop, |wanted| {
            let error = match self.fetch(client, wanted, stop) {
                Ok(file) => {
                    self.progress.step(Activity::Fetching);
                    return Some(file);
                }
                Err(error) => error,
            };
            let mut failed = lock(&failed);
            let is_worse = matches!(error, WheelhouseError::Mismatch { .. });
            if failed.is_none() || is_worse {
                *failed = Some(error);
            }
            stop.store(true, Ordering::SeqCst);
            None
        });
        match unpoisoned(failed.into_inner()) {
            Some(error) => Err(error),
            None => Ok(fetched.into_iter().flatten().collect()),
        }
    }

    /// Fetches one file; ends early once `stop` is set.
    ///
    /// # Errors
    /// As for [`Self::fetch_all`].
    pub fn fetch(
        &self,
        client: &Client,
        wanted: &Wanted,
        stop: &AtomicBool,
    ) -> Result<Fetched, WheelhouseError> {
        let path = self.directory.join(wanted.filename.as_str());
        let fetched = |sha256| {
            let (filename, path) = (wanted.filename.clone(), path.clone());
            Fetched { filename, path, sha256 }
        };
        if let Some(got) = here(&path, &wanted.claims)? {
            return match wanted.sha256 {
                Some(_) => wanted.compare(&got).map(|()| fetched(got.sha256)),
                None => Err(WheelhouseError::Twice(wanted.filename.clone())),
            };
        }
        let linked = self.linked(wanted)?;
        let mode = receive::mode(&wanted.url, &self.directory)?;
        if let (None, Some(cache), Some(sha256)) = (&linked, &self.cache, &wanted.sha256)
            && cache.take(sha256, &self.directory, &path, mode)
        {
            // The cache compares only the sha256, so other claims are compared here.
            let got = if wanted.claims.is_empty() { None } else { here(&path, &wanted.claims)? };
            if let Some(Err(error)) = got.map(|got| wanted.compare(&got)) {
                fs::remove_file(&path).map_err(|error| disk(&path, error))?;
                return Err(error);
            }
            return Ok(fetched(*sha256));
        }
        let (file, got) = match linked {
            Some(linked) => linked,
            None => receive::receive(client, wanted, self, stop)?,
        };
        wanted.compare(&got)?;
        let mode = Permissions::from_mode(mode);
        fs::set_permissions(&file, mode).map_err(|error| disk(&path, error))?;
        file.persist_noclobber(&path).map_err(|refused| disk(&path, refused.error))?;
        if let Some(cache) = &self.cache {
            cache.keep(&got.sha256, &path);
        }
        Ok(fetched(got.sha256))
    }

    /// Links a prefetched file into the directory under an unfinished name, and computes its
    /// digests. Returns `None` if the file was not prefetched, or cannot be linked.
    fn linked(&self, wanted: &Wanted) -> Result<Option<(TempPath, Computed)>, WheelhouseError> {
        let prefetched = self.prefetched.as_ref().filter(|_| wanted.sha256.is_some());
        let Some(found) = prefetched.and_then(|prefetched| prefetched(&wanted.url)) else {
            return Ok(None);
        };
        let found = found.map_err(WheelhouseError::Prefetch)?;
        let mut part = tempfile::Builder::new();
        let part = part.prefix(PART).make_in(&self.directory, |part| fs::hard_link(&found, part));
        let Ok(part) = part.map(NamedTempFile::into_temp_path) else { return Ok(None) };
        Ok(here(&part, &wanted.claims)?.map(|computed| (part, computed)))
    }
}

impl Wanted {
    /// Compares the expected digests with the computed ones.
    fn compare(&self, got: &Computed) -> Result<(), WheelhouseError> {
        let held = self.claims.hold(self.sha256.as_ref(), got);
        held.map_err(|contradiction| {
            let filename = self.filename.clone();
            WheelhouseError::Mismatch { filename, contradiction }
        })
    }
}

/// Computes the digests of a file that is in the wheelhouse already, such as one that was fetched
/// to compute its sha256. Returns `None` if there is no such file.
fn here(path: &Path, claims: &Claims) -> Result<Option<Computed>, WheelhouseError> {
    match fs::File::open(path) {
        Ok(mut file) => {
            let computed = Hasher::new(claims).read(&mut file);
            computed.map(Some).map_err(|error| disk(path, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk(path, error)),
    }
}

fn disk(path: &Path, error: io::Error) -> WheelhouseError {
    WheelhouseError::Disk { path: path.display().to_string(), error }
}

/// Returns each file once. A file may be listed twice; two files of the same name are an error.
fn distinct(files: &[Wanted]) -> Result<Vec<&Wanted>, WheelhouseError> {
    let mut seen = BTreeMap::new();
    let mut distinct = Vec::with_capacity(files.len());
    for wanted in files {
        match seen.insert(&wanted.filename, wanted) {
            None => distinct.push(wanted),
            Some(earlier) if earlier == wanted => {}
            Some(_) => return Err(WheelhouseError::Twice(wanted.filename.clone())),
        }
    }
    Ok(distinct)
}

impl From<WheelhouseError> for Failure {
    fn from(error: WheelhouseError) -> Self {
        let failure = |status| Self::new(status, error.to_string());
        match &error {
            WheelhouseError::Mismatch { .. } => failure(Status::Refused).hint(
                "the file changed on its way or on the index, or two different files are stated \
                 for it; nothing was installed",
            ),
            WheelhouseError::Twice(_) => failure(Status::Refused)
                .hint("two indexes offer different files under one name; leave one of them out"),
            WheelhouseError::Http(error) => Self::from(error),
            WheelhouseError::Prefetch(failure) => failure.clone(),
            WheelhouseError::Local { .. } => {
                failure(Status::CouldNotCheck).hint("check that it exists and that you may read it")
            }
            WheelhouseError::Disk { .. } => failure(Status::CouldNotCheck)
                .hint("make room on the disk, or set TMPDIR to another one"),
        }
    }
}
