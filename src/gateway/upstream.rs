//! The user's indexes, as the gateway sees them: pages, METADATA and files, each fetched and each
//! file judged at most once in a run.
//!
//! Owns the order in which things happen to a file: it is found on its page, judged, fetched whole
//! and hashed, and only then there is something to hand over. Answers nobody by itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::Digest as _;
use url::Url;

use crate::cache::{Cache, Entry, Kind};
use crate::gateway::no::No;
use crate::gateway::route::Token;
use crate::gateway::slots::{Permits, Slots};
use crate::gateway::{Asked, Handover, Judging, KnownPage};
use crate::http::{Client, HttpError};
use crate::index::page::{Beside, Mirrored, Page, PageError, PageFile};
use crate::index::{IndexError, ServedDocument, served_document, served_page};
use crate::package::digest::{Claims, Sha256};
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;
use crate::wheelhouse::{Fetched, MAX_FILE, Wanted, Wheelhouse, WheelhouseError};

/// The largest METADATA that is read, in bytes.
pub const MAX_METADATA: u64 = 16 * 1024 * 1024;
/// How many pages and documents are asked of one index at once, besides what is fetched ahead.
pub const DOCUMENTS: usize = 32;
/// How many files of one index are fetched at once.
pub const FILES: usize = 8;

/// A file's place among the indexes: number of the index, project, name on the page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) index: usize,
    pub(super) name: PackageName,
    pub(super) filename: String,
}

/// For whom something is done: what was asked for does not wait behind guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// pip asked.
    Asked,
    /// pip may ask.
    Ahead,
}

/// The indexes of a run.
pub(super) struct Upstream {
    pub(super) indexes: Vec<Mount>,
    client: Arc<Client>,
    judging: Judging,
    directory: PathBuf,
    cache: Option<Cache>,
    token: Token,
    authority: std::sync::OnceLock<String>,
    stop: AtomicBool,
    pages: Slots<(usize, PackageName), Result<Arc<Mirror>, No>>,
    metadata: Slots<Key, Result<Arc<Vec<u8>>, No>>,
    verdicts: Slots<Key, Result<(), No>>,
    /// Nothing where a guess has found nothing out.
    files: Slots<Key, Option<Result<Fetched, No>>>,
    documents: Slots<Url, Result<ServedDocument, IndexError>>,
}

/// An index of the user's.
pub(super) struct Mount {
    pub(super) url: Url,
    documents: Permits,
    files: Permits,
    /// What is fetched ahead does not stand in the way of what is asked for.
    ahead: Permits,
}

/// A page and what pip gets of it.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) page: Arc<Page>,
    pub(super) content_type: String,
    pub(super) body: Arc<Vec<u8>>,
    /// Whether the page is a local file, whose links may lead to local files.
    is_local: bool,
}

impl Upstream {
    pub(super) fn new(setup: crate::gateway::Setup, token: Token) -> Self {
        let mount = |url| Mount {
            url,
            documents: Permits::new(DOCUMENTS),
            files: Permits::new(FILES),
            ahead: Permits::new(FILES),
        };
        Self {
            indexes: setup.indexes.into_iter().map(mount).collect(),
            client: setup.client,
            judging: setup.judging,
            directory: setup.directory,
            cache: setup.pip_cache.as_deref().and_then(Cache::open),
            token,
            authority: std::sync::OnceLock::new(),
            stop: AtomicBool::new(false),
            pages: Slots::default(),
            metadata: Slots::default(),
            verdicts: Slots::default(),
            files: Slots::default(),
            documents: Slots::default(),
        }
    }

    /// Tells where the gateway listens, once that is known.
    pub(super) fn listens_at(&self, authority: &str) {
        let _ = self.authority.set(authority.to_owned());
    }

    /// What is under way ends soon, nothing new begins.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// How many bytes the disk has room for where files go; 0 if that cannot be found out.
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

    /// The URL of an index for pip.
    pub(super) fn index_url(&self, index: usize) -> String {
        self.root() + &self.token.index_path(index)
    }

