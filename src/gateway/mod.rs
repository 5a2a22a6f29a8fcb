//! The gateway: a package index on 127.0.0.1, alive for one run, that stands in front of the
//! user's indexes.
//!
//! Owns what pip gets to see of them. A file is handed over only after it was judged and its bytes
//! were fetched whole and hashed; where files are judged, nothing else of an index is believed, the
//! METADATA beside a file least of all. Answers to nobody who does not know the random path of this
//! run. Credentials stay on this side. Judges nothing itself: who does comes in as a closure.

mod ahead;
mod answer;
mod inside;
mod likely;
mod no;
mod peer;
mod record;
mod request;
mod requires;
mod route;
mod server;
mod slots;
mod upstream;
mod wheels;
mod words;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use url::Url;

use ahead::Ahead;
pub use ahead::{FIRST_GUESSES, GUESSES_PER_PAGE, MAX_WHEEL, WORKERS};
use answer::Answer;
pub use likely::Likely;
use no::No;
use record::Record;
pub use record::{Failed, Handed, KnownPage, Real, Refusal};
use request::Request;
pub use request::{HEAD_TIME, IDLE, MAX_HEAD, MAX_LINE};
use route::{METADATA, Route, Token};
pub use server::MAX_CONNECTIONS;
use server::Server;
pub use upstream::{DOCUMENTS, FILES, MAX_METADATA};
use upstream::{Key, Lane, Upstream};
pub use wheels::{FETCHERS, MAX_AHEAD};

use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::index::page::PageFile;
use crate::index::{IndexError, ServedDocument};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// Where every gateway listens, for `NO_PROXY`.
pub const HOST: &str = "127.0.0.1";

/// What a gateway needs.
pub struct Setup {
    /// The way to the network.
    pub client: Arc<Client>,
    /// The user's indexes, in order.
    pub indexes: Vec<Url>,
    /// A directory that exists, is empty and is nobody else's. What is handed over lies there, at
    /// `INDEX/NAME/FILENAME`.
    pub directory: PathBuf,
    /// pip's own cache directory, below which fetched files are kept, as by the wheelhouse.
    pub pip_cache: Option<PathBuf>,
    /// When files are judged.
    pub judging: Judging,
    /// Whether something is fetched before pip asks for it.
    pub ahead: Guessing,
}

/// Whether something is fetched before pip asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guessing {
    /// What is likely to be chosen by this Python, and what that needs.
    Likely(Likely),
    /// Nothing.
    Never,
}

/// When files are judged.
pub enum Judging {
    /// Before they are handed over. Each is judged at most once. METADATA beside them is not
    /// offered.
    Before(Judge),
    /// Not here: only for a pip that runs nobody's code.
    Later,
}

/// Who judges a file. An error says that it could not be found out; the file is then not handed
/// over either.
pub type Judge = Box<dyn Fn(&Asked<'_>) -> Result<Handover, Failure> + Send + Sync>;

/// A file that pip asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The index that lists it.
    pub index: &'a Url,
    /// The project.
    pub name: &'a PackageName,
    /// Its name.
    pub filename: &'a FileName,
    /// The sha256 that is handed over or nothing: as the index states it, or computed from the
    /// bytes where it states none.
    pub sha256: Sha256,
    /// What the index says about it, with [`Self::sha256`].
    pub file: &'a PageFile,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// pip gets it.
    Give,
    /// pip does not get it, for this reason.
    Refuse(String),
}

/// A running gateway. With the value it ends: its connections are closed, and nothing answers at
/// its address.
pub struct Gateway {
    // Dropped first: no request meets the rest in pieces.
    server: Server,
    inner: Arc<Inner>,
}

struct Inner {
    upstream: Arc<Upstream>,
    ahead: Option<Arc<Ahead>>,
    record: Record,
    /// What was fetched, by its real URL, once nothing more is guessed.
    arrivals: OnceLock<HashMap<Url, Key>>,
}

/// A gateway cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No port of 127.0.0.1, or no thread.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
    /// No random numbers.
    #[error("cannot get random numbers: {0}")]
    Random(getrandom::Error),
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::new(Status::CouldNotCheck, error.to_string())
            .hint("pip reaches the index through a local port here; check what forbids that")
    }
}

impl Gateway {
    /// Starts to listen. The user's indexes are not asked anything yet.
    ///
    /// # Errors
    /// The system gives no port, no thread or no random numbers.
    pub fn start(mut setup: Setup) -> Result<Self, GatewayError> {
        let token = Token::new().map_err(GatewayError::Random)?;
        let guessing = std::mem::replace(&mut setup.ahead, Guessing::Never);
        let upstream = Arc::new(Upstream::new(setup, token));
        let ahead = match guessing {
            Guessing::Likely(likely) => Some(Ahead::new(Arc::clone(&upstream), likely)),
            Guessing::Never => None,
        };
        let (record, arrivals) = (Record::default(), OnceLock::new());
        let inner = Arc::new(Inner { upstream, ahead, record, arrivals });
        let answering = Arc::clone(&inner);
        let server = Server::start(Arc::new(move |request: &Request| answering.answer(request)))?;
        inner.upstream.listens_at(server.authority());
        Ok(Self { server, inner })
    }

    /// The URLs for pip, one for each index and in their order: the first for `--index-url`, the
    /// others for `--extra-index-url`. They hold the secret path of this run.
    #[must_use]
    pub fn index_urls(&self) -> Vec<String> {
        let indexes = 0..self.inner.upstream.indexes.len();
        indexes.map(|index| self.inner.upstream.index_url(index)).collect()
    }

    /// Begins to fetch what these requirements (PEP 508) are likely to need, before pip asks; what
    /// is none of an index is passed over.
    pub fn expect(&self, requirements: &[String]) {
        if let Some(ahead) = &self.inner.ahead {
            ahead.expect(requirements);
        }
    }

