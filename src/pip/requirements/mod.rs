//! Parses requirements and constraints files, for their indexes, requirements and hashes.
//!
//! Owns pip's grammar of these files (pip's `req/req_file.py`) for the lines that change where
//! packages come from, and the order in which such lines take effect. The caller supplies the bytes
//! and the environment, so this module must not read files. A requirement stays text; its meaning
//! is left to pip.

mod closed;
mod hashes;
mod line;
mod text;

use std::path::{Path, PathBuf};

use url::Url;

pub use closed::{Closed, NotClosed, closed};
pub use hashes::{Compared, Hashes};
pub use line::{Inclusion, names_any};

/// Maximum depth of nested files. pip itself only checks for cycles.
pub const MAX_DEPTH: usize = 32;
/// Maximum number of files; a file that is included twice counts twice, as pip reads it twice.
pub const MAX_FILES: usize = 1_000;

/// The place of a requirements file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A path, absolute or relative to the working directory.
    Path(PathBuf),
    /// An `http:`, `https:` or `file:` URL.
    Url(Url),
}

impl Source {
    fn is_lock(&self) -> bool {
        match self {
            Self::Path(path) => names_lock(&path.to_string_lossy()),
            Self::Url(url) => names_lock(url.path()),
        }
    }

    /// Returns the place that `-r TEXT` names: a URL if the text begins with `http:`, `https:` or
    /// `file:` in any case, else a path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Self::Url(url),
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// Returns the path of a file on this machine. Returns `None` for a URL of another machine.
    #[must_use]
    pub fn local_path(&self) -> Option<PathBuf> {
        match self {
            Self::Path(path) => Some(path.clone()),
            Self::Url(url) if url.scheme() == "file" => url.to_file_path().ok(),
            Self::Url(_) => None,
        }
    }

    /// Returns the place that `-r TEXT` inside this file names, relative to the directory of this
    /// file.
    fn nested(&self, text: &str) -> Option<Self> {
        match (self, Self::parse(text)) {
            (Self::Url(base), _) => base.join(text).ok().map(Self::Url),
            (Self::Path(base), Self::Path(path)) => {
                Some(Self::Path(base.parent().unwrap_or(Path::new("")).join(path)))
            }
            (Self::Path(_), url @ Self::Url(_)) => Some(url),
        }
    }
}

/// Returns whether a `-r` of this value names a lock (PEP 751): `pylock.toml` or
/// `pylock.NAME.toml`, possibly followed by extras.
#[must_use]
pub fn names_lock(value: &str) -> bool {
    let name = value.rsplit('/').next().unwrap_or_default();
    let name = name.split('[').next().unwrap_or_default();
    name.starts_with("pylock.") && name.ends_with(".toml")
}

/// The requirement of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// The value of `-e`.
    Editable(String),
    /// A requirement, without the options behind it.
    Requirement(String),
}

/// Returns the requirement of a logical line. Returns `None` if the line contains only options.
#[must_use]
pub fn required(line: &str) -> Option<Required> {
    line::required(line)
}

/// A value of `--find-links` in a file: a URL, or a path relative to the directory of that file or,
/// if the path does not exist there, to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindLinks {
    /// The value in its original spelling.
    pub value: String,
    /// The file that contains it.
    pub file: Source,
}

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file was read completely.
    Read,
    /// The caller could not read the file. pip prints the reason itself, or can read the file.
    NotRead,
    /// The encoding is unknown to this program, so lines may be misread.
    UnknownEncoding(String),
    /// The file was not read: it includes itself, or exceeds [`MAX_DEPTH`] or [`MAX_FILES`].
    OutOfBounds,
}

/// The options of all files about the places of packages. Lines take effect in pip's order, with
/// nested files at the position of their inclusion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexLines {
    /// The last `--index-url`. It replaces every index named before it, on the command line, in the
    /// configuration and in the files, including extra ones.
    pub index_url: Option<String>,
    /// The `--extra-index-url`s still in effect: those after the last `--index-url`.
    pub extra_index_urls: Vec<String>,
    /// `--no-index`: disables all indexes, including those in later lines.
    pub no_index: bool,
    /// Every `--find-links`.
    pub find_links: Vec<FindLinks>,
    /// Every `--trusted-host`.
    pub trusted_hosts: Vec<String>,
    /// Whether a line asks for source archives (`--no-binary`).
    pub sources: bool,
    /// The requirements by name, without the options behind them.
    pub requirements: Vec<String>,
    /// The constraints by name, without the options behind them.
    pub constraints: Vec<String>,
    /// The hashes that the files state.
    pub hashes: Hashes,
    /// Every file, in order.
    pub files: Vec<(Source, Outcome)>,
}

