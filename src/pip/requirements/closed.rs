//! Rewrites requirements files into private copies without indexes and links.
//!
//! pip may use the gateway alone, so the copies must not contain the indexes and links of the
//! originals. Requirements are copied unchanged, with variables expanded, and keep the numbers of
//! their lines. A file from a URL is read once, so that every later read gives the same text.

use std::path::{Path, PathBuf};

use crate::pip::requirements::line::{self, Line};
use crate::pip::requirements::{MAX_DEPTH, MAX_FILES, Source, text};

/// The copies of some files, and of all files that they include.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closed {
    /// The copy of each requested file, in order.
    pub roots: Vec<PathBuf>,
    /// The path and the text of each copy.
    pub copies: Vec<(PathBuf, String)>,
    /// The path of each copy, with the name of its original.
    pub names: Vec<(PathBuf, String)>,
}

/// Reasons why files cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotClosed {
    /// The file could not be read. pip prints the reason itself.
    #[error("cannot read the requirements file {0}")]
    NotRead(String),
    /// The encoding is unknown, so that its lines may be misread.
    #[error("the requirements file {file} is in an encoding that is not supported: {encoding}")]
    Encoding {
        /// The file.
        file: String,
        /// The declared encoding.
        encoding: String,
    },
    /// A line with unknown options, or a line that pip would read differently in a copy.
    #[error("the requirements file {file} has a line that is not supported: {line}")]
    Line {
        /// The file.
        file: String,
        /// The line, without credentials.
        line: String,
    },
    /// Nested deeper than [`MAX_DEPTH`], more than [`MAX_FILES`] files, or a cycle.
    #[error("the requirements file {0} includes too many files, or itself")]
    OutOfBounds(String),
}

/// Rewrites `sources` and the files that they include to files in `directory`.
///
/// # Errors
/// A file cannot be read, has an unknown encoding, or there are too many files.
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
        let (mut lines, mut next) = (String::new(), 1);
        for (number, logical) in text::numbered_lines(&text, &self.variable) {
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
                // pip names a requirement by the number of its line.
                lines.push_str(&"\n".repeat(number.saturating_sub(next)));
                lines.push_str(&line);
                lines.push('\n');
                next = number.saturating_add(1);
            }
        }
        including.pop();
        self.closed.copies.push((copy.clone(), lines));
        Ok(copy)
    }

    /// Returns whether an expanded line is still read as the same line. The value of a variable may
    /// contain line ends, a `#` or further variables.
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
