//! Parser for the page of a project as HTML (PEP 503).
//!
//! Owns the interpretation of anchors, which is pip's: each `<a href>` of the document is a file,
//! named by the last part of its URL; the first `<base href>` is the base of all links. A page of
//! some other kind parses as a page without files. Only the attributes in [`ATTRIBUTES`] are
//! stored, so that a page with many others takes no more memory.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use url::Url;

use crate::index::page::packed::{ALGORITHMS, PageEntry};
use crate::index::page::{self, MAX_LINK, Page, PageError};

/// Attributes that are read.
pub(super) const ATTRIBUTES: [&str; 8] = [
    "href",
    "data-provenance",
    "data-requires-python",
    "data-yanked",
    "data-core-metadata",
    "data-dist-info-metadata",
    "name",
    "content",
];

/// A tag that is read: `<base>`, `<meta>` or `<a>`.
pub(super) struct Tag {
    kind: Kind,
    /// Values of [`ATTRIBUTES`], entities decoded.
    values: [Option<Vec<u8>>; ATTRIBUTES.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Base,
    Meta,
    Anchor,
}

impl Kind {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"base" => Some(Self::Base),
            b"meta" => Some(Self::Meta),
            b"a" => Some(Self::Anchor),
            _ => None,
        }
    }
}

pub(super) fn parse(page_url: &Url, bytes: &[u8]) -> Result<Page, PageError> {
    let mut page = Page::at(page_url);
    if let Some(base) = base(&page.base, bytes)? {
        page.base = base;
    }
    let base = page.base.clone();
    for_each(bytes, |tag| entry(&base, tag).map_or(Ok(()), |entry| page.add(&entry)))?;
    Ok(page.complete())
}

/// Calls `visit` for each link of a page.
pub(super) fn for_each(
    bytes: &[u8],
    mut visit: impl FnMut(&Tag) -> Result<(), PageError>,
) -> Result<(), PageError> {
    let mut links = 0;
    for tag in tags(bytes) {
        match tag.kind {
            Kind::Meta => check_version(&tag)?,
            Kind::Anchor if tag.has("href") => {
                links += 1;
                if links > crate::index::page::MAX_FILES {
                    return Err(PageError::TooMany);
                }
                visit(&tag)?;
            }
            Kind::Anchor | Kind::Base => {}
        }
    }
    Ok(())
}

/// Returns the base URL, or `None` if the page has no `<base href>`. The tag may follow the links,
/// so it is searched first.
fn base(page_url: &Url, bytes: &[u8]) -> Result<Option<Url>, PageError> {
    let tag = b"<base";
    if !bytes.windows(tag.len()).any(|part| part.eq_ignore_ascii_case(tag)) {
        return Ok(None);
    }
    let found = tags(bytes).find(|tag| tag.kind == Kind::Base && tag.has("href"));
    let href = found.as_ref().and_then(|tag| tag.attribute("href"));
    if href.as_ref().is_some_and(|href| href.len() > MAX_LINK) {
        return Err(PageError::Base);
    }
    Ok(href.and_then(|href| page_url.join(&href).ok()))
}

/// Returns the relevant tags of a page in order.
fn tags(bytes: &[u8]) -> impl Iterator<Item = Tag> {
    // Tag that is being read, and the name of its attribute whose value follows.
    let mut current: Option<Tag> = None;
    let mut at = None;
    let events = move |event: CallbackEvent<'_>, _: Span<()>| -> Option<Tag> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                let values = [const { None }; ATTRIBUTES.len()];
                current = Kind::of(name).map(|kind| Tag { kind, values });
                None
            }
            CallbackEvent::AttributeName { name } => {
                let value = current.as_mut().and_then(|tag| tag.value_mut(name));
                // The first of several attributes of one name counts, as in browsers.
                let is_new = value.as_ref().is_some_and(|value| value.is_none());
                if let Some(value) = value.filter(|value| value.is_none()) {
                    *value = Some(Vec::new());
                }
                at = is_new.then(|| name.to_owned());
                None
            }
            CallbackEvent::AttributeValue { value } => {
                let name = at.as_deref();
                let found = current.as_mut().and_then(|tag| tag.value_mut(name?)?.as_mut());
                if let Some(text) = found {
                    text.extend_from_slice(value);
                }
                None
            }
            CallbackEvent::CloseStartTag { .. } => current.take(),
            CallbackEvent::EndTag { .. } => {
                current = None;
                None
            }
            _ => None,
        }
    };
    let mut emitter = CallbackEmitter::new(events);
    // Without this, tags in the text of a script would count.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(bytes, emitter).filter_map(Result::ok)
}

