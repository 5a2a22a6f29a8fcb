//! JSON values of a page that may have one of several types.
//!
//! Owns a reader that keeps only strings, flags and digests. Values of other types are skipped
//! without storing them, since a hostile page could make them as large as the page.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::index::page::packed::ALGORITHMS;

/// A string, borrowed if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A JSON value, reduced to the types that pages use.
pub(super) enum Loose<'a> {
    Flag(bool),
    Text(Cow<'a, str>),
    /// An object, reduced to the members that are digests.
    Hashes(Vec<(&'static str, Cow<'a, str>)>),
    /// A whole number that is not negative.
    Number(u64),
    /// A value of another type.
    Other,
    /// The value null.
    Null,
}

impl<'a> Loose<'a> {
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Flag(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Loose<'de>, A::Error> {
        let mut seen = [false; ALGORITHMS.len()];
        let mut hashes = Vec::new();
        while let Some(key) = entries.next_key::<Text<'de>>()? {
            let mut known = ALGORITHMS.into_iter().zip(&mut seen);
            let Some((name, seen)) = known.find(|(name, _)| *name == key.0) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(seen, true) {
                return Err(A::Error::duplicate_field(name));
            }
            let digits = entries.next_value::<Loose<'de>>()?.text();
            hashes.extend(digits.map(|digits| (name, digits)));
        }
        Ok(Loose::Hashes(hashes))
    }
}
