//! The gateway: a package index on 127.0.0.1 that runs during one install, in front of the user's
//! indexes.
//!
//! Owns the pages, METADATA and files that pip receives. A file is handed over only after it was
//! judged, fetched whole and hashed. While files are judged, METADATA beside a file is not offered,
//! since no attestation covers it. A gateway without verdicts serves a pip that runs no code.
//! Requests without the random path of this run are answered with 404. Credentials of the indexes
//! are never passed to pip. The gateway must not judge files itself: the judge is a closure of the
//! caller.

mod answer;
mod metadata;
mod mount;
mod offered;
mod once_map;
mod peer;
mod prefetch;
mod record;
mod request;
mod rewrite;
mod route;
mod server;
mod trial;
mod unavailable;
mod upstream;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use url::Url;

use answer::Answer;
pub use mount::{DOCUMENTS, FILES};
use offered::Offered;
use prefetch::Prefetcher;
pub use prefetch::{
    FETCHERS, FIRST_PREFETCHES, MAX_PREFETCHED, MAX_WHEEL, PREFETCHES_PER_PAGE, WORKERS,
    WheelRanking,
};
use record::Record;
pub use record::{Failed, FailedKind, Handed, KnownPage, Real, Refusal};
use request::Request;
pub use request::{HEAD_TIME, IDLE, MAX_HEAD, MAX_HEADERS, MAX_LINE};
use route::{METADATA, Route, Token};
pub use server::MAX_CONNECTIONS;
use server::Server;
use unavailable::Unavailable;
use upstream::{Key, Lane, Upstream};

use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::index::page::PageFile;
use crate::index::{IndexError, ServedDocument};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// Address that every gateway listens on; the value for `NO_PROXY`.
pub const HOST: &str = "127.0.0.1";

/// Settings of a gateway.
pub struct Setup {
    /// HTTP client for the user's indexes.
    pub client: Arc<Client>,
    /// URLs of the user's indexes, in order.
    pub indexes: Vec<Url>,
    /// An existing, empty and private directory. Files are stored there as `INDEX/NAME/FILENAME`.
    pub directory: PathBuf,
    /// pip's own cache directory, below which fetched files are cached, as the wheelhouse does.
    pub pip_cache: Option<PathBuf>,
    /// Whether files are judged by the gateway.
    pub judging: Judging,
    /// Whether files are prefetched.
    pub prefetching: Prefetching,
}

/// Whether the gateway fetches files before pip requests them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefetching {
    /// Prefetch the files that this Python will most likely need.
    Enabled(WheelRanking),
    /// Fetch only on request.
    Disabled,
}

/// Whether files are judged by the gateway.
pub enum Judging {
    /// Judge each file once, before it is handed over. METADATA beside files is not offered.
    Before(Judge),
    /// Judge files later. Allowed only for a pip that runs no code of packages.
    Later,
    /// Judge no file, and hand over no source: the METADATA of a source says that it needs nothing.
    /// Allowed only for a pip that runs no code of packages and whose answer is discarded.
    Never,
}

/// Judges one file. After an error (the verdict could not be found out) the file is not handed over
/// either.
pub type Judge = Box<dyn Fn(&Asked<'_>) -> Result<Handover, Failure> + Send + Sync>;

/// A file that pip requested.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// URL of the index that lists the file.
    pub index: &'a Url,
    /// Name of the project.
    pub name: &'a PackageName,
    /// Name of the file.
    pub filename: &'a FileName,
    /// Sha256 that the bytes must have: stated by the index, or else computed from the bytes.
    pub sha256: Sha256,
    /// The index's entry for the file, with [`Self::sha256`].
    pub file: &'a PageFile,
}

/// Verdict on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// Hand the file over to pip.
    Give,
    /// Refuse the file for this reason.
    Refuse(String),
}

/// A running gateway. Dropping it closes the port and every connection.
pub struct Gateway {
    // Dropped first, so that no request meets a partly dropped gateway.
    server: Server,
    inner: Arc<Inner>,
}

struct Inner {
    upstream: Arc<Upstream>,
    prefetcher: Option<Arc<Prefetcher>>,
    record: Record,
    /// METADATA that pip requested.
    offered: Offered,
    /// Prefetched files by their real URLs, once prefetching has stopped.
    arrivals: OnceLock<HashMap<Url, Key>>,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No port of 127.0.0.1 or no thread is available.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
    /// No random numbers are available.
    #[error("cannot get random numbers: {0}")]
    Random(getrandom::Error),
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::new(Status::CouldNotCheck, error.to_string())
            .hint("pip reaches the index through a local port; check that local ports are allowed")
    }
}

