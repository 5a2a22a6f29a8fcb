//! PEP 503: the page of a project as HTML.
//!
//! Owns the reading of anchors as pip reads them: every `<a href>` of the document is a file,
//! named by the last part of its URL; the first `<base href>` holds for all of them. A page of
//! some other kind is a page without the file that is looked for. Of a tag nothing is kept but the
//! attributes that are used, so that a page of many others takes no more memory.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::index::page::packed::{ALGORITHMS, Entry};
use crate::index::page::{MAX_LINK, Page, PageError};

/// The attributes that are used of a tag.
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

/// A tag that means something here.
pub(super) struct Tag {
    kind: Kind,
    /// The values of [`ATTRIBUTES`], entities decoded.
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

/// The URL that links are relative to, where the page says another than its own. It may stand
/// behind the links, so it is looked for first.
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

/// The tags of a page that mean something here, in their order.
fn tags(bytes: &[u8]) -> impl Iterator<Item = Tag> {
    // The tag that is being read, and its attribute whose value comes next.
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
                // The first of several counts.
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
    // Without this the text of a script would count as tags.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(bytes, emitter).filter_map(Result::ok)
}

/// The file an anchor names. `None` where it names none, like a link to the front page.
pub(super) fn entry<'t>(base: &Url, tag: &'t Tag) -> Option<Entry<'t>> {
    let href = trimmed(tag.attribute("href")?);
    // A link within the page, or one that no request could be made of.
    if href.is_empty() || href.starts_with(['#', '?']) || href.len() > MAX_LINK {
        return None;
    }
    let url = base.join(&href).ok()?;
    let last = url.path_segments()?.next_back().filter(|last| !last.is_empty())?;
    let filename = percent_decode_str(last).decode_utf8().ok()?.into_owned();
    let fragment = url.fragment().unwrap_or_default();
    let hashes = fragment.split('&').filter_map(|part| part.split_once('=')).filter_map(hash);
    Some(Entry {
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
    })
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// PEP 658: `true`, or one hash as in `sha256=DIGITS`.
fn metadata(value: &str) -> Vec<(&'static str, Cow<'static, str>)> {
    let hash = value.split_once('=').and_then(hash);
    hash.map(|(name, digits)| (name, digits.to_owned().into())).into_iter().collect()
}

fn hash<'t>((algorithm, digits): (&str, &'t str)) -> Option<(&'static str, &'t str)> {
    let known = ALGORITHMS.into_iter().find(|known| *known == algorithm)?;
    Some((known, digits))
}

/// PEP 629: `<meta name="pypi:repository-version" content="1.0">`.
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

    /// The value of one of [`ATTRIBUTES`]. Bytes that are not UTF-8 become a control character
    /// each: such a value then equals no name and no URL that anybody looks for.
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
