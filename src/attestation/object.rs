//! One attestation object (PEP 740, "Attestation objects").
//!
//! Owns its shape and what is decoded from it. The log entries stay JSON: their shape is
//! Sigstore's.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::shape::{is_object, is_version_1, shown};
use crate::package::json::{self, First};

/// The most log entries an attestation may have. Signers write one; every one is verified.
pub const MAX_ENTRIES: usize = 8;

/// An attestation, decoded and not verified.
#[derive(Debug, Clone)]
pub struct Attestation {
    certificate: Vec<u8>,
    entries: Vec<Box<RawValue>>,
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
    Version(String),
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
struct WireVersion<'a> {
    #[serde(default, borrow, deserialize_with = "json::present")]
    version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Wire<'a> {
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
    /// Reads an attestation object; keys that PEP 740 does not name are passed over, as it says.
    pub(super) fn read(text: &RawValue) -> Result<Self, AttestationFault> {
        let shape = |error: serde_json::Error| AttestationFault::Shape(error.to_string());
        if !is_object(text) {
            return Err(AttestationFault::Shape("it is no object".to_owned()));
        }
        // The version decides how the rest is shaped, so it is looked at first.
        let WireVersion { version } = serde_json::from_str(text.get()).map_err(shape)?;
        match version {
            Some(version) if is_version_1(version) => {}
            Some(version) => return Err(AttestationFault::Version(shown(version))),
            None => return Err(AttestationFault::Shape("it has no version".to_owned())),
        }
        let wire: Wire<'_> = serde_json::from_str(text.get()).map_err(shape)?;
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

    /// The signing certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The transparency log entries, at least one: `TransparencyLogEntry` of Sigstore's protobuf
    /// specification as JSON.
    #[must_use]
    pub fn entries(&self) -> &[Box<RawValue>] {
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
