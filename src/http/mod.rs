//! HTTP: the only user of ureq.
//!
//! Owns connections, TLS, proxies, credentials, redirects, retries and the bounds in size and
//! time of everything that is fetched. Knows nothing of indexes or wheels; prints and keeps
//! nothing. An answer is either whole and within its bounds, or an error.

mod addresses;
mod agents;
mod credentials;
mod deadline;
mod error;
mod kept;
mod proxies;
pub mod redact;
mod retry;
pub mod settings;
pub mod validity;

use std::io::{self, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use addresses::Host;
use agents::Agents;
use credentials::Credentials;
use deadline::Deadline;
pub use error::HttpError;
use retry::{Again, Failed};
use ureq::http::header;
use url::Url;

use crate::http::settings::{Patience, Transport};
use crate::http::validity::Validity;

/// How often one request may be sent elsewhere.
const MOST_REDIRECTS: usize = 10;
/// How much of an error's body is read so that its connection can be used again.
const MOST_OF_AN_ERROR: u64 = 64 * 1024;
/// How long that may take, but for one silence: a new connection would be quicker.
const LONGEST_ERROR: Duration = Duration::from_secs(1);
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// What this program calls itself.
pub(crate) const USER_AGENT: &str = concat!("pypi-verify-now/", env!("CARGO_PKG_VERSION"));

/// The network, as far as the user's settings reach. One for a run, shared by its threads, so
/// that they share connections.
pub struct Client {
    agents: Agents,
    credentials: Credentials,
    retries: u32,
    patience: Patience,
    confirmed: AtomicBool,
}

/// An answer with status 200, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Where the answer came from after all redirects, without credentials.
    pub url: Url,
    /// The `Content-Type`, as it was sent.
    pub content_type: Option<String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// How it may be kept; nothing where it must not be: its server says so, it came by a
    /// redirect, or it was fetched with credentials.
    pub validity: Option<Validity>,
}

/// What comes of asking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed {
    /// The earlier answer still holds (304), and may be kept on like this, if at all.
    Unchanged(Option<Validity>),
    /// Here is another.
    Changed(Response),
}

/// What arrives of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The file begins, for the first time or again: forget what came before.
    Start,
    /// The next bytes.
    Bytes(&'a [u8]),
}

impl Renewed {
    /// The new answer, where nobody asked whether anything had changed.
    fn changed(self, url: &Url) -> Result<Response, HttpError> {
        match self {
            Self::Changed(response) => Ok(response),
            Self::Unchanged(_) => Err(HttpError::status(304, url)),
        }
    }
}

impl Client {
    /// Prepares to reach the network as `transport` says. Reads the netrc file, and opens no
    /// connection. What certificates and proxies are worth shows when something is reached by
    /// their means.
    #[must_use]
    pub fn new(transport: &Transport) -> Self {
        Self {
            agents: Agents::new(transport),
            credentials: Credentials::new(transport),
            retries: transport.retries,
            patience: transport.patience.clone(),
            confirmed: AtomicBool::new(false),
        }
    }

