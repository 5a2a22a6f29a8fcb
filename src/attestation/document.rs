//! Provenance documents (PEP 740), parsed with limits.
//!
//! Owns the shape of a document. Its certificates and signatures are unverified bytes here, and its
//! publisher is a claim. Must not do cryptography or network requests.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::shape::{is_object, is_version_1, shown};
use crate::package::json::{self, First, JsonError};

pub use crate::attestation::claim::ClaimedPublisher;
pub use crate::attestation::object::{Attestation, AttestationFault, MAX_ENTRIES};

/// Maximum size of a document, in bytes. PEP 740 (Appendix 3) expects 5.3 KB for an attestation and
/// three attestations for a file; this is two hundred times as much.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// Maximum number of bundles in a document: one for each identity that attests the file.
pub const MAX_BUNDLES: usize = 32;

/// Maximum number of attestations in a bundle. PEP 740 has two predicate types, with one
/// attestation each.
pub const MAX_ATTESTATIONS: usize = 16;

/// The statements of an index, or of the user's second source, about the origin of one file: one or
/// more bundles of one or more attestations (PEP 740, "Provenance objects").
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

/// Reasons why a text is not a provenance document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Too long, not JSON, an object with a repeated key, or another shape.
    #[error("the provenance document is {0}")]
    Json(#[from] JsonError),
    /// The version is not 1.
    #[error("the provenance document is of version {0}, only version 1 is known")]
    Version(String),
    /// `attestation_bundles` is empty.
    #[error("the provenance document has no attestation bundle")]
    NoBundle,
    /// A bundle's `attestations` is empty.
    #[error("bundle {number} of the provenance document has no attestation")]
    NoAttestation {
        /// Number of the bundle, counted from 1.
        number: usize,
    },
    /// More bundles than [`MAX_BUNDLES`].
    #[error("the provenance document has {count} attestation bundles, more than {MAX_BUNDLES}")]
    TooManyBundles {
        /// Number of bundles.
        count: usize,
    },
    /// More attestations than [`MAX_ATTESTATIONS`].
    #[error(
        "bundle {number} of the provenance document has {count} attestations, more than {MAX_ATTESTATIONS}"
    )]
    TooManyAttestations {
        /// Number of the bundle, counted from 1.
        number: usize,
        /// Number of attestations.
        count: usize,
    },
}

/// PEP 740 allows further keys in all its objects, so unknown keys are ignored.
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

/// The keys that tell the two kinds of object apart.
#[derive(Deserialize)]
struct WireKind<'a> {
    #[serde(default, borrow, deserialize_with = "json::present")]
    envelope: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "json::present")]
    attestation_bundles: Option<&'a RawValue>,
}

impl Document {
    /// Parses a provenance document, as an index serves it, or a single attestation object (PEP
    /// 740, "Attestation objects"), as `*.attestation` files contain it. An object with an
    /// `envelope` and without `attestation_bundles` is an attestation; it becomes a document of one
    /// bundle without a claimed publisher.
    ///
    /// An attestation that cannot be read does not make the document unreadable: the
    /// [`AttestationFault`] is kept and only its bundle fails, so that the bundles of other
    /// identities still count.
    ///
    /// # Errors
    /// The text is longer than [`MAX_DOCUMENT`] or is not strict JSON; or the document's version is
    /// not 1, it has no bundle, a bundle has no attestation, or there are too many of them.
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

    /// Returns the bundles, at least one, in the document's order.
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

    /// Returns the publisher that the index claims. Returns `None` for a single attestation, which
    /// has no claim. A document without a `publisher` has a claim without a name instead.
    #[must_use]
    pub const fn publisher(&self) -> Option<&ClaimedPublisher> {
        self.publisher.as_ref()
    }

    /// Returns the attestations, at least one; each is either read or has the reason why it was
    /// not.
    pub fn attestations(&self) -> &[Result<Attestation, AttestationFault>] {
        &self.attestations
    }
}
