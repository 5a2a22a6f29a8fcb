//! Rewrites the page of a project so that its links lead to the gateway.
//!
//! Owns the list of members that the mirror of a page keeps: the ones that an installer reads. The
//! URL of each file is replaced. The provenance link and unknown members are removed. The mirror is
//! written file by file, so that memory holds only the page and its mirror. Text that an installer
//! shows (reason of a yank, required Python) loses its control characters. A file with a control
//! character in its name is not listed, since an installer rejects it.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::index::page::html::{self, ATTRIBUTES, Tag};
use crate::index::page::json::{self, Broken, Top, walk};
use crate::index::page::loose::Loose;
use crate::index::page::{Format, Page, PageError};
use crate::package::filename::is_wheel;
use crate::terminal::escape::{blanked, is_plain};

/// Maximum size of a mirror as a multiple of its page, besides [`ROOM`]. Our links are longer than
/// most; for a page that consists of links only, the mirror is three times as large.
pub const MAX_GROWTH: usize = 4;
/// Number of bytes that a mirror may have in addition, for pages with a few short links.
pub const ROOM: usize = 1024 * 1024;

/// Whether the mirror offers METADATA files beside the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The mirror offers METADATA files.
    Kept,
    /// The mirror omits them: an installer reads the METADATA inside the file.
    LeftOut,
    /// The mirror offers them for every source, and for wheels as the page does.
    ForSources,
}

/// A page and its mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// The parsed page.
    pub page: Page,
    /// `Content-Type` of [`Self::body`].
    pub content_type: String,
    /// The page with replaced links, in the format of the original.
    pub body: Vec<u8>,
}

/// A file with the members that installers read, as raw JSON. The order of the hashes matters: pip
/// locks with the first one.
#[derive(Deserialize, Default)]
struct MirrorFile<'a> {
    #[serde(borrow)]
    filename: Option<Loose<'a>>,
    #[serde(borrow)]
    url: Option<Loose<'a>>,
    #[serde(borrow)]
    hashes: Option<MirrorHashes<'a>>,
    #[serde(rename = "requires-python", borrow)]
    requires_python: Option<&'a RawValue>,
    #[serde(borrow)]
    yanked: Option<&'a RawValue>,
    #[serde(borrow)]
    size: Option<&'a RawValue>,
    #[serde(rename = "upload-time", borrow)]
    upload_time: Option<&'a RawValue>,
    #[serde(rename = "core-metadata", borrow)]
    core_metadata: Option<&'a RawValue>,
    #[serde(rename = "dist-info-metadata", borrow)]
    dist_info_metadata: Option<&'a RawValue>,
    #[serde(rename = "data-dist-info-metadata", borrow)]
    data_dist_info_metadata: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct MirrorHashes<'a> {
    #[serde(borrow)]
    sha256: Option<&'a RawValue>,
    #[serde(borrow)]
    sha512: Option<&'a RawValue>,
    #[serde(borrow)]
    sha384: Option<&'a RawValue>,
    #[serde(borrow)]
    sha224: Option<&'a RawValue>,
    #[serde(borrow)]
    sha1: Option<&'a RawValue>,
    #[serde(borrow)]
    md5: Option<&'a RawValue>,
}

