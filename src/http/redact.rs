//! Formats URLs for messages, without secrets.
//!
//! Owns the only way in which this program shows a URL to a person.

use std::fmt;

use url::Url;

/// Redacts a text that should be a URL but is not: replaces everything before its last `@`, which
/// may be credentials.
#[must_use]
pub fn redacted_text(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => text.to_owned(),
    }
}

/// Displays a URL with `***@` for its credentials and `?***` for its query, since signed links have
/// their secrets in the query. The fragment is left out.
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
