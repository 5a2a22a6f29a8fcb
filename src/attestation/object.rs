//! One attestation object (PEP 740, "Attestation objects").
//!
//! Owns its shape and decodes its base64 values. The log entries stay JSON, since Sigstore defines
//! their shape.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::shape::{is_object, is_version_1, shown};
use crate::package::json::{self, First};

/// Maximum number of log entries in an attestation. Signers write one; every entry is verified.
pub const MAX_ENTRIES: usize = 8;

/// An attestation, decoded but not verified.
#[derive(Debug, Clone)]
pub struct Attestation {
    certificate: Vec<u8>,
    entries: Vec<Box<RawValue>>,
    statement: Vec<u8>,
    signature: Vec<u8>,
}

/// Reasons why an attestation cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestationFault {
    /// A key is missing or of another type.
    #[error("it is not an attestation: {0}")]
    Shape(String),
    /// The version is not 1.
    #[error("it is of version {0}, only version 1 is known")]
    Version(String),
    /// `verification_material` is null, as with an index that signs with its own key.
    #[error("it has no verification material: it was not signed with a Sigstore identity")]
    NoVerificationMaterial,
    /// A value is not base64 (RFC 4648, section 4: padded, without newlines).
    #[error("its {field} is not plain base64")]
    NotBase64 {
        /// Name of the value.
        field: &'static str,
    },
    /// `transparency_entries` is empty, so no log recorded the signature.
    #[error("it has no transparency log entry")]
    NoEntry,
    /// More log entries than [`MAX_ENTRIES`].
    #[error("it has {count} transparency log entries, more than {MAX_ENTRIES}")]
    TooManyEntries {
        /// Number of entries.
        count: usize,
    },
}

#[derive(Deserialize)]
struct WireVersion<'a> {
    #[serde(default, borrow, deserialize_with = "json::present")]
    version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AttestationFields<'a> {
    #[serde(borrow)]
    verification_material: Option<WireMaterial<'a>>,
    #[serde(borrow)]
    envelope: WireEnvelope<'a>,
}

#[derive(Deserialize)]
struct WireMaterial<'a> {
    #[serde(borrow)]
    certificate: Cow<'a, str>,
    #[serde(borrow)]
    transparency_entries: First<&'a RawValue, MAX_ENTRIES>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow)]
    statement: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

impl Attestation {
    /// Reads an attestation object. Keys that PEP 740 does not name are ignored, as it demands.
    pub(super) fn read(text: &RawValue) -> Result<Self, AttestationFault> {
        let shape = |error: serde_json::Error| AttestationFault::Shape(error.to_string());
        if !is_object(text) {
            return Err(AttestationFault::Shape("it is not a JSON object".to_owned()));
        }
        // The version is read first, because the shape of the other values depends on it.
        let WireVersion { version } = serde_json::from_str(text.get()).map_err(shape)?;
        match version {
            Some(version) if is_version_1(version) => {}
            Some(version) => return Err(AttestationFault::Version(shown(version))),
            None => return Err(AttestationFault::Shape("it has no version".to_owned())),
        }
        let wire: AttestationFields<'_> = serde_json::from_str(text.get()).map_err(shape)?;
        let material =
            wire.verification_material.ok_or(AttestationFault::NoVerificationMaterial)?;
        let First { items, count } = material.transparency_entries;
        match count {
            0 => return Err(AttestationFault::NoEntry),
            1..=MAX_ENTRIES => {}
            _ => return Err(AttestationFault::TooManyEntries { count }),
        }
        Ok(Self {
            certificate: decode("certificate", &material.certificate)?,
            entries: items.into_iter().map(ToOwned::to_owned).collect(),
            statement: decode("statement", &wire.envelope.statement)?,
            signature: decode("signature", &wire.envelope.signature)?,
        })
    }

    /// Returns the signing certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Returns the transparency log entries, at least one: `TransparencyLogEntry` of Sigstore's
    /// protobuf specification as JSON.
    #[must_use]
    pub fn entries(&self) -> &[Box<RawValue>] {
        &self.entries
    }

    /// Returns the in-toto statement: the exact bytes that were signed.
    #[must_use]
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// Returns the DSSE signature over the statement.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, AttestationFault> {
    STANDARD.decode(text).map_err(|_| AttestationFault::NotBase64 { field })
}
