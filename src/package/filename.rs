//! File names of wheels (PEP 427) and source distributions (PEP 625), parsed into their parts.
//!
//! ```text
//! NAME-VERSION(-BUILD)?-PYTHON-ABI-PLATFORM.whl
//! NAME-VERSION.tar.gz
//! NAME-VERSION.zip      or another ending of an archive that pip builds
//! ```
//!
//! Owns the equality of file names: two spellings are equal if their parts are, as PEP 740 demands
//! for an attestation's subject. A name that parses contains no path separator, blank or control
//! character. Must not access the disk.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::package::name::PackageName;

/// Maximum length of a file name, in bytes: the limit of common file systems.
pub const MAX_FILENAME: usize = 255;

/// The file name of a distribution. Two names are equal if their parts are: the project name by PEP
/// 503, the version by PEP 440, a wheel's tags as sets. [`fmt::Display`] gives the original
/// spelling.
#[derive(Debug, Clone)]
pub struct DistFilename {
    written: String,
    name: PackageName,
    version: Version,
    kind: DistKind,
}

/// The kind of a distribution, by its file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DistKind {
    /// A built distribution, `.whl`.
    Wheel(WheelTags),
    /// A source distribution.
    Sdist(SdistFormat),
}

/// Parts of a wheel's file name besides name and version (PEP 427, "File name convention"). Tags
/// are lower case; a compressed tag set such as `py2.py3` is the set of its parts (PEP 425).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelTags {
    /// The build tag: its number without leading zeros, and the text behind the number.
    pub build: Option<(String, String)>,
    /// Python tags, such as `py3` or `cp312`.
    pub python: BTreeSet<String>,
    /// ABI tags, such as `none` or `abi3`.
    pub abi: BTreeSet<String>,
    /// Platform tags, such as `any` or `manylinux_2_17_x86_64`.
    pub platform: BTreeSet<String>,
}

/// The archive format of a source distribution, by its ending. PEP 625 knows `.tar.gz` only; the
/// others are the archives that pip unpacks (`utils/filetypes.py`), which old projects uploaded.
/// Two endings of one format (`.tar.gz` and `.tgz`) are two formats here, since they are two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdistFormat(&'static str);

impl SdistFormat {
    const ALL: [Self; 10] = [
        Self(".tar.gz"),
        Self(".zip"),
        Self(".tgz"),
        Self(".tar.bz2"),
        Self(".tbz"),
        Self(".tar.xz"),
        Self(".txz"),
        Self(".tlz"),
        Self(".tar.lzma"),
        Self(".tar"),
    ];

    /// Returns the ending, such as `.tar.gz`.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        self.0
    }

    /// Splits a file name into its stem and its format.
    fn split(filename: &str) -> Option<(&str, Self)> {
        Self::ALL.into_iter().find_map(|format| Some((filename.strip_suffix(format.0)?, format)))
    }
}

/// Returns whether a file name is that of a wheel, by its ending.
#[must_use]
pub fn is_wheel(filename: &str) -> bool {
    filename.ends_with(".whl")
}

/// A text that is not a distribution's file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{filename}` is not the file name of a wheel or source distribution: {reason}")]
pub struct NotADistFilename {
    filename: String,
    reason: &'static str,
}

impl DistFilename {
    /// Parses a file name that ends in `.whl` or as a source distribution ([`SdistFormat`]).
    ///
    /// # Errors
    /// The text is longer than [`MAX_FILENAME`], contains a forbidden character, or one of its
    /// parts is missing or malformed (PEP 427, PEP 625, PEP 440, PEP 508).
    pub fn parse(text: &str) -> Result<Self, NotADistFilename> {
        Self::read(text).map_err(|reason| NotADistFilename { filename: text.to_owned(), reason })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_FILENAME {
            return Err("it is too long");
        }
        // `+` and `!` occur in versions.
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+!".contains(c);
        if !text.chars().all(allowed) {
            return Err("it holds a character that file names of distributions do not have");
        }
        let (name, version, kind) = if let Some(stem) = text.strip_suffix(".whl") {
            wheel(stem)?
        } else if let Some((stem, format)) = SdistFormat::split(text) {
            sdist(stem, format)?
        } else {
            return Err("it ends neither in .whl nor in .tar.gz, .zip or another archive's ending");
        };
        let name = PackageName::parse(name).map_err(|_| "its project name is malformed")?;
        let version = Version::from_str(version).map_err(|_| "its version is malformed")?;
        Ok(Self { written: text.to_owned(), name, version, kind })
    }

    /// Returns the file name in its original spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the project's name.
    #[must_use]
    pub const fn name(&self) -> &PackageName {
        &self.name
    }

    /// Returns the release's version.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the kind: wheel or source distribution.
    #[must_use]
    pub const fn kind(&self) -> &DistKind {
        &self.kind
    }
}

type Parts<'a> = (&'a str, &'a str, DistKind);

fn wheel(stem: &str) -> Result<Parts<'_>, &'static str> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match *parts.as_slice() {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => {
            (name, version, Some(build_tag(build)?), [python, abi, platform])
        }
        _ => return Err("a wheel's has five or six parts between dashes"),
    };
    let [python, abi, platform] = tags.map(tag_set);
    let tags = WheelTags { build, python: python?, abi: abi?, platform: platform? };
    Ok((name, version, DistKind::Wheel(tags)))
}

fn sdist(stem: &str, format: SdistFormat) -> Result<Parts<'_>, &'static str> {
    // Before PEP 625 a name could contain dashes, and a version too (`1.0-post1`): the version is
    // the shortest valid one at the end.
    let splits = stem.rmatch_indices('-').filter_map(|(at, _)| stem.split_at_checked(at));
    let mut splits = splits.map(|(name, rest)| (name, rest.strip_prefix('-').unwrap_or(rest)));
    let valid = splits.clone().find(|(_, version)| Version::from_str(version).is_ok());
    let (name, version) = valid.or_else(|| splits.next()).ok_or("it has no version")?;
    Ok((name, version, DistKind::Sdist(format)))
}

fn build_tag(text: &str) -> Result<(String, String), &'static str> {
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (digits, rest) = text.split_at(text.len() - number.len());
    if digits.is_empty() {
        return Err("its build tag does not begin with a digit");
    }
    Ok((digits.trim_start_matches('0').to_owned(), rest.to_owned()))
}

fn tag_set(text: &str) -> Result<BTreeSet<String>, &'static str> {
    let word =
        |tag: &str| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !text.split('.').all(word) {
        return Err("one of its tags is malformed");
    }
    Ok(text.split('.').map(str::to_ascii_lowercase).collect())
}

impl PartialEq for DistFilename {
    /// Versions are compared by their normalised spelling. `1.0` and `1.0.0` are equal to an
    /// installer, but an index does not serve both under one file name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.version.to_string() == other.version.to_string()
            && self.kind == other.kind
    }
}

impl Eq for DistFilename {}

impl fmt::Display for DistFilename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
