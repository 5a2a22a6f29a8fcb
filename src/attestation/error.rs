//! Reasons why an attestation does not verify.
//!
//! Owns one reason for each check, and what each of them means for the file ([`Weight`]). The
//! verifier translates errors of the Sigstore crate into these.

use crate::attestation::document::{AttestationFault, DocumentError};
use crate::attestation::publisher::{Disagreement, PublisherError, PublisherUrl};
use crate::attestation::statement::StatementError;
use crate::package::filename::NotADistFilename;

/// The meaning of a reason, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The attestation is bad.
    Invalid,
    /// The attestation is of a kind or version, or of a log, that this version of the program or
    /// its trusted root does not know. A later one may find it good or bad.
    TooNew,
    /// All signatures verify, and the identity is one that no trust file can name.
    UnknownIdentity,
}

/// Reasons why the attestations of a file prove no publisher: the document as a whole is bad, or
/// one of its bundles is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttestation {
    /// The provenance document cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The file's own name is not that of a distribution, so no attestation can be about the file.
    #[error(transparent)]
    FileName(#[from] NotADistFilename),
    /// A bundle is not accepted.
    #[error(transparent)]
    Bundle(#[from] AttestationError),
}

impl InvalidAttestation {
    /// Returns what the reason means.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        match self {
            Self::Document(DocumentError::Version(_)) => Weight::TooNew,
            Self::Document(_) | Self::FileName(_) => Weight::Invalid,
            Self::Bundle(error) => error.weight(),
        }
    }
}

impl AttestationError {
    /// Returns what the reason means.
    #[must_use]
    pub const fn weight(&self) -> Weight {
        match self {
            Self::Fault(AttestationFault::Version(_))
            | Self::Statement(StatementError::Predicate(_))
            | Self::EntryKind { .. }
            | Self::UnknownLog(_)
            | Self::UnknownCertificateLog(_) => Weight::TooNew,
            Self::Publisher(PublisherError::UnknownIssuer { .. })
            | Self::Disagreement(Disagreement::UnknownKind { .. }) => Weight::UnknownIdentity,
            _ => Weight::Invalid,
        }
    }
}

/// Reasons why a bundle is not accepted. In the texts, "its" refers to the attestation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// The attestation cannot be read.
    #[error(transparent)]
    Fault(#[from] AttestationFault),
    /// The statement is not about the file.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature over the statement was not made with the certificate's key.
    #[error("its signature does not belong to its statement and certificate")]
    Signature,
    /// The certificate does not chain to the trusted root, is not for code signing, or was not
    /// valid when the log recorded the signature.
    #[error("its certificate does not verify: {0}")]
    Certificate(String),
    /// The certificate has no valid timestamp of a certificate transparency log.
    #[error("its certificate is not in a certificate transparency log: {0}")]
    CertificateTimestamp(String),
    /// The trusted root does not contain the certificate transparency log of the certificate.
    #[error(
        "its certificate is in the certificate transparency log `{0}`, which the trusted root does not know"
    )]
    UnknownCertificateLog(String),
    /// The key has an algorithm that PEP 740 does not permit.
    #[error("its certificate is not for an ECDSA key on the curve P-256")]
    KeyAlgorithm,
    /// The log entry has an unknown kind, such as those of Rekor v2.
    #[error(
        "its transparency log entry is of the kind `{kind}` in version `{version}`, only dsse 0.0.1 is known"
    )]
    EntryKind {
        /// The kind.
        kind: String,
        /// Its version.
        version: String,
    },
    /// The body of the log entry, which alone is signed, states another kind than the entry.
    #[error("its transparency log entry is stated to be `{stated}`, and its body is `{body}`")]
    BodyKind {
        /// Kind and version in the body.
        body: String,
        /// Kind and version in the entry.
        stated: String,
    },
    /// The trusted root does not contain the log of the entry.
    #[error("its transparency log entry is of the log `{0}`, which the trusted root does not know")]
    UnknownLog(String),
    /// The log entry has another shape.
    #[error("its transparency log entry is malformed: {0}")]
    MalformedEntry(String),
    /// The log entry has no signed entry timestamp, or no time.
    #[error("its transparency log entry has no time signed by the log")]
    NoSignedTime,
    /// The signed entry timestamp is not the log's signature over this entry and time.
    #[error("its transparency log entry's time is not the one the log signed: {0}")]
    SignedTime(String),
    /// The certificate was not valid at the time of the log entry, or that time is in the future.
    #[error("its transparency log entry's time does not fit its certificate: {0}")]
    Time(String),
    /// The log entry has no inclusion proof.
    #[error("its transparency log entry has no inclusion proof")]
    NoInclusionProof,
    /// The inclusion proof does not lead to the log's root hash.
    #[error("its transparency log entry is not in the log: {0}")]
    InclusionProof(String),
    /// The inclusion proof has no checkpoint.
    #[error("its transparency log entry has no checkpoint")]
    NoCheckpoint,
    /// The checkpoint is not signed by the log, or is about another tree.
    #[error("its transparency log entry's checkpoint does not verify: {0}")]
    Checkpoint(String),
    /// The entry is about another envelope or certificate.
    #[error("its transparency log entry is of another attestation: {0}")]
    OtherEntry(String),
    /// Another error of the Sigstore verifier.
    #[error("it does not verify: {0}")]
    Other(String),
    /// The Sigstore verifier succeeded without a check that is required here.
    #[error("its {0} was not verified")]
    NotProven(&'static str),
    /// The certificate names no publisher.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// The index claims a wrong publisher, or one that cannot be verified.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// The attestations of one bundle have different publishers.
    #[error("it is of {other}, another one of the same bundle is of {first}")]
    SeveralPublishers {
        /// The publisher of the first attestation.
        first: PublisherUrl,
        /// The other publisher.
        other: PublisherUrl,
    },
    /// All attestations verify, but none has the predicate type "publish".
    #[error("no attestation says that the file was published, only how it was built")]
    NotPublished,
}
