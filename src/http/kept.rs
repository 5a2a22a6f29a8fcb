//! The headers that say how an answer may be kept, and those that ask whether it still holds.
//!
//! Owns the way between ureq's headers and [`Validity`]. Keeps nothing.

use std::time::SystemTime;

use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::http::Earlier;
use crate::http::validity::{Headers, Validity};

/// What an answer with status 200 says.
pub(super) fn validity(response: &ureq::http::Response<ureq::Body>) -> Option<Validity> {
    read(response.headers(), |headers| Validity::read(headers, SystemTime::now()))
}

/// What an answer with status 304 says of the earlier one.
pub(super) fn confirmed(
    known: &Validity,
    response: &ureq::http::Response<ureq::Body>,
) -> Option<Validity> {
    read(response.headers(), |headers| known.confirmed(headers, SystemTime::now()))
}

fn read(map: &HeaderMap, validity: impl Fn(&Headers<'_>) -> Option<Validity>) -> Option<Validity> {
    let all = |name| {
        let values: Option<Vec<_>> = map.get_all(name).iter().map(|v| v.to_str().ok()).collect();
        values.map(|values| values.join(","))
    };
    // A header that is no text may say anything; then nothing is kept.
    validity(&Headers {
        cache_control: &all(header::CACHE_CONTROL)?,
        age: map.get(header::AGE).map(|value| value.to_str().unwrap_or_default()),
        vary: &all(header::VARY)?,
        etag: map.get(header::ETAG).and_then(|value| value.to_str().ok()),
    })
}

/// The headers that a request needs besides. An `ETag` that is no value of a header is left out.
pub(super) fn conditions(earlier: Earlier<'_>) -> Vec<(HeaderName, HeaderValue)> {
    match earlier {
        Earlier::Nothing => Vec::new(),
        Earlier::Distrusted => {
            vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]
        }
        Earlier::Answer(known) => {
            let etag = known.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok());
            let etag = etag.map(|etag| (header::IF_NONE_MATCH, etag));
            // As pip asks: what lies between us and the index asks it, too.
            let now = (header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
            etag.into_iter().chain([now]).collect()
        }
    }
}
