//! The page of a project on an index: its files and the index's statements about each file.
//!
//! Owns the model and the bounds; `page/json.rs` reads PEP 691, `page/html.rs` PEP 503. Pure: bytes
//! in, values out. Statements of a page are claims of the index and prove no origin. An unreadable
//! entry is kept and reported as an error for its file, so that the file is never treated as one
//! without provenance.

mod html;
mod json;
mod loose;
mod mirror;
mod packed;

use std::borrow::Cow;

use packed::{Packed, PageEntry};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

pub use mirror::{Beside, MAX_GROWTH, Mirrored, ROOM};

use crate::package::digest::Sha256;

/// Maximum size of a page, in bytes. The largest real ones have tens of megabytes.
pub const MAX_PAGE: u64 = 64 * 1024 * 1024;
/// Maximum length of a URL of a page, of its base URL and of a link, in bytes. Servers accept less.
pub const MAX_LINK: usize = 8 * 1024;
/// Maximum number of files on a page.
pub const MAX_FILES: usize = 250_000;

/// The page of one project. Its entries are stored packed and parsed on demand: for a page of many
/// small entries that takes a tenth of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Base URL of relative links.
    base: Url,
    entries: Packed,
    count: usize,
}

/// A file on a page, with all statements of the index about it. Its name is any text, since an
/// index may list a name that no file on disk may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// Name of the file: stated in JSON, the last part of the URL in HTML.
    pub filename: String,
    /// URL of the file, without fragment and credentials.
    pub url: Url,
    /// Sha256 that the index states.
    pub sha256: Option<Sha256>,
    /// Other stated hashes (sha384, sha512, md5) as (algorithm, digits).
    pub other_hashes: Vec<(String, String)>,
    /// Absolute URL of the provenance document (PEP 740).
    pub provenance: Option<Url>,
    /// Why the file is yanked (PEP 592); empty if no reason is given.
    pub yanked: Option<String>,
    /// Size in bytes, if the index states it.
    pub size: Option<u64>,
    /// Admitted versions of Python (PEP 503, `requires-python`), as written.
    pub requires_python: Option<String>,
    /// Hashes of the METADATA file beside the file (PEP 658), as (algorithm, digits); empty if no
    /// hash is stated, `None` if the index has no such file.
    pub metadata: Option<Vec<(String, String)>>,
}

/// The two formats of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Html,
}

impl Format {
    /// Returns the format that a `Content-Type` names.
    fn of(content_type: &str) -> Result<Self, PageError> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/vnd.pypi.simple.v1+json" | "application/json" => Ok(Self::Json),
            "application/vnd.pypi.simple.v1+html" | "text/html" => Ok(Self::Html),
            _ => Err(PageError::ContentType(media_type.chars().take(100).collect())),
        }
    }
}

/// Why an answer is not an index page, or its entry for a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The content type is neither JSON nor HTML of the simple API.
    #[error("the answer is not an index page (content type `{}`)", .0.escape_debug())]
    ContentType(String),
    /// The bytes are not JSON of PEP 691.
    #[error("not the JSON of an index page: {0}")]
    Json(String),
    /// The major version of the API is not 1 (PEP 629).
    #[error("the index speaks version {} of the simple API, not 1", .0.escape_debug())]
    Version(String),
    /// The URL of the page, or its `<base>`, is longer than [`MAX_LINK`].
    #[error("the URL that the page's links are relative to is longer than {MAX_LINK} bytes")]
    Base,
    /// The mirror would be larger than [`MAX_GROWTH`] times the page plus [`ROOM`].
    #[error("the page has too many small entries: its mirror would have {0} bytes")]
    Growth(usize),
    /// The page lists more than [`MAX_FILES`] files.
    #[error("the page lists more than {MAX_FILES} files")]
    TooMany,
    /// The entry of the requested file cannot be read.
    #[error("the entry of {} cannot be read: {reason}", .filename.escape_debug())]
    Entry {
        /// Name of the file.
        filename: String,
        /// Cause of the error.
        reason: &'static str,
    },
}

impl Page {
    /// Parses a page. `base` is the URL of the page after redirects.
    ///
    /// # Errors
    /// The content type is not one of the simple API, or the bytes do not have that format.
    pub fn parse(content_type: &str, base: &Url, bytes: &[u8]) -> Result<Self, PageError> {
        if base.as_str().len() > MAX_LINK {
            return Err(PageError::Base);
        }
        match Format::of(content_type)? {
            Format::Json => json::parse(base, bytes),
            Format::Html => html::parse(base, bytes),
        }
    }

    /// Makes a page at this URL without files.
    fn at(base: &Url) -> Self {
        let mut base = base.clone();
        // Links that are resolved against the URL must not inherit its credentials.
        crate::package::userinfo::remove(&mut base);
        Self { base, entries: Packed::default(), count: 0 }
    }

    /// Frees unused memory after the last entry.
    fn complete(mut self) -> Self {
        self.entries.shrink();
        self
    }

