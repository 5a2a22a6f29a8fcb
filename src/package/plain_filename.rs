//! The name of a distribution file, safe to use as the name of a file on disk.
//!
//! Owns the rule that a name from a lock or an index never leads out of the directory it is put
//! in. Knows nothing of what a wheel's or sdist's name means.

use std::fmt;

/// The longest name that common file systems hold, in bytes.
const LONGEST: usize = 255;

/// A plain file name: one path component, no control characters, not hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// A text that is no plain file name.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{}` is not a file name", .0.escape_debug())]
pub struct NotAFileName(String);

impl FileName {
    /// Reads a file name.
    ///
    /// # Errors
    /// The text is empty, longer than 255 bytes, begins with a dot or a dash (pip would take it
    /// for an option), or holds a separator of any system, a colon or a control character.
    pub fn parse(text: &str) -> Result<Self, NotAFileName> {
        let unsafe_char = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
        if text.is_empty()
            || text.len() > LONGEST
            || text.starts_with(['.', '-'])
            || text.chars().any(unsafe_char)
        {
            return Err(NotAFileName(text.chars().take(LONGEST).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
