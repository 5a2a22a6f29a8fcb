//! URLs as they may be shown.
//!
//! Owns the one way to write a URL for people: without the user name and password in it.

use std::fmt;

use url::Url;

/// A text that should be a URL and is none, without what may be credentials in it: all before its
/// last `@`.
#[must_use]
pub fn redacted_text(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => text.to_owned(),
    }
}

/// Writes a URL without its credentials; what was there shows as `***@`. Query and fragment are
/// left out too where there are any: signed links keep their secrets in the query.
pub struct Redacted<'a>(pub &'a Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0;
        if !url.has_host() {
            return write!(f, "{}:{}", url.scheme(), url.path());
        }
        write!(f, "{}://", url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            f.write_str("***@")?;
        }
        f.write_str(url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())?;
        f.write_str(if url.query().is_some() { "?***" } else { "" })
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