    /// Returns the file of this name, or `None` if the page does not list it. Of several files of
    /// one name at several URLs, the last one is returned, which is the one that pip takes.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn file_named(&self, filename: &str) -> Result<Option<PageFile>, PageError> {
        let named = |entry: &PageEntry<'_>| entry.filename == filename;
        let last = self.entries.iter().filter(named).last();
        let Some(last) = last else { return Ok(None) };
        let url = read(last, &self.base).map(|file| file.url);
        let url = url.map_err(|reason| unreadable(filename, reason))?;
        self.find(filename, |file| file.url == url)
    }

    /// Returns the readable files in the order of the page.
    pub fn files(&self) -> impl Iterator<Item = PageFile> {
        self.entries.iter().filter_map(|entry| read(entry, &self.base).ok())
    }

    /// Returns the file of this name at this URL.
    ///
    /// # Errors
    /// Its entry cannot be read, or two entries contradict each other.
    pub fn file(&self, filename: &str, url: &Url) -> Result<Option<PageFile>, PageError> {
        self.find(filename, |file| is_same_place(&file.url, url))
    }

    /// Returns the file of this name at any URL, if its stated sha256 (if any) is this one.
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

    /// Returns the last file of this name with this sha256, at any URL. Where the digest is not
    /// known or not stated, the URL must be equal up to its query.
    ///
    /// # Errors
    /// An entry of this name cannot be read.
    pub fn file_by_digest(
        &self,
        filename: &str,
        sha256: Option<&Sha256>,
        url: &Url,
    ) -> Result<Option<PageFile>, PageError> {
        let without_query = |url: &Url| {
            let mut url = url.clone();
            url.set_query(None);
            url
        };
        let bare = without_query(url);
        let mut last = None;
        for entry in self.entries.iter().filter(|entry| entry.filename == filename) {
            let file = read(entry, &self.base).map_err(|reason| unreadable(filename, reason))?;
            let is_it = match (sha256, &file.sha256) {
                (Some(sha256), Some(stated)) => sha256 == stated,
                _ => is_same_place(&without_query(&file.url), &bare),
            };
            last = if is_it { Some(file) } else { last };
        }
        Ok(last)
    }

    fn find(
        &self,
        filename: &str,
        is_it: impl Fn(&PageFile) -> bool,
    ) -> Result<Option<PageFile>, PageError> {
        let (mut first, mut error) = (None, None);
        for entry in self.entries.iter().filter(|entry| entry.filename == filename) {
            match read(entry, &self.base) {
                Ok(file) if is_it(&file) => match &first {
                    None => first = Some(file),
                    Some(first) if *first == file => {}
                    Some(_) => {
                        return Err(unreadable(filename, "two entries contradict each other"));
                    }
                },
                Ok(_) => {}
                Err(reason) => error = error.or(Some(reason)),
            }
        }
        error.map_or(Ok(first), |reason| Err(unreadable(filename, reason)))
    }

    /// Adds an entry of either format.
    fn add(&mut self, entry: &PageEntry<'_>) -> Result<(), PageError> {
        if self.count >= MAX_FILES {
            return Err(PageError::TooMany);
        }
        self.count += 1;
        self.entries.push(entry);
        Ok(())
    }
}

fn unreadable(filename: &str, reason: &'static str) -> PageError {
    PageError::Entry { filename: filename.to_owned(), reason }
}

/// Returns the name of the file at a URL: the last part, decoded, as pip reads it. Returns `None`
/// for the URL of a directory.
fn filename(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back().filter(|last| !last.is_empty())?;
    Some(percent_decode_str(last).decode_utf8().ok()?.into_owned())
}

/// Parses an entry into a file.
///
/// # Errors
/// A link or a digest in the entry is not valid.
fn read(entry: PageEntry<'_>, base: &Url) -> Result<PageFile, &'static str> {
    if entry.broken {
        return Err("one of its members is repeated or has a wrong type");
    }
    if entry.href.len() > MAX_LINK {
        return Err("its URL is too long");
    }
    let mut url = base.join(&entry.href).map_err(|_| "its URL is not valid")?;
    url.set_fragment(None);
    quote_as_pip(&mut url);
    let provenance = entry.provenance.map(|href| provenance(base, &href)).transpose()?;
    let mut sha256 = None;
    let mut other_hashes = Vec::new();
    // Some servers write an empty digest for one that they do not know.
    for (algorithm, digits) in entry.hashes.into_iter().filter(|(_, digits)| !digits.is_empty()) {
        if algorithm != "sha256" {
            other_hashes.push((algorithm.to_owned(), digits.into_owned()));
            continue;
        }
        let digest = Sha256::parse(&digits).map_err(|_| "its sha256 is not a valid sha256")?;
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

/// Characters that Python's `urllib.parse.quote` leaves unescaped in a path.
const UNESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// Writes the path of a link with the escapes of pip (`models/link.py`, `_ensure_quoted_url`): all
/// parts are decoded and escaped again, but `@` and `%2F` stay. Some stores know a file by one
/// spelling only, such as `%2B` for `+`.
fn quote_as_pip(url: &mut Url) {
    if url.scheme() == "file" {
        return;
    }
    let (mut quoted, mut rest) = (String::new(), url.path());
    while !rest.is_empty() {
        let reserved = rest.find('@').into_iter().chain(rest.find("%2F")).chain(rest.find("%2f"));
        let end = reserved.min().unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let decoded = percent_decode_str(part).decode_utf8_lossy();
        quoted.extend(utf8_percent_encode(&decoded, UNESCAPED));
        let kept = if after.starts_with('@') { "@" } else { "%2F" };
        match after.get(kept.len()..) {
            Some(next) => {
                quoted.push_str(kept);
                rest = next;
            }
            None => rest = "",
        }
    }
    url.set_path(&quoted);
}

/// Resolves the URL of a provenance document. Only a page that is a local file may name a local
/// document.
fn provenance(base: &Url, href: &str) -> Result<Url, &'static str> {
    if href.trim().is_empty() {
        return Err("its provenance link is empty");
    }
    if href.len() > MAX_LINK {
        return Err("its provenance link is too long");
    }
    let url = base.join(href.trim()).map_err(|_| "its provenance link is not a valid URL")?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" if base.scheme() == "file" => Ok(url),
        _ => Err("its provenance link is neither http nor https"),
    }
}

/// Whether two URLs name the same file. Paths are compared decoded, since pip chooses other escapes
/// (`+` becomes `%2B`). Credentials and fragments are ignored.
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
