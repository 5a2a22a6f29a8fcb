//! METADATA beside a file (PEP 658): its stated digests, and the text assumed for a source.
//!
//! Pure.

use std::sync::Arc;

use sha2::Digest as _;

use crate::gateway::unavailable::Unavailable;
use crate::package::digest::{Sha256, hex};
use crate::package::filename::DistFilename;
use crate::package::name::PackageName;

/// Returns METADATA of a source that needs nothing.
pub(super) fn assumed(name: &PackageName, filename: &str) -> Result<Arc<Vec<u8>>, Unavailable> {
    let parsed = DistFilename::parse(filename);
    let parsed = parsed.map_err(|error| Unavailable::failed(error.to_string()))?;
    let version = parsed.version();
    let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    Ok(Arc::new(text.into_bytes()))
}

/// Whether bytes have the stated digest. Digests of other algorithms are left to pip, which gets
/// the statement.
pub(super) fn holds(algorithm: &str, digits: &str, bytes: &[u8]) -> bool {
    let got: Vec<u8> = match algorithm {
        "sha256" => Sha256::of(bytes).as_bytes().to_vec(),
        "sha384" => sha2::Sha384::digest(bytes).to_vec(),
        "sha512" => sha2::Sha512::digest(bytes).to_vec(),
        _ => return true,
    };
    hex(&got).eq_ignore_ascii_case(digits)
}
