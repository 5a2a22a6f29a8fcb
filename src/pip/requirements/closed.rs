//! Requirements files as one private copy that names no place to look in.
//!
//! Owns that rewriting: the indexes and links that the user's files name are stood in for by
//! others, so the copies must not lead past those. What is required stays word for word, with
//! variables expanded; a file from a URL is read once and is then always the same.

use std::path::{Path, PathBuf};

use crate::pip::requirements::line::{self, Line};
use crate::pip::requirements::{MAX_DEPTH, MAX_FILES, Source, text};

/// The copies of some files and of all they include.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closed {
    /// The copy of each file that was asked for, in order.
    pub roots: Vec<PathBuf>,
    /// What to write where.
    pub copies: Vec<(PathBuf, String)>,
    /// The copies, each with the name that the user has for the file it is of.
    pub names: Vec<(PathBuf, String)>,
}

/// Why files cannot be copied so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotClosed {
    /// It could not be read; pip says why in its own words.
    #[error("cannot read the requirements file {0}")]
    NotRead(String),
    /// Its lines may not be what they seem.
    #[error("the requirements file {file} is in an encoding that is not supported: {encoding}")]
    Encoding {
        /// The file.
        file: String,
        /// The encoding it declares.
        encoding: String,
    },
    /// A line of options that are not known here, or one that would read differently in a copy.
    #[error("the requirements file {file} has a line that is not supported: {line}")]
    Line {
        /// The file.
        file: String,
        /// The line, without credentials.
        line: String,
    },
    /// Deeper than [`MAX_DEPTH`], more than [`MAX_FILES`], or a circle.
    #[error("the requirements file {0} includes too many files, or itself")]
    OutOfBounds(String),
}

/// Rewrites `sources` and the files they include as files in `directory`.
///
/// # Errors
/// A file cannot be read, is in an unknown encoding, or there are too many.
pub fn closed<E>(
    sources: &[Source],
    directory: &Path,
    mut read: impl FnMut(&Source) -> Result<Vec<u8>, E>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Closed, NotClosed> {
    let mut copier = Copier {
        bytes: |source: &Source| read(source).ok(),
        variable,
        directory,
        closed: Closed::default(),
        begun: 0,
    };
    for source in sources {
        let copy = copier.file(source, &mut Vec::new())?;
        copier.closed.roots.push(copy);
    }
    Ok(copier.closed)
}

struct Copier<'a, R, V> {
    bytes: R,
    variable: V,
    directory: &'a Path,
    closed: Closed,
    begun: usize,
}

impl<R: FnMut(&Source) -> Option<Vec<u8>>, V: Fn(&str) -> Option<String>> Copier<'_, R, V> {
    fn file(&mut self, source: &Source, including: &mut Vec<Source>) -> Result<PathBuf, NotClosed> {
        self.begun += 1;
        let deep = including.len() >= MAX_DEPTH || including.contains(source);
        if deep || self.begun > MAX_FILES {
            return Err(NotClosed::OutOfBounds(shown(source)));
        }
        let copy = self.directory.join(format!("requirements-{}.txt", self.begun));
        let bytes = (self.bytes)(source).ok_or_else(|| NotClosed::NotRead(shown(source)))?;
        let text::Decoded { text, unknown_encoding } = text::decode(&bytes);
        if let Some(encoding) = unknown_encoding {
            return Err(NotClosed::Encoding { file: shown(source), encoding });
        }
        including.push(source.clone());
        self.closed.names.push((copy.clone(), shown(source)));
        let mut lines = String::new();
        for logical in text::logical_lines(&text, &self.variable) {
            let rewritten = match line::read(&logical) {
                Line::Other if line::is_unreadable(&logical) => {
                    return Err(not_supported(source, &logical));
                }
                Line::Other => Some(logical),
                Line::Options(_) => line::without_places(&logical),
                Line::Include(inclusion, path) => {
                    let nested =
                        source.nested(&path).ok_or_else(|| NotClosed::NotRead(path.clone()))?;
                    let copy = self.file(&nested, including)?;
                    Some(line::including(inclusion, &copy.display().to_string()))
                }
            };
            if let Some(line) = rewritten {
                if !self.stays(&line) {
                    return Err(not_supported(source, &line));
                }
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        including.pop();
        self.closed.copies.push((copy.clone(), lines));
        Ok(copy)
    }

    /// Whether a line with its variables expanded is read as the same line again: a value may hold
    /// line ends, a `#` or further variables.
    fn stays(&self, line: &str) -> bool {
        text::logical_lines(line, &self.variable) == [line]
    }
}

fn not_supported(source: &Source, line: &str) -> NotClosed {
    NotClosed::Line { file: shown(source), line: crate::http::redact::redacted_text(line) }
}

fn shown(source: &Source) -> String {
    match source {
        Source::Path(path) => path.display().to_string(),
        Source::Url(url) => crate::http::redact::Redacted(url).to_string(),
    }
}

impl From<NotClosed> for crate::failure::Failure {
    fn from(error: NotClosed) -> Self {
        Self::new(crate::failure::Status::BadInput, error.to_string())
    }
}
