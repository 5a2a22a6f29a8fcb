//! Bodies of answers: passed on within their bounds, or skipped.
//!
//! Owns the check of the size, of the raw bytes for a file and of the decoded bytes for a document.

use std::io::{self, Read as _};
use std::time::Duration;

use ureq::http::header;
use url::Url;

use crate::http::ask::{Ask, BodyForm};
use crate::http::deadline::Deadline;
use crate::http::retry::FailedAttempt;
use crate::http::transfer::Transfer;
use crate::http::{HttpError, Piece, decoding};

/// Maximum number of bytes read of an error's body, so that its connection can be reused.
const MOST_OF_AN_ERROR: u64 = 64 * 1024;
/// Maximum time for that, except for one silence: a new connection would be faster.
const LONGEST_ERROR: Duration = Duration::from_secs(1);
/// Size of the read buffer, in bytes.
const CHUNK: usize = 64 * 1024;

/// Passes the body of an answer to `sink`.
pub(super) fn receive(
    url: &Url,
    response: ureq::http::Response<ureq::Body>,
    ask: &Ask<'_>,
    progress: &mut Transfer,
    sink: &mut impl FnMut(Piece<'_>) -> io::Result<()>,
) -> Result<(), FailedAttempt> {
    let too_large = || HttpError::TooLarge { url: HttpError::show(url), limit: ask.limit };
    let announced = response.body().content_length().unwrap_or_default();
    if progress.received().saturating_add(announced) > ask.limit {
        return Err(FailedAttempt::for_good(too_large()));
    }
    let encoding = response.headers().get(header::CONTENT_ENCODING).cloned();
    let encoding = encoding.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let raw = response.into_body().into_reader();
    let mut reader = match ask.body {
        BodyForm::Raw => Box::new(raw),
        BodyForm::Decoded => {
            decoding::reader(raw, encoding).map_err(|error| FailedAttempt::in_body(url, error))?
        }
    };
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = reader.read(&mut buffer).map_err(|error| FailedAttempt::in_body(url, error))?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        if progress.add(read) > ask.limit {
            return Err(FailedAttempt::for_good(too_large()));
        }
        // ureq checks the deadline only when it has to wait.
        if !ask.deadline.allows(Duration::ZERO) {
            return Err(FailedAttempt::for_good(HttpError::timed_out(url)));
        }
        sink(Piece::Bytes(bytes)).map_err(|e| FailedAttempt::for_good(HttpError::Sink(e)))?;
    }
}

/// Reads the rest of a short body, so that the connection can be reused. A body that is long, or
/// takes long, costs its connection.
pub(super) fn drain(response: ureq::http::Response<ureq::Body>) {
    let mut rest = response.into_body().into_reader().take(MOST_OF_AN_ERROR);
    let deadline = Deadline::after(LONGEST_ERROR);
    let mut buffer = [0; 4096];
    while deadline.allows(Duration::ZERO) && rest.read(&mut buffer).is_ok_and(|read| read > 0) {}
}