impl IndexLines {
    /// Returns whether any file comes from another machine.
    #[must_use]
    pub fn remote(&self) -> bool {
        self.files.iter().any(|(source, _)| source.local_path().is_none())
    }
}

/// Reads `sources` in order, and the files that they include.
///
/// pip reads `--constraint` files first, then `--requirement` files, each in the order of the
/// command line. `read` returns the bytes of a file, `variable` the value of an environment
/// variable for `${NAME}`.
pub fn read<E>(
    sources: &[(Inclusion, Source)],
    mut read: impl FnMut(&Source) -> Result<Vec<u8>, E>,
    variable: impl Fn(&str) -> Option<String>,
) -> IndexLines {
    let mut reader = Reader {
        bytes: |source: &Source| read(source).ok(),
        variable,
        found: IndexLines::default(),
    };
    for (inclusion, source) in sources {
        reader.file(*inclusion, source, &mut Vec::new());
    }
    reader.found
}

struct Reader<R, V> {
    bytes: R,
    variable: V,
    found: IndexLines,
}

impl<R: FnMut(&Source) -> Option<Vec<u8>>, V: Fn(&str) -> Option<String>> Reader<R, V> {
    fn file(&mut self, inclusion: Inclusion, source: &Source, including: &mut Vec<Source>) {
        let at = self.found.files.len();
        if at >= MAX_FILES {
            // One entry beyond the limit shows that a file was left out.
            if at == MAX_FILES {
                self.found.files.push((source.clone(), Outcome::OutOfBounds));
            }
            return;
        }
        if including.len() >= MAX_DEPTH || including.contains(source) {
            self.found.files.push((source.clone(), Outcome::OutOfBounds));
            return;
        }
        let Some(bytes) = (self.bytes)(source) else {
            self.found.files.push((source.clone(), Outcome::NotRead));
            return;
        };
        let text::Decoded { text, unknown_encoding } = text::decode(&bytes);
        let outcome = unknown_encoding.map_or(Outcome::Read, Outcome::UnknownEncoding);
        self.found.files.push((source.clone(), outcome));
        if source.is_lock() {
            self.found.hashes.add_lock(&text);
            return;
        }

        including.push(source.clone());
        for logical in text::logical_lines(&text, &self.variable) {
            self.found.sources |= line::asks_for_sources(&logical);
            if let Some(Required::Requirement(text)) = line::required(&logical) {
                self.found.hashes.add(&text, &line::hashes(&logical));
                match inclusion {
                    Inclusion::Requirements => self.found.requirements.push(text),
                    Inclusion::Constraints => self.found.constraints.push(text),
                }
            }
            self.line(&line::read(&logical), source, including);
        }
        including.pop();
    }

    fn line(&mut self, line: &line::Line, source: &Source, including: &mut Vec<Source>) {
        match line {
            line::Line::Other => {}
            line::Line::Include(inclusion, path) => match source.nested(path) {
                Some(nested) => self.file(*inclusion, &nested, including),
                None => {
                    self.found.files.push((Source::Path(PathBuf::from(path)), Outcome::OutOfBounds))
                }
            },
            line::Line::Options(options) => self.options(options, source),
        }
    }

    fn options(&mut self, options: &line::Options, source: &Source) {
        let found = &mut self.found;
        if options.no_index {
            found.no_index = true;
        }
        if let Some(url) = &options.index_url {
            found.index_url = Some(url.clone());
            found.extra_index_urls.clear();
        }
        found.extra_index_urls.extend(options.extra_index_urls.iter().cloned());
        if let Some(value) = &options.find_links {
            found.find_links.push(FindLinks { value: value.clone(), file: source.clone() });
        }
        found.trusted_hosts.extend(options.trusted_hosts.iter().cloned());
    }
}
