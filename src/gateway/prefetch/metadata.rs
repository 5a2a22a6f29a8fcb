//! Reads `NAME-VERSION.dist-info/METADATA` from a wheel, for an index without METADATA files (PEP
//! 658).
//!
//! Owns the reading of that one member, with bounds on members and bytes. The result is used for
//! prefetching only, never for a verdict.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zip::ZipArchive;

use crate::package::core_metadata::{self, MAX_METADATA};

/// Maximum number of members of a wheel that is searched for METADATA.
const MAX_MEMBERS: usize = 100_000;

/// Returns the METADATA of a wheel, or `None` if it cannot be read.
pub(super) fn metadata(wheel: &Path) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(File::open(wheel).ok()?).ok()?;
    if archive.len() > MAX_MEMBERS {
        return None;
    }
    let name = {
        let mut names = archive.file_names().filter_map(Result::ok);
        names.find(|name| core_metadata::is_member(name))?.into_owned()
    };
    let mut bytes = Vec::new();
    let member = archive.by_name(&name).ok()?;
    member.take(MAX_METADATA).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
