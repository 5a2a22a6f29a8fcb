//! METADATA beside files (PEP 658) that pip requested in this run, by the real URLs of the files.
//!
//! pip has resolved by these texts, which no attestation covers. Must not fetch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::gateway::Gateway;
use crate::package::core_metadata;
use crate::package::filename::DistFilename;
use crate::sync::lock;

/// The METADATA that pip requested.
#[derive(Default)]
pub(super) struct Offered {
    by_url: Mutex<HashMap<Url, Arc<Vec<u8>>>>,
}

impl Offered {
    pub(super) fn add(&self, file: Url, metadata: &Arc<Vec<u8>>) {
        lock(&self.by_url).insert(file, Arc::clone(metadata));
    }
}

impl Gateway {
    /// Returns the METADATA beside the file at this URL, if pip requested it.
    #[must_use]
    pub fn metadata_of(&self, url: &Url) -> Option<Arc<Vec<u8>>> {
        lock(&self.inner.offered.by_url).get(url).cloned()
    }

    /// Returns whether pip requested METADATA of another project or version than that of its file.
    /// pip discards such a file, which no source can replace.
    #[must_use]
    pub fn has_foreign_metadata(&self) -> bool {
        let is_foreign = |(url, metadata): (&Url, &Arc<Vec<u8>>)| {
            let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("");
            let name = percent_decode_str(name).decode_utf8_lossy();
            DistFilename::parse(&name).is_ok_and(|file| !core_metadata::is_of(metadata, &file))
        };
        lock(&self.inner.offered.by_url).iter().any(is_foreign)
    }
}
