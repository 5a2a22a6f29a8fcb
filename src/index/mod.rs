//! Package indexes: pages of the simple API and provenance documents.
//!
//! Owns the choice of the index that is asked about a locked file, and the order of the requests.
//! Each page is fetched at most once in a run, and may be cached for the next run. "No such
//! project" and "no provenance" are results only if an index says so: 404, or a page without the
//! link. Every other answer is an error. The module must not verify documents.

mod cached_client;
mod local;
pub mod newer;
pub mod page;
mod second;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

pub use cached_client::IndexAnswer;
use cached_client::{CachedClient, Resource};
pub use second::SecondSource;
use url::{Origin, Url};

use crate::cache::Cache;
use crate::failure::{Failure, Status};
use crate::http::redact::Redacted;
use crate::http::{Client, HttpError};
use crate::index::page::{Page, PageError, PageFile};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::sync::lock;

/// Maximum size of a provenance document, in bytes.
pub const MAX_PROVENANCE: u64 = 10 * 1024 * 1024;

/// The indexes of a run; threads share it.
pub struct Index<'c> {
    client: CachedClient<'c>,
    pages: Mutex<HashMap<Url, Arc<OnceLock<PageResult>>>>,
    /// Index that listed files of an origin.
    hosts: Mutex<HashMap<Origin, Url>>,
    documents: OnceLock<PrefetchedDocuments>,
    lifetime: PageLifetime,
}

/// Returns the provenance document at a URL as it was fetched in this run, or `None` if it was not
/// requested. May block until it arrives.
pub type PrefetchedDocuments =
    Box<dyn Fn(&Url) -> Option<Result<ServedDocument, IndexError>> + Send + Sync>;

/// Whether a page stays in memory after its project has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageLifetime {
    /// The page stays in memory until the end of the run.
    Run,
    /// The page is dropped.
    Project,
}

type PageResult = Result<Option<Arc<Page>>, IndexError>;

/// Why an index cannot be asked, or its answer cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// The request failed.
    #[error("{0}")]
    Http(Arc<HttpError>),
    /// The answer is not an index page, or its entry for the file cannot be read.
    #[error("{url}: {error}")]
    Page {
        /// URL of the page, redacted.
        url: String,
        /// Cause of the error.
        error: PageError,
    },
    /// A web page instead of a provenance document: the login page of a network, or an error page
    /// with status 200.
    #[error("{url} is a web page, not a provenance document")]
    WebPage {
        /// URL of the document, redacted.
        url: String,
    },
    /// A local file of an index or of the second source cannot be read.
    #[error("cannot read {path}: {reason}")]
    Local {
        /// Path of the file.
        path: String,
        /// Cause of the error.
        reason: String,
    },
}

impl<'c> Index<'c> {
    /// Makes a client for indexes without a cache. Sends no request yet.
    #[must_use]
    pub fn new(client: &'c Client) -> Self {
        Self::with_cache(client, None)
    }

    /// Makes a client for indexes that caches pages and documents.
    #[must_use]
    pub fn with_cache(client: &'c Client, cache: Option<Cache>) -> Self {
        Self::on(CachedClient::new(client, cache))
    }

    /// Returns a client for the same indexes that ignores fetched and cached answers, for requests
    /// on which a refusal rests.
    #[must_use]
    pub fn bypassing_cache(&self) -> Self {
        Self { lifetime: self.lifetime, ..Self::on(self.client.bypassing_cache()) }
    }

    /// Whether an answer of this run came from the cache.
    #[must_use]
    pub fn has_used_cached_answer(&self) -> bool {
        self.client.has_used_cached_answer()
    }

    fn on(client: CachedClient<'c>) -> Self {
        let lifetime = PageLifetime::Run;
        let (pages, hosts, documents) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Self { client, pages, hosts, documents, lifetime }
    }

    /// Returns a client that drops the pages of each project after its last use. The pages of a
    /// lock of thousands of projects would fill the memory.
    #[must_use]
    pub fn dropping_checked_pages(self) -> Self {
        Self { lifetime: PageLifetime::Project, ..self }
    }

