//! Package indexes: the pages of the simple API and the provenance documents behind them.
//!
//! Owns which index is asked about a locked file, and in which order. Each page is fetched at
//! most once in a run, and may be kept for the next. "There is none" is an answer here only where
//! an index says so: 404, or a page without the link. Everything else is an error. Verifies
//! nothing.

mod local;
pub mod newer;
pub mod page;
mod second;
mod way;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use second::SecondSource;
use url::{Origin, Url};
use way::{Answer, Way, What};

use crate::cache::Cache;
use crate::failure::{Failure, Status};
use crate::http::redact::Redacted;
use crate::http::{Client, HttpError};
use crate::index::page::{Page, PageError, PageFile};
use crate::package::name::PackageName;

/// The largest provenance document that is read, in bytes.
pub const MAX_PROVENANCE: u64 = 10 * 1024 * 1024;

/// The indexes of a run; shared by its threads.
pub struct Index<'c> {
    way: Way<'c>,
    pages: Mutex<HashMap<Url, Arc<OnceLock<Asked>>>>,
    /// Which index listed files of which host.
    hosts: Mutex<HashMap<Origin, Url>>,
    documents: OnceLock<Documents>,
    afterwards: Afterwards,
}

/// The provenance document at a URL as it was fetched in this run; nothing where nobody asked for
/// it. May wait for it.
pub type Documents = Box<dyn Fn(&Url) -> Option<Result<ServedDocument, IndexError>> + Send + Sync>;

/// What becomes of a page when its project is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    /// It stays known to the end of the run.
    Kept,
    /// It is let go of.
    LetGo,
}

type Asked = Result<Option<Arc<Page>>, IndexError>;

