//! Helpers for the JSON of PEP 740: checks of an object and of the version, and an excerpt of a
//! wrong value for a message.
//!
//! Reads JSON text only.

use serde_json::value::RawValue;

/// Returns whether a value is an object. serde would read a list as the values of an object's keys.
pub(super) fn is_object(text: &RawValue) -> bool {
    text.get().starts_with('{')
}

/// Returns whether a value is the integer 1, which JSON writes in one way only.
pub(super) fn is_version_1(text: &RawValue) -> bool {
    text.get() == "1"
}

/// Returns the beginning of a value, for a message.
pub(super) fn shown(text: &RawValue) -> String {
    text.get().chars().take(40).collect()
}
