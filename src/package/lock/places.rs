//! Where the files of a set lie while they are installed, and where they really come from.
//!
//! Owns the page that leads pip to a private directory, and the rewriting of what pip reports
//! afterwards: that directory is gone then and was never the user's, and who wanted a package the
//! user said to the first pip.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use url::Url;

use crate::package::digest::Sha256;
use crate::package::lock::{Lock, Requested, percent_decode};
use crate::package::name::PackageName;

/// A page (PEP 503) that leads to files by their absolute paths, each with its digest where that is
/// known.
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
    /// A page (PEP 503) of the files that have a digest and lie in `directory`, which is absolute.
    ///
    /// pip prefers a link that states a hash it wants. A mere directory states none, and a file of
    /// the same name in one of the user's own places would come first, and fail.
    #[must_use]
    pub fn links(&self, directory: &Path) -> String {
        let known = self.listed().filter(|file| file.sha256.is_some());
        links_page(known.map(|file| (directory.join(file.filename.as_str()), file.sha256)))
    }

    /// The report of an install from `directory` (a `file://` URL that ends in a slash), each URL
    /// below it replaced by that of the file of this name.
    #[must_use]
    pub fn with_real_places(&self, report: &str, directory: &str) -> String {
        let files = || self.entries.iter().flat_map(super::Entry::files);
        let mut parts = report.split(directory);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (encoded, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
            let name = percent_decode(encoded.rsplit('/').next().unwrap_or_default());
            match files().find(|file| file.filename.as_str() == name) {
                Some(file) => text.push_str(&crate::package::lock::without_userinfo(&file.url)),
                None => text.extend([directory, encoded]),
            }
            text.push_str(rest);
        }
        text
    }

    /// The same report, each package requested exactly if the user named it. A pip that was given
    /// all of them in a file takes all of them for named.
    #[must_use]
    pub fn with_real_requests(&self, report: &str) -> String {
        let items = crate::package::lock::report::read(report.as_bytes()).unwrap_or_default();
        let named = |name: &PackageName| {
            let entry = self.entries.iter().find(|entry| entry.name == *name);
            entry.map_or(Requested::Unsaid, |entry| entry.requested.clone())
        };
        // No text within a JSON string looks like this key, and metadata has no such field.
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
}