impl Gateway {
    /// Starts to listen. Sends no request to the user's indexes yet.
    ///
    /// # Errors
    /// The system gives no port, no thread or no random numbers.
    pub fn start(mut setup: Setup) -> Result<Self, GatewayError> {
        let token = Token::new().map_err(GatewayError::Random)?;
        let prefetching = std::mem::replace(&mut setup.prefetching, Prefetching::Disabled);
        let upstream = Arc::new(Upstream::new(setup, token));
        let prefetcher = match prefetching {
            Prefetching::Enabled(ranking) => Some(Prefetcher::new(Arc::clone(&upstream), ranking)),
            Prefetching::Disabled => None,
        };
        let (record, arrivals) = (Record::default(), OnceLock::new());
        let offered = Offered::default();
        let inner = Arc::new(Inner { upstream, prefetcher, record, offered, arrivals });
        let answering = Arc::clone(&inner);
        let server = Server::start(Arc::new(move |request: &Request| answering.answer(request)))?;
        inner.upstream.listens_at(server.authority());
        Ok(Self { server, inner })
    }

    /// Returns the URLs for pip in the order of the indexes: the first for `--index-url`, the
    /// others for `--extra-index-url`. They contain the secret path of this run.
    #[must_use]
    pub fn index_urls(&self) -> Vec<String> {
        let indexes = 0..self.inner.upstream.indexes.len();
        indexes.map(|index| self.inner.upstream.index_url(index)).collect()
    }

    /// Prefetches the likely needs of these requirements (PEP 508). A requirement that names a URL
    /// or a path is skipped.
    pub fn prefetch(&self, requirements: &[String]) {
        if let Some(prefetcher) = &self.inner.prefetcher {
            prefetcher.require(requirements);
        }
    }

    /// Stops prefetching. Fetches that have begun are completed.
    pub fn stop_prefetching(&self) {
        if let Some(prefetcher) = &self.inner.prefetcher {
            prefetcher.stop();
        }
    }

    /// Stops prefetching and ends running fetches soon. Files that are complete by then stay.
    pub fn stop_fetching(&self) {
        self.inner.upstream.stop();
        self.stop_prefetching();
    }

    /// Returns the path of the prefetched file that an index lists at this URL, or why it could not
    /// be fetched. Waits while the fetch is running. Call it after [`Self::stop_prefetching`] only.
    ///
    /// Returns `None` if the file was neither requested nor prefetched, is missing, may have been
    /// cut short by [`Self::stop_fetching`], or needs credentials that pip may have reported since.
    #[must_use]
    pub fn bytes_of(&self, url: &Url) -> Option<Result<PathBuf, Failure>> {
        let Inner { upstream, prefetcher, arrivals, .. } = &*self.inner;
        let begun = || prefetcher.as_ref().map(|prefetcher| prefetcher.begun()).unwrap_or_default();
        let arrivals = arrivals.get_or_init(|| upstream.arrivals(begun()));
        match upstream.arrival(arrivals.get(url)?)? {
            Ok(fetched) => Some(Ok(fetched.path)),
            Err(_) if upstream.is_stopped() => None,
            // pip may have reported credentials since; the caller fetches again with them.
            Err(
                Unavailable::Failed { code: Some(401 | 403 | 407), .. }
                | Unavailable::PassedOver { .. },
            ) => None,
            Err(Unavailable::Failed { failure, .. }) => Some(Err(failure)),
            Err(Unavailable::Refused(reason)) => Some(Err(Refusal::failure(reason))),
            Err(Unavailable::Missing | Unavailable::NotAPage { .. }) => None,
        }
    }

    /// Returns the provenance document at this URL, or `None` if it was not queued for prefetching.
    /// A queued document is fetched now if it is not there yet. Call it after
    /// [`Self::stop_prefetching`] only.
    #[must_use]
    pub fn document_at(&self, url: &Url) -> Option<Result<ServedDocument, IndexError>> {
        self.inner.prefetcher.as_ref()?.is_queued(url).then(|| self.inner.upstream.document(url))
    }

