//! The hashes that the user's files state for requirements: `--hash`, or the hashes of a lock.
//!
//! Follows pip's rules: sha256, sha384 and sha512 count, and one hash of a project must match.
//! Pure: computes hashes of bytes that the caller provides.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::Deserialize;
use sha2::Digest;

use crate::package::digest::{Sha256, hex, read_pieces};
use crate::package::name::PackageName;

/// The user's hashes by project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes(BTreeMap<PackageName, Vec<Hash>>);

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
    /// Adds the hashes of a requirement, each as `ALGORITHM:DIGITS`. Hashes that pip refuses are
    /// skipped.
    pub(super) fn add(&mut self, requirement: &str, stated: &[String]) {
        let Ok(name) = PackageName::parse(PackageName::split(requirement).0) else { return };
        let pairs = stated.iter().filter_map(|text| text.split_once(':'));
        self.extend(name, pairs.filter_map(|(algorithm, digits)| Hash::new(algorithm, digits)));
    }

    /// Adds the hashes of a lock (PEP 751), for each project those of all its files. A text that is
    /// not a lock is skipped, because pip refuses it.
    pub(super) fn add_lock(&mut self, text: &str) {
        let Ok(lock) = toml::from_str::<Locked>(text) else { return };
        for package in lock.packages {
            let Ok(name) = PackageName::parse(&package.name) else { continue };
            let single = package.sdist.into_iter().chain(package.archive);
            let files = package.wheels.into_iter().chain(single);
            let hashes = files.flat_map(|file| file.hashes);
            self.extend(name, hashes.filter_map(|(name, digits)| Hash::new(&name, &digits)));
        }
    }

    fn extend(&mut self, name: PackageName, hashes: impl Iterator<Item = Hash>) {
        let hashes: Vec<Hash> = hashes.collect();
        if !hashes.is_empty() {
            self.0.entry(name).or_default().extend(hashes);
        }
    }

    /// Returns whether a file of a project matches: no hash is stated for the project, or one of
    /// its hashes is that of the bytes. `sha256` is the digest of the bytes; the bytes are read
    /// only if the digest alone does not decide.
    ///
    /// # Errors
    /// Reading fails.
    pub fn fit<R: Read>(
        &self,
        name: &PackageName,
        sha256: &Sha256,
        bytes: impl Fn() -> io::Result<R>,
    ) -> io::Result<bool> {
        let Some(stated) = self.0.get(name) else { return Ok(true) };
        let sha256 = sha256.to_string();
        for hash in stated {
            let fits = match hash.algorithm {
                Algorithm::Sha256 => hash.digits == sha256,
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