    /// Whether anybody was told in this run that an earlier answer still holds.
    #[must_use]
    pub fn has_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::SeqCst)
    }

    /// From here on also knows user names and passwords that pip gave to these places.
    pub fn lend(&self, places: Vec<Url>) {
        self.credentials.lend(places);
    }

    /// Fetches a document of at most `limit` bytes (decompressed), asking for the media types
    /// `accept`.
    ///
    /// # Errors
    /// Any status but 200, and whatever keeps the whole document from arriving within the limit
    /// and [`Patience::document`].
    pub fn get(&self, url: &Url, accept: &str, limit: u64) -> Result<Response, HttpError> {
        self.fetch(url, accept, limit, Earlier::Nothing).and_then(|renewed| renewed.changed(url))
    }

    /// The same, past every cache on the way that can be told so.
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

    /// The same, but an answer that is kept need not be sent again.
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
        let ask = Ask { accept, encoding: "gzip", limit, deadline, earlier };
        self.persist(deadline, || {
            let mut body = Vec::new();
            let head = self.attempt(url, &ask, |piece| {
                if let Piece::Bytes(bytes) = piece {
                    body.extend_from_slice(bytes);
                }
                Ok(())
            })?;
            // It lives as long as whatever is read of it.
            body.shrink_to_fit();
            Ok(match head {
                Head::Unchanged(validity) => Renewed::Unchanged(validity),
                Head::Changed { url, content_type, validity } => {
                    Renewed::Changed(Response { url, content_type, body, validity })
                }
            })
        })
    }

    /// Fetches a file of at most `limit` bytes into `sink`, piece by piece.
    ///
    /// # Errors
    /// As [`Self::get`], within [`Patience::download`]; and what `sink` answers. After an error
    /// the sink may have got a part.
    pub fn download(
        &self,
        url: &Url,
        mut sink: impl FnMut(Piece<'_>) -> io::Result<()>,
        limit: u64,
    ) -> Result<(), HttpError> {
        let deadline = Deadline::after(self.patience.download);
        // A file is hashed as it is: no encoding on the way, as pip asks.
        let earlier = Earlier::Nothing;
        let ask = Ask { accept: "*/*", encoding: "identity", limit, deadline, earlier };
        self.persist(deadline, || self.attempt(url, &ask, &mut sink).map(|_| ()))
    }

    /// Attempts until it succeeds, must not be tried again, or was tried often and long enough.
    fn persist<T>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut() -> Result<T, Failed>,
    ) -> Result<T, HttpError> {
        let mut retry = 0;
        loop {
            let failed = match attempt() {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            match retry::pause(failed.again, retry, &self.patience) {
                Some(pause) if retry < self.retries && deadline.allows(pause) => {
                    std::thread::sleep(pause);
                    retry += 1;
                }
                _ => return Err(failed.error),
            }
        }
    }

    /// One attempt, through its redirects.
    fn attempt(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        mut sink: impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> Result<Head, Failed> {
        let mut url = url.clone();
        for hop in 0..=MOST_REDIRECTS {
            // What is known is known of the place that was asked first, and of no other.
            let earlier = if hop == 0 { ask.earlier } else { Earlier::Nothing };
            let response = self.send(&url, ask, earlier)?;
            let status = response.status().as_u16();
            let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            match (status, earlier) {
                (200, _) => {
                    let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
                    let is_anybodys = hop == 0 && self.credentials.of(&url).is_none();
                    let validity = is_anybodys.then(|| kept::validity(&response)).flatten();
                    self.receive(&url, response, ask, &mut sink)?;
                    credentials::remove(&mut url);
                    return Ok(Head::Changed { url, content_type, validity });
                }
                (304, Earlier::Answer(known)) if known.etag.is_some() => {
                    self.confirmed.store(true, Ordering::SeqCst);
                    let validity = kept::confirmed(known, &response);
                    drain(response);
                    return Ok(Head::Unchanged(validity));
                }
                (301 | 302 | 303 | 307 | 308, _) => {
                    let target = redirect(&url, text(header::LOCATION));
                    drain(response);
                    url = target.map_err(Failed::for_good)?;
                }
                (code, _) => {
                    let again = Again::after_status(code, text(header::RETRY_AFTER));
                    drain(response);
                    return Err(Failed { error: HttpError::status(code, &url), again });
                }
            }
        }
        Err(Failed::for_good(HttpError::redirect(&url, "too many redirects")))
    }

    /// Sends one request to one place, with the credentials of that place.
    fn send(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        earlier: Earlier<'_>,
    ) -> Result<ureq::http::Response<ureq::Body>, Failed> {
        if !matches!(url.scheme(), "http" | "https") {
            let reason = format!("the scheme `{}` is neither http nor https", url.scheme());
            return Err(Failed::for_good(HttpError::unreachable(url, reason)));
        }
        let mut bare = url.clone();
        credentials::remove(&mut bare);
        bare.set_fragment(None);
        let mut request = self
            .agents
            .of(url)
            .map_err(Failed::for_good)?
            .get(bare.as_str())
            .config()
            .timeout_global(ask.deadline.left())
            .build()
            .header(header::ACCEPT, ask.accept)
            .header(header::ACCEPT_ENCODING, ask.encoding);
        if let Some(authorization) = self.credentials.of(url) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        for (name, value) in kept::conditions(earlier) {
            request = request.header(name, value);
        }
        request.call().map_err(|error| Failed::classify(url, error))
    }

    fn receive(
        &self,
        url: &Url,
        response: ureq::http::Response<ureq::Body>,
        ask: &Ask<'_>,
        sink: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
    ) -> Result<(), Failed> {
        let too_large = || HttpError::TooLarge { url: HttpError::show(url), limit: ask.limit };
        if response.body().content_length().is_some_and(|length| length > ask.limit) {
            return Err(Failed::for_good(too_large()));
        }
        let sink_failed = |error| Failed::for_good(HttpError::Sink(error));
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; CHUNK];
        let mut total = 0_u64;
        sink(Piece::Start).map_err(sink_failed)?;
        loop {
            let read = reader.read(&mut buffer).map_err(|error| Failed::in_body(url, error))?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            total = total.saturating_add(read as u64);
            if total > ask.limit {
                return Err(Failed::for_good(too_large()));
            }
            // ureq looks at the time only where it has to wait.
            if !ask.deadline.allows(Duration::ZERO) {
                return Err(Failed::for_good(HttpError::timed_out(url)));
            }
            sink(Piece::Bytes(bytes)).map_err(sink_failed)?;
        }
    }
}

/// What every request of one fetch has in common.
struct Ask<'a> {
    accept: &'a str,
    encoding: &'static str,
    limit: u64,
    deadline: Deadline,
    earlier: Earlier<'a>,
}

/// What is known before something is asked.
#[derive(Clone, Copy)]
enum Earlier<'a> {
    Nothing,
    /// An answer that is kept: if it still holds, it need not be sent again.
    Answer(&'a Validity),
    /// Nothing that counts: no cache on the way shall answer either.
    Distrusted,
}

/// An answer but for its body.
enum Head {
    Unchanged(Option<Validity>),
    Changed { url: Url, content_type: Option<String>, validity: Option<Validity> },
}

/// Where a redirect leads. Never from https to http, and never to credentials of its own.
fn redirect(from: &Url, location: Option<&str>) -> Result<Url, HttpError> {
    let no = |reason| HttpError::redirect(from, reason);
    let location = location.ok_or_else(|| no("a redirect to nowhere"))?;
    let mut to = from.join(location).map_err(|_| no("a redirect to an invalid URL"))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(no("a redirect to another scheme than http and https"));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(no("a redirect from https to http"));
    }
    credentials::remove(&mut to);
    Ok(to)
}

/// Reads the rest of a short body, so that the connection is free for the next request. One that
/// is long, or takes long, costs its connection.
fn drain(response: ureq::http::Response<ureq::Body>) {
    let mut rest = response.into_body().into_reader().take(MOST_OF_AN_ERROR);
    let deadline = Deadline::after(LONGEST_ERROR);
    let mut buffer = [0; 4096];
    while deadline.allows(Duration::ZERO) && rest.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
