//! Private and real places of the files of a set.
//!
//! Writes the page that leads pip to the private directory, and corrects the report that pip writes
//! afterwards: the report names the private directory, which is removed, and marks every package as
//! requested.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use url::Url;

use crate::package::digest::Sha256;
use crate::package::lock::{Entry, Lock, Requested, percent_decode};
use crate::package::name::PackageName;

/// Returns a page (PEP 503) that links to files by their absolute paths, each with its digest if
/// that is known.
pub fn links_page(files: impl IntoIterator<Item = (PathBuf, Option<Sha256>)>) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    for (path, sha256) in files {
        let (Ok(url), Some(name)) = (Url::from_file_path(&path), path.file_name()) else {
            continue;
        };
        let url = url.as_str().replace('&', "&amp;");
        let hash = sha256.map(|sha256| format!("#sha256={sha256}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<a href=\"{url}{hash}\">{}</a>", name.to_string_lossy());
    }
    page + "</body></html>\n"
}

impl Lock {
    /// Returns a page (PEP 503) of the files that have a digest and lie in `directory`, an absolute
    /// path.
    ///
    /// pip prefers a link that states a required hash. A plain directory states none, so pip could
    /// take a file of the same name from one of the user's own directories, and then fail.
    #[must_use]
    pub fn links(&self, directory: &Path) -> String {
        let known = self.listed().filter(|file| file.sha256.is_some());
        links_page(known.map(|file| (directory.join(file.filename.as_str()), file.sha256)))
    }

    /// Returns the report of an install from `directory` (a `file://` URL that ends in a slash),
    /// with each URL below it replaced by the real URL of the file of that name.
    #[must_use]
    pub fn with_real_places(&self, report: &str, directory: &str) -> String {
        let files = || self.entries.iter().flat_map(Entry::files);
        let mut parts = report.split(directory);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (encoded, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
            let name = percent_decode(encoded.rsplit('/').next().unwrap_or_default());
            match files().find(|file| file.filename.as_str() == name) {
                Some(file) => {
                    text.push_str(&crate::package::lock::without_userinfo(&file.place.as_written()))
                }
                None => text.extend([directory, encoded]),
            }
            text.push_str(rest);
        }
        text
    }

    /// Returns the report with `requested` set only for packages that the user named. pip sets it
    /// for all of them, since the generated file names them all.
    #[must_use]
    pub fn with_real_requests(&self, report: &str) -> String {
        let items = crate::package::lock::report::read(report.as_bytes()).unwrap_or_default();
        let named = |name: &PackageName| {
            let entry = self.entries.iter().find(|entry| entry.name == *name);
            entry.map_or(Requested::Unsaid, |entry| entry.requested.clone())
        };
        // This text cannot occur inside a JSON string, where quotes are escaped, and metadata has
        // no such field.
        let mut parts = report.split("\"requested\": true");
        let mut text = parts.next().unwrap_or_default().to_owned();
        let claimed = items.iter().filter(|item| matches!(item.requested, Requested::Yes { .. }));
        let mut claimed = claimed.map(|item| named(&item.name));
        for part in parts {
            let is_named = claimed.next().is_none_or(|requested| requested != Requested::No);
            text.push_str(if is_named { "\"requested\": true" } else { "\"requested\": false" });
            text.push_str(part);
        }
        text
    }

    /// Returns the report with `is_yanked` set for the yanked packages of the lock (PEP 592). The
    /// pip that installs has a page of links that says nothing about that. A report of another
    /// shape is returned as it is.
    #[must_use]
    pub fn with_real_yanks(&self, report: &str) -> String {
        const NOT_YANKED: &str = "\"is_yanked\": false";
        let items = crate::package::lock::report::read(report.as_bytes()).unwrap_or_default();
        // As above, this text cannot occur inside a JSON string.
        let mut parts = report.split(NOT_YANKED);
        if report.matches(NOT_YANKED).count() != items.len() {
            return report.to_owned();
        }
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (part, item) in parts.zip(&items) {
            let is_it = |entry: &&Entry| entry.name == item.name && entry.yanked;
            let is_yanked = self.entries.iter().any(|entry| is_it(&entry));
            text.push_str(if is_yanked { "\"is_yanked\": true" } else { NOT_YANKED });
            text.push_str(part);
        }
        text
    }
}
