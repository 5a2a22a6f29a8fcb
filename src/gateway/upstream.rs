//! The user's indexes behind the gateway: pages, METADATA and files.
//!
//! Owns the order of steps for a file: its entry is found on the page, the file is judged, fetched
//! whole and hashed, and only then handed over. Each page and file is fetched at most once in a
//! run, each file judged at most once. Upstream answers no connection itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use crate::cache::{Cache, CacheEntry, CacheKind};
use crate::gateway::metadata::{assumed, holds};
use crate::gateway::mount::Mount;
use crate::gateway::once_map::OnceMap;
use crate::gateway::route::Token;
use crate::gateway::unavailable::Unavailable;
use crate::gateway::{Asked, Handover, Judging, KnownPage};
use crate::http::{Client, HttpError};
use crate::index::page::{Beside, Mirrored, Page, PageError, PageFile};
use crate::index::{IndexError, ServedDocument, served_document, served_page};
use crate::package::core_metadata::MAX_METADATA;
use crate::package::digest::{Claims, Sha256};
use crate::package::filename::is_wheel;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;
use crate::wheelhouse::{Fetched, MAX_FILE, Wanted, Wheelhouse, WheelhouseError};

/// Key of a file that pip requests: number of the index, project, name on the page. The name comes
/// from a request and is any text; `file_name` makes it a [`FileName`] before a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) index: usize,
    pub(super) name: PackageName,
    pub(super) filename: String,
}

/// Priority of a fetch. Requests of pip's do not wait for prefetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// pip requested it.
    Requested,
    /// A prefetch: pip may request it later.
    Prefetch,
}

/// The user's indexes and the results fetched from them in one run.
pub(super) struct Upstream {
    pub(super) indexes: Vec<Mount>,
    client: Arc<Client>,
    judging: Judging,
    directory: PathBuf,
    cache: Option<Cache>,
    token: Token,
    authority: std::sync::OnceLock<String>,
    stop: AtomicBool,
    pages: OnceMap<(usize, PackageName), Result<Arc<Mirror>, Unavailable>>,
    metadata: OnceMap<Key, Result<Arc<Vec<u8>>, Unavailable>>,
    verdicts: OnceMap<Key, Result<(), Unavailable>>,
    /// `None`: a prefetch stopped at the size that the index states; pip's request fetches again.
    files: OnceMap<Key, Option<Result<Fetched, Unavailable>>>,
    documents: OnceMap<Url, Result<ServedDocument, IndexError>>,
}

/// A page, and its copy for pip.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) page: Arc<Page>,
    pub(super) content_type: String,
    pub(super) body: Arc<Vec<u8>>,
    /// Whether the page is a local file; only such a page may link to local files.
    is_local: bool,
}

impl Upstream {
    pub(super) fn new(setup: crate::gateway::Setup, token: Token) -> Self {
        Self {
            indexes: setup.indexes.into_iter().map(Mount::new).collect(),
            client: setup.client,
            judging: setup.judging,
            directory: setup.directory,
            cache: setup.pip_cache.as_deref().and_then(Cache::open),
            token,
            authority: std::sync::OnceLock::new(),
            stop: AtomicBool::new(false),
            pages: OnceMap::default(),
            metadata: OnceMap::default(),
            verdicts: OnceMap::default(),
            files: OnceMap::default(),
            documents: OnceMap::default(),
        }
    }

    /// Stores the address that the gateway listens on.
    pub(super) fn listens_at(&self, authority: &str) {
        let _ = self.authority.set(authority.to_owned());
    }

