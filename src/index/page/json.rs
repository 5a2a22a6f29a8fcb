//! Parser for the page of a project as JSON (PEP 691).
//!
//! Owns the shape of the document. The parser reads one file at a time and skips unknown keys
//! without storing them. A known key may not occur twice, since another parser could take the other
//! value.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use url::Url;

use crate::index::page::loose::{Loose, Text};
use crate::index::page::packed::{ALGORITHMS, PageEntry};
use crate::index::page::{Page, PageError};

/// Members of a page except its files, as raw JSON.
#[derive(Default)]
pub(super) struct Top<'de> {
    pub(super) meta: Option<&'de RawValue>,
    pub(super) name: Option<&'de RawValue>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(rename = "api-version", borrow)]
    api_version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct JsonFile<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow)]
    hashes: JsonHashes<'a>,
    #[serde(borrow)]
    provenance: Option<Text<'a>>,
    #[serde(borrow)]
    yanked: Option<Loose<'a>>,
    size: Option<u64>,
    #[serde(rename = "requires-python", borrow)]
    requires_python: Option<Loose<'a>>,
    #[serde(rename = "core-metadata", borrow)]
    core_metadata: Option<Loose<'a>>,
    #[serde(rename = "dist-info-metadata", borrow)]
    dist_info_metadata: Option<Loose<'a>>,
}

#[derive(Deserialize)]
struct JsonHashes<'a> {
    #[serde(borrow)]
    sha256: Option<Text<'a>>,
    #[serde(borrow)]
    sha384: Option<Text<'a>>,
    #[serde(borrow)]
    sha512: Option<Text<'a>>,
    #[serde(borrow)]
    md5: Option<Text<'a>>,
}

pub(super) fn parse(base: &Url, bytes: &[u8]) -> Result<Page, PageError> {
    let mut page = Page::at(base);
    let top = walk(bytes, |file: JsonFile<'_>| page.add(&entry(file)?))?;
    let meta = top.meta.map_or("null", RawValue::get);
    let meta: Meta<'_> = serde_json::from_str(meta).map_err(|e| PageError::Json(e.to_string()))?;
    let version = meta.api_version;
    if version.split('.').next() != Some("1") {
        return Err(PageError::Version(version.chars().take(20).collect()));
    }
    Ok(page.complete())
}

fn entry(file: JsonFile<'_>) -> Result<PageEntry<'_>, PageError> {
    let JsonHashes { sha256, sha384, sha512, md5 } = file.hashes;
    let stated = ALGORITHMS.into_iter().zip([sha256, sha384, sha512, md5]);
    let yanked = match file.yanked {
        None | Some(Loose::Flag(false)) => None,
        Some(Loose::Flag(true)) => Some(Cow::Borrowed("")),
        // pip treats an empty reason as "not yanked".
        Some(Loose::Text(reason)) => Some(reason).filter(|reason| !reason.is_empty()),
        Some(Loose::Hashes(_) | Loose::Other) => {
            return Err(PageError::Json("`yanked` is neither true, false nor a reason".to_owned()));
        }
    };
    // `true`, or an object of hashes (PEP 714). Any other value counts as absent, as in pip.
    let metadata = match file.core_metadata.or(file.dist_info_metadata) {
        Some(Loose::Flag(true)) => Some(Vec::new()),
        Some(Loose::Hashes(hashes)) => Some(hashes),
        _ => None,
    };
    Ok(PageEntry {
        filename: file.filename.0,
        href: file.url.0,
        hashes: stated.filter_map(|(name, digits)| Some((name, digits?.0))).collect(),
        provenance: file.provenance.map(|text| text.0),
        yanked,
        size: file.size,
        requires_python: file.requires_python.and_then(Loose::text),
        metadata,
    })
}

/// Parses a page and calls `visit` for each of its files.
///
/// # Errors
/// The bytes are not JSON of that shape, or `visit` returns an error.
pub(super) fn walk<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    visit: impl FnMut(T) -> Result<(), PageError>,
) -> Result<Top<'de>, PageError> {
    let mut failed = None;
    let files = JsonFiles { visit, failed: &mut failed, of: PhantomData };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let top = JsonPage(files).deserialize(&mut reader);
    let top = top.and_then(|top| reader.end().map(|()| top));
    match failed {
        Some(error) => Err(error),
        None => top.map_err(|error| PageError::Json(error.to_string())),
    }
}

/// Keys of the document.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Meta,
    Name,
    Files,
    #[serde(other)]
    Other,
}

struct JsonPage<'v, V, T>(JsonFiles<'v, V, T>);

impl<'de, V, T> DeserializeSeed<'de> for JsonPage<'_, V, T>
where
    T: Deserialize<'de>,
    V: FnMut(T) -> Result<(), PageError>,
{
    type Value = Top<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Top<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V, T> Visitor<'de> for JsonPage<'_, V, T>
where
    T: Deserialize<'de>,
    V: FnMut(T) -> Result<(), PageError>,
{
    type Value = Top<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the page of a project")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Top<'de>, A::Error> {
        let (mut top, mut files) = (Top::default(), Some(self.0));
        while let Some(key) = entries.next_key()? {
            match key {
                Key::Meta if top.meta.is_some() => return Err(A::Error::duplicate_field("meta")),
                Key::Meta => top.meta = Some(entries.next_value()?),
                Key::Name => top.name = Some(entries.next_value()?),
                Key::Files => {
                    let files = files.take().ok_or_else(|| A::Error::duplicate_field("files"))?;
                    entries.next_value_seed(files)?;
                }
                Key::Other => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        match (&top.meta, files) {
            (None, _) => Err(A::Error::missing_field("meta")),
            (_, Some(_)) => Err(A::Error::missing_field("files")),
            _ => Ok(top),
        }
    }
}

struct JsonFiles<'v, V, T> {
    visit: V,
    /// Error of the visitor, which an error of the JSON reader cannot carry.
    failed: &'v mut Option<PageError>,
    of: PhantomData<T>,
}

impl<'de, V, T> DeserializeSeed<'de> for JsonFiles<'_, V, T>
where
    T: Deserialize<'de>,
    V: FnMut(T) -> Result<(), PageError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, V, T> Visitor<'de> for JsonFiles<'_, V, T>
where
    T: Deserialize<'de>,
    V: FnMut(T) -> Result<(), PageError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(file) = items.next_element()? {
            if let Err(error) = (self.visit)(file) {
                *self.failed = Some(error);
                return Err(A::Error::custom("no further file is read"));
            }
        }
        Ok(())
    }
}
