//! What can go wrong on the network, and what it means for the run.
//!
//! Owns the words. No message holds credentials: URLs are turned into text here, redacted.

use std::fmt::Display;
use std::io;

use url::Url;

use crate::failure::{Failure, Status};
use crate::http::redact::Redacted;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server answered with another status than 200.
    #[error("{url} answered with status {code}")]
    Status {
        /// The status.
        code: u16,
        /// The URL that answered, redacted.
        url: String,
    },
    /// No connection, or one that broke before an answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The URL, redacted.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The server was silent, or altogether took, too long.
    #[error("{url} took too long to answer")]
    TimedOut {
        /// The URL, redacted.
        url: String,
    },
    /// More than the bound.
    #[error("{url} sends more than {limit} bytes")]
    TooLarge {
        /// The URL, redacted.
        url: String,
        /// The bound in bytes.
        limit: u64,
    },
    /// The answer ended before its end, or its compression is broken.
    #[error("the answer of {url} arrived only in part")]
    Truncated {
        /// The URL, redacted.
        url: String,
    },
    /// The server did not prove who it is.
    #[error("no secure connection to {url}: {reason}")]
    Tls {
        /// The URL, redacted.
        url: String,
        /// What is wrong with the certificate or the protocol.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// The URL that redirects, redacted.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// A file that the user's settings name cannot be used.
    #[error("cannot use the {what} {file}: {reason}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// The file, or nothing where it may hold a secret.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A proxy that this program cannot speak to.
    #[error("cannot use the proxy{shown}: {reason}")]
    Proxy {
        /// ` URL`, redacted, or nothing where it does not even read as one.
        shown: String,
        /// Why not.
        reason: &'static str,
    },
    /// What was fetched could not be put where it belongs.
    #[error("cannot store what was fetched: {0}")]
    Sink(io::Error),
}

impl HttpError {
    /// The status of the answer, where there was one and it was not 200.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server says that there is no such thing: 404. A 410 is another answer.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    pub(super) fn show(url: &Url) -> String {
        Redacted(url).to_string()
    }

    pub(super) fn status(code: u16, url: &Url) -> Self {
        Self::Status { code, url: Self::show(url) }
    }

    pub(super) fn unreachable(url: &Url, reason: impl Into<String>) -> Self {
        Self::Unreachable { url: Self::show(url), reason: reason.into() }
    }

    pub(super) fn timed_out(url: &Url) -> Self {
        Self::TimedOut { url: Self::show(url) }
    }

    pub(super) fn truncated(url: &Url) -> Self {
        Self::Truncated { url: Self::show(url) }
    }

    pub(super) fn tls(url: &Url, reason: &impl Display) -> Self {
        Self::Tls { url: Self::show(url), reason: reason.to_string() }
    }

    pub(super) fn redirect(url: &Url, reason: &'static str) -> Self {
        Self::Redirect { url: Self::show(url), reason }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Status { code: 401 | 407, .. } => {
                "put the credentials into the index URL or into ~/.netrc"
            }
            Self::Status { code: 403, .. } => "the index refuses to answer; ask who runs it",
            Self::Status { .. } => "the index is in trouble; try again later",
            Self::Unreachable { .. } => "check the network and the proxy (--proxy, HTTPS_PROXY)",
            Self::TimedOut { .. } => "try again, or allow more time with --timeout SECONDS",
            Self::TooLarge { .. } => "what an index serves here is smaller; ask who runs it",
            Self::Truncated { .. } => "try again",
            Self::Tls { .. } => {
                "if the network has its own certificates, name them with --cert FILE"
            }
            Self::Redirect { .. } => "name the index by the URL that it redirects to",
            Self::Setting { .. } => "correct the option, variable or pip.conf line that names it",
            Self::Proxy { .. } => "name an http:// or https:// proxy",
            Self::Sink(_) => "make room on the disk, or set TMPDIR to another one",
        }
    }
}

impl From<&HttpError> for Failure {
    /// Whatever the network does leaves the question open; only a file of the user's own that
    /// cannot be read is bad input.
    fn from(error: &HttpError) -> Self {
        let status = match error {
            HttpError::Setting { .. } | HttpError::Proxy { .. } => Status::BadInput,
            _ => Status::CouldNotCheck,
        };
        Self::new(status, error.to_string()).hint(error.hint())
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::from(&error)
    }
}
