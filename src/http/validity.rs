//! How long an answer of HTTP may be used again, and how to ask whether it still holds.
//!
//! Owns the rules of RFC 9111 that matter to a private cache, on the strict side: what is not
//! understood makes an answer stale, never fresh. Dates say nothing here: neither `Expires`, nor
//! `Last-Modified`, by which a server may confirm what another one sent in its name, such as the
//! login page of a network, or what changed within a second. Pure: headers and the time come in as
//! values.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The longest that an answer is used without asking again, whatever its server says.
pub const LONGEST_FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest `ETag` that is kept, in bytes; a longer one counts as absent.
pub const MAX_ETAG: usize = 1024;

/// What the headers of an answer say of that, as they were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    /// `Cache-Control`, several as one with commas between them.
    pub cache_control: &'a str,
    /// `Age`.
    pub age: Option<&'a str>,
    /// `Vary`, several as one.
    pub vary: &'a str,
    /// `ETag`.
    pub etag: Option<&'a str>,
}

/// What is known of an answer that may be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// When it arrived, in seconds of Unix time.
    arrived: u64,
    /// For how many seconds after that it is fresh.
    fresh: u64,
}

impl Validity {
    /// Reads the headers of an answer with status 200; nothing where it must not be kept, or where
    /// keeping it would serve nothing.
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

    /// What holds after the server has said that nothing changed (304), with these headers.
    /// Nothing where it must not be kept any more.
    #[must_use]
    pub fn confirmed(&self, headers: &Headers<'_>, now: SystemTime) -> Option<Self> {
        // What the confirmation leaves out stays as it was (RFC 9111, 3.2).
        let etag = headers.etag.or(self.etag.as_deref());
        Self::read(&Headers { etag, ..*headers }, now)
    }

    /// Whether it may be used without asking.
    #[must_use]
    pub fn is_fresh(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // What will arrive tomorrow comes from a clock that was wrong.
        let age = now.checked_sub(self.arrived);
        age.is_some_and(|age| age < self.fresh.min(LONGEST_FRESH.as_secs()))
    }
}

/// The directives of `Cache-Control` that count here.
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
                    // Said twice, the shorter one counts; said badly, none (RFC 9111, 4.2.1).
                    let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                    directives.max_age =
                        Some(directives.max_age.map_or(seconds, |m| m.min(seconds)));
                }
                _ => {}
            }
        }
        directives
    }

    /// For how many seconds an answer of this age is fresh from now on.
    fn fresh(&self, age: Option<&str>) -> u64 {
        if self.no_cache {
            return 0;
        }
        let age = age.map_or(Some(0), |age| age.trim().parse::<u64>().ok());
        age.map_or(0, |age| self.max_age.unwrap_or(0).saturating_sub(age))
    }
}
