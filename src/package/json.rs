//! Strict parsing of JSON from other machines.
//!
//! Refuses a text that two parsers could understand differently, such as an object with a repeated
//! key: serde_json alone takes the last value, and another verifier may take the first. Keeps only
//! the values that the caller's type names. Must not know the meaning of the JSON.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

/// A text that is not one JSON value of the expected shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Longer than the caller's limit.
    #[error("more than {limit} bytes of JSON")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not JSON, nested deeper than 128 levels, an object with a repeated key, text behind the
    /// value, or a value of another shape.
    #[error("not the expected JSON: {0}")]
    Malformed(String),
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Parses one JSON value (RFC 8259) of at most `limit` bytes. Reads the text twice, first to check
/// it and then into `T`: a tree of all its values would need up to eighty times the memory of the
/// text.
///
/// # Errors
/// The text is longer, is not JSON, is nested deeper than serde_json's 128 levels, repeats a key of
/// an object at any depth, has text behind the value, or has another shape than `T`.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limit: usize) -> Result<T, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong { limit });
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(serde_json::from_slice(bytes)?)
}

/// Reads a member of any type as its JSON text. A null is kept too, so that it differs from a
/// missing member. For a field with `#[serde(default, borrow, deserialize_with =
/// "json::present")]`.
///
/// # Errors
/// As the deserializer.
pub fn present<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(reader).map(Some)
}

/// Reads a struct that must be written as an object; serde alone would accept a list of its values
/// as well. For a field with `#[serde(deserialize_with = "json::object")]`.
///
/// # Errors
/// The value is not an object, or has another shape.
pub fn object<'de, D, T>(reader: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = <&RawValue>::deserialize(reader)?.get();
    if !text.starts_with('{') {
        return Err(D::Error::custom("expected an object"));
    }
    serde_json::from_str(text).map_err(D::Error::custom)
}

/// The first `N` items of a list, and the length of the list. Further items are skipped, so that a
/// long list needs no memory.
#[derive(Debug, Clone)]
pub struct First<T, const N: usize> {
    /// The items.
    pub items: Vec<T>,
    /// Length of the list.
    pub count: usize,
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for First<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List(PhantomData))
    }
}

struct List<T, const N: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for List<T, N> {
    type Value = First<T, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First<T, N>, A::Error> {
        let mut items = Vec::new();
        while items.len() < N {
            let Some(item) = list.next_element()? else { break };
            items.push(item);
        }
        let mut count = items.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(First { items, count })
    }
}

/// A text, or `None` if the value has another type.
#[derive(Debug, Clone, Default)]
pub struct Lenient(pub Option<String>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// Any JSON value without a repeated key.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        if value.is_finite() { Ok(()) } else { Err(E::custom("number out of range")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while entries.next_key_seed(&mut keys)?.is_some() {
            entries.next_value_seed(Strict)?;
        }
        Ok(())
    }
}

/// The keys of one object so far, as hashes with a secret of this process. If two keys had the same
/// hash, the object would be refused without need; without the secret, an author cannot choose such
/// keys.
#[derive(Default)]
struct Keys {
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl<'de> DeserializeSeed<'de> for &mut Keys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for &mut Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        if self.seen.insert(self.hasher.hash_one(key)) {
            return Ok(());
        }
        Err(E::custom(format_args!("the key `{key}` is given twice")))
    }
}
