//! Provenance documents and attestation objects (PEP 740), as data with limits.
//!
//! Owns what a document may look like. Nothing here is believed: certificates and signatures are
//! bytes, and the publisher is a claim. Checks no cryptography and fetches nothing.

mod attestation;
mod claim;

use serde::Deserialize;
use serde_json::Value;

use crate::json::{self, JsonError};

pub use attestation::{Attestation, AttestationFault, MAX_ENTRIES};
pub use claim::ClaimedPublisher;

/// The longest document read, in bytes. PEP 740 (Appendix 3) reckons with 5.3 KB an attestation and
/// three of them a file; this holds two hundred times that.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// The most bundles a document may have: one for each identity that attests the file.
pub const MAX_BUNDLES: usize = 32;

/// The most attestations a bundle may have. PyPI knows two predicate types, one attestation each.
pub const MAX_ATTESTATIONS: usize = 16;

/// What an index, or the user's second source, says about where one file comes from: one or more
/// bundles of one or more attestations (PEP 740, "Provenance objects").
#[derive(Debug, Clone)]
pub struct Document {
    bundles: Vec<Bundle>,
}

/// The attestations of one identity.
#[derive(Debug, Clone)]
pub struct Bundle {
    publisher: Option<ClaimedPublisher>,
    attestations: Vec<Result<Attestation, AttestationFault>>,
}

/// A text that is no provenance document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Too long, not JSON, a key given twice, or another shape.
    #[error("the provenance document is {0}")]
    Json(#[from] JsonError),
    /// Another version than 1.
    #[error("the provenance document is of version {0}, only version 1 is known")]
    Version(Value),
    /// `attestation_bundles` is empty: nothing is attested.
    #[error("the provenance document has no attestation bundle")]
    NoBundle,
    /// A bundle's `attestations` is empty: nothing is attested.
    #[error("bundle {number} of the provenance document has no attestation")]
    NoAttestation {
        /// Which bundle, counted from 1.
        number: usize,
    },
    /// More bundles than [`MAX_BUNDLES`].
    #[error("the provenance document has {count} attestation bundles, more than {MAX_BUNDLES}")]
    TooManyBundles {
        /// How many.
        count: usize,
    },
    /// More attestations than [`MAX_ATTESTATIONS`].
    #[error(
        "bundle {number} of the provenance document has {count} attestations, more than {MAX_ATTESTATIONS}"
    )]
    TooManyAttestations {
        /// Which bundle, counted from 1.
        number: usize,
        /// How many.
        count: usize,
    },
}

/// PEP 740 leaves all its objects open for further keys, so unknown ones are passed over.
#[derive(Deserialize)]
struct WireDocument {
    version: Value,
    attestation_bundles: Vec<WireBundle>,
}

#[derive(Deserialize)]
struct WireBundle {
    #[serde(default)]
    publisher: Value,
    attestations: Vec<Value>,
}

impl Document {
    /// Reads a provenance document, as an index serves it, or a single attestation object (PEP 740,
    /// "Attestation objects"), as `*.attestation` files hold it: what has an `envelope` and no
    /// `attestation_bundles`. That is a document of one bundle that claims no publisher.
    ///
    /// An attestation that cannot be read does not make the document unreadable: it is kept as the
    /// [`AttestationFault`] that its bundle fails with, so that other identities are unharmed.
    ///
    /// # Errors
    /// The text is longer than [`MAX_DOCUMENT`] or not strict JSON; of a document, the version is
    /// not 1, there is no bundle or one without attestation, or there are too many.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let value: Value = json::parse(bytes, MAX_DOCUMENT)?;
        match value.get("envelope") {
            Some(_) if value.get("attestation_bundles").is_none() => {
                Ok(Self::of_attestation(value))
            }
            _ => Self::of_provenance(value),
        }
    }

    fn of_attestation(value: Value) -> Self {
        let attestations = vec![Attestation::read(value)];
        Self { bundles: vec![Bundle { publisher: None, attestations }] }
    }

    fn of_provenance(value: Value) -> Result<Self, DocumentError> {
        let document = WireDocument::deserialize(value).map_err(JsonError::from)?;
        if document.version.as_u64() != Some(1) {
            return Err(DocumentError::Version(document.version));
        }
        let count = document.attestation_bundles.len();
        match count {
            0 => return Err(DocumentError::NoBundle),
            1..=MAX_BUNDLES => {}
            _ => return Err(DocumentError::TooManyBundles { count }),
        }
        let bundles = (1..).zip(document.attestation_bundles);
        let bundles = bundles.map(|(number, bundle)| Bundle::of_wire(number, bundle));
        Ok(Self { bundles: bundles.collect::<Result<_, _>>()? })
    }

    /// The bundles, at least one, in the document's order.
    #[must_use]
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }
}

impl Bundle {
    fn of_wire(number: usize, bundle: WireBundle) -> Result<Self, DocumentError> {
        let count = bundle.attestations.len();
        match count {
            0 => return Err(DocumentError::NoAttestation { number }),
            1..=MAX_ATTESTATIONS => {}
            _ => return Err(DocumentError::TooManyAttestations { number, count }),
        }
        Ok(Self {
            publisher: Some(ClaimedPublisher::read(&bundle.publisher)),
            attestations: bundle.attestations.into_iter().map(Attestation::read).collect(),
        })
    }

    /// Who the index says built the file; `None` where nobody says anything, in a single
    /// attestation. A `publisher` that is missing from a document is a claim that names nobody.
    #[must_use]
    pub const fn publisher(&self) -> Option<&ClaimedPublisher> {
        self.publisher.as_ref()
    }

    /// The attestations, at least one, each either read or with the reason why it was not.
    pub fn attestations(&self) -> &[Result<Attestation, AttestationFault>] {
        &self.attestations
    }
}
