//! Words that switch a setting on or off.
//!
//! Owns the word list, which is that of pip's `strtobool`. The caller decides about other words.

/// Parses a word in any case. Returns `None` if it is neither on nor off.
#[must_use]
pub fn read(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
