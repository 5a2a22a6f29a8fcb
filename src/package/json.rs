//! Reading JSON that somebody else wrote, strictly.
//!
//! Owns one rule: a text that two readers could understand differently is refused. serde_json alone
//! lets the last of two equal keys win, and another verifier may take the first. Keeps nothing of a
//! text but the values that the caller's type names. Knows nothing of what the JSON is about.

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
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Longer than the caller reads.
    #[error("more than {limit} bytes of JSON")]
    TooLong {
        /// The bound, in bytes.
        limit: usize,
    },
    /// Not JSON, nested deeper than 128 levels, a key given twice, more after the end, or another
    /// shape than expected.
    #[error("not the expected JSON: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads one JSON value (RFC 8259) of at most `limit` bytes and nothing else. The text is read
/// twice, first to be checked and then into `T`: a tree of all its values would take up to eighty
/// times its bytes.
///
/// # Errors
/// The text is longer, no JSON, nested deeper than serde_json's 128 levels, gives a key of an
/// object twice at any depth, goes on after the value, or has another shape than `T`.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limit: usize) -> Result<T, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong { limit });
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(serde_json::from_slice(bytes)?)
}

/// A member that is there, whatever it is, as its JSON text; null is there as well. For a field
/// with `#[serde(default, borrow, deserialize_with = "json::present")]`.
///
/// # Errors
/// The reader's own.
pub fn present<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(reader).map(Some)
}

/// A struct that must be written as an object; serde takes a list of its values as well. For a
/// field with `#[serde(deserialize_with = "json::object")]`.
///
/// # Errors
/// It is no object, or of another shape.
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

/// The first `N` items of a list, and how many it has. The others are passed over, so that a list
/// of more than the caller takes costs nothing.
#[derive(Debug, Clone)]
pub struct First<T, const N: usize> {
    /// The items.
    pub items: Vec<T>,
    /// How many the list has.
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

/// A text, or nothing where the value is of another kind.
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

/// The keys of one object so far. They are kept as hashes, by a secret of this process: of two
/// keys that nobody could choose to be alike, one would be refused in vain.
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
