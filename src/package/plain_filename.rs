//! The name of a distribution file, safe to use as the name of a file on disk.
//!
//! Ensures that a name from a lock or an index cannot lead out of its directory. Must not know the
//! parts of a wheel's or sdist's name.

use std::fmt;

/// Maximum length of a name on common file systems, in bytes.
const LONGEST: usize = 255;

/// A safe file name: one path component, without control characters, not hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// A text that is not a safe file name.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{}` is not a file name", .0.escape_debug())]
pub struct NotAFileName(String);

impl FileName {
    /// Parses a file name.
    ///
    /// # Errors
    /// The text is empty, is longer than 255 bytes, begins with a dot or a dash (pip would read it
    /// as an option), or contains a path separator of any system, a colon or a control character.
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

    /// Returns the name.
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
