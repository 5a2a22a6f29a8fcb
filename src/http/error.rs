//! Errors of HTTP requests, and the failure of the run that each causes.
//!
//! Owns their messages and hints. A message must not contain credentials: URLs are redacted here.

use std::io;

use url::Url;

use crate::failure::{Failure, Status};
use crate::http::redact::Redacted;
use crate::http::tls::hint;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server answered with a status that is not expected, such as 500.
    #[error("{url} answered with status {code}")]
    Status {
        /// Status code.
        code: u16,
        /// URL that answered, redacted.
        url: String,
    },
    /// The connection failed, or broke before an answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// URL, redacted.
        url: String,
        /// Message of the system.
        reason: String,
    },
    /// The server was silent for too long, or the whole answer took too long.
    #[error("{url} took too long to answer")]
    TimedOut {
        /// URL, redacted.
        url: String,
    },
    /// The answer is larger than the limit.
    #[error("{url} sends more than {limit} bytes")]
    TooLarge {
        /// URL, redacted.
        url: String,
        /// Limit in bytes.
        limit: u64,
    },
    /// The answer ended early, or its compression is broken.
    #[error("the answer of {url} arrived only in part")]
    Truncated {
        /// URL, redacted.
        url: String,
    },
    /// The server's certificate or the TLS handshake is not valid.
    #[error("no secure connection to {url}: {reason}")]
    Tls {
        /// URL, redacted.
        url: String,
        /// Problem with the certificate or the protocol.
        reason: String,
        /// Next step.
        hint: &'static str,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// URL that redirects, redacted.
        url: String,
        /// Why the redirect is refused.
        reason: &'static str,
    },
    /// A file that the user's settings name cannot be used.
    #[error("cannot use the {what} {file}: {reason}")]
    Setting {
        /// Name of the setting.
        what: &'static str,
        /// Path of the file; empty if it may contain a secret.
        file: String,
        /// Cause of the error.
        reason: String,
    },
    /// The proxy cannot be used.
    #[error("cannot use the proxy{shown}: {reason}")]
    Proxy {
        /// ` URL`, redacted; empty if the text is not a URL.
        shown: String,
        /// Cause of the error.
        reason: &'static str,
    },
    /// Fetched bytes cannot be stored.
    #[error("cannot store the download: {0}")]
    Sink(io::Error),
}

impl HttpError {
    /// Returns the status of the answer, or `None` if the error has another cause.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server answered with 404. A 410 counts as an error.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    /// Returns a copy of an error of the network or the server, and `None` for the other ones.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Status { code, url } => Some(Self::Status { code: *code, url: url.clone() }),
            Self::Unreachable { url, reason } => {
                Some(Self::Unreachable { url: url.clone(), reason: reason.clone() })
            }
            Self::TimedOut { url } => Some(Self::TimedOut { url: url.clone() }),
            Self::Truncated { url } => Some(Self::Truncated { url: url.clone() }),
            _ => None,
        }
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

    pub(super) fn tls(url: &Url, error: &rustls::Error) -> Self {
        Self::Tls { url: Self::show(url), reason: error.to_string(), hint: hint::of(error) }
    }

    pub(super) fn redirect(url: &Url, reason: &'static str) -> Self {
        Self::Redirect { url: Self::show(url), reason }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Status { code: 401 | 407, .. } => {
                "put the credentials into the index URL or into ~/.netrc"
            }
            Self::Status { code: 403, .. } => "the index refuses the request; ask its operator",
            Self::Status { .. } => "the index is in trouble; try again later",
            Self::Unreachable { .. } => "check the network and the proxy (--proxy, HTTPS_PROXY)",
            Self::TimedOut { .. } => "try again, or allow more time with --timeout SECONDS",
            Self::TooLarge { .. } => "answers of an index are smaller than that; ask its operator",
            Self::Truncated { .. } => "try again",
            Self::Tls { hint, .. } => hint,
            Self::Redirect { .. } => "name the index by the URL that it redirects to",
            Self::Setting { .. } => "correct the option, variable or pip.conf line that names it",
            Self::Proxy { .. } => "name an http://, https:// or socks5:// proxy",
            Self::Sink(_) => "make room on the disk, or set TMPDIR to another one",
        }
    }
}

impl From<&HttpError> for Failure {
    /// Converts an error to a failure of the run. A file of the user's own that cannot be read is
    /// bad input; all other errors leave the question open.
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
