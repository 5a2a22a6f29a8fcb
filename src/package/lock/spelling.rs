//! Writes the place of a file as pip writes it.
//!
//! Follows pip's `models/link.py` and `utils/urls.py`, which quote as Python's `urllib.parse` does.
//! So a lock in which URLs were replaced is the same as one that pip wrote with these URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Position, Url};

/// Characters that `urllib.parse.quote` quotes.
const QUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// Parts of a URL's path that pip leaves unchanged.
const LEFT: [&str; 3] = ["@", "%2F", "%2f"];

/// Returns a URL as pip writes it into a lock: without credentials and fragment.
#[must_use]
pub fn as_pip_writes(url: &Url) -> String {
    let mut url = url.clone();
    crate::package::userinfo::remove(&mut url);
    url.set_fragment(None);
    let path = if url.has_host() { quoted_parts(url.path()) } else { quoted(url.path()) };
    format!("{}{path}{}", &url[..Position::BeforePath], &url[Position::AfterPath..])
}

fn quoted(text: &str) -> String {
    let plain = percent_decode_str(text).decode_utf8_lossy();
    utf8_percent_encode(&plain, QUOTED).to_string()
}

fn quoted_parts(mut path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    loop {
        let found = LEFT.iter().filter_map(|part| Some((path.find(part)?, *part))).min();
        let Some((at, part)) = found else { return out + &quoted(path) };
        let (before, rest) = path.split_at(at);
        out += &quoted(before);
        out += &part.to_uppercase();
        path = rest.get(part.len()..).unwrap_or_default();
    }
}
