//! Parser for the page of a project as JSON (PEP 691).
//!
//! Owns the shape of the document. The parser reads one file at a time and skips unknown keys
//! without storing them. It reads what pip reads, and an odd entry spoils no other: an entry with a
//! known key that occurs twice, or with a value of another type, is an error for its own file only.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use url::Url;

use crate::index::page::loose::{Loose, Text};
use crate::index::page::packed::{ALGORITHMS, PageEntry};
use crate::index::page::{self, Page, PageError};

/// Members of a page except its files, as raw JSON.
#[derive(Default)]
pub(super) struct Top<'de> {
    pub(super) meta: Option<&'de RawValue>,
    pub(super) name: Option<&'de RawValue>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(rename = "api-version", borrow)]
    api_version: Option<Loose<'a>>,
}

/// Members of a file that are read. Each may have any type; [`entry`] says which types are read.
#[derive(Deserialize)]
struct JsonFile<'a> {
    #[serde(borrow)]
    filename: Option<Loose<'a>>,
    #[serde(borrow)]
    url: Option<Loose<'a>>,
    #[serde(borrow)]
    hashes: Option<Loose<'a>>,
    #[serde(borrow)]
    provenance: Option<Loose<'a>>,
    #[serde(borrow)]
    yanked: Option<Loose<'a>>,
    #[serde(borrow)]
    size: Option<Loose<'a>>,
    #[serde(rename = "requires-python", borrow)]
    requires_python: Option<Loose<'a>>,
    #[serde(rename = "core-metadata", borrow)]
    core_metadata: Option<Loose<'a>>,
    #[serde(rename = "dist-info-metadata", borrow)]
    dist_info_metadata: Option<Loose<'a>>,
}

/// Name and URL of a file whose other members cannot be read. Of a repeated key the last value
/// counts, as in pip.
#[derive(Default)]
pub(super) struct Broken<'a> {
    pub(super) filename: Option<Cow<'a, str>>,
    pub(super) url: Option<Cow<'a, str>>,
}

pub(super) fn parse(base: &Url, bytes: &[u8]) -> Result<Page, PageError> {
    let mut page = Page::at(base);
    let top = walk(bytes, |file: &RawValue| {
        // An entry that cannot be read is kept as an error for its file. An entry without a URL
        // names no file, for pip too.
        entry(base, file).map_or(Ok(()), |entry| page.add(&entry))
    })?;
    // pip reads no version, and some servers state none, or not as a string. A stated version that
    // this program does not know is refused (PEP 629).
    let meta = top.meta.and_then(|meta| serde_json::from_str::<Meta<'_>>(meta.get()).ok());
    if let Some(Loose::Text(version)) = meta.and_then(|meta| meta.api_version)
        && version.split('.').next() != Some("1")
    {
        return Err(PageError::Version(version.chars().take(20).collect()));
    }
    Ok(page.complete())
}

/// Parses an entry, or returns `None` if it names no file.
fn entry<'a>(base: &Url, file: &'a RawValue) -> Option<PageEntry<'a>> {
    serde_json::from_str::<JsonFile<'a>>(file.get())
        .ok()
        .and_then(|file| readable(base, file))
        .or_else(|| {
            let Broken { filename, url } = broken(file);
            let href = url?;
            let filename = name(base.join(&href).ok().as_ref(), filename)?;
            Some(PageEntry { filename, href, broken: true, ..PageEntry::default() })
        })
}

/// Returns the name of a file: the last part of its URL, which is the only one that pip reads.
/// Returns the `stated` one if the URL is not valid or that of a directory.
pub(super) fn name<'a>(url: Option<&Url>, stated: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    url.and_then(page::filename).map(Cow::Owned).or(stated)
}

