//! From verdicts to files that may be fetched for pip.
//!
//! Owns the rule that only a verified digest leads to bytes that are installed.

use std::collections::HashMap;

use crate::evidence::audit::Finding;
use crate::evidence::sources;
use crate::failure::{Failure, Status};
use crate::package::lock::{File, Lock};
use crate::wheelhouse::Wanted;

/// The lock, each file with the digest that was verified, and without one if none was.
pub(super) fn with_verified_digests(mut lock: Lock, findings: &[Finding]) -> Lock {
    let verified: HashMap<_, _> = findings
        .iter()
        .filter_map(|finding| finding.file.as_ref())
        .map(|file| ((file.filename.as_str(), file.url.as_str()), file.sha256))
        .collect();
    for entry in &mut lock.entries {
        for file in entry.files_mut() {
            let key = (file.filename.as_str(), file.url.as_str());
            file.sha256 = verified.get(&key).copied().flatten();
        }
    }
    lock
}

/// The files of indexes and links. One named by its place pip fetches from there, under its hash,
/// so that it says the same of where it came from.
pub(super) fn wanted(lock: &Lock) -> Result<Vec<Wanted>, Failure> {
    lock.listed().map(verified).collect()
}

/// A file as it is to be fetched. Only a verified digest may lead to bytes that are installed.
pub(super) fn verified(file: &File) -> Result<Wanted, Failure> {
    let sha256 = file.sha256.ok_or_else(|| {
        Failure::new(Status::CouldNotCheck, format!("{} was not verified", file.filename))
    })?;
    sources::wanted(&File { sha256: Some(sha256), ..file.clone() })
}
