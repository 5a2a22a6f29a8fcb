//! METADATA of a wheel: its place, and the fields by which pip resolves (core metadata
//! specification).
//!
//! PEP 658 lets an index serve a copy of a wheel's METADATA beside the wheel. Compares the two as
//! pip does from 26.2 on (`operations/prepare.py`, `_check_sidecar_matches_wheel`): name, version,
//! requirements, the required Python and the extras. The spelling of a requirement does not count,
//! as far as it is known here. Pure. Must not judge: no attestation covers the copy.

use std::collections::BTreeSet;

use pep440_rs::Version;

use crate::package::filename::DistFilename;
use crate::package::name::PackageName;

/// Maximum size of METADATA, in bytes.
pub const MAX_METADATA: u64 = 16 * 1024 * 1024;

/// Returns whether a member of a wheel with this name is its METADATA,
/// `NAME-VERSION.dist-info/METADATA` (binary distribution format).
#[must_use]
pub fn is_member(name: &str) -> bool {
    let directory = name.strip_suffix("/METADATA");
    directory.is_some_and(|it| it.ends_with(".dist-info") && !it.contains('/'))
}

/// The fields that are compared, with their values in a common spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fields {
    name: String,
    version: StatedVersion,
    requires: BTreeSet<String>,
    python: String,
    extras: BTreeSet<String>,
}

/// A version as it is stated; equal versions may have several spellings.
#[derive(Debug, Clone, Eq)]
struct StatedVersion(String);

impl PartialEq for StatedVersion {
    fn eq(&self, other: &Self) -> bool {
        let read = |text: &str| text.parse::<Version>();
        match (read(&self.0), read(&other.0)) {
            (Ok(one), Ok(other)) => one == other,
            _ => self.0 == other.0,
        }
    }
}

/// A field that differs between the METADATA beside a wheel and the METADATA in the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inconsistency {
    /// Name of the field.
    pub field: &'static str,
    /// The values that only the METADATA beside the wheel has.
    pub beside: String,
    /// The values that only the METADATA in the wheel has.
    pub inside: String,
}

/// Returns the first field in which the METADATA `beside` a wheel differs from that `inside`.
#[must_use]
pub fn inconsistency(beside: &[u8], inside: &[u8]) -> Option<Inconsistency> {
    if beside == inside {
        return None;
    }
    let (beside, inside) = (Fields::read(beside), Fields::read(inside));
    let single = |field, beside: &str, inside: &str| {
        (beside != inside).then(|| Inconsistency {
            field,
            beside: beside.to_owned(),
            inside: inside.to_owned(),
        })
    };
    let several = |field, beside: &BTreeSet<String>, inside: &BTreeSet<String>| {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>().join(", ")
        };
        single(field, &only(beside, inside), &only(inside, beside))
    };
    let (version, other) = (&beside.version, &inside.version);
    let versions = || if version == other { None } else { single("Version", &version.0, &other.0) };
    single("Name", &beside.name, &inside.name)
        .or_else(versions)
        .or_else(|| several("Requires-Dist", &beside.requires, &inside.requires))
        .or_else(|| single("Requires-Python", &beside.python, &inside.python))
        .or_else(|| several("Provides-Extra", &beside.extras, &inside.extras))
}

/// Returns whether METADATA is of the project and version that a file's name states.
#[must_use]
pub fn is_of(metadata: &[u8], file: &DistFilename) -> bool {
    let fields = Fields::read(metadata);
    let version = StatedVersion(file.version().to_string());
    (fields.name, fields.version) == (file.name().to_string(), version)
}

impl Fields {
    /// Reads the header; the description behind the first empty line is not read.
    fn read(metadata: &[u8]) -> Self {
        let text = String::from_utf8_lossy(metadata).replace("\r\n", "\n");
        let header = text.split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let fields: Vec<(String, &str)> = header
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim()))
            .collect();
        let all = |name: &'static str| {
            let of_it =
                move |(key, value): &(String, &str)| (key == name).then(|| (*value).to_owned());
            fields.iter().filter_map(of_it)
        };
        let first = |name| all(name).next().unwrap_or_default();
        Self {
            name: normalised(&first("name")),
            version: StatedVersion(first("version")),
            requires: all("requires-dist").map(|text| requirement(&text)).collect(),
            python: specifiers(&first("requires-python")),
            extras: all("provides-extra").map(|text| normalised(&text)).collect(),
        }
    }
}

fn normalised(name: &str) -> String {
    PackageName::parse(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

/// Returns a requirement in a common spelling: `name[extras]specifiers; marker`.
fn requirement(text: &str) -> String {
    let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
    let (name, rest) = PackageName::split(requirement.trim());
    let rest = rest.trim();
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((extras, rest)) => (parts(extras, normalised), rest.trim()),
        None => (String::new(), rest),
    };
    let rest = match rest.strip_prefix('@') {
        Some(url) => format!("@{}", url.trim()),
        None => specifiers(rest.trim_start_matches('(').trim_end_matches(')')),
    };
    let mut spelled = normalised(name);
    if !extras.is_empty() {
        spelled += &format!("[{extras}]");
    }
    spelled += &rest;
    if !marker.trim().is_empty() {
        let marker: String = marker.chars().filter(|c| !c.is_whitespace()).collect();
        spelled += &format!("; {}", marker.replace('\'', "\""));
    }
    spelled
}

fn specifiers(text: &str) -> String {
    parts(text, |part| part.chars().filter(|c| !c.is_whitespace()).collect())
}

/// Returns the parts between commas, each spelled by `spell`, in order.
fn parts(text: &str, spell: impl Fn(&str) -> String) -> String {
    let parts: BTreeSet<String> =
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(spell).collect();
    parts.into_iter().collect::<Vec<_>>().join(",")
}