impl Page {
    /// Parses a page as [`Self::parse`] does and writes its mirror. In the mirror, the file of each
    /// name is at `link(name)`, followed by the fragment of the original link; `beside` says
    /// whether METADATA files are offered.
    ///
    /// # Errors
    /// As for [`Self::parse`], or the mirror would be too large for the page.
    pub fn mirror(
        content_type: &str,
        base: &Url,
        bytes: &[u8],
        beside: Beside,
        link: &dyn Fn(&str) -> String,
    ) -> Result<Mirrored, PageError> {
        let page = Self::parse(content_type, base, bytes)?;
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let format = Format::of(content_type)?;
        let write = |out: &mut dyn Write| {
            let mut mirror = MirrorWriter { base: &page.base, beside, link, out };
            match format {
                Format::Json => mirror.json(bytes),
                Format::Html => mirror.html(bytes),
            }
        };
        // The size is counted first: a growing buffer takes three times its size.
        let mut counted = Count(0);
        write(&mut counted)?;
        if counted.0 > bytes.len().saturating_mul(MAX_GROWTH).saturating_add(ROOM) {
            return Err(PageError::Growth(counted.0));
        }
        let mut body = Vec::with_capacity(counted.0);
        write(&mut body)?;
        let content_type = match format {
            Format::Json => media_type,
            Format::Html => format!("{media_type}; charset=utf-8"),
        };
        Ok(Mirrored { page, content_type, body })
    }
}

/// A mirror while it is written.
struct MirrorWriter<'a> {
    base: &'a Url,
    beside: Beside,
    link: &'a dyn Fn(&str) -> String,
    out: &'a mut dyn Write,
}

