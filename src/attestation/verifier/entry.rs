//! One transparency log entry of an attestation: its kind, and the parts that it must have.
//!
//! The kind is read first, since the shape of all else depends on it. Must not verify signatures.

use ::sigstore::types::{KindVersion, TransparencyLogEntry};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::document::MAX_DOCUMENT;
use crate::attestation::error::AttestationError;
use crate::package::json::{self, Lenient};

/// The keys of a log entry that tell its kind.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct EntryKind {
    kind_version: EntryVersion,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryVersion {
    kind: Lenient,
    version: Lenient,
}

/// Reads a log entry of the one kind that is known.
///
/// # Errors
/// The entry is of another kind, or malformed.
pub(super) fn read(text: &RawValue) -> Result<TransparencyLogEntry, AttestationError> {
    let EntryKind { kind_version } = serde_json::from_str(text.get()).unwrap_or_default();
    let part = |text: Lenient| text.0.unwrap_or_else(|| "?".to_owned());
    let (kind, version) = (part(kind_version.kind), part(kind_version.version));
    // The kind of entry that Rekor v1 makes for a DSSE envelope; PyPI has no other.
    if (&*kind, &*version) != (KindVersion::DsseV001.kind(), KindVersion::DsseV001.version()) {
        return Err(AttestationError::EntryKind { kind, version });
    }
    let entry: TransparencyLogEntry = serde_json::from_str(text.get())
        .map_err(|error| AttestationError::MalformedEntry(error.to_string()))?;
    body_is_of(entry.canonicalized_body.as_bytes(), entry.kind_version)?;
    Ok(entry)
}

/// Checks that a log entry has a proof and a promise. The crate ignores a missing one if another
/// entry of the bundle has it.
///
/// # Errors
/// A part is missing, or checkpoint and proof are of different trees.
pub(super) fn complete(entry: &TransparencyLogEntry) -> Result<(), AttestationError> {
    if entry.inclusion_promise.is_none() || entry.integrated_time.is_none() {
        return Err(AttestationError::NoSignedTime);
    }
    let proof = entry.inclusion_proof.as_ref().ok_or(AttestationError::NoInclusionProof)?;
    let checkpoint = proof.checkpoint.checkpoint().ok_or(AttestationError::NoCheckpoint)?;
    if checkpoint.tree_size() != proof.tree_size {
        return Err(AttestationError::Checkpoint(format!(
            "it is of a tree of {}, the inclusion proof of one of {}",
            checkpoint.tree_size(),
            proof.tree_size
        )));
    }
    Ok(())
}

/// The keys of an entry's body that tell its kind.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct EntryBody {
    kind: Lenient,
    api_version: Lenient,
}

/// Checks that the kind and version in an entry's body equal those in the entry.
///
/// The log signs the body alone. The crate parses the body as the kind in the entry says, and does
/// not compare it with the kind in the body. A body with a repeated key is ambiguous and refused.
fn body_is_of(body: &[u8], stated: KindVersion) -> Result<(), AttestationError> {
    let body: EntryBody = json::parse(body, MAX_DOCUMENT)
        .map_err(|error| AttestationError::MalformedEntry(format!("its body is {error}")))?;
    let part = |text: Lenient| text.0.unwrap_or_else(|| "?".to_owned());
    let (kind, version) = (part(body.kind), part(body.api_version));
    if (&*kind, &*version) == (stated.kind(), stated.version()) {
        return Ok(());
    }
    Err(AttestationError::BodyKind {
        body: format!("{kind} {version}"),
        stated: format!("{} {}", stated.kind(), stated.version()),
    })
}