/// Returns the entry that an anchor names, or `None` if it names no file, such as a link to the
/// front page.
pub(super) fn entry<'t>(base: &Url, tag: &'t Tag) -> Option<PageEntry<'t>> {
    let href = trimmed(tag.attribute("href")?);
    // Skips links within the page, and links that are too long for a request.
    if href.is_empty() || href.starts_with(['#', '?']) || href.len() > MAX_LINK {
        return None;
    }
    let url = base.join(&href).ok()?;
    let filename = page::filename(&url)?;
    let fragment = url.fragment().unwrap_or_default();
    let hashes = fragment.split('&').filter_map(|part| part.split_once('=')).filter_map(hash);
    Some(PageEntry {
        filename: filename.into(),
        hashes: hashes.map(|(name, digits)| (name, digits.to_owned().into())).collect(),
        href,
        provenance: tag.attribute("data-provenance"),
        yanked: tag.attribute("data-yanked"),
        size: None,
        requires_python: tag.attribute("data-requires-python"),
        metadata: tag
            .attribute("data-core-metadata")
            .or_else(|| tag.attribute("data-dist-info-metadata"))
            .filter(|value| !value.is_empty())
            .map(|value| metadata(&value)),
        broken: false,
    })
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Parses `true`, or one hash such as `sha256=DIGITS` (PEP 658).
fn metadata(value: &str) -> Vec<(&'static str, Cow<'static, str>)> {
    let hash = value.split_once('=').and_then(hash);
    hash.map(|(name, digits)| (name, digits.to_owned().into())).into_iter().collect()
}

fn hash<'t>((algorithm, digits): (&str, &'t str)) -> Option<(&'static str, &'t str)> {
    let known = ALGORITHMS.into_iter().find(|known| *known == algorithm)?;
    Some((known, digits))
}

/// Checks `<meta name="pypi:repository-version" content="1.0">` (PEP 629).
fn check_version(tag: &Tag) -> Result<(), PageError> {
    let is_version = tag.attribute("name").is_some_and(|name| name == "pypi:repository-version");
    let version = tag.attribute("content").unwrap_or_default();
    if is_version && version.split('.').next() != Some("1") {
        return Err(PageError::Version(version.chars().take(20).collect()));
    }
    Ok(())
}

impl Tag {
    fn place(name: &[u8]) -> Option<usize> {
        ATTRIBUTES.iter().position(|known| known.as_bytes() == name)
    }

    fn value_mut(&mut self, name: &[u8]) -> Option<&mut Option<Vec<u8>>> {
        self.values.get_mut(Self::place(name)?)
    }

    fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// Returns the value of one of [`ATTRIBUTES`]. Each invalid UTF-8 sequence becomes a control
    /// character, so that such a value equals no valid name or URL.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.values.get(Self::place(name.as_bytes())?)?.as_ref()?;
        if let Ok(text) = std::str::from_utf8(value) {
            return Some(Cow::Borrowed(text));
        }
        let mut text = String::with_capacity(value.len());
        for chunk in value.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend((!chunk.invalid().is_empty()).then_some('\u{1a}'));
        }
        Some(Cow::Owned(text))
    }
}