impl MirrorWriter<'_> {
    /// Returns `link(filename)` with the fragment of the original URL.
    fn moved(&self, url: Option<&Url>, filename: &str) -> String {
        let fragment = url.and_then(Url::fragment).map(|fragment| format!("#{fragment}"));
        (self.link)(filename) + &fragment.unwrap_or_default()
    }

    fn json(&mut self, bytes: &[u8]) -> Result<(), PageError> {
        self.out.write_all(b"{\"files\":[").map_err(unwritten)?;
        let mut first = true;
        let Top { meta, name } = walk(bytes, |raw| {
            // A file whose members cannot be read is listed without them. pip may choose it, and
            // the request for it ends with the error of its entry.
            let mut file = serde_json::from_str(raw.get()).unwrap_or_else(|_| {
                let Broken { filename, url } = json::broken(raw);
                let [filename, url] = [filename, url].map(|text| text.map(Loose::Text));
                MirrorFile { filename, url, ..MirrorFile::default() }
            });
            let Some(href) = file.url.take().and_then(Loose::text) else { return Ok(()) };
            let url = self.base.join(&href).ok();
            let filename = json::name(url.as_ref(), file.filename.take().and_then(Loose::text));
            let Some(filename) = filename.filter(|name| is_plain(name)) else { return Ok(()) };
            let between: &[u8] = if std::mem::take(&mut first) { b"" } else { b"," };
            self.out
                .write_all(between)
                .and_then(|()| self.json_file(&filename, url.as_ref(), &file))
                .map_err(unwritten)
        })?;
        let members = [("meta", meta), ("name", name)].into_iter();
        let mut members = members.filter_map(|(key, value)| Some((key, value?.get())));
        self.out
            .write_all(b"]")
            .and_then(|()| {
                members.try_for_each(|(key, value)| write!(self.out, ",\"{key}\":{value}"))
            })
            .and_then(|()| self.out.write_all(b"}"))
            .map_err(unwritten)
    }

    fn json_file(
        &mut self,
        filename: &str,
        url: Option<&Url>,
        file: &MirrorFile<'_>,
    ) -> io::Result<()> {
        let url = self.moved(url, filename);
        self.out.write_all(b"{\"filename\":")?;
        serde_json::to_writer(&mut *self.out, filename)?;
        self.out.write_all(b",\"url\":")?;
        serde_json::to_writer(&mut *self.out, &url)?;
        let added = self.adds_metadata(filename);
        let offered = self.beside != Beside::LeftOut && !added;
        for (key, value) in [
            ("requires-python", file.requires_python),
            ("yanked", file.yanked),
            ("size", file.size),
            ("upload-time", file.upload_time),
            ("core-metadata", file.core_metadata.filter(|_| offered)),
            ("dist-info-metadata", file.dist_info_metadata.filter(|_| offered)),
            ("data-dist-info-metadata", file.data_dist_info_metadata.filter(|_| offered)),
        ] {
            if let Some(value) = value {
                write!(self.out, ",\"{key}\":{}", shown(value))?;
            }
        }
        if added {
            write!(self.out, ",\"core-metadata\":true,\"dist-info-metadata\":true")?;
        }
        let none = MirrorHashes::default();
        let MirrorHashes { sha256, sha512, sha384, sha224, sha1, md5 } =
            file.hashes.as_ref().unwrap_or(&none);
        let mut between = ",\"hashes\":{";
        for (name, digits) in [
            ("sha256", sha256),
            ("sha512", sha512),
            ("sha384", sha384),
            ("sha224", sha224),
            ("sha1", sha1),
            ("md5", md5),
        ] {
            if let Some(digits) = digits {
                write!(self.out, "{between}\"{name}\":{}", shown(digits))?;
                between = ",";
            }
        }
        self.out.write_all(if between == "," { b"}}" } else { b",\"hashes\":{}}" })
    }

    fn adds_metadata(&self, filename: &str) -> bool {
        self.beside == Beside::ForSources && !is_wheel(filename)
    }

    fn html(&mut self, bytes: &[u8]) -> Result<(), PageError> {
        self.out.write_all(b"<!DOCTYPE html>\n<html><body>\n").map_err(unwritten)?;
        html::for_each(bytes, |tag| self.html_file(tag).map_err(unwritten))?;
        self.out.write_all(b"</body></html>\n").map_err(unwritten)
    }

    fn html_file(&mut self, tag: &Tag) -> io::Result<()> {
        let entry = html::entry(self.base, tag).filter(|entry| is_plain(&entry.filename));
        let Some(entry) = entry else { return Ok(()) };
        let url = self.base.join(&entry.href).ok();
        let url = self.moved(url.as_ref(), &entry.filename);
        write!(self.out, "<a href=\"{}\"", Escaped(&url))?;
        let added = self.adds_metadata(&entry.filename);
        if added {
            let attributes = " data-core-metadata=\"true\" data-dist-info-metadata=\"true\"";
            self.out.write_all(attributes.as_bytes())?;
        }
        let offered = self.beside != Beside::LeftOut && !added;
        let kept = ATTRIBUTES.into_iter().filter(|name| {
            name.starts_with("data-")
                && *name != "data-provenance"
                && (offered || !name.ends_with("-metadata"))
        });
        for name in kept {
            let Some(value) = tag.attribute(name) else { continue };
            // An attribute without a value has no meaning; an empty value would mean that METADATA
            // exists.
            if value.is_empty() && name.ends_with("-metadata") {
                continue;
            }
            write!(self.out, " {name}=\"{}\"", Escaped(&blanked(&value)))?;
        }
        writeln!(self.out, ">{}</a><br>", Escaped(&entry.filename))
    }
}

/// Returns a value that an installer may show: a string without control characters. A value that is
/// not a string stays unchanged; with escapes inside, which could encode control characters, it
/// becomes null.
fn shown(value: &RawValue) -> Cow<'_, str> {
    let raw = value.get();
    if !raw.contains('\\') && is_plain(raw) {
        return raw.into();
    }
    match serde_json::from_str::<String>(raw) {
        Ok(text) => serde_json::Value::String(blanked(&text)).to_string().into(),
        Err(_) => "null".into(),
    }
}

/// A writer that only counts.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Converts an error of a writer to memory, which cannot fail.
fn unwritten(error: io::Error) -> PageError {
    PageError::Json(error.to_string())
}

/// Displays a text escaped for HTML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"']) {
            let plain = part.trim_end_matches(['&', '<', '>', '"']);
            f.write_str(plain)?;
            f.write_str(match part.get(plain.len()..) {
                Some("&") => "&amp;",
                Some("<") => "&lt;",
                Some(">") => "&gt;",
                Some("\"") => "&#34;",
                _ => "",
            })?;
        }
        Ok(())
    }
}
