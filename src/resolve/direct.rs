//! Requirements that name a place instead of a project: a URL, a path, a repository.
//!
//! Reads them from the command line and from requirements files, as far as a verdict needs it
//! before pip runs code from them:
//!
//! ```text
//! name[extra] @ URL ; marker
//! URL#egg=name
//! ./directory[extra]
//! ```
//!
//! A place that this module overlooks is not built, because the guard allows only the places that
//! were judged. Pure: must not access the disk or the network.

use std::ffi::OsStr;

use percent_encoding::percent_decode_str;

use crate::evidence::audit::{Finding, unattested_by_name};
use crate::package::filename::DistFilename;
use crate::package::name::PackageName;
use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::options::Options;
use crate::pip::requirements;
use crate::trust::pins::Pins;
use crate::trust::policy::{Policy, UnsignedKind};

/// A requirement that names a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// Project names stated in the text: before an `@`, behind `#egg=`, in a file name. They may
    /// differ; only running the source's code tells which is right.
    pub names: Vec<PackageName>,
    /// The URL or path, without credentials and extras.
    pub place: String,
    /// The kind of place.
    pub kind: UnsignedKind,
}

impl Direct {
    /// Returns the finding if the text alone decides it: the project is recorded, or the policy
    /// demands an attestation from every project.
    #[must_use]
    pub fn finding(&self, trust: &Pins, policy: &Policy) -> Option<Finding> {
        let names = self.names.iter().map(Some).chain([None]);
        let mut findings = names
            .filter_map(|name| unattested_by_name(name, &self.place, self.kind, trust, policy));
        findings.next()
    }

    /// Returns whether pip must connect to another machine for it, without an index.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(self.kind, UnsignedKind::DirectUrl | UnsignedKind::VersionControl)
    }

    /// Reads a requirement. Returns `None` if it names a project.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, None)
    }

    /// Reads the value of `-e`, which is always a place.
    #[must_use]
    pub fn editable(text: &str) -> Self {
        Self::read(text, Some(UnsignedKind::Directory)).unwrap_or_else(|| Self {
            names: Vec::new(),
            place: text.trim().to_owned(),
            kind: UnsignedKind::Directory,
        })
    }

    fn read(text: &str, otherwise: Option<UnsignedKind>) -> Option<Self> {
        let text = text.trim();
        // `name[extra] @ URL ; marker`, or the URL or path alone. A path may contain an `@`.
        let (stated, place) = match text.split_once('@') {
            Some((name, place)) if PackageName::parse(base_name(name)).is_ok() => {
                (PackageName::parse(base_name(name)).ok(), place.trim())
            }
            _ => (None, text),
        };
        let place = if is_url(place) {
            // A URL ends at a blank; a marker may follow.
            place.split_whitespace().next().unwrap_or_default().trim_end_matches(';')
        } else {
            place.split(';').next().unwrap_or_default().trim()
        };
        let place = without_extras(place);
        let kind = kind(place).or(otherwise)?;
        let (path, fragment) = place.split_once('#').unwrap_or((place, ""));
        let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
        let egg = egg.and_then(|egg| PackageName::parse(base_name(&decoded(egg))).ok());
        let mut names: Vec<_> = [stated, egg, name_of_file(path)].into_iter().flatten().collect();
        names.dedup();
        Some(Self { names, place: crate::package::lock::without_userinfo(place), kind })
    }
}

/// Returns every place that is named by an argument, by an option and in the copies of files.
#[must_use]
pub fn named(arguments: &InstallArgs, options: &Options, texts: &[&str]) -> Vec<Direct> {
    let text = |word: &OsStr| word.to_string_lossy().into_owned();
    let words = arguments.requirement_arguments().into_iter().map(text);
    let editables = options.all("--editable").into_iter();
    let lines = texts.iter().flat_map(|text| text.lines());
    words
        .filter_map(|word| Direct::parse(&word))
        .chain(editables.map(|word| Direct::editable(&word)))
        .chain(lines.filter_map(of_line))
        .collect()
}

/// Returns the place that a line of a requirements file names.
fn of_line(line: &str) -> Option<Direct> {
    match requirements::required(line)? {
        requirements::Required::Editable(text) => Some(Direct::editable(&text)),
        requirements::Required::Requirement(text) => Direct::parse(&text),
    }
}

fn base_name(text: &str) -> &str {
    text.split('[').next().unwrap_or_default().trim()
}

/// Returns `./dir` for `./dir[extra]`.
fn without_extras(place: &str) -> &str {
    let stem = place.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    stem.map_or(place, |(stem, _)| stem.trim_end())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn is_url(place: &str) -> bool {
    let lower = place.to_ascii_lowercase();
    is_repository(&lower)
        || ["http:", "https:", "ftp:", "file:"].iter().any(|p| lower.starts_with(p))
}

fn is_repository(lower: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+", "git://", "git@"].iter().any(|p| lower.starts_with(p))
}

/// File names that pip considers an archive (`utils/filetypes.py`).
const ARCHIVES: [&str; 15] = [
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
    ".tar.z",
    ".tb2",
    ".tbz2",
];

fn kind(place: &str) -> Option<UnsignedKind> {
    let lower = place.to_ascii_lowercase();
    if is_repository(&lower) {
        return Some(UnsignedKind::VersionControl);
    }
    if ["http:", "https:", "ftp:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Some(UnsignedKind::DirectUrl);
    }
    let path = decoded(lower.split('#').next().unwrap_or_default());
    if ARCHIVES.iter().any(|ending| path.ends_with(ending)) {
        return Some(UnsignedKind::LocalFile);
    }
    let looks_like_path =
        lower.starts_with("file:") || lower.contains('/') || lower.starts_with('.');
    looks_like_path.then_some(UnsignedKind::Directory)
}

/// Returns the project in a file name that follows the convention of wheels or source archives.
fn name_of_file(path: &str) -> Option<PackageName> {
    let file = decoded(path.split('?').next()?.rsplit('/').next()?);
    let dist = DistFilename::parse(&file).or_else(|error| {
        let lower = file.to_ascii_lowercase();
        let ending = ARCHIVES.iter().filter(|ending| lower.ends_with(*ending));
        let stem = ending.max_by_key(|e| e.len()).and_then(|e| file.get(..file.len() - e.len()));
        stem.map_or(Err(error), |stem| DistFilename::parse(&format!("{stem}.tar.gz")))
    });
    dist.ok().map(|file| file.name().clone())
}
