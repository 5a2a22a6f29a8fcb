//! Transfer of a file over several attempts.
//!
//! Owns the headers by which a broken download goes on where it broke (RFC 9110, 14.2 and 13.1.5):
//!
//! ```text
//! Range: bytes=RECEIVED-
//! If-Range: ETAG or LAST-MODIFIED of the first answer
//! ```
//!
//! The server sends the rest with 206 if the file is unchanged, else the whole file with 200. A
//! first answer with neither value is not resumed, since the parts of two files could be joined.

use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Bytes received so far, and the file they belong to.
#[derive(Default)]
pub(super) struct Transfer {
    received: u64,
    /// `ETag` or `Last-Modified` of the first answer.
    validator: Option<HeaderValue>,
}

impl Transfer {
    /// Returns the headers that ask for the missing bytes, or none for the whole file.
    pub(super) fn conditions(&self) -> Vec<(HeaderName, HeaderValue)> {
        let range = HeaderValue::from_str(&format!("bytes={}-", self.received)).ok();
        match (&self.validator, range) {
            (Some(validator), Some(range)) if self.received > 0 => {
                vec![(header::RANGE, range), (header::IF_RANGE, validator.clone())]
            }
            _ => Vec::new(),
        }
    }

    /// Whether an answer with status 206 begins where the received bytes end.
    pub(super) fn is_continued_by(&self, headers: &HeaderMap) -> bool {
        let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
        self.received > 0 && start.and_then(|start| start.parse().ok()) == Some(self.received)
    }

    /// Forgets the received bytes: the answer with these headers sends the whole file.
    pub(super) fn restart(&mut self, headers: &HeaderMap) {
        let validator = headers.get(header::ETAG).or_else(|| headers.get(header::LAST_MODIFIED));
        *self = Self { received: 0, validator: validator.cloned() };
    }

    /// Adds received bytes and returns their number so far.
    pub(super) fn add(&mut self, bytes: usize) -> u64 {
        self.received = self.received.saturating_add(bytes as u64);
        self.received
    }

    /// Returns the number of bytes received so far.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }
}
