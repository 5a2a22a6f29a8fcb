//! Newer releases that exist only as source archives, and were passed over for a wheel.
//!
//! Owns which of an index page's files make a release that is worth a line to the user. Pure:
//! chooses nothing and changes nothing.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::index::page::PageFile;
use crate::package::filename::{DistFilename, DistKind};
use crate::package::name::PackageName;

/// The newest release of `name` above `chosen` that has a source archive, no wheel at all, and
/// nothing that keeps pip from it as far as is known here: it is not yanked, is no pre-release
/// unless `chosen` is one, and `requires-python` does not exclude `python` (`MAJOR.MINOR`).
/// Where something is not known, there is none: it is a remark, no verdict.
#[must_use]
pub fn newer_source(
    files: impl IntoIterator<Item = PageFile>,
    name: &PackageName,
    chosen: &Version,
    python: &str,
) -> Option<Version> {
    let mut releases = BTreeMap::<Version, Release>::new();
    for file in files {
        let Ok(dist) = DistFilename::parse(&file.filename) else { continue };
        if dist.name() == name && dist.version() > chosen {
            let is_source = matches!(dist.kind(), DistKind::Sdist(_));
            let release = releases.entry(dist.version().clone()).or_default();
            release.is_out_of_reach |= !is_source || file.yanked.is_some();
            release.is_for_python |= is_for(&file, python);
        }
    }
    let fits = |(version, release): &(Version, Release)| {
        let in_scope = chosen.any_prerelease() || !version.any_prerelease();
        in_scope && !release.is_out_of_reach && release.is_for_python
    };
    releases.into_iter().rev().find(fits).map(|(version, _)| version)
}

/// The files of one release, as far as they matter here.
#[derive(Default)]
struct Release {
    /// Whether one of them is a wheel, or yanked.
    is_out_of_reach: bool,
    /// Whether one of them is for the user's Python.
    is_for_python: bool,
}

/// Whether the user's own words ask for `name` and admit this version of it. Words that cannot be
/// read admit nothing.
#[must_use]
pub fn admitted(requirements: &[String], name: &PackageName, version: &Version) -> bool {
    let mut found = requirements.iter().filter_map(|text| admits(text, name, version)).peekable();
    found.peek().is_some() && found.all(|admits| admits)
}

/// Whether a requirement (PEP 508) admits a version; nothing where it is of another project.
fn admits(requirement: &str, name: &PackageName, version: &Version) -> Option<bool> {
    let text = requirement.split(';').next()?.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (stated, rest) = text.split_at(end.unwrap_or(text.len()));
    if PackageName::parse(stated).ok()? != *name {
        return None;
    }
    let rest = rest.trim();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("@", |(_, rest)| rest.trim()),
        None => rest,
    };
    let rest = rest.trim_start_matches('(').trim_end_matches(')');
    let specifiers = VersionSpecifiers::from_str(rest).ok();
    Some(rest.is_empty() || specifiers.is_some_and(|it| it.contains(version)))
}

/// Whether a file is for this Python. pip compares with the full version; a bound on the third
/// number is none here.
fn is_for(file: &PageFile, python: &str) -> bool {
    let Some(stated) = &file.requires_python else { return true };
    let (Ok(specifiers), Ok(python)) =
        (VersionSpecifiers::from_str(stated), Version::from_str(python))
    else {
        return false;
    };
    specifiers.contains(&python)
}
