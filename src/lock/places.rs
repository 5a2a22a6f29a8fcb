//! Where the files of a set really come from, put back into what pip reports of installing it.
//!
//! Owns that one rewriting: the second step installs from a private directory, which is gone
//! afterwards and was never the user's.

use super::{Lock, percent_decode};

impl Lock {
    /// The report of an install from `directory` (a `file://` URL that ends in a slash), each URL
    /// below it replaced by that of the file of this name.
    #[must_use]
    pub fn with_real_places(&self, report: &str, directory: &str) -> String {
        let files = || self.entries.iter().flat_map(super::Entry::files);
        let mut parts = report.split(directory);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (encoded, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
            let name = percent_decode(encoded);
            match files().find(|file| file.filename.as_str() == name) {
                Some(file) => text.push_str(&super::without_userinfo(&file.url)),
                None => text.extend([directory, encoded]),
            }
            text.push_str(rest);
        }
        text
    }
}
