//! What the user named by its place: a URL, a path, a repository.
//!
//! Owns telling these from projects by name, on the command line and in requirements files, as far
//! as a verdict needs it before anything of them runs. Pure: asks neither disk nor network.

use std::ffi::OsStr;

use crate::audit::{Finding, unattested_by_name};
use crate::filename::DistFilename;
use crate::name::PackageName;
use crate::shim::arguments::InstallArgs;
use crate::trust::file::TrustFile;
use crate::trust::policy::{Policy, UnsignedKind};

/// A requirement that names a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// The project, where the words say which.
    pub name: Option<PackageName>,
    /// The place, without credentials.
    pub place: String,
    /// What kind of place it is.
    pub kind: UnsignedKind,
}

impl Direct {
    /// Whether it is a file at a URL of another machine.
    #[must_use]
    pub fn is_url(&self) -> bool {
        self.kind == UnsignedKind::DirectUrl
    }

    /// Whether it is a repository.
    #[must_use]
    pub fn is_repository(&self) -> bool {
        self.kind == UnsignedKind::VersionControl
    }

    /// The finding, where the words alone decide it: a project on record, or a policy that wants
    /// an attestation of everything.
    #[must_use]
    pub fn finding(&self, trust: &TrustFile, policy: &Policy) -> Option<Finding> {
        unattested_by_name(self.name.as_ref(), &self.place, self.kind, trust, policy)
    }

    /// Reads a requirement; nothing if it names a project.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // `name[extra] @ URL ; marker`, or the URL or path alone.
        let (name, place) = match text.split_once('@') {
            Some((name, place)) if PackageName::parse(base_name(name)).is_ok() => {
                (PackageName::parse(base_name(name)).ok(), place.trim())
            }
            _ => (None, text),
        };
        let place = place.split_whitespace().next().unwrap_or_default();
        let kind = kind(place)?;
        let name = name.or_else(|| name_in(place));
        Some(Self { name, place: crate::lock::without_userinfo(place), kind })
    }
}

/// Everything that is named by its place, on the command line and in the copies of files.
#[must_use]
pub fn named(arguments: &InstallArgs, texts: &[&str]) -> Vec<Direct> {
    let words = arguments.requirement_arguments().into_iter().chain(arguments.values("--editable"));
    let words = words.map(OsStr::to_string_lossy).map(|word| word.into_owned());
    let lines = texts.iter().flat_map(|text| text.lines()).filter_map(requirement_of);
    words.chain(lines).filter_map(|text| Direct::parse(&text)).collect()
}

/// The requirement of a line of a requirements file, `-e` included; nothing for other options.
fn requirement_of(line: &str) -> Option<String> {
    let editable = ["-e ", "--editable ", "--editable="].iter().find_map(|o| line.strip_prefix(o));
    match editable {
        Some(rest) => Some(rest.trim().trim_matches(['\'', '"']).to_owned()),
        None if line.starts_with('-') => None,
        None => Some(line.to_owned()),
    }
}

fn base_name(text: &str) -> &str {
    text.split('[').next().unwrap_or_default().trim()
}

fn kind(place: &str) -> Option<UnsignedKind> {
    let lower = place.to_ascii_lowercase();
    if ["git+", "hg+", "svn+", "bzr+", "git://", "git@"].iter().any(|p| lower.starts_with(p)) {
        return Some(UnsignedKind::VersionControl);
    }
    if lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("ftp://")
    {
        return Some(UnsignedKind::DirectUrl);
    }
    let archive = [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];
    let path = lower.split(['#', '[']).next().unwrap_or_default();
    if archive.iter().any(|ending| path.ends_with(ending)) {
        return Some(UnsignedKind::LocalFile);
    }
    let looks_like_path =
        lower.starts_with("file:") || lower.contains('/') || lower.starts_with('.');
    looks_like_path.then_some(UnsignedKind::Directory)
}

/// The project that a place itself tells: `#egg=NAME`, or a file name that follows the convention.
fn name_in(place: &str) -> Option<PackageName> {
    let (path, fragment) = place.split_once('#').unwrap_or((place, ""));
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    if let Some(egg) = egg {
        return PackageName::parse(base_name(egg)).ok();
    }
    let file = path.split('?').next()?.rsplit('/').next()?;
    DistFilename::parse(file).ok().map(|file| file.name().clone())
}
