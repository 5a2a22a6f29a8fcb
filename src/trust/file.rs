//! The text of `.provenance.txt`: which publisher each project is bound to.
//!
//! One line a project: its name, blanks, the publisher's URL, then optional `KEY=VALUE` fields
//! that the certificate must hold as well. `#` begins a comment at the start of a line or after a
//! blank. The two-column files of the original tool are valid as they are.
//!
//! Owns the format and nothing else: what is not understood is an error that names its line, since
//! a condition that is skipped is a condition that is not held. A file is kept as the lines it was
//! read from, so that what a person wrote comes back byte for byte. Touches no disk (see `store`).

use std::collections::BTreeMap;
use std::fmt;

use crate::attestation::publisher::PublisherUrl;
use crate::package::name::PackageName;
use crate::trust::pin::{Condition, FieldError, Pin};

/// The column in which the original tool writes the URL: the name is padded to 49 characters.
const NAME_WIDTH: usize = 49;

/// What a merge leaves at the start of a line that nobody resolved.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// A byte order mark, as some editors write it; kept, and no part of the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A trust file: its lines as written, and the pins they state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustFile {
    byte_order_mark: bool,
    lines: Vec<Line>,
    pins: BTreeMap<PackageName, Pin>,
}

/// One line with its ending, and the project it pins, if it pins one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    text: String,
    pins: Option<PackageName>,
}

/// A trust file that does not read: the line, counted from 1, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Why a line does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The bytes are no text.
    #[error("not UTF-8 text")]
    NotText,
    /// A character that no editor shows, NUL among them.
    #[error("control character {}", .0.escape_unicode())]
    ControlCharacter(char),
    /// A merge that was not finished.
    #[error("a merge conflict is left in the file")]
    MergeConflict,
    /// The first column is no project name.
    #[error("{0}")]
    Name(String),
    /// There is a name and nothing else.
    #[error("`{0}` has no publisher URL after it")]
    NoUrl(PackageName),
    /// The second column is no publisher.
    #[error("{0}")]
    Url(String),
    /// A field that is unknown, repeated or unreadable.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The same project a second time, maybe in another spelling.
    #[error("`{name}` is already on line {first}")]
    Duplicate {
        /// The project.
        name: PackageName,
        /// The line that names it first, counted from 1.
        first: usize,
    },
}

impl TrustFile {
    /// Reads a trust file as it is on disk.
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

    /// Reads a trust file. Lines end in LF or CRLF; the last need not.
    ///
    /// # Errors
    /// The first line that is neither blank, comment nor pin, or that pins a project again.
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

    /// What the project is bound to, if it is bound.
    #[must_use]
    pub fn pin(&self, name: &PackageName) -> Option<&Pin> {
        self.pins.get(name)
    }

    /// All pins, sorted by name.
    pub fn pins(&self) -> impl Iterator<Item = (&PackageName, &Pin)> {
        self.pins.iter()
    }

    /// The line that pins the project, counted from 1.
    #[must_use]
    pub fn line_of(&self, name: &PackageName) -> Option<usize> {
        self.lines.iter().position(|line| line.pins.as_ref() == Some(name)).map(|index| index + 1)
    }

    /// The same file with these pins added where the alphabet puts them. A project that is pinned
    /// already keeps its pin, whatever is given here; all other lines stay as they are.
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

    /// Puts one new line before the first project that sorts after it and before the comment that
    /// belongs to that project, else behind the last one.
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

    /// How many lines directly above this one are comments.
    fn comment_above(&self, index: usize) -> usize {
        let above = self.lines.get(..index).unwrap_or_default();
        above.iter().rev().take_while(|line| content(&line.text).starts_with('#')).count()
    }

    /// What the file's first line ends in, else LF.
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

/// A line without its ending and the blanks around it.
fn content(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// One line: `None` where it is blank or a comment.
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
