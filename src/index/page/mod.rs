//! The page of a project on an index: its files, and what the index says about each.
//!
//! Owns the model and the bounds; `page/json.rs` reads PEP 691, `page/html.rs` PEP 503. Pure:
//! bytes in, values out. What the page says is the index's claim and nothing more. An entry that
//! cannot be read is kept as such, so that nobody takes it for a file without provenance.

mod html;
mod json;
mod loose;
mod mirror;
mod packed;

use std::borrow::Cow;

use packed::{Entry, Packed};
use percent_encoding::percent_decode_str;
use url::Url;

pub use mirror::{Beside, MAX_GROWTH, Mirrored, ROOM};

use crate::package::digest::Sha256;

/// The largest page that is read, in bytes. The largest real ones have tens of megabytes.
pub const MAX_PAGE: u64 = 64 * 1024 * 1024;
/// The longest URL of a page, of what its links are relative to, and of a link, in bytes. Servers
/// take less.
pub const MAX_LINK: usize = 8 * 1024;
/// The most files that one page may list.
pub const MAX_FILES: usize = 250_000;

/// The page of one project. Its files are values only when they are asked for: of a page of many
/// small entries that is a tenth of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Whatever links are relative to.
    base: Url,
    entries: Packed,
    count: usize,
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
    /// (algorithm, digits) of the same algorithms.
    pub metadata: Option<Vec<(String, String)>>,
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
    /// Its URL, or what it says that links are relative to, is longer than [`MAX_LINK`].
    #[error("the URL that the page's links are relative to is longer than {MAX_LINK} bytes")]
    Base,
    /// Its mirror would be more than [`MAX_GROWTH`] times as large, and [`ROOM`].
    #[error("the page has too many small entries: its mirror would have {0} bytes")]
    Growth(usize),
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
        if base.as_str().len() > MAX_LINK {
            return Err(PageError::Base);
        }
        match Format::of(content_type)? {
            Format::Json => json::parse(base, bytes),
            Format::Html => html::parse(base, bytes),
        }
    }

    /// A page at this URL that has no files yet.
    fn at(base: &Url) -> Self {
        let mut base = base.clone();
        // What is joined to the page must not carry its credentials along.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        Self { base, entries: Packed::default(), count: 0 }
    }

    /// The same, to which no file is added any more.
    fn complete(mut self) -> Self {
        self.entries.shrink();
        self
    }

    /// The file of this name, if the page has one and says one thing about it.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn file_named(&self, filename: &str) -> Result<Option<PageFile>, PageError> {
        self.find(filename, |_| true)
    }

    /// The files whose entries can be read, in the order of the page.
    pub fn files(&self) -> impl Iterator<Item = PageFile> {
        self.entries.iter().filter_map(|entry| read(entry, &self.base).ok())
    }

    /// The file of this name at this URL.
    ///
    /// # Errors
    /// Its entry cannot be read, or two entries say different things about it.
    pub fn file(&self, filename: &str, url: &Url) -> Result<Option<PageFile>, PageError> {
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
    ) -> Result<Option<PageFile>, PageError> {
        self.find(filename, |file| file.sha256.is_none_or(|stated| stated == *sha256))
    }

    fn find(
        &self,
        filename: &str,
        is_it: impl Fn(&PageFile) -> bool,
    ) -> Result<Option<PageFile>, PageError> {
        let no = |reason| PageError::Entry { filename: filename.to_owned(), reason };
        let (mut first, mut unreadable) = (None, None);
        for entry in self.entries.iter().filter(|entry| entry.filename == filename) {
            match read(entry, &self.base) {
                Ok(file) if is_it(&file) => match &first {
                    None => first = Some(file),
                    Some(first) if *first == file => {}
                    Some(_) => return Err(no("two entries say different things")),
                },
                Ok(_) => {}
                Err(reason) => unreadable = unreadable.or(Some(reason)),
            }
        }
        unreadable.map_or(Ok(first), |reason| Err(no(reason)))
    }

    /// Adds an entry as read from either format.
    fn add(&mut self, entry: &Entry<'_>) -> Result<(), PageError> {
        if self.count >= MAX_FILES {
            return Err(PageError::TooMany);
        }
        self.count += 1;
        self.entries.push(entry);
        Ok(())
    }
}

/// The file of an entry.
///
/// # Errors
/// A link or a digest of it is none.
fn read(entry: Entry<'_>, base: &Url) -> Result<PageFile, &'static str> {
    if entry.href.len() > MAX_LINK {
        return Err("its URL is too long");
    }
    let mut url = base.join(&entry.href).map_err(|_| "its URL is none")?;
    url.set_fragment(None);
    let provenance = entry.provenance.map(|href| provenance(base, &href)).transpose()?;
    let mut sha256 = None;
    let mut other_hashes = Vec::new();
    for (algorithm, digits) in entry.hashes {
        if algorithm != "sha256" {
            other_hashes.push((algorithm.to_owned(), digits.into_owned()));
            continue;
        }
        let digest = Sha256::parse(&digits).map_err(|_| "its sha256 is none")?;
        if sha256.is_some_and(|earlier| earlier != digest) {
            return Err("it has two sha256");
        }
        sha256 = Some(digest);
    }
    let owned = |(algorithm, digits): (&'static str, Cow<'_, str>)| {
        (algorithm.to_owned(), digits.into_owned())
    };
    Ok(PageFile {
        filename: entry.filename.into_owned(),
        url,
        sha256,
        other_hashes,
        provenance,
        yanked: entry.yanked.map(Cow::into_owned),
        size: entry.size,
        requires_python: entry.requires_python.map(Cow::into_owned),
        metadata: entry.metadata.map(|hashes| hashes.into_iter().map(owned).collect()),
    })
}

/// The URL of a provenance document. A page that is a local file may name another.
fn provenance(base: &Url, href: &str) -> Result<Url, &'static str> {
    if href.trim().is_empty() {
        return Err("its provenance link is empty");
    }
    if href.len() > MAX_LINK {
        return Err("its provenance link is too long");
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