    /// Returns the page of a project on the index at `index_url` (`.../simple/`, with or without
    /// the last slash; `file:` URLs name a directory of `NAME/index.html`). Returns `None` if the
    /// index does not list the project (404). Each page is requested once in a run; other threads
    /// wait.
    ///
    /// # Errors
    /// The answer is neither a page nor 404.
    pub fn page(
        &self,
        index_url: &Url,
        name: &PackageName,
    ) -> Result<Option<Arc<Page>>, IndexError> {
        let url = page_url(index_url, name);
        let slot = {
            let mut pages = lock(&self.pages);
            Arc::clone(pages.entry(url.clone()).or_default())
        };
        slot.get_or_init(|| self.fetch_page(&url)).clone()
    }

    /// Stores a page that was already fetched in this run, so that it is not requested again.
    pub fn store_page(&self, index_url: &Url, name: &PackageName, page: Option<Arc<Page>>) {
        let mut pages = lock(&self.pages);
        let slot = pages.entry(page_url(index_url, name)).or_default();
        let _ = slot.set(Ok(page));
    }

    /// Sets the source of provenance documents that were already fetched in this run. Only the
    /// first call has an effect.
    pub fn use_prefetched_documents(&self, documents: PrefetchedDocuments) {
        let _ = self.documents.set(documents);
    }

    /// Returns the page of a project if it was fetched in this run. Sends no request.
    #[must_use]
    pub fn fetched_page(&self, index_url: &Url, name: &PackageName) -> Option<Arc<Page>> {
        let pages = lock(&self.pages);
        pages.get(&page_url(index_url, name))?.get()?.as_ref().ok()?.clone()
    }

    /// Drops a page that is not needed any more. A later call of [`Self::page`] fetches it again.
    pub fn drop_page(&self, index_url: &Url, name: &PackageName) {
        if self.lifetime == PageLifetime::Project {
            let mut pages = lock(&self.pages);
            pages.remove(&page_url(index_url, name));
        }
    }

    fn fetch_page(&self, url: &Url) -> PageResult {
        let Some(served) = fetch(&self.client, url)? else { return Ok(None) };
        let page = Page::parse(&served.content_type, &served.url, &served.bytes);
        page.map(|page| Some(Arc::new(page))).map_err(|error| IndexError::page(url, error))
    }

    /// Returns the document at a provenance link, or `None` if the server answers with 404.
    ///
    /// # Errors
    /// The answer is neither a document of at most [`MAX_PROVENANCE`] bytes nor 404; a web page is
    /// not a document.
    pub fn provenance(&self, url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
        if url.scheme() == "file" {
            return local::read(&local::path(url)?, MAX_PROVENANCE);
        }
        match self.documents.get().and_then(|documents| documents(url)) {
            // pip may have reported credentials since, so the request is repeated with them.
            Some(Err(IndexError::Http(error))) if matches!(error.code(), Some(401 | 403 | 407)) => {
            }
            Some(served) => {
                let served = served?;
                if served.is_cached {
                    self.client.note_cached_answer_used();
                }
                return Ok(served.bytes);
            }
            None => {}
        }
        document(&self.client, url)
    }

    /// Returns the entry of the index that serves a locked file, with its page, or `None` if no
    /// index of `indexes` lists a file of this name at this URL.
    ///
    /// Asks the index that listed another file of the same origin in this run first, then those on
    /// the file's own origin, then the others in the order of `indexes`, and stops at the first
    /// index that lists the file. This order keeps the names of private packages from other
    /// indexes.
    ///
    /// # Errors
    /// An index cannot be asked and no other index lists the file, or the entry cannot be read.
    pub fn listing(
        &self,
        indexes: &[Url],
        name: &PackageName,
        filename: &str,
        url: &Url,
    ) -> Result<Option<PageListing>, IndexError> {
        self.first_that_lists(indexes, name, url, |page| page.file(filename, url))
    }

    /// Returns the entry of the first index that lists a file of this name with this sha256 at any
    /// URL. Where no sha256 is stated, the URLs must be equal up to their queries, in which some
    /// stores sign each link anew. Asks in the order of [`Self::listing`].
    ///
    /// # Errors
    /// As for [`Self::listing`].
    pub fn listing_by_digest(
        &self,
        indexes: &[Url],
        name: &PackageName,
        filename: &str,
        sha256: Option<&Sha256>,
        url: &Url,
    ) -> Result<Option<PageListing>, IndexError> {
        self.first_that_lists(indexes, name, url, |page| page.file_by_digest(filename, sha256, url))
    }

