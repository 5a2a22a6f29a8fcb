//! Provenance documents and attestation objects (PEP 740), as data with limits.
//!
//! Owns what a document may look like. Nothing here is believed: certificates and signatures are
//! bytes, and the publisher is a claim. Checks no cryptography and fetches nothing.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::shape::{is_object, is_version_1, shown};
use crate::package::json::{self, First, JsonError};

pub use crate::attestation::claim::ClaimedPublisher;
pub use crate::attestation::object::{Attestation, AttestationFault, MAX_ENTRIES};

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
    Version(String),
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
struct WireDocument<'a> {
    #[serde(borrow)]
    version: &'a RawValue,
    #[serde(borrow)]
    attestation_bundles: First<WireBundle<'a>, MAX_BUNDLES>,
}

#[derive(Deserialize)]
struct WireBundle<'a> {
    #[serde(borrow)]
    publisher: Option<&'a RawValue>,
    #[serde(borrow)]
    attestations: First<&'a RawValue, MAX_ATTESTATIONS>,
}

/// Either kind of object, as far as it tells which.
#[derive(Deserialize)]
struct WireKind<'a> {
    #[serde(default, borrow, deserialize_with = "json::present")]
    envelope: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "json::present")]
    attestation_bundles: Option<&'a RawValue>,
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
        let text: &RawValue = json::parse(bytes, MAX_DOCUMENT)?;
        let kind = is_object(text).then(|| serde_json::from_str(text.get()));
        let kind: Option<WireKind<'_>> = kind.transpose().map_err(JsonError::from)?;
        match kind {
            Some(WireKind { envelope: Some(_), attestation_bundles: None }) => {
                Ok(Self::of_attestation(text))
            }
            _ => Self::of_provenance(text),
        }
    }

    fn of_attestation(text: &RawValue) -> Self {
        let attestations = vec![Attestation::read(text)];
        Self { bundles: vec![Bundle { publisher: None, attestations }] }
    }

    fn of_provenance(text: &RawValue) -> Result<Self, DocumentError> {
        let document: WireDocument<'_> =
            serde_json::from_str(text.get()).map_err(JsonError::from)?;
        if !is_version_1(document.version) {
            return Err(DocumentError::Version(shown(document.version)));
        }
        let First { items, count } = document.attestation_bundles;
        match count {
            0 => return Err(DocumentError::NoBundle),
            1..=MAX_BUNDLES => {}
            _ => return Err(DocumentError::TooManyBundles { count }),
        }
        let bundles = (1..).zip(items);
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
    fn of_wire(number: usize, bundle: WireBundle<'_>) -> Result<Self, DocumentError> {
        let First { items, count } = bundle.attestations;
        match count {
            0 => return Err(DocumentError::NoAttestation { number }),
            1..=MAX_ATTESTATIONS => {}
            _ => return Err(DocumentError::TooManyAttestations { number, count }),
        }
        Ok(Self {
            publisher: Some(ClaimedPublisher::read(bundle.publisher)),
            attestations: items.into_iter().map(Attestation::read).collect(),
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
