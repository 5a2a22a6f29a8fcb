//! PEP 503: the page of a project as HTML.
//!
//! Owns the reading of anchors as pip reads them: every `<a href>` of the document is a file,
//! named by the last part of its URL; the first `<base href>` holds for all of them. A page of
//! some other kind is a page without the file that is looked for.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{Entry, Page, PageError};

/// The hashes that a fragment may state and that are worth keeping.
const ALGORITHMS: [&str; 4] = ["sha256", "sha384", "sha512", "md5"];

pub(super) fn parse(page_url: &Url, bytes: &[u8]) -> Result<Page, PageError> {
    let mut page = Page::default();
    for_each(page_url, bytes, |base, _, entry| page.add(base, entry))?;
    Ok(page)
}

/// Calls `visit` for each file of a page: what its link is relative to, its anchor, its entry.
pub(super) fn for_each(
    page_url: &Url,
    bytes: &[u8],
    mut visit: impl FnMut(&Url, &StartTag<()>, Entry) -> Result<(), PageError>,
) -> Result<(), PageError> {
    let mut emitter = DefaultEmitter::default();
    // Without this the text of a script would count as tags.
    emitter.naively_switch_states(true);
    let mut base = None;
    let mut anchors = Vec::new();
    for token in Tokenizer::new_with_emitter(bytes, emitter) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        match tag.name.as_slice() {
            b"base" if base.is_none() => base = attribute(&tag, "href"),
            b"meta" => check_version(&tag)?,
            b"a" if tag.attributes.contains_key(b"href".as_slice()) => {
                anchors.push(tag);
                if anchors.len() > super::MAX_FILES {
                    return Err(PageError::TooMany);
                }
            }
            _ => {}
        }
    }
    let base = base.and_then(|href| page_url.join(&href).ok());
    let base = base.as_ref().unwrap_or(page_url);
    for tag in &anchors {
        if let Some(entry) = entry(base, tag) {
            visit(base, tag, entry)?;
        }
    }
    Ok(())
}

/// The file an anchor names; nothing where it names none, like a link to the front page.
fn entry(base: &Url, tag: &StartTag<()>) -> Option<Entry> {
    let href = attribute(tag, "href")?;
    let url = base.join(href.trim()).ok()?;
    let last = url.path_segments()?.next_back().filter(|last| !last.is_empty())?;
    let filename = percent_decode_str(last).decode_utf8().ok()?.into_owned();
    let fragment = url.fragment().unwrap_or_default();
    let hashes = fragment
        .split('&')
        .filter_map(|part| part.split_once('='))
        .filter(|(algorithm, _)| ALGORITHMS.contains(algorithm))
        .map(|(algorithm, digits)| (algorithm.to_owned(), digits.to_owned()))
        .collect();
    Some(Entry {
        filename,
        href: href.trim().to_owned(),
        hashes,
        provenance: attribute(tag, "data-provenance"),
        yanked: attribute(tag, "data-yanked"),
        size: None,
        requires_python: attribute(tag, "data-requires-python"),
        metadata: attribute(tag, "data-core-metadata")
            .or_else(|| attribute(tag, "data-dist-info-metadata"))
            .filter(|value| !value.is_empty())
            .map(|value| metadata(&value)),
    })
}

/// PEP 658: `true`, or one hash as in `sha256=DIGITS`.
fn metadata(value: &str) -> Vec<(String, String)> {
    let hash = value.split_once('=').map(|(name, digits)| (name.to_owned(), digits.to_owned()));
    hash.into_iter().collect()
}

/// PEP 629: `<meta name="pypi:repository-version" content="1.0">`.
fn check_version(tag: &StartTag<()>) -> Result<(), PageError> {
    let is_version = attribute(tag, "name").is_some_and(|name| name == "pypi:repository-version");
    let version = attribute(tag, "content").unwrap_or_default();
    if is_version && version.split('.').next() != Some("1") {
        return Err(PageError::Version(version.chars().take(20).collect()));
    }
    Ok(())
}

/// The value of an attribute, entities decoded. What is not UTF-8 becomes U+FFFD: it then equals
/// no name and no URL that anybody looks for.
pub(super) fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}
