//! Requirements and constraints files, as far as needed to learn which indexes they name and what
//! they require with which hashes, and to copy them without the indexes.
//!
//! Owns pip's grammar of these files (pip's `req/req_file.py`) for the lines that change where
//! packages come from, and the order in which such lines take effect. Reads no file itself: the
//! caller supplies the bytes and the environment. A requirement is a text here; what it means is
//! none of its business.

mod closed;
mod hashes;
mod line;
mod text;

use std::path::{Path, PathBuf};

use url::Url;

pub use closed::{Closed, NotClosed, closed};
pub use hashes::Hashes;
pub use line::{Inclusion, names_any};

/// How deep files may include one another. pip itself has no bound but a cycle check.
pub const MAX_DEPTH: usize = 32;
/// How many files are read in all; one file included twice counts twice, as pip reads it twice.
pub const MAX_FILES: usize = 1_000;

/// Where the text of a requirements file comes from.
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

    /// What `-r TEXT` names: a URL if it begins with `http:`, `https:` or `file:` in any case,
    /// else a path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Self::Url(url),
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// The file on this machine, if it is one.
    #[must_use]
    pub fn local_path(&self) -> Option<PathBuf> {
        match self {
            Self::Path(path) => Some(path.clone()),
            Self::Url(url) if url.scheme() == "file" => url.to_file_path().ok(),
            Self::Url(_) => None,
        }
    }

    /// What `-r TEXT` inside this file names: relative to the folder of this file.
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

/// Whether a `-r` of this value names a lock (PEP 751): `pylock.toml` or `pylock.NAME.toml`, extras
/// behind it.
#[must_use]
pub fn names_lock(value: &str) -> bool {
    let name = value.rsplit('/').next().unwrap_or_default();
    let name = name.split('[').next().unwrap_or_default();
    name.starts_with("pylock.") && name.ends_with(".toml")
}

/// What a line of a requirements file requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// The value of `-e`.
    Editable(String),
    /// A requirement, without the options behind it.
    Requirement(String),
}

/// What a logical line requires; nothing where it holds options alone.
#[must_use]
pub fn required(line: &str) -> Option<Required> {
    line::required(line)
}

/// A value of `--find-links` in a file: a URL, or a path that pip looks for in the folder of that
/// file first, then in the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindLinks {
    /// The value as it stands in the file.
    pub value: String,
    /// The file it stands in.
    pub file: Source,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Read to the end.
    Read,
    /// The caller could not read it; pip will say so itself, or reads it by its own means.
    NotRead,
    /// It is in an encoding that is not known here: its lines may not be what they seem.
    UnknownEncoding(String),
    /// Not read: it includes itself, or lies beyond [`MAX_DEPTH`] or [`MAX_FILES`].
    OutOfBounds,
}

/// What the files change about where packages come from. Lines take effect in the order in which
/// pip meets them, nested files at the place of their inclusion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexLines {
    /// The last `--index-url`: it takes the place of every index named before it, on the command
    /// line, in the configuration and in the files, extra ones included.
    pub index_url: Option<String>,
    /// The `--extra-index-url`s still in effect: those after the last `--index-url`.
    pub extra_index_urls: Vec<String>,
    /// `--no-index`: no index at all, whatever other lines say before or after it.
    pub no_index: bool,
    /// Every `--find-links`.
    pub find_links: Vec<FindLinks>,
    /// Every `--trusted-host`.
    pub trusted_hosts: Vec<String>,
    /// Whether a line asks for source archives (`--no-binary`).
    pub sources: bool,
    /// The requirements by name, without the options behind them.
    pub requirements: Vec<String>,
    /// The same of files that were included as constraints.
    pub constraints: Vec<String>,
    /// The hashes that they state.
    pub hashes: Hashes,
    /// Every file met, in order.
    pub files: Vec<(Source, Outcome)>,
}

impl IndexLines {
    /// Whether any file comes from another machine.
    #[must_use]
    pub fn remote(&self) -> bool {
        self.files.iter().any(|(source, _)| source.local_path().is_none())
    }
}

/// Reads `sources` in order and the files they include.
///
/// pip meets `--constraint` files first, then `--requirement` files, each in the order of the
/// command line. `read` returns the bytes of a file, `variable` the value of an environment
/// variable, for `${NAME}`.
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
            // One entry beyond the bound says that something was left out.
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
