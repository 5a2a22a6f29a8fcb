//! The hashes that the user's files state for what they require: `--hash`, or those of a lock.
//!
//! Owns which of them count, as pip has it: sha256, sha384 and sha512, of which one must fit. Pure:
//! computes over bytes that it is given.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::Deserialize;
use sha2::Digest;

use crate::package::digest::Sha256;
use crate::package::name::PackageName;

/// The user's hashes by project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes(BTreeMap<PackageName, Vec<Hash>>);

/// A hash of one of the algorithms that pip takes for this.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hash {
    algorithm: Algorithm,
    /// In lower case.
    digits: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// As much of a lock as states hashes.
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
    /// Adds those of a requirement, each as `ALGORITHM:DIGITS`. What pip refuses is left out.
    pub(super) fn add(&mut self, requirement: &str, stated: &[String]) {
        let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let name = requirement.get(..end.unwrap_or(requirement.len())).unwrap_or_default();
        let Ok(name) = PackageName::parse(name) else { return };
        let pairs = stated.iter().filter_map(|text| text.split_once(':'));
        self.extend(name, pairs.filter_map(|(algorithm, digits)| Hash::new(algorithm, digits)));
    }

    /// Adds those of a lock (PEP 751), of all files of a project to one another. What is no lock
    /// pip refuses.
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

    /// Whether a file of a project fits: there is nothing stated for it, or one of the hashes is
    /// that of the bytes. `sha256` is theirs; they are read only where that does not decide it.
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

/// How much is read at once, in bytes.
const CHUNK: usize = 128 * 1024;

fn digits<D: Digest>(mut bytes: impl Read) -> io::Result<String> {
    let (mut hasher, mut buffer) = (D::new(), vec![0_u8; CHUNK]);
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
