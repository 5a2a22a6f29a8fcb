//! The METADATA of a wheel.
//!
//! Reads `NAME-VERSION.dist-info/METADATA`, with the strict reader of archives. Must not read its
//! fields.

use std::fs::File;
use std::path::Path;

use crate::contents::archive::{content, members};

/// Maximum size of METADATA, in bytes.
const MAX_METADATA: u64 = 16 * 1024 * 1024;

/// Returns the METADATA of a wheel. Returns `None` if the wheel cannot be read or has none; pip
/// refuses such a wheel itself.
#[must_use]
pub fn of_wheel(wheel: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(wheel).ok()?;
    let members = members(&mut file).ok()?;
    let is_it = |name: &str| {
        let directory = name.strip_suffix("/METADATA");
        directory.is_some_and(|it| it.ends_with(".dist-info") && !it.contains('/'))
    };
    let member = members.iter().find(|member| is_it(&member.name))?;
    content(&mut file, member, MAX_METADATA).ok()
}
