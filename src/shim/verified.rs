//! Reduces a lock to the files that may be fetched for pip.
//!
//! Enforces that only a verified digest leads to bytes that are installed.

use std::collections::HashMap;

use crate::evidence::audit::Finding;
use crate::evidence::sources;
use crate::failure::{Failure, Status};
use crate::package::lock::{File, Lock};
use crate::wheelhouse::Wanted;

/// Returns the lock with the verified digest of each file. A file without a verified digest gets
/// none.
pub(super) fn with_verified_digests(mut lock: Lock, findings: &[Finding]) -> Lock {
    let verified: HashMap<_, _> = findings
        .iter()
        .filter_map(|finding| finding.file.as_ref())
        .map(|file| ((file.filename.as_str(), &file.place), file.sha256))
        .collect();
    for entry in &mut lock.entries {
        for file in entry.files_mut() {
            let key = (file.filename.as_str(), &file.place);
            file.sha256 = verified.get(&key).copied().flatten();
        }
    }
    lock
}

/// Returns the files of indexes and links that are to be fetched. A file that is named by its URL
/// or path is left out: pip fetches it itself, under its hash, so that pip records the same origin.
pub(super) fn wanted(lock: &Lock) -> Result<Vec<Wanted>, Failure> {
    lock.listed().map(verified).collect()
}

/// Returns a file as it is fetched. A file without a verified digest is an error.
pub(super) fn verified(file: &File) -> Result<Wanted, Failure> {
    let sha256 = file.sha256.ok_or_else(|| {
        Failure::new(Status::CouldNotCheck, format!("{} was not verified", file.filename))
    })?;
    sources::wanted(&File { sha256: Some(sha256), ..file.clone() })
}
