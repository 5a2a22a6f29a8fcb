//! Reads the requirements in a wheel's METADATA.
//!
//! Owns a loose reader of `Requires-Dist` (PEP 508) for prefetching: an unreadable requirement, and
//! one whose marker cannot be decided, is skipped. Pure. No verdict and no install may rest on its
//! result.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;

use crate::package::name::PackageName;
use crate::pip::marker::{Environment, extra, holds};

/// Maximum number of requirements that are read from one METADATA.
const MOST: usize = 512;

/// A requirement for a project, with its extras and admitted versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) name: PackageName,
    /// Requested extras, normalised.
    pub(super) extras: BTreeSet<String>,
    /// Admitted versions; `None` for any.
    pub(super) versions: Option<VersionSpecifiers>,
}

impl Requirement {
    /// Makes a requirement for any release, without extras.
    pub(super) const fn any(name: PackageName) -> Self {
        Self { name, extras: BTreeSet::new(), versions: None }
    }

    /// Parses a requirement (PEP 508). Returns `None` if its marker does not hold in this
    /// environment with these extras, if it names a URL, or if it cannot be parsed.
    pub(super) fn read(
        text: &str,
        environment: &Environment,
        extras: &BTreeSet<String>,
    ) -> Option<Self> {
        let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
        if requirement.contains('@') {
            return None;
        }
        if !marker.trim().is_empty() && holds(marker, environment, extras) != Some(true) {
            return None;
        }
        let (name, rest) = PackageName::split(requirement.trim());
        let name = PackageName::parse(name).ok()?;
        let rest = rest.trim();
        let (extras, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let extras = extras.split(',').filter_map(extra).collect();
        let versions = rest.trim().trim_start_matches('(').trim_end_matches(')');
        let versions = VersionSpecifiers::from_str(versions).ok().filter(|v| !v.is_empty());
        Some(Self { name, extras, versions })
    }
}

/// Returns the requirements of a METADATA that hold in this environment with these extras.
pub(super) fn requires(
    metadata: &[u8],
    environment: &Environment,
    extras: &BTreeSet<String>,
) -> Vec<Requirement> {
    let text = String::from_utf8_lossy(metadata);
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case("Requires-Dist"))
        .take(MOST)
        .filter_map(|(_, value)| Requirement::read(value, environment, extras))
        .collect()
}