    /// The page of a project.
    pub(super) fn page(
        &self,
        index: usize,
        name: &PackageName,
        lane: Lane,
    ) -> Result<Arc<Mirror>, No> {
        let mount = self.indexes.get(index).ok_or(No::Absent)?;
        self.pages.get_or(&(index, name.clone()), || {
            let _permit = (lane == Lane::Asked).then(|| mount.documents.take());
            self.go_on()?;
            let served = served_page(&self.client, self.cache.as_ref(), &mount.url, name);
            let served = served.map_err(No::of_index)?.ok_or(No::Absent)?;
            let root = self.root();
            let link = |filename: &str| root.clone() + &self.token.file_path(index, name, filename);
            let (kind, base) = (&served.content_type, &served.url);
            let mirrored = Page::mirror(kind, base, &served.bytes, self.beside(), &link);
            let Mirrored { page, content_type, body } = mirrored.map_err(|error| match error {
                PageError::ContentType(content_type) => No::Other { content_type },
                error => No::unclear(format!("the page of {name}: {error}")),
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

    /// The pages that are here, and those that their index does not have.
    pub(super) fn pages(&self) -> Vec<KnownPage> {
        let known = |((index, name), asked): ((usize, PackageName), Result<Arc<Mirror>, No>)| {
            let index = self.indexes.get(index)?.url.clone();
            match asked {
                Ok(mirror) => Some(KnownPage { index, name, page: Some(Arc::clone(&mirror.page)) }),
                Err(No::Absent) => Some(KnownPage { index, name, page: None }),
                Err(_) => None,
            }
        };
        self.pages.all().into_iter().filter_map(known).collect()
    }

    /// The entry of a file, of a page that is here or not.
    pub(super) fn entry(&self, key: &Key, lane: Lane) -> Result<PageFile, No> {
        let mirror = self.page(key.index, &key.name, lane)?;
        let file = mirror.page.file_named(&key.filename);
        let file = file.map_err(|error| No::unclear(error.to_string()))?.ok_or(No::Absent)?;
        if file.url.scheme() == "file" && !mirror.is_local {
            let what = format!("the index gives a local file for {}", key.filename);
            return Err(No::Refused(what));
        }
        Ok(file)
    }

    /// The entry of a file whose page is here, with a sha256 that was computed if none is stated.
    pub(super) fn known_entry(&self, key: &Key) -> Option<PageFile> {
        let page = self.pages.peek(&(key.index, key.name.clone()))?.ok()?;
        let mut file = page.page.file_named(&key.filename).ok()??;
        if file.sha256.is_none() {
            let fetched = self.files.peek(key).flatten().and_then(Result::ok);
            file.sha256 = fetched.map(|fetched| fetched.sha256);
        }
        Some(file)
    }

    /// No attestation covers the METADATA beside a file: an index could have it name requirements
    /// that the file does not, and these be built. Where files are judged, pip reads theirs.
    const fn beside(&self) -> Beside {
        match self.judging {
            Judging::Before(_) => Beside::LeftOut,
            Judging::Later => Beside::Kept,
        }
    }

    /// The METADATA beside a file (PEP 658), where it is offered.
    pub(super) fn metadata(&self, key: &Key, lane: Lane) -> Result<Arc<Vec<u8>>, No> {
        let file = self.entry(key, lane)?;
        let stated = file.metadata.clone().filter(|_| self.beside() == Beside::Kept);
        let stated = stated.ok_or(No::Absent)?;
        let mount = self.indexes.get(key.index).ok_or(No::Absent)?;
        self.metadata.get_or(key, || {
            let _permit = (lane == Lane::Asked).then(|| mount.documents.take());
            self.go_on()?;
            let stated_is = |bytes: &[u8]| stated.iter().all(|(name, hex)| holds(name, hex, bytes));
            // Kept by its sha256, or not at all.
            let sha256 = stated.iter().find(|(algorithm, _)| algorithm == "sha256");
            let sha256 = sha256.and_then(|(_, digits)| Sha256::parse(digits).ok());
            let kept = self.cache.as_ref().zip(sha256);
            let found = kept.and_then(|(cache, sha256)| cache.read(Kind::Metadata, &sha256));
            if let Some(entry) = found.filter(|entry| stated_is(&entry.bytes)) {
                return Ok(Arc::new(entry.bytes));
            }
            let mut url = file.url.clone();
            url.set_path(&format!("{}.metadata", file.url.path()));
            let answer = self.client.get(&url, "*/*", MAX_METADATA);
            let bytes = answer.map_err(|error| No::of_http(&error))?.body;
            if !stated_is(&bytes) {
                let filename = &key.filename;
                let what = format!("the METADATA of {filename} is not what the index states");
                return Err(No::Refused(what));
            }
            let entry = Entry { note: String::new(), bytes };
            if let Some((cache, sha256)) = kept {
                cache.write(Kind::Metadata, &sha256, &entry);
            }
            let bytes = entry.bytes;
            Ok(Arc::new(bytes))
        })
    }

    /// The bytes of a file, once it may be handed over.
    pub(super) fn file(&self, key: &Key, lane: Lane) -> Result<Fetched, No> {
        let file = self.entry(key, lane)?;
        self.verdict(key, &file)?;
        self.bytes(key, &file, lane)
    }

    /// Whether a file may be handed over.
    fn verdict(&self, key: &Key, file: &PageFile) -> Result<(), No> {
        let Judging::Before(judge) = &self.judging else { return Ok(()) };
        let index = self.indexes.get(key.index).ok_or(No::Absent)?;
        self.verdicts.get_or(key, || {
            let filename = file_name(key)?;
            let (sha256, fetched) = match file.sha256 {
                Some(sha256) => (sha256, None),
                None => self.bytes(key, file, Lane::Asked).map(|file| (file.sha256, Some(file)))?,
            };
            let _permit = index.documents.take();
            self.go_on()?;
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
                Ok(Handover::Refuse(reason)) => Err(No::Refused(reason)),
                Err(failure) => Err(No::Unknown { code: None, failure }),
            };
            if let (Err(_), Some(fetched)) = (&verdict, fetched) {
                let _ = std::fs::remove_file(fetched.path);
            }
            verdict
        })
    }

    fn bytes(&self, key: &Key, file: &PageFile, lane: Lane) -> Result<Fetched, No> {
        let mount = self.indexes.get(key.index).ok_or(No::Absent)?;
        // A guess has its permit before anybody can wait for it.
        let _permit = (lane == Lane::Ahead).then(|| mount.ahead.take());
        loop {
            match (self.files.get_or(key, || self.download(mount, key, file, lane)), lane) {
                (Some(answer), _) => return answer,
                (None, Lane::Asked) => self.files.forget(key, Option::is_none),
                (None, Lane::Ahead) => return Err(No::Absent),
            }
        }
    }

    /// Fetches a file; nothing where a guess finds nothing out: it gets as many bytes as the index
    /// states.
    fn download(
        &self,
        mount: &Mount,
        key: &Key,
        file: &PageFile,
        lane: Lane,
    ) -> Option<Result<Fetched, No>> {
        let (_permit, limit) = match lane {
            Lane::Asked => (Some(mount.files.take()), MAX_FILE),
            Lane::Ahead => (None, file.size.unwrap_or(0)),
        };
        let (house, filename) = match self.house(key) {
            Ok(made) => made,
            Err(no) => return Some(Err(no)),
        };
        let (url, claims) = (file.url.clone(), Claims::default());
        let wanted = Wanted { filename, url, sha256: file.sha256, claims };
        match house.up_to(limit).fetch(&self.client, &wanted, &self.stop) {
            Err(WheelhouseError::Http(HttpError::TooLarge { .. })) if lane == Lane::Ahead => None,
            fetched => Some(fetched.map_err(No::of_wheelhouse)),
        }
    }

    /// Where a file goes: two indexes, or two projects, may have different files of one name.
    fn house(&self, key: &Key) -> Result<(Wheelhouse, FileName), No> {
        self.go_on()?;
        let filename = file_name(key)?;
        let directory = self.directory.join(key.index.to_string()).join(key.name.as_str());
        std::fs::create_dir_all(&directory).map_err(|error| {
            No::unclear(format!("cannot make {}: {error}", directory.display()))
        })?;
        Ok((Wheelhouse::keeping(directory, self.cache.clone()), filename))
    }

    /// The provenance document at a link.
    pub(super) fn document(&self, url: &Url) -> Result<ServedDocument, IndexError> {
        let cache = self.cache.as_ref();
        self.documents.get_or(url, || served_document(&self.client, cache, url))
    }

    /// The files that are here or under way, by their real URLs, and those that are about to be.
    pub(super) fn arrivals(&self, begun: Vec<Key>) -> HashMap<Url, Key> {
        let by_url = |key: Key| Some((self.known_entry(&key)?.url, key));
        self.files.keys().into_iter().chain(begun).filter_map(by_url).collect()
    }

    /// A file that is here, or will be; none where nobody has begun to fetch it, and then nobody
    /// will, or where a guess has found nothing out.
    pub(super) fn arrival(&self, key: &Key) -> Option<Result<Fetched, No>> {
        self.files.get_or(key, || None)
    }

    fn go_on(&self) -> Result<(), No> {
        if self.is_stopped() { Err(No::unclear("the run is over".to_owned())) } else { Ok(()) }
    }
}

fn file_name(key: &Key) -> Result<FileName, No> {
    FileName::parse(&key.filename).map_err(|error| No::Refused(error.to_string()))
}

/// Whether bytes have the digest that was stated. What cannot be computed here is left to pip,
/// which gets what was stated.
fn holds(algorithm: &str, digits: &str, bytes: &[u8]) -> bool {
    let got: Vec<u8> = match algorithm {
        "sha256" => Sha256::of(bytes).as_bytes().to_vec(),
        "sha384" => sha2::Sha384::digest(bytes).to_vec(),
        "sha512" => sha2::Sha512::digest(bytes).to_vec(),
        _ => return true,
    };
    let got: String = got.iter().map(|byte| format!("{byte:02x}")).collect();
    got.eq_ignore_ascii_case(digits)
}