/// Parses a file as pip does (`Link.from_json`). Returns `None` if a member has a type that cannot
/// be read as what it states: such an entry must not count as one without that statement.
fn readable<'a>(base: &Url, file: JsonFile<'a>) -> Option<PageEntry<'a>> {
    let href = file.url?.text()?;
    let filename = name(base.join(&href).ok().as_ref(), file.filename.and_then(Loose::text))?;
    let hashes = match file.hashes {
        None | Some(Loose::Null) => Vec::new(),
        Some(Loose::Hashes(hashes)) => hashes,
        Some(_) => return None,
    };
    let provenance = match file.provenance {
        None | Some(Loose::Null) => None,
        Some(Loose::Text(link)) => Some(link),
        Some(_) => return None,
    };
    let yanked = match file.yanked {
        // pip treats an empty reason as "not yanked".
        None | Some(Loose::Null | Loose::Flag(false) | Loose::Number(0)) => None,
        Some(Loose::Text(reason)) => Some(reason).filter(|reason| !reason.is_empty()),
        Some(_) => Some(Cow::Borrowed("")),
    };
    // `true`, or an object of hashes (PEP 714). Any other value counts as absent.
    let is_set = |value: &Loose<'_>| !matches!(value, Loose::Null);
    let metadata = match file.core_metadata.filter(is_set).or(file.dist_info_metadata) {
        Some(Loose::Flag(true)) => Some(Vec::new()),
        Some(Loose::Hashes(hashes)) => Some(hashes),
        _ => None,
    };
    let size = match file.size {
        Some(Loose::Number(size)) => Some(size),
        _ => None,
    };
    Some(PageEntry {
        filename,
        href,
        hashes: in_order(hashes),
        provenance,
        yanked,
        size,
        requires_python: file.requires_python.and_then(Loose::text),
        metadata: metadata.map(in_order),
        broken: false,
    })
}

/// Returns hashes in the order of [`ALGORITHMS`], so that the order of a page does not matter when
/// entries are compared.
fn in_order<'a>(hashes: Vec<(&'static str, Cow<'a, str>)>) -> Vec<(&'static str, Cow<'a, str>)> {
    let place = |name: &str| ALGORITHMS.iter().position(|known| *known == name);
    let mut hashes = hashes;
    hashes.sort_by_key(|(name, _)| place(name));
    hashes
}

/// Reads the name and the URL of a file whose members cannot be read.
pub(super) fn broken(file: &RawValue) -> Broken<'_> {
    let mut reader = serde_json::Deserializer::from_str(file.get());
    reader.deserialize_map(Last(Broken::default())).unwrap_or_default()
}

/// Visitor that keeps the last name and the last URL of an object.
struct Last<'a>(Broken<'a>);

impl<'de> Visitor<'de> for Last<'de> {
    type Value = Broken<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Broken<'de>, A::Error> {
        while let Some(key) = entries.next_key::<Text<'de>>()? {
            match &*key.0 {
                "filename" => self.0.filename = entries.next_value::<Loose<'de>>()?.text(),
                "url" => self.0.url = entries.next_value::<Loose<'de>>()?.text(),
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self.0)
    }
}

/// Parses a page and calls `visit` for each of its files.
///
/// # Errors
/// The bytes are not JSON of that shape, or `visit` returns an error.
pub(super) fn walk<'de>(
    bytes: &'de [u8],
    visit: impl FnMut(&'de RawValue) -> Result<(), PageError>,
) -> Result<Top<'de>, PageError> {
    let mut failed = None;
    let files = JsonFiles { visit, failed: &mut failed };
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

struct JsonPage<'v, V>(JsonFiles<'v, V>);

impl<'de, V> DeserializeSeed<'de> for JsonPage<'_, V>
where
    V: FnMut(&'de RawValue) -> Result<(), PageError>,
{
    type Value = Top<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Top<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V> Visitor<'de> for JsonPage<'_, V>
where
    V: FnMut(&'de RawValue) -> Result<(), PageError>,
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
        // A page without files lists none, as in pip.
        Ok(top)
    }
}

struct JsonFiles<'v, V> {
    visit: V,
    /// Error of the visitor, which an error of the JSON reader cannot carry.
    failed: &'v mut Option<PageError>,
}

impl<'de, V> DeserializeSeed<'de> for JsonFiles<'_, V>
where
    V: FnMut(&'de RawValue) -> Result<(), PageError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, V> Visitor<'de> for JsonFiles<'_, V>
where
    V: FnMut(&'de RawValue) -> Result<(), PageError>,
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
