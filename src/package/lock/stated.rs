//! The digests that a lock or a report states for one file.
//!
//! Reads them from the table of hashes and from the URL, and returns a sha256 and the other claims.
//! All of them must be true for the bytes, so none is skipped. (pip accepts a file if one of them
//! is right.)

use std::collections::BTreeMap;

use crate::package::digest::{Algorithm, Claims, OtherDigest, Sha256};
use crate::package::lock::{LockError, Place, package};

/// Algorithms whose digest pip reads from a URL, behind `#` or `&` (`models/link.py`).
pub(super) const IN_URLS: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/// A file as a document states it.
pub(super) struct Stated<'a> {
    /// The place of the file: its URL, or else its path.
    pub(super) text: &'a str,
    /// The path, from which pip would make the URL.
    pub(super) path: Option<&'a str>,
    /// The digests by algorithm.
    pub(super) digests: &'a BTreeMap<String, String>,
    /// The size in bytes.
    pub(super) size: Option<u64>,
}

impl Stated<'_> {
    /// Returns the parsed place.
    ///
    /// # Errors
    /// The text has a scheme and is not a valid URL.
    pub(super) fn place(&self, entry: &str) -> Result<Place, LockError> {
        Place::parse(self.text)
            .map_err(|error| package(entry, format!("its URL is not valid: {error}")))
    }

    /// Returns the sha256 in the table of hashes.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.digests.get("sha256").map(String::as_str)
    }

    /// Returns the sha256, and all other claims.
    ///
    /// # Errors
    /// A digest is not valid or cannot be compared, or there are two different sha256.
    pub(super) fn read(
        &self,
        entry: &str,
        filename: &str,
    ) -> Result<(Option<Sha256>, Claims), LockError> {
        let no = |reason: String| package(entry, format!("file `{filename}`: {reason}"));
        let table = self.digests.iter().map(|(name, digits)| (name.clone(), digits.as_str()));
        let places = [Some(self.text), self.path];
        let all = table.chain(places.into_iter().flatten().flat_map(in_place));
        // Some indexes write an empty digest for one that they do not know. pip up to 25.3 ignores
        // it, and a later pip stops at it before there is a lock.
        let all = all.filter(|(_, digits)| !digits.is_empty());
        let (mut sha256, mut claims) = (None, Claims { size: self.size, ..Claims::default() });
        for (name, digits) in all {
            if name == "sha256" {
                let digest = Sha256::parse(digits).map_err(|error| no(error.to_string()))?;
                if sha256.is_some_and(|earlier| earlier != digest) {
                    return Err(no("two different sha256 are stated".to_owned()));
                }
                sha256 = Some(digest);
                continue;
            }
            let algorithm = Algorithm::named(&name).ok_or_else(|| {
                no(format!("its digest of `{name}` cannot be compared; state its sha256 alone"))
            })?;
            let digest = OtherDigest::parse(algorithm, digits);
            let digest = digest.map_err(|error| no(error.to_string()))?;
            if !claims.digests.contains(&digest) {
                claims.digests.push(digest);
            }
        }
        Ok((sha256, claims))
    }
}

/// Returns the digests in a URL. pip reads the names of algorithms in lower case only; here upper
/// case is read as well, and such a digest must be true too.
fn in_place(place: &str) -> impl Iterator<Item = (String, &str)> {
    let pairs = place.split(['#', '&']).skip(1).filter_map(|part| part.split_once('='));
    let named = pairs.map(|(name, digits)| (name.to_ascii_lowercase(), digits));
    named.filter(|(name, _)| IN_URLS.contains(&name.as_str()))
}
