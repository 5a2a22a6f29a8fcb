//! The wheelhouse: a private directory of verified bytes, from which pip installs.
//!
//! Owns the rule that a file gets its name there only after its sha256 was computed from the bytes
//! that were written and, where the lock states one, compared. Downloads in parallel; what was
//! fetched before comes from the cache and is hashed again. Judges nothing but bytes.

mod receive;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::{NamedTempFile, TempPath};
use url::Url;

use crate::cache::Cache;
use crate::failure::{Failure, Status};
use crate::http::{Client, HttpError};
use crate::package::digest::{Claims, Computed, Contradiction, Hasher, Sha256};
use crate::package::plain_filename::FileName;
use crate::terminal::progress::{Activity, Progress};

/// How many files are fetched at once.
pub const JOBS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// The largest file that is fetched, in bytes. An index states sizes only sometimes, so this and
/// [`crate::http::settings::Patience::download`] are what ends an endless one.
pub const MAX_FILE: u64 = 16 * 1024 * 1024 * 1024;
/// How the name of a file begins whose bytes were not compared yet.
const PART: &str = ".part-";

/// A directory that holds verified files and nothing else once [`Self::fetch_all`] is through.
pub struct Wheelhouse {
    directory: PathBuf,
    cache: Option<Cache>,
    progress: Arc<Progress>,
    elsewhere: Option<Elsewhere>,
    limit: u64,
}

/// Where the bytes of a URL lie on the same disk already, or why they could not be had; nothing
/// where nobody tried. May wait for them.
pub type Elsewhere = Box<dyn Fn(&Url) -> Option<Result<PathBuf, Failure>> + Send + Sync>;

/// A file to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in the wheelhouse.
    pub filename: FileName,
    /// Where it is: `http`, `https` or `file`.
    pub url: Url,
    /// What it must be; without it, what it is will be found out.
    pub sha256: Option<Sha256>,
    /// Whatever else it must be.
    pub claims: Claims,
}

/// A file in the wheelhouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its name.
    pub filename: FileName,
    /// Where it is.
    pub path: PathBuf,
    /// The sha256 of its bytes, computed.
    pub sha256: Sha256,
}

