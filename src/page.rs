//! The page of a project on an index: its files, and what the index says about each.
//!
//! Owns the model and the bounds; `page/json.rs` reads PEP 691, `page/html.rs` PEP 503. Pure:
//! bytes in, values out. What the page says is the index's claim and nothing more. An entry that
//! cannot be read is kept as such, so that nobody takes it for a file without provenance.

mod html;
mod json;
mod mirror;

use percent_encoding::percent_decode_str;
use url::Url;

pub use mirror::{Beside, Mirrored};

use crate::digest::Sha256;

/// The largest page that is read, in bytes. The largest real ones have tens of megabytes.
pub const MAX_PAGE: u64 = 64 * 1024 * 1024;
/// The most files that one page may list.
pub const MAX_FILES: usize = 250_000;

/// The page of one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    files: Vec<PageFile>,
    unreadable: Vec<Unreadable>,
}

/// A file on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// Its name: the page's own word in JSON, the last part of the URL in HTML.
    pub filename: String,
    /// Where it is, without fragment and credentials.
    pub url: Url,
    /// The sha256 that the index states.
    pub sha256: Option<Sha256>,
    /// What else it states: sha384, sha512 and md5, as (algorithm, digits).
    pub other_hashes: Vec<(String, String)>,
    /// Where its provenance document is (PEP 740), absolute.
    pub provenance: Option<Url>,
    /// Why it is yanked (PEP 592); empty where no reason is given.
    pub yanked: Option<String>,
    /// Its size in bytes, where the index states it.
    pub size: Option<u64>,
    /// Which versions of Python it is for (PEP 503, `requires-python`), as written.
    pub requires_python: Option<String>,
    /// Whether its METADATA is served beside it (PEP 658), and the hashes stated for that, as
    /// (algorithm, digits).
    pub metadata: Option<Vec<(String, String)>>,
}

/// An entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unreadable {
    filename: String,
    reason: &'static str,
}

/// The two forms of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Html,
}

impl Format {
    /// What a `Content-Type` says.
    fn of(content_type: &str) -> Result<Self, PageError> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/vnd.pypi.simple.v1+json" | "application/json" => Ok(Self::Json),
            "application/vnd.pypi.simple.v1+html" | "text/html" => Ok(Self::Html),
            _ => Err(PageError::ContentType(media_type.chars().take(100).collect())),
        }
    }
}

