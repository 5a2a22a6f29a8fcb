//! The hashes that the user's files state for requirements: `--hash`, or the hashes of a lock.
//!
//! Follows pip's rules: sha256, sha384 and sha512 count, one hash of each line must match, and a
//! line whose marker does not hold is ignored. Pure: computes hashes of bytes that the caller
//! provides.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;
use sha2::Digest;

use crate::package::digest::{Sha256, hex, read_pieces};
use crate::package::name::PackageName;
use crate::pip::marker::{self, Environment};

/// The user's hashes by project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes(BTreeMap<PackageName, Vec<AllowedHashes>>);

/// The hashes that one line allows, or all entries of a lock for one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct AllowedHashes {
    /// The specifiers of the line; empty if any version is allowed.
    versions: String,
    /// The marker of the line; empty if the line always counts.
    marker: String,
    hashes: Vec<Hash>,
}

/// A file that is compared with the user's hashes.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The project.
    pub name: &'a PackageName,
    /// The version, if it is known.
    pub version: Option<&'a str>,
    /// The digest of the bytes.
    pub sha256: &'a Sha256,
    /// The environment that markers are evaluated in.
    pub environment: &'a Environment,
}

/// A hash of an algorithm that pip accepts for `--hash`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hash {
    algorithm: Algorithm,
    /// The digits, in lower case.
    digits: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// The keys of a lock that state hashes.
#[derive(Deserialize)]
struct Locked {
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    wheels: Vec<Dist>,
    sdist: Option<Dist>,
    archive: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

impl Hashes {
    /// Returns whether no file states a hash.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the hashes of a requirement, each as `ALGORITHM:DIGITS`. Hashes that pip refuses are
    /// skipped.
    pub(super) fn add(&mut self, requirement: &str, stated: &[String]) {
        let (name, rest) = PackageName::split(requirement);
        let Ok(name) = PackageName::parse(name) else { return };
        let pairs = stated.iter().filter_map(|text| text.split_once(':'));
        let hashes: Vec<_> = pairs.filter_map(|(name, digits)| Hash::new(name, digits)).collect();
        if hashes.is_empty() {
            return;
        }
        // A URL may contain a `;`, so the marker behind it stands after a blank.
        let semicolon = if rest.contains('@') { " ;" } else { ";" };
        let (rest, marker) = rest.split_once(semicolon).unwrap_or((rest, ""));
        let versions = rest.rsplit(']').next().unwrap_or_default().trim();
        let (versions, marker) = (versions.to_owned(), marker.trim().to_owned());
        self.0.entry(name).or_default().push(AllowedHashes { versions, marker, hashes });
    }

    /// Adds the hashes of a lock (PEP 751), for each project those of all its files. A text that is
    /// not a lock is skipped, because pip refuses it.
    pub(super) fn add_lock(&mut self, text: &str) {
        let Ok(lock) = toml::from_str::<Locked>(text) else { return };
        let mut all = BTreeMap::<_, Vec<Hash>>::new();
        for package in lock.packages {
            let Ok(name) = PackageName::parse(&package.name) else { continue };
            let single = package.sdist.into_iter().chain(package.archive);
            let files = package.wheels.into_iter().chain(single);
            let hashes = files.flat_map(|file| file.hashes);
            let hashes = hashes.filter_map(|(name, digits)| Hash::new(&name, &digits));
            all.entry(name).or_default().extend(hashes);
        }
        for (name, hashes) in all.into_iter().filter(|(_, hashes)| !hashes.is_empty()) {
            self.0
                .entry(name)
                .or_default()
                .push(AllowedHashes { hashes, ..AllowedHashes::default() });
        }
    }

    /// Returns whether every line that states hashes for the project and counts here allows a file.
    /// The bytes are read only if the digest alone does not decide.
    ///
    /// # Errors
    /// Reading fails.
    pub fn fit<R: Read>(
        &self,
        file: Compared<'_>,
        bytes: impl Fn() -> io::Result<R>,
    ) -> io::Result<bool> {
        let lines = self.0.get(file.name).into_iter().flatten();
        for line in lines.filter(|line| line.counts(file)) {
            if !line.allows(file.sha256, &bytes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether a digest alone shows that a file is not allowed.
    #[must_use]
    pub fn exclude(&self, file: Compared<'_>) -> bool {
        let no_bytes = || Err::<io::Empty, _>(io::ErrorKind::Unsupported.into());
        matches!(self.fit(file, no_bytes), Ok(false))
    }
}

impl AllowedHashes {
    /// Returns whether the line counts for a file. A line whose marker cannot be decided counts,
    /// unless it is for other versions.
    fn counts(&self, file: Compared<'_>) -> bool {
        if self.marker.is_empty() {
            return true;
        }
        let extras = BTreeSet::new();
        marker::holds(&self.marker, file.environment, &extras).unwrap_or_else(|| {
            let version = file.version.and_then(|version| Version::from_str(version).ok());
            let admitted = VersionSpecifiers::from_str(&self.versions).ok();
            !matches!((version, admitted), (Some(v), Some(admitted)) if !admitted.contains(&v))
        })
    }

    /// Returns whether one of the hashes is that of the bytes.
    fn allows<R: Read>(
        &self,
        sha256: &Sha256,
        bytes: impl Fn() -> io::Result<R>,
    ) -> io::Result<bool> {
        let sha256 = sha256.to_string();
        // The bytes are read last.
        if self.hashes.iter().any(|it| it.algorithm == Algorithm::Sha256 && it.digits == sha256) {
            return Ok(true);
        }
        for hash in &self.hashes {
            let fits = match hash.algorithm {
                Algorithm::Sha256 => false,
                Algorithm::Sha384 => hash.digits == digits::<sha2::Sha384>(bytes()?)?,
                Algorithm::Sha512 => hash.digits == digits::<sha2::Sha512>(bytes()?)?,
            };
            if fits {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Hash {
    fn new(algorithm: &str, digits: &str) -> Option<Self> {
        let algorithm = match algorithm {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return None,
        };
        Some(Self { algorithm, digits: digits.to_ascii_lowercase() })
    }
}

fn digits<D: Digest>(mut bytes: impl Read) -> io::Result<String> {
    let mut hasher = D::new();
    read_pieces(&mut bytes, |bytes| hasher.update(bytes))?;
    Ok(hex(&hasher.finalize()))
}
