//! The words that switch something on and off, as pip reads them.
//!
//! Owns the list of pip's `strtobool`, which pip asks for its own switches. Says nothing about a
//! word that is not on it.

/// Reads a word: on or off, whatever its case. Returns `None` if it is neither.
#[must_use]
pub fn read(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
