//! Rules for reusing a cached HTTP answer.
//!
//! Owns the parts of RFC 9111 that matter to a private cache, on the strict side: an unknown
//! directive or an unreadable value makes an answer stale, never fresh. Dates are ignored.
//! `Expires` is not read. With `Last-Modified` a server could confirm an answer of another server,
//! such as the login page of a network, or miss a change within a second. Pure: headers and time
//! are passed as values.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Maximum time for which an answer is used without a request, whatever its server says.
pub const LONGEST_FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum length of a stored `ETag`, in bytes; a longer one counts as absent.
pub const MAX_ETAG: usize = 1024;

/// Caching headers of an answer, as they were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    /// `Cache-Control`; several are joined with commas.
    pub cache_control: &'a str,
    /// `Age`.
    pub age: Option<&'a str>,
    /// `Vary`; several are joined with commas.
    pub vary: &'a str,
    /// `ETag`.
    pub etag: Option<&'a str>,
}

/// Validity of an answer that may be cached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// `ETag` of the answer.
    pub etag: Option<String>,
    /// Arrival of the answer, in seconds of Unix time.
    arrived: u64,
    /// Number of seconds after the arrival for which the answer is fresh.
    fresh: u64,
}

impl Validity {
    /// Reads the headers of an answer with status 200. Returns `None` if it must not be cached, or
    /// if it has neither an `ETag` nor a freshness lifetime.
    #[must_use]
    pub fn read(headers: &Headers<'_>, now: SystemTime) -> Option<Self> {
        let directives = Directives::read(headers.cache_control);
        if directives.no_store || headers.vary.split(',').any(|name| name.trim() == "*") {
            return None;
        }
        let validity = Self {
            etag: headers.etag.filter(|etag| etag.len() <= MAX_ETAG).map(str::to_owned),
            arrived: now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            fresh: directives.fresh(headers.age),
        };
        (validity.etag.is_some() || validity.fresh > 0).then_some(validity)
    }

    /// Returns the validity after the server has confirmed the answer (304) with these headers.
    /// Returns `None` if the answer must not be cached any more.
    #[must_use]
    pub fn confirmed(&self, headers: &Headers<'_>, now: SystemTime) -> Option<Self> {
        // Headers that the 304 omits keep their value (RFC 9111, 3.2).
        let etag = headers.etag.or(self.etag.as_deref());
        Self::read(&Headers { etag, ..*headers }, now)
    }

    /// Whether the answer may be used without a request.
    #[must_use]
    pub fn is_fresh(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // An arrival in the future was stored by a wrong clock; such an answer is stale.
        let age = now.checked_sub(self.arrived);
        age.is_some_and(|age| age < self.fresh.min(LONGEST_FRESH.as_secs()))
    }
}

/// Directives of `Cache-Control` that are read.
#[derive(Debug, Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    max_age: Option<u64>,
}

impl Directives {
    fn read(text: &str) -> Self {
        let mut directives = Self::default();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => directives.no_store = true,
                "no-cache" => directives.no_cache = true,
                "max-age" => {
                    // Of two `max-age` the shorter one counts; an invalid one counts as 0 (RFC
                    // 9111, 4.2.1).
                    let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                    directives.max_age =
                        Some(directives.max_age.map_or(seconds, |m| m.min(seconds)));
                }
                _ => {}
            }
        }
        directives
    }

    /// Returns for how many seconds from now an answer of this age is fresh.
    fn fresh(&self, age: Option<&str>) -> u64 {
        if self.no_cache {
            return 0;
        }
        let age = age.map_or(Some(0), |age| age.trim().parse::<u64>().ok());
        age.map_or(0, |age| self.max_age.unwrap_or(0).saturating_sub(age))
    }
}