    fn first_that_lists(
        &self,
        indexes: &[Url],
        name: &PackageName,
        url: &Url,
        find: impl Fn(&Page) -> Result<Option<PageFile>, PageError>,
    ) -> Result<Option<PageListing>, IndexError> {
        let known = {
            let hosts = lock(&self.hosts);
            hosts.get(&url.origin()).cloned()
        };
        let mut order: Vec<&Url> = indexes.iter().collect();
        order.sort_by_key(|index| (known.as_ref() != Some(*index), index.origin() != url.origin()));
        let mut failed = None;
        for index in order {
            match self.page(index, name) {
                Ok(None) => {}
                Ok(Some(page)) => {
                    let file = find(&page);
                    let file = file.map_err(|e| IndexError::page(&page_url(index, name), e))?;
                    if let Some(file) = file {
                        let mut hosts = lock(&self.hosts);
                        hosts.insert(url.origin(), index.clone());
                        return Ok(Some(PageListing { file, page }));
                    }
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

/// An entry of a file, with the page that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageListing {
    /// The entry.
    pub file: PageFile,
    /// The page.
    pub page: Arc<Page>,
}

fn is_web_page(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("text/html")
}

/// Requests the page of a project from the index at `index_url`. In contrast to [`Index::page`], it
/// does not parse the page and does not store it for this run.
///
/// # Errors
/// The status is neither 200 nor 404.
pub fn served_page(
    client: &Client,
    cache: Option<&Cache>,
    index_url: &Url,
    name: &PackageName,
) -> Result<Option<IndexAnswer>, IndexError> {
    fetch(&CachedClient::new(client, cache.cloned()), &page_url(index_url, name))
}

/// A provenance document as it was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedDocument {
    /// Bytes of the document; `None` if the server answers with 404.
    pub bytes: Option<Vec<u8>>,
    /// Whether the bytes come from the cache of an earlier run.
    pub is_cached: bool,
}

/// Requests the document at a provenance link, as [`Index::provenance`] does.
///
/// # Errors
/// As for [`Index::provenance`].
pub fn served_document(
    client: &Client,
    cache: Option<&Cache>,
    url: &Url,
) -> Result<ServedDocument, IndexError> {
    let client = CachedClient::new(client, cache.cloned());
    let bytes = document(&client, url)?;
    Ok(ServedDocument { bytes, is_cached: client.has_used_cached_answer() })
}

fn document(client: &CachedClient<'_>, url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
    match client.ask(Resource::Document, url)? {
        Some(answer) if is_web_page(&answer.content_type) => {
            Err(IndexError::WebPage { url: Redacted(url).to_string() })
        }
        answer => Ok(answer.map(|answer| answer.bytes)),
    }
}

fn fetch(client: &CachedClient<'_>, url: &Url) -> Result<Option<IndexAnswer>, IndexError> {
    if url.scheme() == "file" {
        let answer =
            |bytes| IndexAnswer { url: url.clone(), content_type: "text/html".into(), bytes };
        return Ok(local::page(url)?.map(answer));
    }
    Ok(client.ask(Resource::Page, url)?)
}

/// Returns `INDEX/NAME/`.
fn page_url(index_url: &Url, name: &PackageName) -> Url {
    let mut url = index_url.clone();
    url.set_fragment(None);
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(name.as_str()).push("");
    }
    url
}

impl IndexError {
    fn page(url: &Url, error: PageError) -> Self {
        Self::Page { url: Redacted(url).to_string(), error }
    }
}

impl From<HttpError> for IndexError {
    fn from(error: HttpError) -> Self {
        Self::Http(Arc::new(error))
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        let failure = Self::new(Status::CouldNotCheck, error.to_string());
        match &error {
            IndexError::Http(error) => Self::from(&**error),
            IndexError::Page { error: PageError::Entry { .. }, .. } => {
                failure.hint("the index is broken for this file; ask its operator")
            }
            IndexError::Page { .. } => {
                failure.hint("check the index URL: it ends in /simple/ on most indexes")
            }
            IndexError::WebPage { .. } => {
                failure.hint("open it in a browser: the network or the index may want a login")
            }
            IndexError::Local { .. } => {
                failure.hint("check that it exists and that you may read it")
            }
        }
    }
}
