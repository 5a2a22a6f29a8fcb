//! One attestation object (PEP 740, "Attestation objects").
//!
//! Owns its shape and what is decoded from it. The log entries stay JSON: their shape is
//! Sigstore's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// The most log entries an attestation may have. Signers write one; every one is verified.
pub const MAX_ENTRIES: usize = 8;

/// An attestation, decoded and not verified.
#[derive(Debug, Clone)]
pub struct Attestation {
    certificate: Vec<u8>,
    entries: Vec<Value>,
    statement: Vec<u8>,
    signature: Vec<u8>,
}

/// Why an attestation cannot even be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestationFault {
    /// A key is missing or of another type.
    #[error("it is not an attestation: {0}")]
    Shape(String),
    /// Another version than 1.
    #[error("it is of version {0}, only version 1 is known")]
    Version(Value),
    /// `verification_material` is null, as where an index signs with a key of its own.
    #[error("it has no verification material: it was not signed with a Sigstore identity")]
    NoVerificationMaterial,
    /// A value is not base64 (RFC 4648, section 4: padded, without newlines).
    #[error("its {field} is not plain base64")]
    NotBase64 {
        /// Which value.
        field: &'static str,
    },
    /// `transparency_entries` is empty: nobody else saw it being signed.
    #[error("it has no transparency log entry")]
    NoEntry,
    /// More log entries than [`MAX_ENTRIES`].
    #[error("it has {count} transparency log entries, more than {MAX_ENTRIES}")]
    TooManyEntries {
        /// How many.
        count: usize,
    },
}

#[derive(Deserialize)]
struct Wire {
    verification_material: Option<WireMaterial>,
    envelope: WireEnvelope,
}

#[derive(Deserialize)]
struct WireMaterial {
    certificate: String,
    transparency_entries: Vec<Value>,
}

#[derive(Deserialize)]
struct WireEnvelope {
    statement: String,
    signature: String,
}

impl Attestation {
    /// Reads an attestation object; keys that PEP 740 does not name are passed over, as it says.
    pub(super) fn read(value: Value) -> Result<Self, AttestationFault> {
        // The version decides how the rest is shaped, so it is looked at first.
        match value.get("version") {
            Some(version) if version.as_u64() == Some(1) => {}
            Some(version) => return Err(AttestationFault::Version(version.clone())),
            None => return Err(AttestationFault::Shape("it has no version".to_owned())),
        }
        let wire =
            Wire::deserialize(value).map_err(|error| AttestationFault::Shape(error.to_string()))?;
        let material =
            wire.verification_material.ok_or(AttestationFault::NoVerificationMaterial)?;
        match material.transparency_entries.len() {
            0 => return Err(AttestationFault::NoEntry),
            1..=MAX_ENTRIES => {}
            count => return Err(AttestationFault::TooManyEntries { count }),
        }
        Ok(Self {
            certificate: decode("certificate", &material.certificate)?,
            entries: material.transparency_entries,
            statement: decode("statement", &wire.envelope.statement)?,
            signature: decode("signature", &wire.envelope.signature)?,
        })
    }

    /// The signing certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The transparency log entries, at least one: `TransparencyLogEntry` of Sigstore's protobuf
    /// specification as JSON.
    #[must_use]
    pub fn entries(&self) -> &[Value] {
        &self.entries
    }

    /// The in-toto statement, the exact bytes that were signed.
    #[must_use]
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// The DSSE signature over the statement.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, AttestationFault> {
    STANDARD.decode(text).map_err(|_| AttestationFault::NotBase64 { field })
}