    /// Nothing further is fetched that was not asked for. What is under way goes on.
    pub fn guess_no_more(&self) {
        if let Some(ahead) = &self.inner.ahead {
            ahead.stop();
        }
    }

    /// Nothing further is fetched, and what is under way ends soon; what is whole by then stays.
    pub fn stop_fetching(&self) {
        self.inner.upstream.stop();
        self.guess_no_more();
    }

    /// Where the bytes are that an index lists at this URL, or why they could not be had; nothing
    /// where they were fetched neither for pip nor ahead, are not there, or may have been cut short
    /// by [`Self::stop_fetching`]. Waits while they are under way. To be asked after
    /// [`Self::guess_no_more`].
    #[must_use]
    pub fn bytes_of(&self, url: &Url) -> Option<Result<PathBuf, Failure>> {
        let Inner { upstream, ahead, arrivals, .. } = &*self.inner;
        let begun = || ahead.as_ref().map(|ahead| ahead.begun()).unwrap_or_default();
        let arrivals = arrivals.get_or_init(|| upstream.arrivals(begun()));
        match upstream.arrival(arrivals.get(url)?)? {
            Ok(fetched) => Some(Ok(fetched.path)),
            Err(_) if upstream.is_stopped() => None,
            // pip may since have been told who is asking.
            Err(No::Unknown { code: Some(401 | 403 | 407), .. }) => None,
            Err(No::Unknown { failure, .. }) => Some(Err(failure)),
            Err(No::Refused(reason)) => Some(Err(Refusal::failure(reason))),
            Err(No::Absent | No::Other { .. }) => None,
        }
    }

    /// The provenance document at this URL, if it was to be fetched ahead: asked once, whether that
    /// has begun or not. To be asked after [`Self::guess_no_more`].
    #[must_use]
    pub fn document_at(&self, url: &Url) -> Option<Result<ServedDocument, IndexError>> {
        self.inner.ahead.as_ref()?.is_guessed(url).then(|| self.inner.upstream.document(url))
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.server.authority()
    }

    /// The projects whose pages were asked for, each once, in that order.
    #[must_use]
    pub fn asked(&self) -> Vec<PackageName> {
        self.inner.record.asked()
    }

    /// The files that were handed over, in that order.
    #[must_use]
    pub fn handed_over(&self) -> Vec<Handed> {
        self.inner.record.handed()
    }

    /// The files that were asked for and refused, in that order.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.inner.record.refusals()
    }

    /// What was asked for and could not be found out, in that order.
    #[must_use]
    pub fn failures(&self) -> Vec<Failed> {
        self.inner.record.failures()
    }

    /// The pages that were fetched in this run, asked for or not, in no order.
    #[must_use]
    pub fn pages(&self) -> Vec<KnownPage> {
        self.inner.upstream.pages()
    }

    /// What is behind a URL of this gateway, as a lock or a report of pip's names it. Nothing for
    /// any other URL, and for one whose page nobody asked for.
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
            None => Answer::text(404, "nothing here"),
            Some(Route::Page { index, name }) => self.page(index, &name),
            Some(Route::File { index, name, filename }) => self.file(Key { index, name, filename }),
        }
    }

    fn page(&self, index: usize, name: &PackageName) -> Answer {
        self.record.ask(name);
        match self.upstream.page(index, name, Lane::Asked) {
            Ok(mirror) => {
                if let Some(ahead) = &self.ahead {
                    ahead.page_asked(name);
                }
                Answer::bytes(&mirror.content_type, Arc::clone(&mirror.body))
            }
            Err(no) => self.no(&Key { index, name: name.clone(), filename: String::new() }, no),
        }
    }

    fn file(&self, key: Key) -> Answer {
        // A file may itself have a name that ends like that of a METADATA.
        let beside = key.filename.strip_suffix(METADATA).map(str::to_owned);
        match (self.upstream.entry(&key, Lane::Asked), beside) {
            (Err(No::Absent), Some(filename)) => self.metadata(&Key { filename, ..key }),
            _ => self.bytes(&key),
        }
    }

    fn metadata(&self, key: &Key) -> Answer {
        match self.upstream.metadata(key, Lane::Asked) {
            Ok(bytes) => {
                if let Some(ahead) = &self.ahead {
                    ahead.metadata_asked(key);
                }
                Answer::bytes("application/octet-stream", bytes)
            }
            Err(no) => self.no(key, no),
        }
    }

    fn bytes(&self, key: &Key) -> Answer {
        let fetched = match self.upstream.file(key, Lane::Asked) {
            Ok(fetched) => fetched,
            Err(no) => return self.no(key, no),
        };
        if let (Some(mount), Some(file)) =
            (self.upstream.indexes.get(key.index), self.upstream.known_entry(key))
        {
            self.record.hand(key, &mount.url, &file, &fetched);
        }
        Answer::file(fetched.path)
    }

    /// What pip is told. It repeats a request that is answered with 500, 502, 503, 520 or 527,
    /// pausing for seconds; that was done on this side, so such an answer becomes 504. And it asks
    /// the user for a password where it sees 401, which would be one for 127.0.0.1.
    fn no(&self, key: &Key, no: No) -> Answer {
        let url = self.upstream.indexes.get(key.index).map(|mount| &mount.url);
        match no {
            No::Absent => Answer::text(404, "the index has no such thing"),
            No::Other { content_type } => Answer::bytes(&content_type, Arc::default()),
            No::Refused(reason) => {
                self.record.refuse(key, url, &reason);
                Answer::text(403, &reason)
            }
            No::Unknown { code, failure } => {
                self.record.fail(key, url, code, &failure);
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