/// Why an index could not be asked, or its answer not be understood.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// The network.
    #[error("{0}")]
    Http(Arc<HttpError>),
    /// The answer is no index page, or says nothing usable about the file.
    #[error("{url}: {error}")]
    Page {
        /// The page, redacted.
        url: String,
        /// What is wrong with it.
        error: PageError,
    },
    /// A web page in the place of a provenance document: the login of a network, or an error that
    /// is told with status 200.
    #[error("{url} is a web page, not a provenance document")]
    WebPage {
        /// The document's URL, redacted.
        url: String,
    },
    /// A local file of an index or of the second source.
    #[error("cannot read {path}: {reason}")]
    Local {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl<'c> Index<'c> {
    /// The indexes that `client` can reach. Nothing is asked yet.
    #[must_use]
    pub fn new(client: &'c Client) -> Self {
        Self::keeping(client, None)
    }

    /// The same with a cache, in which pages and documents are kept.
    #[must_use]
    pub fn keeping(client: &'c Client, cache: Option<Cache>) -> Self {
        Self::on(Way::new(client, cache))
    }

    /// The same indexes, of which nothing is known yet and nothing counts that is kept: what a
    /// refusal rests on.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { afterwards: self.afterwards, ..Self::on(self.way.anew()) }
    }

    /// Whether anything in this run rests on what is kept.
    #[must_use]
    pub fn has_remembered(&self) -> bool {
        self.way.has_remembered()
    }

    fn on(way: Way<'c>) -> Self {
        let afterwards = Afterwards::Kept;
        let (pages, hosts, documents) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Self { way, pages, hosts, documents, afterwards }
    }

    /// The same, letting go of the pages of each project that is done with: those of a lock of
    /// thousands would fill the memory.
    #[must_use]
    pub fn letting_go(self) -> Self {
        Self { afterwards: Afterwards::LetGo, ..self }
    }

    /// The page of a project on the index at `index_url` (`.../simple/`, with or without the last
    /// slash; `file:` URLs name a directory of `NAME/index.html`). Nothing where the index knows
    /// no such project (404). Asked once in a run, whoever else asks.
    ///
    /// # Errors
    /// Any other answer than a page or 404.
    pub fn page(
        &self,
        index_url: &Url,
        name: &PackageName,
    ) -> Result<Option<Arc<Page>>, IndexError> {
        let url = page_url(index_url, name);
        let slot = {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pages.entry(url.clone()).or_default())
        };
        slot.get_or_init(|| self.fetch_page(&url)).clone()
    }

    /// Takes what an index said of a project in this run already, so that it is not asked again.
    pub fn learn(&self, index_url: &Url, name: &PackageName, page: Option<Arc<Page>>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = pages.entry(page_url(index_url, name)).or_default();
        let _ = slot.set(Ok(page));
    }

    /// Takes provenance documents that were fetched in this run already. The first to be named
    /// counts.
    pub fn draw_documents_from(&self, documents: Documents) {
        let _ = self.documents.set(documents);
    }

    /// The page of a project if it has been asked for in this run; asks nobody.
    #[must_use]
    pub fn known(&self, index_url: &Url, name: &PackageName) -> Option<Arc<Page>> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&page_url(index_url, name))?.get()?.as_ref().ok()?.clone()
    }

    /// Told that nothing more will be asked of a project on this index. Whoever asks for its page
    /// all the same gets it, asked for anew if need be.
    pub fn done_with(&self, index_url: &Url, name: &PackageName) {
        if self.afterwards == Afterwards::LetGo {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.remove(&page_url(index_url, name));
        }
    }

    fn fetch_page(&self, url: &Url) -> Asked {
        let Some(served) = fetch(&self.way, url)? else { return Ok(None) };
        let page = Page::parse(&served.content_type, &served.url, &served.bytes);
        page.map(|page| Some(Arc::new(page))).map_err(|error| IndexError::page(url, error))
    }

    /// The document at a provenance link. Nothing where the server says 404.
    ///
    /// # Errors
    /// Any other answer than a document of at most [`MAX_PROVENANCE`] bytes or 404; a web page is
    /// no document.
    pub fn provenance(&self, url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
        if url.scheme() == "file" {
            return local::read(&local::path(url)?, MAX_PROVENANCE);
        }
        match self.documents.get().and_then(|documents| documents(url)) {
            // pip may since have been told who is asking.
            Some(Err(IndexError::Http(error))) if matches!(error.code(), Some(401 | 403 | 407)) => {
            }
            Some(served) => {
                let served = served?;
                if served.is_remembered {
                    self.way.has_now_remembered();
                }
                return Ok(served.bytes);
            }
            None => {}
        }
        document(&self.way, url)
    }

    /// What the index that serves a locked file says about it; nothing where none of `indexes`
    /// lists a file of this name at this URL.
    ///
    /// Asks first the index that listed another file of the same host in this run, then those on
    /// the file's own host, then the others, in the order of `indexes`; ends with the first that
    /// lists the file. That spares the names of private packages from the other indexes.
    ///
    /// # Errors
    /// An index could not be asked and no other lists the file, or the entry cannot be read.
    pub fn locate(
        &self,
        indexes: &[Url],
        name: &PackageName,
        filename: &str,
        url: &Url,
    ) -> Result<Option<PageFile>, IndexError> {
        let known = {
            let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.get(&url.origin()).cloned()
        };
        let mut order: Vec<&Url> = indexes.iter().collect();
        order.sort_by_key(|index| (known.as_ref() != Some(*index), index.origin() != url.origin()));
        let mut failed = None;
        for index in order {
            match self.page(index, name) {
                Ok(None) => {}
                Ok(Some(page)) => {
                    let file = page.file(filename, url);
                    let file = file.map_err(|e| IndexError::page(&page_url(index, name), e))?;
                    if let Some(file) = file {
                        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
                        hosts.insert(url.origin(), index.clone());
                        return Ok(Some(file));
                    }
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

fn is_web_page(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("text/html")
}

/// A page as the index served it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Where it came from, after redirects and without credentials.
    pub url: Url,
    /// Its `Content-Type`; empty where there was none.
    pub content_type: String,
    /// The bytes, decompressed.
    pub bytes: Vec<u8>,
}

/// Asks the index at `index_url` for the page of a project, as [`Index::page`] does but without
/// reading it, or remembering it for this run.
///
/// # Errors
/// Any other answer than 200 or 404.
pub fn served_page(
    client: &Client,
    cache: Option<&Cache>,
    index_url: &Url,
    name: &PackageName,
) -> Result<Option<Served>, IndexError> {
    fetch(&Way::new(client, cache.cloned()), &page_url(index_url, name))
}

/// A provenance document as it was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedDocument {
    /// Its bytes; none where the server says 404.
    pub bytes: Option<Vec<u8>>,
    /// Whether that rests on what was kept from an earlier run.
    pub is_remembered: bool,
}

/// Asks for the document at a provenance link, as [`Index::provenance`] does.
///
/// # Errors
/// As there.
pub fn served_document(
    client: &Client,
    cache: Option<&Cache>,
    url: &Url,
) -> Result<ServedDocument, IndexError> {
    let way = Way::new(client, cache.cloned());
    let bytes = document(&way, url)?;
    Ok(ServedDocument { bytes, is_remembered: way.has_remembered() })
}

fn document(way: &Way<'_>, url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
    match way.ask(What::Document, url)? {
        Some(answer) if is_web_page(&answer.content_type) => {
            Err(IndexError::WebPage { url: Redacted(url).to_string() })
        }
        answer => Ok(answer.map(|answer| answer.bytes)),
    }
}

fn fetch(way: &Way<'_>, url: &Url) -> Result<Option<Served>, IndexError> {
    if url.scheme() == "file" {
        let served = |bytes| Served { url: url.clone(), content_type: "text/html".into(), bytes };
        return Ok(local::page(url)?.map(served));
    }
    let served = |Answer { url, content_type, bytes }: Answer| Served { url, content_type, bytes };
    Ok(way.ask(What::Page, url)?.map(served))
}

/// `INDEX/NAME/`
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
                failure.hint("the index is broken for this file; ask who runs it")
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
