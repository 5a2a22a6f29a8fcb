//! HTTP client of the program; the only module that uses ureq.
//!
//! Owns connections, TLS, proxies, credentials, redirects, retries, and the bounds on size and time
//! of each fetch. An answer is either complete and within its bounds, or an error. The client must
//! not know indexes or wheels, print, or cache.

mod addresses;
mod agents;
mod ask;
mod body;
mod credentials;
mod deadline;
mod decoding;
mod error;
mod given_up;
mod kept;
mod proxies;
pub mod redact;
mod redirect;
mod repeats;
mod retry;
pub mod settings;
mod tls;
mod transfer;
pub mod validity;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

pub use addresses::Host;
use agents::Agents;
use ask::{Ask, BodyForm, Earlier};
use credentials::Credentials;
use deadline::Deadline;
pub use error::HttpError;
use given_up::GivenUp;
use repeats::Repeats;
use retry::{Again, Budget, FailedAttempt};
use transfer::Transfer;
use ureq::http::header::{self, HeaderMap};
use url::Url;

use crate::http::settings::{Patience, Transport};
use crate::http::validity::Validity;
use crate::package::userinfo;

/// Maximum number of redirects followed, as in requests.
const MOST_REDIRECTS: usize = 30;
/// The part of `User-Agent` that names this program.
pub(crate) const USER_AGENT: &str = concat!("pypi-verify-now/", env!("CARGO_PKG_VERSION"));

/// HTTP client with the user's settings. The threads of a run share one client and thereby its
/// connections.
pub struct Client {
    agents: Agents,
    credentials: Credentials,
    retries: u32,
    resume_retries: u32,
    patience: Patience,
    confirmed: AtomicBool,
    given_up: GivenUp,
    repeats: Repeats,
}

/// A complete answer with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// URL of the answer after all redirects, without credentials.
    pub url: Url,
    /// `Content-Type`, as it was sent.
    pub content_type: Option<String>,
    /// Decompressed body.
    pub body: Vec<u8>,
    /// How the answer may be cached; `None` if it must not be: the server forbids it, the answer
    /// came by a redirect, or it was fetched with credentials.
    pub validity: Option<Validity>,
}

/// Result of a conditional request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed {
    /// The earlier answer is current (304), and may be cached with this validity, if any.
    Unchanged(Option<Validity>),
    /// A new answer.
    Changed(Response),
}

/// A part of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Start of the file, also after a failed attempt: discard earlier bytes.
    Start,
    /// The next bytes.
    Bytes(&'a [u8]),
}

impl Renewed {
    /// Returns the new answer of an unconditional request; 304 is an error for it.
    fn changed(self, url: &Url) -> Result<Response, HttpError> {
        match self {
            Self::Changed(response) => Ok(response),
            Self::Unchanged(_) => Err(HttpError::status(304, url)),
        }
    }
}

impl Client {
    /// Prepares a client with these settings. Reads the netrc file, but opens no connection.
    /// Certificates and proxies are read when a request first needs them.
    #[must_use]
    pub fn new(transport: &Transport) -> Self {
        Self {
            agents: Agents::new(transport),
            credentials: Credentials::new(transport),
            retries: transport.retries,
            resume_retries: transport.resume_retries,
            patience: transport.patience.clone(),
            confirmed: AtomicBool::new(false),
            given_up: GivenUp::default(),
            repeats: Repeats::default(),
        }
    }

