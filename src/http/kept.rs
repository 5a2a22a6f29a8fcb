//! Converts HTTP headers for caching: the validity of an answer, and conditional requests.
//!
//! Owns the conversion between ureq's headers and [`Validity`]. The module stores no answer.

use std::time::SystemTime;

use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::http::ask::Earlier;
use crate::http::validity::{Headers, Validity};

/// Returns the validity of an answer with status 200, or `None` if it must not be cached.
pub(super) fn validity(response: &ureq::http::Response<ureq::Body>) -> Option<Validity> {
    read(response.headers(), |headers| Validity::read(headers, SystemTime::now()))
}

/// Returns the validity of a cached answer that a 304 confirmed.
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
    // A header that is not ASCII text may forbid caching, so the answer is not cached.
    validity(&Headers {
        cache_control: &all(header::CACHE_CONTROL)?,
        age: map.get(header::AGE).map(|value| value.to_str().unwrap_or_default()),
        vary: &all(header::VARY)?,
        etag: map.get(header::ETAG).and_then(|value| value.to_str().ok()),
    })
}

/// Returns the additional headers of a conditional request. An invalid `ETag` is left out.
pub(super) fn conditions(earlier: Earlier<'_>) -> Vec<(HeaderName, HeaderValue)> {
    match earlier {
        Earlier::Nothing => Vec::new(),
        Earlier::Distrusted => {
            vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]
        }
        Earlier::Answer(known) => {
            let etag = known.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok());
            let etag = etag.map(|etag| (header::IF_NONE_MATCH, etag));
            // `max-age=0`, as in pip: caches on the way to the index must ask it, too.
            let now = (header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
            etag.into_iter().chain([now]).collect()
        }
    }
}
