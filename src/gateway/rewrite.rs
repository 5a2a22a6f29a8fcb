//! Replaces the gateway's URLs in text of pip's by the user's own.
//!
//! Owns the replacement. The output must contain neither the secret path of the run nor
//! credentials: the real URLs are redacted.

use url::Url;

use crate::gateway::Gateway;
use crate::http::redact::Redacted;

impl Gateway {
    /// Returns a text of pip's in which the real URL replaces every URL of this gateway.
    #[must_use]
    pub fn with_real_urls(&self, text: &str) -> String {
        let ours = self.inner.upstream.root();
        let ends = |c: char| {
            let quotes = matches!(c, '"' | '\'' | '`' | '(' | ')' | '<' | '>' | ',');
            quotes || c.is_whitespace()
        };
        // A longer port is that of another server, such as one of the user's own.
        let goes_on = |below: &str| below.starts_with(|c: char| c.is_ascii_digit());
        let mut rest = text;
        let mut out = String::with_capacity(text.len());
        while let Some(at) = rest.find(&ours) {
            let (before, found) = rest.split_at(at);
            out.push_str(before);
            let (url, after) = found.split_at(found.find(ends).unwrap_or(found.len()));
            let is_other = url.strip_prefix(&ours).is_some_and(goes_on);
            out.push_str(&if is_other { url.to_owned() } else { self.place(url) });
            rest = after;
        }
        out + rest
    }

    /// Returns the redacted real URL behind one URL of this gateway.
    fn place(&self, text: &str) -> String {
        let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
        let file = Url::parse(place).ok().and_then(|url| self.real_url(&url));
        if let Some(real) = file {
            let mark = if fragment.is_empty() { "" } else { "#" };
            return format!("{}{mark}{fragment}", Redacted(&real.file.url));
        }
        let indexes = self.index_urls();
        let mounts = indexes.iter().zip(&self.inner.upstream.indexes);
        for (ours, mount) in mounts {
            if let Some(below) = format!("{text}/").strip_prefix(ours.as_str()) {
                let theirs = Redacted(&mount.url).to_string();
                let place = format!("{}/{below}", theirs.trim_end_matches('/'));
                let slash = if text.ends_with('/') { "/" } else { "" };
                return place.trim_end_matches('/').to_owned() + slash;
            }
        }
        "the index".to_owned()
    }
}