/// Why a file did not reach the wheelhouse.
#[derive(Debug, thiserror::Error)]
pub enum WheelhouseError {
    /// The bytes are others than those that the lock or the index states.
    #[error("{filename} is another file than stated: {contradiction}")]
    Mismatch {
        /// The file.
        filename: FileName,
        /// The statement that its bytes do not bear out.
        contradiction: Contradiction,
    },
    /// Two files want one name.
    #[error("the lock has two files named {0}")]
    Twice(FileName),
    /// The network.
    #[error("{0}")]
    Http(HttpError),
    /// It was tried elsewhere.
    #[error("{}", .0.message)]
    Elsewhere(Failure),
    /// A local file that the lock names.
    #[error("cannot read {path}: {reason}")]
    Local {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The wheelhouse itself.
    #[error("cannot write {path}: {error}")]
    Disk {
        /// The directory or file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
}

impl Wheelhouse {
    /// A wheelhouse in `directory`, which exists, is empty and is nobody else's. `pip_cache` is
    /// pip's own cache directory (`pip cache dir`), below which fetched files are kept; without
    /// it, or where it is not ours to write to, nothing is kept.
    #[must_use]
    pub fn new(directory: PathBuf, pip_cache: Option<&Path>) -> Self {
        Self::keeping(directory, pip_cache.and_then(Cache::open))
    }

    /// The same with a cache that is open already.
    #[must_use]
    pub fn keeping(directory: PathBuf, cache: Option<Cache>) -> Self {
        Self { directory, cache, progress: Arc::default(), elsewhere: None, limit: MAX_FILE }
    }

    /// The same, taking what is `elsewhere` in place of fetching it. It is believed no more than
    /// a fetched file: it is hashed when it is wanted. What cannot be taken is fetched.
    #[must_use]
    pub fn drawing_on(self, elsewhere: Option<Elsewhere>) -> Self {
        Self { elsewhere, ..self }
    }

    /// The same, fetching at most `limit` bytes of a file over the network.
    #[must_use]
    pub fn up_to(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The same, telling how far it is.
    #[must_use]
    pub fn telling(self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self }
    }

    /// The directory, for `pip --find-links`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Fetches every file, `jobs` at a time; answers in the order of `files`.
    ///
    /// # Errors
    /// The first that occurs, but bytes that are not those of the lock before all others. What was
    /// not through then is gone from the directory.
    pub fn fetch_all(
        &self,
        client: &Client,
        files: &[Wanted],
        jobs: NonZeroUsize,
    ) -> Result<Vec<Fetched>, WheelhouseError> {
        self.fetch_until(&AtomicBool::new(false), client, files, jobs)
    }

    /// The same, but once `stop` is set nothing further is begun, and what is under way ends soon;
    /// what is through by then is answered.
    ///
    /// # Errors
    /// As [`Self::fetch_all`]; sets `stop`.
    pub fn fetch_until(
        &self,
        stop: &AtomicBool,
        client: &Client,
        files: &[Wanted],
        jobs: NonZeroUsize,
    ) -> Result<Vec<Fetched>, WheelhouseError> {
        let files = distinct(files)?;
        let next = AtomicUsize::new(0);
        let fetched = Mutex::new(Vec::with_capacity(files.len()));
        let failed = Mutex::new(None);
        let work = || {
            while !stop.load(Ordering::SeqCst) {
                let at = next.fetch_add(1, Ordering::SeqCst);
                let Some(wanted) = files.get(at) else { return };
                match self.fetch(client, wanted, stop) {
                    Ok(file) => {
                        self.progress.step(Activity::Fetching);
                        lock(&fetched).push((at, file));
                    }
                    Err(error) => {
                        let mut failed = lock(&failed);
                        let is_worse = matches!(error, WheelhouseError::Mismatch { .. });
                        if failed.is_none() || is_worse {
                            *failed = Some(error);
                        }
                        stop.store(true, Ordering::SeqCst);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs.get().min(files.len()) {
                scope.spawn(work);
            }
        });
        if let Some(error) = lock(&failed).take() {
            return Err(error);
        }
        let mut fetched = std::mem::take(&mut *lock(&fetched));
        fetched.sort_by_key(|(at, _)| *at);
        Ok(fetched.into_iter().map(|(_, file)| file).collect())
    }

    /// Fetches one file, and gives up early once `stop` is set.
    ///
    /// # Errors
    /// As [`Self::fetch_all`].
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
                Some(_) => wanted.hold(&got).map(|()| fetched(got.sha256)),
                None => Err(WheelhouseError::Twice(wanted.filename.clone())),
            };
        }
        let linked = self.linked(wanted)?;
        let mode = receive::mode(&wanted.url, &self.directory)?;
        if let (None, Some(cache), Some(sha256)) = (&linked, &self.cache, &wanted.sha256)
            && cache.take(sha256, &self.directory, &path, mode)
        {
            // The cache compares the sha256 alone.
            let got = if wanted.claims.is_empty() { None } else { here(&path, &wanted.claims)? };
            if let Some(Err(error)) = got.map(|got| wanted.hold(&got)) {
                fs::remove_file(&path).map_err(|error| disk(&path, error))?;
                return Err(error);
            }
            return Ok(fetched(*sha256));
        }
        let (file, got) = match linked {
            Some(linked) => linked,
            None => receive::receive(client, wanted, self, stop)?,
        };
        wanted.hold(&got)?;
        let mode = Permissions::from_mode(mode);
        fs::set_permissions(&file, mode).map_err(|error| disk(&path, error))?;
        file.persist_noclobber(&path).map_err(|refused| disk(&path, refused.error))?;
        if let Some(cache) = &self.cache {
            cache.keep(&got.sha256, &path);
        }
        Ok(fetched(got.sha256))
    }

    /// A link to what is elsewhere, without a name that counts, and its digests; nothing where
    /// nobody has it there, or no link can be made.
    fn linked(&self, wanted: &Wanted) -> Result<Option<(TempPath, Computed)>, WheelhouseError> {
        let elsewhere = self.elsewhere.as_ref().filter(|_| wanted.sha256.is_some());
        let Some(found) = elsewhere.and_then(|elsewhere| elsewhere(&wanted.url)) else {
            return Ok(None);
        };
        let found = found.map_err(WheelhouseError::Elsewhere)?;
        let mut part = tempfile::Builder::new();
        let part = part.prefix(PART).make_in(&self.directory, |part| fs::hard_link(&found, part));
        let Ok(part) = part.map(NamedTempFile::into_temp_path) else { return Ok(None) };
        Ok(here(&part, &wanted.claims)?.map(|computed| (part, computed)))
    }
}

impl Wanted {
    /// Holds what is wanted against what the bytes are.
    fn hold(&self, got: &Computed) -> Result<(), WheelhouseError> {
        let held = self.claims.hold(self.sha256.as_ref(), got);
        held.map_err(|contradiction| {
            let filename = self.filename.clone();
            WheelhouseError::Mismatch { filename, contradiction }
        })
    }
}

/// The digests of a file that is in the wheelhouse already, such as one that was fetched for its
/// digest, where nobody stated one.
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

/// Each file once: the same file listed twice is one, two files of one name are an error.
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            WheelhouseError::Elsewhere(failure) => failure.clone(),
            WheelhouseError::Local { .. } => {
                failure(Status::CouldNotCheck).hint("check that it exists and that you may read it")
            }
            WheelhouseError::Disk { .. } => failure(Status::CouldNotCheck)
                .hint("make room on the disk, or set TMPDIR to another one"),
        }
    }
}
