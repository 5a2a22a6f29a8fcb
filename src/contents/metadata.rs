//! The METADATA of a wheel.
//!
//! Reads `NAME-VERSION.dist-info/METADATA`, with the strict reader of archives. Must not read its
//! fields.

use std::fs::File;
use std::path::Path;

use crate::contents::archive::{content, members};
use crate::package::core_metadata::{self, MAX_METADATA};

/// Returns the METADATA of a wheel. Returns `None` if the wheel cannot be read or has none; pip
/// refuses such a wheel itself.
#[must_use]
pub fn of_wheel(wheel: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(wheel).ok()?;
    let members = members(&mut file).ok()?;
    let member = members.iter().find(|member| core_metadata::is_member(&member.name))?;
    content(&mut file, member, MAX_METADATA).ok()
}
