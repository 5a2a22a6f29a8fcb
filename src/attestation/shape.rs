//! What the objects of PEP 740 have in common: how a version is written, and how a wrong value is
//! shown.
//!
//! Looks at JSON text alone, and keeps nothing of it.

use serde_json::value::RawValue;

/// Whether a value is an object; a list would be read as the values of its keys.
pub(super) fn is_object(text: &RawValue) -> bool {
    text.get().starts_with('{')
}

/// The number 1 as an integer, which JSON can write in one way only.
pub(super) fn is_version_1(text: &RawValue) -> bool {
    text.get() == "1"
}

/// The beginning of a value, for a message.
pub(super) fn shown(text: &RawValue) -> String {
    text.get().chars().take(40).collect()
}
