//! Why an attestation does not verify.
//!
//! Owns the reasons, one for each check. Every one of them means that the document fails, never
//! that it could not be checked. What the Sigstore crate says is put into these words beside the
//! verifier, not here.

use crate::attestation::document::AttestationFault;
use crate::attestation::publisher::{Disagreement, PublisherError, PublisherUrl};
use crate::attestation::statement::StatementError;

/// Why a bundle's attestations prove nothing. Said of an attestation: "its signature …".
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// It cannot be read.
    #[error(transparent)]
    Fault(#[from] AttestationFault),
    /// Its statement is not about the file.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature is not the certificate's over the statement.
    #[error("its signature does not belong to its statement and certificate")]
    Signature,
    /// The certificate does not come from the trusted root, was not for signing code, or did not
    /// hold when the log saw the signature.
    #[error("its certificate does not verify: {0}")]
    Certificate(String),
    /// The certificate was not put into a certificate transparency log.
    #[error("its certificate is not in a certificate transparency log: {0}")]
    CertificateTimestamp(String),
    /// The key is of another algorithm than PEP 740 permits.
    #[error("its certificate is not for an ECDSA key on the curve P-256")]
    KeyAlgorithm,
    /// The log entry is of a kind that is not known here, such as those of Rekor v2.
    #[error(
        "its transparency log entry is of the kind `{kind}` in version `{version}`, only dsse 0.0.1 is known"
    )]
    EntryKind {
        /// The kind.
        kind: String,
        /// Its version.
        version: String,
    },
    /// The log entry's body, which is all that the log signed of its kind, is of another kind than
    /// the entry states.
    #[error("its transparency log entry is stated to be `{stated}`, and its body is `{body}`")]
    BodyKind {
        /// Kind and version in the body.
        body: String,
        /// Kind and version that stand beside the body.
        stated: String,
    },
    /// The log entry is of a log that the trusted root does not have.
    #[error("its transparency log entry is of the log `{0}`, which the trusted root does not know")]
    UnknownLog(String),
    /// The log entry is not shaped as one.
    #[error("its transparency log entry is malformed: {0}")]
    MalformedEntry(String),
    /// The log entry has no signed entry timestamp, or no time.
    #[error("its transparency log entry has no time signed by the log")]
    NoSignedTime,
    /// The signed entry timestamp is not the log's over this entry and time.
    #[error("its transparency log entry's time is not the one the log signed: {0}")]
    SignedTime(String),
    /// The certificate did not hold at the time of the log entry, or that time is yet to come.
    #[error("its transparency log entry's time does not fit its certificate: {0}")]
    Time(String),
    /// The log entry has no inclusion proof.
    #[error("its transparency log entry has no inclusion proof")]
    NoInclusionProof,
    /// The inclusion proof does not lead to the log's root.
    #[error("its transparency log entry is not in the log: {0}")]
    InclusionProof(String),
    /// The inclusion proof has no checkpoint.
    #[error("its transparency log entry has no checkpoint")]
    NoCheckpoint,
    /// The checkpoint is not the log's, or of another tree.
    #[error("its transparency log entry's checkpoint does not verify: {0}")]
    Checkpoint(String),
    /// The entry is of another envelope or certificate.
    #[error("its transparency log entry is of another attestation: {0}")]
    OtherEntry(String),
    /// Something else that the Sigstore verifier does not accept.
    #[error("it does not verify: {0}")]
    Other(String),
    /// The verifier was content without having verified this.
    #[error("its {0} was not verified")]
    NotProven(&'static str),
    /// The certificate names no publisher.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// The index lies about the publisher, or names one that nobody can verify.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// The attestations of one bundle are of several publishers.
    #[error("it is of {other}, another one of the same bundle is of {first}")]
    SeveralPublishers {
        /// The publisher of the first.
        first: PublisherUrl,
        /// The other publisher.
        other: PublisherUrl,
    },
    /// All attestations verify, and none says that the file was published.
    #[error("no attestation says that the file was published, only how it was built")]
    NotPublished,
}