    /// Whether a server confirmed an earlier answer (304) in this run.
    #[must_use]
    pub fn has_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::SeqCst)
    }

    /// Whether requests for this URL carry a user name and a password.
    #[must_use]
    pub fn authorizes(&self, url: &Url) -> bool {
        self.credentials.of(url).is_some()
    }

    /// Returns the part `USER:PASSWORD` of a URL for requests of pip's to it, or `None` if pip
    /// needs none or finds them itself.
    #[must_use]
    pub fn userinfo(&self, url: &Url) -> Option<String> {
        self.credentials.userinfo(url)
    }

    /// Adds user names and passwords that pip obtained for these places.
    pub fn add_credentials(&self, places: Vec<Url>) {
        self.credentials.add(places);
    }

    /// Fetches a document of at most `limit` decompressed bytes with this `Accept`.
    ///
    /// # Errors
    /// The status is not 200, or the document does not arrive whole within the limit and
    /// [`Patience::document`].
    pub fn get(&self, url: &Url, accept: &str, limit: u64) -> Result<Response, HttpError> {
        self.fetch(url, accept, limit, Earlier::Nothing).and_then(|renewed| renewed.changed(url))
    }

    /// Fetches a document as [`Self::get`] does, and asks caches on the way to fetch it again
    /// (`Cache-Control: no-cache`).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_past_caches(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
    ) -> Result<Response, HttpError> {
        self.fetch(url, accept, limit, Earlier::Distrusted).and_then(|renewed| renewed.changed(url))
    }

    /// Fetches a document as [`Self::get`] does, unless the server confirms a cached answer (304).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn renew(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
        known: &Validity,
    ) -> Result<Renewed, HttpError> {
        self.fetch(url, accept, limit, Earlier::Answer(known))
    }

    fn fetch(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
        earlier: Earlier<'_>,
    ) -> Result<Renewed, HttpError> {
        let deadline = Deadline::after(self.patience.document);
        let ask = Ask { accept, body: BodyForm::Decoded, limit, deadline, earlier };
        self.persist(url, deadline, Budget::of_document(self.retries), || {
            let mut body = Vec::new();
            let head = self.attempt(url, &ask, &mut Transfer::default(), |piece| {
                if let Piece::Bytes(bytes) = piece {
                    body.extend_from_slice(bytes);
                }
                Ok(())
            })?;
            // The buffer may live as long as a page, so unused capacity is freed.
            body.shrink_to_fit();
            Ok(match head {
                Head::Unchanged(validity) => Renewed::Unchanged(validity),
                Head::Changed { url, content_type, validity } => {
                    Renewed::Changed(Response { url, content_type, body, validity })
                }
            })
        })
    }

    /// Fetches a file of at most `limit` bytes and passes it to `sink` piece by piece. A transfer
    /// that breaks is continued where it broke, if the server can do that.
    ///
    /// # Errors
    /// As for [`Self::get`], within [`Patience::download`], or `sink` returns an error. After an
    /// error `sink` may have received a part.
    pub fn download(
        &self,
        url: &Url,
        mut sink: impl FnMut(Piece<'_>) -> io::Result<()>,
        limit: u64,
    ) -> Result<(), HttpError> {
        let deadline = Deadline::after(self.patience.download);
        let earlier = Earlier::Nothing;
        let ask = Ask { accept: "*/*", body: BodyForm::Raw, limit, deadline, earlier };
        let mut progress = Transfer::default();
        let budget = Budget::of_file(self.retries, self.resume_retries);
        self.persist(url, deadline, budget, || {
            self.attempt(url, &ask, &mut progress, &mut sink).map(|_| ())
        })
    }

    /// Repeats `attempt` until it succeeds, fails for good, or the retries or the time are used up.
    /// Such a failure is final: the URL is not requested again in this run.
    fn persist<T>(
        &self,
        url: &Url,
        deadline: Deadline,
        mut budget: Budget,
        mut attempt: impl FnMut() -> Result<T, FailedAttempt>,
    ) -> Result<T, HttpError> {
        let authorization = self.credentials.of(url);
        if let Some(error) = self.given_up.of(url, authorization.as_deref()) {
            return Err(error);
        }
        let place = self.repeats.at(url);
        let mut turn = None;
        loop {
            let failed = match attempt() {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let pause = budget.pause(&failed, &self.patience);
            let pause = pause.filter(|pause| deadline.allows(*pause));
            let in_trouble = failed.error.code().is_some_and(|code| code >= 500);
            if pause.is_some() && in_trouble && turn.is_none() {
                turn = place.wait();
            }
            match pause {
                Some(pause) if !in_trouble || turn.is_some() => {
                    std::thread::sleep(pause);
                    budget.spend(&failed);
                }
                _ => {
                    if turn.is_some() {
                        place.give_up();
                    }
                    self.given_up.note(url, authorization, &failed.error);
                    return Err(failed.error);
                }
            }
        }
    }

    /// Makes one attempt and follows its redirects.
    fn attempt(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        progress: &mut Transfer,
        mut sink: impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> Result<Head, FailedAttempt> {
        let mut url = url.clone();
        let mut with_credentials = None;
        for hop in 0..=MOST_REDIRECTS {
            // The cached answer belongs to the first URL, so only its request is conditional.
            let earlier = if hop == 0 { ask.earlier } else { Earlier::Nothing };
            let response = self.send(&url, ask, earlier, progress)?;
            let status = response.status().as_u16();
            let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            match (status, earlier) {
                (206, _) if progress.is_continued_by(response.headers()) => {
                    body::receive(&url, response, ask, progress, &mut sink)?;
                    userinfo::remove(&mut url);
                    return Ok(Head::Changed { url, content_type: None, validity: None });
                }
                (206 | 416, _) if progress.received() > 0 => {
                    // The server does not continue the file, so the next attempt starts it again.
                    progress.restart(&HeaderMap::new());
                    body::drain(response);
                    return Err(FailedAttempt::later(HttpError::truncated(&url)));
                }
                (200, _) => {
                    progress.restart(response.headers());
                    sink(Piece::Start).map_err(|e| FailedAttempt::for_good(HttpError::Sink(e)))?;
                    let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
                    let is_anybodys = hop == 0 && self.credentials.of(&url).is_none();
                    let validity = is_anybodys.then(|| kept::validity(&response)).flatten();
                    body::receive(&url, response, ask, progress, &mut sink)?;
                    userinfo::remove(&mut url);
                    return Ok(Head::Changed { url, content_type, validity });
                }
                (304, Earlier::Answer(known)) if known.etag.is_some() => {
                    self.confirmed.store(true, Ordering::SeqCst);
                    let validity = kept::confirmed(known, &response);
                    body::drain(response);
                    return Ok(Head::Unchanged(validity));
                }
                (301 | 302 | 303 | 307 | 308, _) => {
                    let target = redirect::target(&url, text(header::LOCATION));
                    body::drain(response);
                    (url, with_credentials) = target.map_err(FailedAttempt::for_good)?;
                }
                (401, _) if with_credentials.is_some() => {
                    body::drain(response);
                    url = with_credentials.take().unwrap_or(url);
                }
                (code, _) => {
                    let again = Again::after_status(code, text(header::RETRY_AFTER));
                    body::drain(response);
                    return Err(FailedAttempt {
                        error: HttpError::status(code, &url),
                        again,
                        is_partial: false,
                    });
                }
            }
        }
        Err(FailedAttempt::for_good(HttpError::redirect(&url, "too many redirects")))
    }

    /// Sends one request with the credentials of its URL.
    fn send(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        earlier: Earlier<'_>,
        progress: &Transfer,
    ) -> Result<ureq::http::Response<ureq::Body>, FailedAttempt> {
        if !matches!(url.scheme(), "http" | "https") {
            let reason = format!("the scheme `{}` is neither http nor https", url.scheme());
            return Err(FailedAttempt::for_good(HttpError::unreachable(url, reason)));
        }
        let mut bare = url.clone();
        userinfo::remove(&mut bare);
        bare.set_fragment(None);
        let mut request = self
            .agents
            .of(url)
            .map_err(FailedAttempt::for_good)?
            .get(bare.as_str())
            .config()
            .timeout_global(ask.deadline.left())
            .build()
            .header(header::ACCEPT, ask.accept)
            .header(header::ACCEPT_ENCODING, ask.body.accepted_encoding());
        if let Some(authorization) = self.credentials.of(url) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        for (name, value) in kept::conditions(earlier).into_iter().chain(progress.conditions()) {
            request = request.header(name, value);
        }
        request.call().map_err(|error| FailedAttempt::classify(url, error))
    }
}

/// An answer without its body.
enum Head {
    Unchanged(Option<Validity>),
    Changed { url: Url, content_type: Option<String>, validity: Option<Validity> },
}
