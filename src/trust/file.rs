//! The text of `.provenance.txt`, which binds projects to publishers.
//!
//! Each line holds a project's name, blanks, the publisher's URL, and optional `KEY=VALUE` fields
//! that the certificate must state as well. `#` begins a comment at the start of a line or after a
//! blank:
//!
//! ```text
//! # built by the release workflow
//! example  https://github.com/OWNER/REPO  workflow=release.yml  environment=pypi
//! ```
//!
//! The two-column files of the original tool are valid. A line that cannot be parsed is an error
//! with its number, because a condition that is skipped would not be checked. The file is kept as
//! the lines that were read, so that a person's own text is written back byte for byte. Must not
//! access the disk (see `store`).

use std::collections::BTreeMap;
use std::fmt;

use crate::attestation::publisher::PublisherUrl;
use crate::package::name::PackageName;
use crate::trust::pin::{Condition, FieldError, Pin};

/// The width to which the original tool pads the name: the URL begins in the next column.
const NAME_WIDTH: usize = 49;

/// Markers of an unresolved merge, at the start of a line.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// A byte order mark, as some editors write it. The mark is kept and is not part of the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A trust file: its original lines, and their pins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustFile {
    byte_order_mark: bool,
    lines: Vec<Line>,
    pins: BTreeMap<PackageName, Pin>,
}

/// One line with its ending, and the project that it pins, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    text: String,
    pins: Option<PackageName>,
}

/// The position of a line that cannot be parsed, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The reason.
    pub reason: Reason,
}

/// Reasons why a line cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The bytes are not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// A character that editors do not show, such as NUL.
    #[error("control character {}", .0.escape_unicode())]
    ControlCharacter(char),
    /// A marker of an unresolved merge.
    #[error("a merge conflict is left in the file")]
    MergeConflict,
    /// The first column is not a valid project name.
    #[error("{0}")]
    Name(String),
    /// The line has a name only.
    #[error("`{0}` has no publisher URL after it")]
    NoUrl(PackageName),
    /// The second column is not a valid publisher URL.
    #[error("{0}")]
    Url(String),
    /// A field is unknown, repeated or malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A second line for one project, possibly in another spelling.
    #[error("`{name}` is already on line {first}")]
    Duplicate {
        /// The project.
        name: PackageName,
        /// Number of the first line for the project, counted from 1.
        first: usize,
    },
}

impl TrustFile {
    /// Parses the bytes of a trust file.
    ///
    /// # Errors
    /// The bytes are not UTF-8, or [`TrustFile::parse`] refuses the text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            ParseError { line, reason: Reason::NotText }
        })?;
        Self::parse(text)
    }

    /// Parses a trust file. Lines end in LF or CRLF; the last line may have no ending.
    ///
    /// # Errors
    /// Returns the first line that is neither blank, nor a comment, nor a valid pin, or that pins a
    /// project again.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bare = text.strip_prefix(BYTE_ORDER_MARK);
        let mut file = Self { byte_order_mark: bare.is_some(), ..Self::default() };
        let text = bare.unwrap_or(text);
        let mut first_lines = BTreeMap::new();
        for (number, text) in (1..).zip(text.split_inclusive('\n')) {
            let at = |reason| ParseError { line: number, reason };
            let pinned = read_line(text).map_err(at)?;
            let name = pinned.as_ref().map(|(name, _)| name.clone());
            if let Some((name, pin)) = pinned {
                if let Some(first) = first_lines.insert(name.clone(), number) {
                    return Err(at(Reason::Duplicate { name, first }));
                }
                file.pins.insert(name, pin);
            }
            file.lines.push(Line { text: text.to_owned(), pins: name });
        }
        Ok(file)
    }

    /// Returns the pin of a project, or `None` if the project has none.
    #[must_use]
    pub fn pin(&self, name: &PackageName) -> Option<&Pin> {
        self.pins.get(name)
    }

    /// Returns all pins, sorted by name.
    pub fn pins(&self) -> impl Iterator<Item = (&PackageName, &Pin)> {
        self.pins.iter()
    }

    /// Returns the line that pins the project, counted from 1.
    #[must_use]
    pub fn line_of(&self, name: &PackageName) -> Option<usize> {
        self.lines.iter().position(|line| line.pins.as_ref() == Some(name)).map(|index| index + 1)
    }

    /// Returns the file with these pins added in alphabetical position. A project that has a pin
    /// keeps it; all other lines stay unchanged.
    #[must_use]
    pub fn with_pins(&self, new: &[(PackageName, PublisherUrl)]) -> Self {
        let mut file = self.clone();
        for (name, url) in new {
            if !file.pins.contains_key(name) {
                file.insert(name, url);
            }
        }
        file
    }

    /// Inserts a line before the first project that sorts after it, and before the comment above
    /// that project. If no project sorts after it, the line goes behind the last one.
    fn insert(&mut self, name: &PackageName, url: &PublisherUrl) {
        let after = |line: &Line| line.pins.as_ref().is_some_and(|other| other > name);
        let index = match self.lines.iter().position(after) {
            Some(next) => next - self.comment_above(next),
            None => match self.lines.iter().rposition(|line| line.pins.is_some()) {
                Some(last) => last + 1,
                None => self.lines.len(),
            },
        };
        let ending = self.line_ending();
        if let Some(before) = index.checked_sub(1).and_then(|before| self.lines.get_mut(before))
            && !before.text.ends_with('\n')
        {
            before.text.push_str(ending);
        }
        let text = format!("{:<NAME_WIDTH$} {url}{ending}", name.as_str());
        self.lines.insert(index, Line { text, pins: Some(name.clone()) });
        self.pins.insert(name.clone(), Pin::to(url.clone()));
    }

    /// Returns the number of comment lines directly above this line.
    fn comment_above(&self, index: usize) -> usize {
        let above = self.lines.get(..index).unwrap_or_default();
        above.iter().rev().take_while(|line| content(&line.text).starts_with('#')).count()
    }

    /// Returns the ending of the file's first line, or LF.
    fn line_ending(&self) -> &'static str {
        match self.lines.first() {
            Some(line) if line.text.ends_with("\r\n") => "\r\n",
            _ => "\n",
        }
    }
}

impl fmt::Display for TrustFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.byte_order_mark {
            write!(f, "{BYTE_ORDER_MARK}")?;
        }
        self.lines.iter().try_for_each(|line| f.write_str(&line.text))
    }
}

/// Returns a line without its ending and surrounding blanks.
fn content(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Parses one line. Returns `None` if it is blank or a comment.
fn read_line(text: &str) -> Result<Option<(PackageName, Pin)>, Reason> {
    let line = content(text);
    if let Some(c) = line.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(Reason::ControlCharacter(c));
    }
    if CONFLICT_MARKERS.iter().any(|marker| line.starts_with(marker)) {
        return Err(Reason::MergeConflict);
    }
    let words = line.split(is_blank).filter(|word| !word.is_empty());
    let mut words = words.take_while(|word| !word.starts_with('#'));
    let Some(name) = words.next() else { return Ok(None) };
    let name = PackageName::parse(name).map_err(|error| Reason::Name(error.to_string()))?;
    let Some(url) = words.next() else { return Err(Reason::NoUrl(name)) };
    let url = PublisherUrl::parse(url).map_err(|error| Reason::Url(error.to_string()))?;
    let mut pin = Pin::to(url);
    for word in words {
        pin.add(Condition::parse(word)?)?;
    }
    Ok(Some((name, pin)))
}
