//! Project names, normalised as indexes compare them (PEP 503).
//!
//! Owns the only normalisation of names. Must not know versions, files or indexes.

use std::fmt;

/// A project name, normalised: lower case, runs of `-`, `_` and `.` written as one `-`
/// (PEP 503, "Normalized Names"). Two spellings of one project are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

/// A text that is not a valid project name (PEP 508, "Names").
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a project name")]
pub struct NotAName(String);

impl PackageName {
    /// Parses a project name in any spelling.
    ///
    /// # Errors
    /// The text is empty, contains a character other than ASCII letters, digits, `-`, `_` and `.`,
    /// or does not begin and end with a letter or digit (PEP 508).
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !text.chars().all(is_of_name) || !edge(text.chars().next()) || !edge(text.chars().last())
        {
            return Err(NotAName(text.to_owned()));
        }
        let mut normal = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '-' | '_' | '.' if normal.ends_with('-') => {}
                '-' | '_' | '.' => normal.push('-'),
                c => normal.push(c.to_ascii_lowercase()),
            }
        }
        Ok(Self(normal))
    }

    /// Splits a text after the characters that a project name may have, such as a requirement
    /// (PEP 508) after its name. The name is not checked.
    #[must_use]
    pub fn split(text: &str) -> (&str, &str) {
        let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
        text.split_at_checked(end).unwrap_or((text, ""))
    }

    /// Returns the normalised spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