/// Why something is no page of an index, or says nothing usable about a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Neither JSON nor HTML of the simple API.
    #[error("the content type `{}` is none of an index page", .0.escape_debug())]
    ContentType(String),
    /// Not the JSON of PEP 691.
    #[error("not the JSON of an index page: {0}")]
    Json(String),
    /// Another major version of the API than 1 (PEP 629).
    #[error("the index speaks version {} of the simple API, not 1", .0.escape_debug())]
    Version(String),
    /// More than [`MAX_FILES`].
    #[error("the page lists more than {MAX_FILES} files")]
    TooMany,
    /// The entry of the file that is looked for.
    #[error("the entry of {} cannot be read: {reason}", .filename.escape_debug())]
    Entry {
        /// The file.
        filename: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Page {
    /// Reads a page. `base` is where it came from, after redirects.
    ///
    /// # Errors
    /// The content type is none of the simple API's, or the bytes are not what it says.
    pub fn parse(content_type: &str, base: &Url, bytes: &[u8]) -> Result<Self, PageError> {
        let mut base = base.clone();
        // What is joined to the page must not carry its credentials along.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        match Format::of(content_type)? {
            Format::Json => json::parse(&base, bytes),
            Format::Html => html::parse(&base, bytes),
        }
    }

    /// The file of this name, if the page has one and says one thing about it.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn file_named(&self, filename: &str) -> Result<Option<&PageFile>, PageError> {
        self.find(filename, |_| true)
    }

    /// The files, in the order of the page.
    #[must_use]
    pub fn files(&self) -> &[PageFile] {
        &self.files
    }

    /// The file of this name at this URL.
    ///
    /// # Errors
    /// Its entry cannot be read, or two entries say different things about it.
    pub fn file(&self, filename: &str, url: &Url) -> Result<Option<&PageFile>, PageError> {
        self.find(filename, |file| is_same_place(&file.url, url))
    }

    /// The file of this name, wherever it is, whose stated sha256 is this one if any is stated.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn file_with(
        &self,
        filename: &str,
        sha256: &Sha256,
    ) -> Result<Option<&PageFile>, PageError> {
        self.find(filename, |file| file.sha256.is_none_or(|stated| stated == *sha256))
    }

    fn find(
        &self,
        filename: &str,
        is_it: impl Fn(&PageFile) -> bool,
    ) -> Result<Option<&PageFile>, PageError> {
        let no = |reason| PageError::Entry { filename: filename.to_owned(), reason };
        let mut found = self.files.iter().filter(|file| file.filename == filename && is_it(file));
        let first = found.next();
        if first.is_some_and(|first| found.any(|other| other != first)) {
            return Err(no("two entries say different things"));
        }
        match self.unreadable.iter().find(|entry| entry.filename == filename) {
            Some(entry) => Err(no(entry.reason)),
            None => Ok(first),
        }
    }

    /// Adds an entry as read from either format.
    fn add(&mut self, base: &Url, entry: Entry) -> Result<(), PageError> {
        if self.files.len() + self.unreadable.len() >= MAX_FILES {
            return Err(PageError::TooMany);
        }
        let filename = entry.filename.clone();
        match entry.read(base) {
            Ok(file) => self.files.push(file),
            Err(reason) => self.unreadable.push(Unreadable { filename, reason }),
        }
        Ok(())
    }
}

/// An entry before its parts are read.
#[derive(Default)]
struct Entry {
    filename: String,
    href: String,
    hashes: Vec<(String, String)>,
    provenance: Option<String>,
    yanked: Option<String>,
    size: Option<u64>,
    requires_python: Option<String>,
    metadata: Option<Vec<(String, String)>>,
}

impl Entry {
    fn read(self, base: &Url) -> Result<PageFile, &'static str> {
        let mut url = base.join(&self.href).map_err(|_| "its URL is none")?;
        url.set_fragment(None);
        let link = self.provenance.map(|href| provenance(base, &href)).transpose()?;
        let mut sha256 = None;
        let mut other_hashes = Vec::new();
        for (algorithm, digits) in self.hashes {
            if algorithm != "sha256" {
                other_hashes.push((algorithm, digits));
                continue;
            }
            let digest = Sha256::parse(&digits).map_err(|_| "its sha256 is none")?;
            if sha256.is_some_and(|earlier| earlier != digest) {
                return Err("it has two sha256");
            }
            sha256 = Some(digest);
        }
        let Self { filename, yanked, size, requires_python, metadata, .. } = self;
        let provenance = link;
        Ok(PageFile {
            filename,
            url,
            sha256,
            other_hashes,
            provenance,
            yanked,
            size,
            requires_python,
            metadata,
        })
    }
}

/// The URL of a provenance document. A page that is a local file may name another.
fn provenance(base: &Url, href: &str) -> Result<Url, &'static str> {
    if href.trim().is_empty() {
        return Err("its provenance link is empty");
    }
    let url = base.join(href.trim()).map_err(|_| "its provenance link is no URL")?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" if base.scheme() == "file" => Ok(url),
        _ => Err("its provenance link is neither http nor https"),
    }
}

/// Whether two URLs name one file: pip writes the path of a URL with its own choice of escapes
/// (`+` becomes `%2B`), so paths are compared decoded. Credentials and fragments do not count.
#[must_use]
pub fn is_same_place(one: &Url, other: &Url) -> bool {
    let place = |url: &Url| {
        let path: Vec<Vec<u8>> =
            url.path().split('/').map(|part| percent_decode_str(part).collect()).collect();
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
            path,
        )
    };
    one.query() == other.query() && place(one) == place(other)
}