    /// Returns `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.server.authority()
    }

    /// Lists the projects whose pages pip requested, each once, in order of the requests.
    #[must_use]
    pub fn asked(&self) -> Vec<PackageName> {
        self.inner.record.asked()
    }

    /// Lists the files that were handed over, in order.
    #[must_use]
    pub fn handed_over(&self) -> Vec<Handed> {
        self.inner.record.handed()
    }

    /// Lists the files that pip requested and that were refused, in order.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.inner.record.refusals()
    }

    /// Lists the requests of pip's that failed because of an index, in order.
    #[must_use]
    pub fn failures(&self) -> Vec<Failed> {
        self.inner.record.failures()
    }

    /// Lists the pages that were fetched in this run, requested or prefetched, in no order.
    #[must_use]
    pub fn pages(&self) -> Vec<KnownPage> {
        self.inner.upstream.pages()
    }

    /// Returns the file behind a URL of this gateway, such as one in a lock or a report of pip's.
    /// Returns `None` for any other URL, and if the file's page was not fetched.
    #[must_use]
    pub fn real_url(&self, url: &Url) -> Option<Real> {
        let authority = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        if url.scheme() != "http" || authority != self.server.authority() {
            return None;
        }
        let upstream = &self.inner.upstream;
        let Some(Route::File { index, name, filename }) = upstream.token().route(url.path()) else {
            return None;
        };
        let key = Key { index, name, filename };
        let file = upstream.known_entry(&key)?;
        let index = upstream.indexes.get(index)?.url.clone();
        Some(Real { index, name: key.name, file })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop_fetching();
    }
}

impl Inner {
    fn answer(&self, request: &Request) -> Answer {
        let path = request.target.split(['?', '#']).next().unwrap_or_default();
        match self.upstream.token().route(path) {
            None => Answer::text(404, "not found"),
            Some(Route::Page { index, name }) => self.page(index, &name),
            Some(Route::File { index, name, filename }) => self.file(Key { index, name, filename }),
        }
    }

    fn page(&self, index: usize, name: &PackageName) -> Answer {
        self.record.ask(name);
        match self.upstream.page(index, name, Lane::Requested) {
            Ok(mirror) => {
                if let Some(prefetcher) = &self.prefetcher {
                    prefetcher.page_asked(name);
                }
                Answer::bytes(&mirror.content_type, Arc::clone(&mirror.body))
            }
            Err(unavailable) => self.error_answer(
                &Key { index, name: name.clone(), filename: String::new() },
                unavailable,
            ),
        }
    }

    fn file(&self, key: Key) -> Answer {
        // The name of a file may itself end in `.metadata`, so the entry is looked up first.
        let beside = key.filename.strip_suffix(METADATA).map(str::to_owned);
        match (self.upstream.entry(&key, Lane::Requested), beside) {
            (Err(Unavailable::Missing), Some(filename)) => self.metadata(&Key { filename, ..key }),
            _ => self.bytes(&key),
        }
    }

    fn metadata(&self, key: &Key) -> Answer {
        match self.upstream.metadata(key, Lane::Requested) {
            Ok(bytes) => {
                if let Some(prefetcher) = &self.prefetcher {
                    prefetcher.metadata_asked(key);
                }
                if let Some(file) = self.upstream.known_entry(key) {
                    self.offered.add(file.url, &bytes);
                }
                Answer::bytes("application/octet-stream", bytes)
            }
            Err(unavailable) => self.error_answer(key, unavailable),
        }
    }

    fn bytes(&self, key: &Key) -> Answer {
        let fetched = match self.upstream.file(key, Lane::Requested) {
            Ok(fetched) => fetched,
            Err(unavailable) => return self.error_answer(key, unavailable),
        };
        if let (Some(mount), Some(file)) =
            (self.upstream.indexes.get(key.index), self.upstream.known_entry(key))
        {
            self.record.hand(key, &mount.url, &file, &fetched);
        }
        Answer::file(fetched.path)
    }

    /// Answers pip with an error, and records it. pip repeats a request that is answered with 500,
    /// 502, 503, 520 or 527 and pauses for seconds. The HTTP client has retried already, so such an
    /// answer becomes 504. An answer with 401 would have pip ask the user for a password of
    /// 127.0.0.1, so it becomes 403.
    fn error_answer(&self, key: &Key, unavailable: Unavailable) -> Answer {
        let url = self.upstream.indexes.get(key.index).map(|mount| &mount.url);
        let kind = match &unavailable {
            Unavailable::PassedOver { .. } if key.filename.is_empty() => FailedKind::PassedOver,
            _ => FailedKind::Fatal,
        };
        match unavailable {
            Unavailable::Missing => Answer::text(404, "the index has no such thing"),
            Unavailable::NotAPage { content_type } => Answer::bytes(&content_type, Arc::default()),
            Unavailable::Refused(reason) => {
                self.record.refuse(key, url, &reason);
                Answer::text(403, &reason)
            }
            Unavailable::Failed { code, failure } | Unavailable::PassedOver { code, failure } => {
                self.record.fail(key, url, code, kind, &failure);
                let status = match code {
                    Some(401 | 407) => 403,
                    None | Some(500 | 502 | 503 | 520 | 527) => 504,
                    Some(code) if (400..600).contains(&code) => code,
                    Some(_) => 504,
                };
                Answer::text(status, &failure.message)
            }
        }
    }
}
