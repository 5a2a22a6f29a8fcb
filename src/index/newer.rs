//! Finds newer releases that exist only as sdists, which pip passed over for an older wheel.
//!
//! Owns the choice of the release that the user is told of. Pure. The result is a remark to the
//! user and must not affect a verdict.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::index::page::PageFile;
use crate::package::filename::{DistFilename, DistKind};
use crate::package::name::PackageName;

/// Returns the newest release of `name` above `chosen` that has an sdist and no wheel, and that pip
/// could install: it is not yanked, is not a pre-release unless `chosen` is one, and its
/// `requires-python` admits `python` (`MAJOR.MINOR`). Returns `None` if a part of this is unknown.
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

/// State of one release, collected from its files.
#[derive(Default)]
struct Release {
    /// Whether one of its files is a wheel, or is yanked.
    is_out_of_reach: bool,
    /// Whether one of its files admits the user's Python.
    is_for_python: bool,
}

/// Whether the user's own requirements name `name` and admit this version. A requirement that
/// cannot be read admits no version.
#[must_use]
pub fn admitted(requirements: &[String], name: &PackageName, version: &Version) -> bool {
    let mut found = requirements.iter().filter_map(|text| admits(text, name, version)).peekable();
    found.peek().is_some() && found.all(|admits| admits)
}

/// Whether a requirement (PEP 508) admits a version. Returns `None` if it names another project.
fn admits(requirement: &str, name: &PackageName, version: &Version) -> Option<bool> {
    let text = requirement.split(';').next()?.trim();
    let (stated, rest) = PackageName::split(text);
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

/// Whether a file admits this Python. pip compares the full version; here the patch number is
/// unknown, so a bound on it is ignored.
fn is_for(file: &PageFile, python: &str) -> bool {
    let Some(stated) = &file.requires_python else { return true };
    let (Ok(specifiers), Ok(python)) =
        (VersionSpecifiers::from_str(stated), Version::from_str(python))
    else {
        return false;
    };
    specifiers.contains(&python)
}
