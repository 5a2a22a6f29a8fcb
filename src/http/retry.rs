//! Decides which failed requests are repeated, and after which pause.
//!
//! Owns the tables of statuses and of ureq's errors. The module must not sleep itself.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::http::HttpError;
use crate::http::settings::Patience;

/// A failed attempt.
pub(super) struct FailedAttempt {
    pub(super) error: HttpError,
    pub(super) again: Again,
    /// Whether the answer arrived in part.
    pub(super) is_partial: bool,
}

/// Whether and when the request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Never: it would fail again.
    Never,
    /// After a pause that doubles with each attempt.
    Later,
    /// After the pause that the server asks for.
    After(Duration),
}

impl Again {
    /// Returns the decision for an answer with this status and this `Retry-After` (RFC 9110,
    /// 10.2.3). The statuses are pip's (`network/session.py`): some always, others if the server
    /// says when. 429 is added to the first kind, since more requests run at once than in pip.
    pub(super) fn after_status(code: u16, retry_after: Option<&str>) -> Self {
        let asked = retry_after.and_then(|text| retry_after_pause(text, SystemTime::now()));
        match (code, asked) {
            (413 | 429 | 503, Some(pause)) => Self::After(pause),
            (429 | 500 | 502 | 503 | 520 | 527, _) => Self::Later,
            _ => Self::Never,
        }
    }
}

/// Parses `Retry-After`: a number of seconds, or a date. Returns `None` if it is neither.
fn retry_after_pause(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

impl FailedAttempt {
    /// Makes a failure that is not repeated.
    pub(super) fn for_good(error: HttpError) -> Self {
        Self { error, again: Again::Never, is_partial: false }
    }

    /// Makes a failure that is repeated after a pause.
    pub(super) fn later(error: HttpError) -> Self {
        Self { error, again: Again::Later, is_partial: false }
    }

    /// Classifies an error that occurred before the head of the answer arrived.
    pub(super) fn classify(url: &Url, error: ureq::Error) -> Self {
        use ureq::{Error, Timeout};
        match error {
            // The global time-out bounds the whole fetch, so that a retry has no time left.
            Error::Timeout(Timeout::Global) => Self::for_good(HttpError::timed_out(url)),
            Error::Timeout(_) => Self::later(HttpError::timed_out(url)),
            Error::HostNotFound => Self::later(HttpError::unreachable(url, "host not found")),
            Error::Io(error) => Self::from_io(url, &error),
            Error::Rustls(error) => Self::for_good(HttpError::tls(url, &error)),
            Error::Tls(reason) => {
                let error = rustls::Error::General(reason.to_owned());
                Self::for_good(HttpError::tls(url, &error))
            }
            Error::LargeResponseHeader(_, limit) => {
                let limit = limit as u64;
                Self::for_good(HttpError::TooLarge { url: HttpError::show(url), limit })
            }
            Error::ConnectProxyFailed(reason) => {
                Self::later(HttpError::unreachable(url, format!("through the proxy: {reason}")))
            }
            Error::Protocol(_) | Error::ConnectionFailed | Error::BodyStalled => {
                Self::later(HttpError::unreachable(url, error.to_string()))
            }
            // Other errors of ureq do not come from the network.
            other => Self::for_good(HttpError::unreachable(url, other.to_string())),
        }
    }

    /// Classifies an error that occurred while the body arrived.
    pub(super) fn in_body(url: &Url, error: io::Error) -> Self {
        Self { is_partial: true, ..Self::classify_in_body(url, error) }
    }

    fn classify_in_body(url: &Url, error: io::Error) -> Self {
        match ureq::Error::from(error) {
            ureq::Error::Io(error) if rustls_error(&error).is_none() => match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                    Self::later(HttpError::timed_out(url))
                }
                // The body ended early, or its compression is broken.
                _ => Self::later(HttpError::truncated(url)),
            },
            ureq::Error::Protocol(_) => Self::later(HttpError::truncated(url)),
            error => Self::classify(url, error),
        }
    }

    fn from_io(url: &Url, error: &io::Error) -> Self {
        match (rustls_error(error), error.kind()) {
            (Some(error), _) => Self::for_good(HttpError::tls(url, error)),
            (None, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                Self::later(HttpError::timed_out(url))
            }
            (None, _) => Self::later(HttpError::unreachable(url, error.to_string())),
        }
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The repeated requests that a fetch still has.
pub(super) struct Budget {
    retries: u32,
    /// How often a file that arrived in part is continued. `None` if that counts as a retry.
    resumes: Option<u32>,
    retried: u32,
    resumed: u32,
}

impl Budget {
    /// Returns the budget of a page or a document, which is fetched again from its start.
    pub(super) const fn of_document(retries: u32) -> Self {
        Self { retries, resumes: None, retried: 0, resumed: 0 }
    }

    /// Returns the budget of a file.
    pub(super) const fn of_file(retries: u32, resumes: u32) -> Self {
        Self { retries, resumes: Some(resumes), retried: 0, resumed: 0 }
    }

    /// Returns the pause before the next attempt, or `None` if there is none.
    pub(super) fn pause(&self, failed: &FailedAttempt, patience: &Patience) -> Option<Duration> {
        let is_left = match self.resumes {
            Some(resumes) if failed.is_partial => self.resumed < resumes,
            _ => self.retried < self.retries,
        };
        is_left.then(|| pause(failed.again, self.retried.max(self.resumed), patience)).flatten()
    }

    /// Counts a repeated request. One that goes on with a file has all retries again, as in pip.
    pub(super) fn spend(&mut self, failed: &FailedAttempt) {
        if failed.is_partial && self.resumes.is_some() {
            self.resumed = self.resumed.saturating_add(1);
            self.retried = 0;
        } else {
            self.retried = self.retried.saturating_add(1);
        }
    }
}

/// Returns the pause before retry number `retry` (from 0), or `None` if there is none.
fn pause(again: Again, retry: u32, patience: &Patience) -> Option<Duration> {
    let pause = match again {
        Again::Never => return None,
        Again::After(asked) => asked,
        Again::Later => {
            let doubled = patience.backoff.saturating_mul(1_u32.checked_shl(retry).unwrap_or(0));
            doubled.mul_f64(jitter())
        }
    };
    Some(pause.min(patience.longest_pause))
}

/// Returns a random factor from 0.5 to 1, so that the clients of a server do not retry at once.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    0.5 + f64::from(u16::try_from(random & 0xffff).unwrap_or(0)) / f64::from(u16::MAX) / 2.0
}