    /// Ends running fetches soon. No new fetch begins.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Returns the free bytes on the disk of the files, or 0 if they are unknown.
    pub(super) fn free_bytes(&self) -> u64 {
        rustix::fs::statvfs(&self.directory)
            .map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether files are judged before they are handed over.
    pub(super) const fn judges(&self) -> bool {
        matches!(self.judging, Judging::Before(_))
    }

    pub(super) const fn token(&self) -> &Token {
        &self.token
    }

    pub(super) fn root(&self) -> String {
        format!("http://{}", self.authority.get().map_or("", String::as_str))
    }

    /// Returns the URL of an index for pip.
    pub(super) fn index_url(&self, index: usize) -> String {
        self.root() + &self.token.index_path(index)
    }

    /// Returns the page of a project.
    pub(super) fn page(
        &self,
        index: usize,
        name: &PackageName,
        lane: Lane,
    ) -> Result<Arc<Mirror>, Unavailable> {
        let mount = self.indexes.get(index).ok_or(Unavailable::Missing)?;
        let has_credentials = || self.client.authorizes(&mount.url);
        let trial = mount.trial.begin(lane == Lane::Prefetch, has_credentials);
        let trial = trial.ok_or(Unavailable::Missing)?;
        let answer = self.fetched_page((index, mount), name, lane);
        trial.end(&answer);
        answer
    }

    fn fetched_page(
        &self,
        (index, mount): (usize, &Mount),
        name: &PackageName,
        lane: Lane,
    ) -> Result<Arc<Mirror>, Unavailable> {
        self.pages.get_or_compute(&(index, name.clone()), || {
            let _permit = (lane == Lane::Requested).then(|| mount.documents.acquire());
            self.fail_if_stopped()?;
            let served = served_page(&self.client, self.cache.as_ref(), &mount.url, name);
            let served = served.map_err(Unavailable::of_page)?.ok_or(Unavailable::Missing)?;
            let root = self.root();
            let link = |filename: &str| root.clone() + &self.token.file_path(index, name, filename);
            let (kind, base) = (&served.content_type, &served.url);
            let mirrored = Page::mirror(kind, base, &served.bytes, self.beside(), &link);
            let Mirrored { page, content_type, body } = mirrored.map_err(|error| match error {
                PageError::ContentType(content_type) => Unavailable::NotAPage { content_type },
                error => Unavailable::failed(format!("the page of {name}: {error}")),
            })?;
            let is_local = served.url.scheme() == "file";
            Ok(Arc::new(Mirror {
                page: Arc::new(page),
                content_type,
                body: Arc::new(body),
                is_local,
            }))
        })
    }

    /// Lists the pages that were fetched, and those that their index does not have.
    pub(super) fn pages(&self) -> Vec<KnownPage> {
        let known =
            |((index, name), asked): ((usize, PackageName), Result<Arc<Mirror>, Unavailable>)| {
                let index = self.indexes.get(index)?.url.clone();
                match asked {
                    Ok(mirror) => {
                        Some(KnownPage { index, name, page: Some(Arc::clone(&mirror.page)) })
                    }
                    Err(Unavailable::Missing) => Some(KnownPage { index, name, page: None }),
                    Err(_) => None,
                }
            };
        self.pages.entries().into_iter().filter_map(known).collect()
    }

    /// Returns the page's entry for a file; fetches the page first if need be.
    pub(super) fn entry(&self, key: &Key, lane: Lane) -> Result<PageFile, Unavailable> {
        let mirror = self.page(key.index, &key.name, lane)?;
        let file = mirror.page.file_named(&key.filename);
        let file = file
            .map_err(|error| Unavailable::failed(error.to_string()))?
            .ok_or(Unavailable::Missing)?;
        if file.url.scheme() == "file" && !mirror.is_local {
            let what = format!("the index gives a local file for {}", key.filename);
            return Err(Unavailable::Refused(what));
        }
        Ok(file)
    }

    /// Returns the entry of a file on a fetched page, with a computed sha256 if none is stated.
    pub(super) fn known_entry(&self, key: &Key) -> Option<PageFile> {
        let page = self.pages.get(&(key.index, key.name.clone()))?.ok()?;
        let mut file = page.page.file_named(&key.filename).ok()??;
        if file.sha256.is_none() {
            let fetched = self.files.get(key).flatten().and_then(Result::ok);
            file.sha256 = fetched.map(|fetched| fetched.sha256);
        }
        Some(file)
    }

    /// Whether pip's copy of a page offers METADATA. No attestation covers METADATA beside a file:
    /// an index could name requirements there that the file does not have, and pip would build
    /// them. While files are judged, pip reads the METADATA inside the file.
    const fn beside(&self) -> Beside {
        match self.judging {
            Judging::Before(_) => Beside::LeftOut,
            Judging::Later => Beside::Kept,
            Judging::Never => Beside::ForSources,
        }
    }

    /// Returns the METADATA beside a file (PEP 658), if it is offered.
    pub(super) fn metadata(&self, key: &Key, lane: Lane) -> Result<Arc<Vec<u8>>, Unavailable> {
        let file = self.entry(key, lane)?;
        if self.beside() == Beside::ForSources && !is_wheel(&key.filename) {
            return assumed(&key.name, &key.filename);
        }
        let stated = file.metadata.clone().filter(|_| self.beside() != Beside::LeftOut);
        let stated = stated.ok_or(Unavailable::Missing)?;
        let mount = self.indexes.get(key.index).ok_or(Unavailable::Missing)?;
        self.metadata.get_or_compute(key, || {
            let _permit = (lane == Lane::Requested).then(|| mount.documents.acquire());
            self.fail_if_stopped()?;
            let stated_is = |bytes: &[u8]| stated.iter().all(|(name, hex)| holds(name, hex, bytes));
            // Cached by sha256 only, since the cache checks no other hash.
            let sha256 = stated.iter().find(|(algorithm, _)| algorithm == "sha256");
            let sha256 = sha256.and_then(|(_, digits)| Sha256::parse(digits).ok());
            let kept = self.cache.as_ref().zip(sha256);
            let found = kept.and_then(|(cache, sha256)| cache.read(CacheKind::Metadata, &sha256));
            if let Some(entry) = found.filter(|entry| stated_is(&entry.bytes)) {
                return Ok(Arc::new(entry.bytes));
            }
            let mut url = file.url.clone();
            url.set_path(&format!("{}.metadata", file.url.path()));
            let answer = self.client.get(&url, "*/*", MAX_METADATA);
            let bytes = answer.map_err(|error| Unavailable::of_http(&error))?.body;
            if !stated_is(&bytes) {
                // pip has the stated digest too: it compares, and fails in its own words.
                return Ok(Arc::new(bytes));
            }
            let entry = CacheEntry { note: String::new(), bytes };
            if let Some((cache, sha256)) = kept {
                cache.write(CacheKind::Metadata, &sha256, &entry);
            }
            let bytes = entry.bytes;
            Ok(Arc::new(bytes))
        })
    }

    /// Returns the bytes of a file after its verdict.
    pub(super) fn file(&self, key: &Key, lane: Lane) -> Result<Fetched, Unavailable> {
        let file = self.entry(key, lane)?;
        if matches!(self.judging, Judging::Never) && !is_wheel(&key.filename) {
            return Err(Unavailable::Missing);
        }
        self.verdict(key, &file)?;
        self.bytes(key, &file, lane)
    }

    /// Judges a file once.
    fn verdict(&self, key: &Key, file: &PageFile) -> Result<(), Unavailable> {
        let Judging::Before(judge) = &self.judging else { return Ok(()) };
        let index = self.indexes.get(key.index).ok_or(Unavailable::Missing)?;
        self.verdicts.get_or_compute(key, || {
            let filename = file_name(key)?;
            let (sha256, fetched) = match file.sha256 {
                Some(sha256) => (sha256, None),
                None => {
                    self.bytes(key, file, Lane::Requested).map(|file| (file.sha256, Some(file)))?
                }
            };
            let _permit = index.documents.acquire();
            self.fail_if_stopped()?;
            let file = PageFile { sha256: Some(sha256), ..file.clone() };
            let asked = Asked {
                index: &index.url,
                name: &key.name,
                filename: &filename,
                sha256,
                file: &file,
            };
            let verdict = match judge(&asked) {
                Ok(Handover::Give) => Ok(()),
                Ok(Handover::Refuse(reason)) => Err(Unavailable::Refused(reason)),
                Err(failure) => Err(Unavailable::Failed { code: None, failure }),
            };
            if let (Err(_), Some(fetched)) = (&verdict, fetched) {
                let _ = std::fs::remove_file(fetched.path);
            }
            verdict
        })
    }

    fn bytes(&self, key: &Key, file: &PageFile, lane: Lane) -> Result<Fetched, Unavailable> {
        let mount = self.indexes.get(key.index).ok_or(Unavailable::Missing)?;
        // A prefetch takes its permit first, so that no request of pip's waits for the permit.
        let _permit = (lane == Lane::Prefetch).then(|| mount.prefetches.acquire());
        loop {
            match (self.files.get_or_compute(key, || self.download(mount, key, file, lane)), lane) {
                (Some(answer), _) => return answer,
                (None, Lane::Requested) => self.files.remove_if(key, Option::is_none),
                (None, Lane::Prefetch) => return Err(Unavailable::Missing),
            }
        }
    }

    /// Fetches a file. Returns `None` if a prefetch has more bytes than the index states.
    fn download(
        &self,
        mount: &Mount,
        key: &Key,
        file: &PageFile,
        lane: Lane,
    ) -> Option<Result<Fetched, Unavailable>> {
        let (_permit, limit) = match lane {
            Lane::Requested => (Some(mount.files.acquire()), MAX_FILE),
            Lane::Prefetch => (None, file.size.unwrap_or(0)),
        };
        let (house, filename) = match self.house(key) {
            Ok(made) => made,
            Err(unavailable) => return Some(Err(unavailable)),
        };
        let (url, claims) = (file.url.clone(), Claims::default());
        let wanted = Wanted { filename, url, sha256: file.sha256, claims };
        match house.with_limit(limit).fetch(&self.client, &wanted, &self.stop) {
            Err(WheelhouseError::Http(HttpError::TooLarge { .. })) if lane == Lane::Prefetch => {
                None
            }
            fetched => Some(fetched.map_err(Unavailable::of_wheelhouse)),
        }
    }

    /// Returns the wheelhouse of a file. Each index and project has its own, since their files may
    /// have equal names.
    fn house(&self, key: &Key) -> Result<(Wheelhouse, FileName), Unavailable> {
        self.fail_if_stopped()?;
        let filename = file_name(key)?;
        let directory = self.directory.join(key.index.to_string()).join(key.name.as_str());
        std::fs::create_dir_all(&directory).map_err(|error| {
            Unavailable::failed(format!("cannot make {}: {error}", directory.display()))
        })?;
        Ok((Wheelhouse::with_cache(directory, self.cache.clone()), filename))
    }

    /// Returns the provenance document at a link.
    pub(super) fn document(&self, url: &Url) -> Result<ServedDocument, IndexError> {
        let cache = self.cache.as_ref();
        self.documents.get_or_compute(url, || served_document(&self.client, cache, url))
    }

    /// Returns the keys of fetched files, and of prefetches that have begun, by real URL.
    pub(super) fn arrivals(&self, begun: Vec<Key>) -> HashMap<Url, Key> {
        let by_url = |key: Key| Some((self.known_entry(&key)?.url, key));
        self.files.keys().into_iter().chain(begun).filter_map(by_url).collect()
    }

    /// Returns a fetched file, or waits for it. Returns `None` if no fetch of it has begun (none
    /// can begin any more), or if a prefetch of it was cut short.
    pub(super) fn arrival(&self, key: &Key) -> Option<Result<Fetched, Unavailable>> {
        self.files.get_or_compute(key, || None)
    }

    fn fail_if_stopped(&self) -> Result<(), Unavailable> {
        if self.is_stopped() {
            Err(Unavailable::failed("the run is over".to_owned()))
        } else {
            Ok(())
        }
    }
}

fn file_name(key: &Key) -> Result<FileName, Unavailable> {
    FileName::parse(&key.filename).map_err(|error| Unavailable::Refused(error.to_string()))
}
