//! METADATA beside the wheels of a run (PEP 658), by which pip has resolved.
//!
//! The pip that installs requires hashes, so it reads the METADATA inside the wheels. If the two
//! differ, it would install another set than the one that was resolved, judged and told. pip itself
//! compares them from 26.2 on and ends; an older one installs the set that it has resolved. This
//! module finds such wheels. Must not judge.

use url::Url;

use crate::contents::metadata;
use crate::gateway::Gateway;
use crate::package::core_metadata::{Inconsistency, inconsistency};
use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::pip::run::Captured;
use crate::wheelhouse::Fetched;

/// A wheel whose METADATA differs from the one that pip has resolved by.
pub(super) struct Sidecar {
    name: PackageName,
    url: Url,
    inconsistency: Inconsistency,
}

/// Returns the wheels of the lock for which pip asked the gateway for METADATA that differs from
/// that of the wheel.
pub(super) fn inconsistent(gateway: &Gateway, lock: &Lock, fetched: &[Fetched]) -> Vec<Sidecar> {
    let mut found = Vec::new();
    for entry in &lock.entries {
        for file in entry.files() {
            let Some(url) = file.place.url() else { continue };
            let Some(beside) = gateway.metadata_of(url) else { continue };
            let wheel = fetched.iter().find(|fetched| Some(fetched.sha256) == file.sha256);
            let inside = wheel.and_then(|wheel| metadata::of_wheel(&wheel.path));
            let Some(inside) = inside else { continue };
            if let Some(inconsistency) = inconsistency(&beside, &inside) {
                found.push(Sidecar { name: entry.name.clone(), url: url.clone(), inconsistency });
            }
        }
    }
    found
}

impl Sidecar {
    /// Returns the failure of a pip that compares the two.
    pub(super) fn as_pip_fails(&self) -> Captured {
        let Inconsistency { field, beside, inside } = &self.inconsistency;
        let Self { name, url, .. } = self;
        Captured::failed(format!(
            "ERROR: Requested {name} from {url} has inconsistent {field} between its PEP 658 \
             .metadata file and the wheel's METADATA: sidecar has '{beside}', wheel has '{inside}'\n"
        ))
    }
}
