//! Causes of refusals: one stable code for each reason of a verdict.
//!
//! Owns the codes. They are identifiers in formats that programs read, so a code is never changed,
//! and never used for another cause; a new cause gets a new code. Each variant of a [`Reason`] and
//! of the errors of an attestation has a cause of its own; the facts of a cause, such as the
//! expected publisher, are the fields of that variant. The words for users are in
//! [`refusal`](crate::evidence::refusal) and in the `Display` of the errors. Pure.

use crate::attestation::document::{AttestationFault, DocumentError};
use crate::attestation::publisher::{Disagreement, PublisherError};
use crate::attestation::statement::StatementError;
use crate::attestation::verifier::{AttestationError, InvalidAttestation};
use crate::package::json::JsonError;
use crate::trust::pin::Field;
use crate::trust::policy::{Difference, Reason};

/// Defines [`Cause`] from rows of meaning, variant and code, so that no list can lack a variant.
macro_rules! causes {
    ($($(#[doc = $meaning:literal])+ $cause:ident = $code:literal,)+) => {
        /// The cause of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Cause {
            $($(#[doc = $meaning])+ $cause,)+
        }

        impl Cause {
            /// All causes, grouped by the part that is at fault.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)+];

            /// Returns the stable code, in kebab-case.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$cause => $code,)+
                }
            }

            /// Returns the meaning, one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$cause => concat!($($meaning),+).trim_start(),)+
                }
            }
        }
    };
}

causes! {
    /// Another repository or account built the file than the pin names.
    ChangedPublisher = "changed-publisher",
    /// The certificate names another workflow than the pin.
    ChangedWorkflow = "changed-workflow",
    /// The certificate names another deployment environment than the pin.
    ChangedEnvironment = "changed-environment",
    /// The certificate has another number of the repository than the pin.
    ChangedRepositoryId = "changed-repository-id",
    /// The certificate has another number of the repository's owner than the pin.
    ChangedOwnerId = "changed-owner-id",
    /// The project has a pin, and the file has no attestation.
    SignatureExpected = "signature-expected",
    /// The attestation verifies, and the project has no pin.
    PublisherNotRecorded = "publisher-not-recorded",
    /// Several publishers attest files of a project that has no pin.
    AmbiguousPublisher = "ambiguous-publisher",
    /// The file has no attestation, and STRICT requires one.
    AttestationRequired = "attestation-required",

    /// The file's name is not that of a wheel or source distribution.
    FileNameInvalid = "file-name-invalid",
    /// The provenance document is too long.
    DocumentTooLong = "document-too-long",
    /// The provenance document is not the expected JSON.
    DocumentMalformed = "document-malformed",
    /// The provenance document has an unknown version.
    DocumentVersion = "document-version",
    /// The provenance document has no attestation bundle.
    BundleMissing = "bundle-missing",
    /// The provenance document has too many attestation bundles.
    BundleCount = "bundle-count",
    /// A bundle has no attestation.
    BundleEmpty = "bundle-empty",
    /// A bundle has too many attestations.
    BundleSize = "bundle-size",
    /// The attestations of one bundle have several publishers.
    BundlePublishers = "bundle-publishers",
    /// No attestation says that the file was published.
    PublishAttestationMissing = "publish-attestation-missing",

    /// The attestation is not the expected JSON.
    AttestationMalformed = "attestation-malformed",
    /// The attestation has an unknown version.
    AttestationVersion = "attestation-version",
    /// A value of the attestation is not plain base64.
    AttestationEncoding = "attestation-encoding",
    /// The attestation has no verification material of Sigstore.
    VerificationMaterialMissing = "verification-material-missing",

    /// The statement is too long.
    StatementTooLong = "statement-too-long",
    /// The statement is not the expected JSON.
    StatementMalformed = "statement-malformed",
    /// The statement is not an in-toto statement of version 1.
    StatementType = "statement-type",
    /// The statement has an unknown predicate type.
    PredicateType = "predicate-type",
    /// The statement does not have exactly one subject.
    SubjectCount = "subject-count",
    /// The subject's name is not that of a wheel or source distribution.
    SubjectNameInvalid = "subject-name-invalid",
    /// The statement is about a file of another name.
    SubjectNameMismatch = "subject-name-mismatch",
    /// The statement has no sha256 of the file.
    SubjectSha256Missing = "subject-sha256-missing",
    /// The statement is about a file with another sha256.
    SubjectSha256Mismatch = "subject-sha256-mismatch",

    /// The signature does not belong to the statement and the certificate.
    SignatureMismatch = "signature-mismatch",
    /// The certificate's key has an algorithm that PEP 740 does not permit.
    KeyAlgorithm = "key-algorithm",
    /// The certificate does not verify with the trusted root.
    CertificateInvalid = "certificate-invalid",
    /// No certificate transparency log vouches for the certificate.
    CertificateTimestampInvalid = "certificate-timestamp-invalid",
    /// The trusted root does not know the certificate transparency log of the certificate.
    CertificateLogUnknown = "certificate-log-unknown",
    /// The certificate names no issuer of the identity.
    CertificateIssuerMissing = "certificate-issuer-missing",
    /// The certificate is for an identity of an unknown service.
    CertificateIssuerUnknown = "certificate-issuer-unknown",
    /// The certificate lacks a claim that its issuer always states.
    CertificateClaimMissing = "certificate-claim-missing",
    /// A claim of the certificate names no publisher of its service.
    CertificateClaimMalformed = "certificate-claim-malformed",
    /// The certificate's workflow is not of the repository that was built.
    CertificateWorkflowForeign = "certificate-workflow-foreign",

    /// The trusted root does not know the transparency log of the entry.
    LogUnknown = "log-unknown",
    /// The attestation has no transparency log entry.
    LogEntryMissing = "log-entry-missing",
    /// The attestation has too many transparency log entries.
    LogEntryCount = "log-entry-count",
    /// The log entry has an unknown kind or version.
    LogEntryKind = "log-entry-kind",
    /// The log entry and its signed body state different kinds.
    LogEntryKindMismatch = "log-entry-kind-mismatch",
    /// The log entry is malformed.
    LogEntryMalformed = "log-entry-malformed",
    /// The log entry is of another attestation.
    LogEntryMismatch = "log-entry-mismatch",
    /// The log entry has no time signed by the log.
    LogTimeMissing = "log-time-missing",
    /// The log entry's time is not the one that the log signed.
    LogTimeMismatch = "log-time-mismatch",
    /// The certificate was not valid at the log entry's time.
    LogTimeOutsideCertificate = "log-time-outside-certificate",
    /// The log entry has no inclusion proof.
    InclusionProofMissing = "inclusion-proof-missing",
    /// The inclusion proof does not show that the entry is in the log.
    InclusionProofInvalid = "inclusion-proof-invalid",
    /// The log entry has no checkpoint.
    CheckpointMissing = "checkpoint-missing",
    /// The checkpoint is not signed by the log, or is of another tree.
    CheckpointInvalid = "checkpoint-invalid",
    /// The Sigstore verifier refuses the attestation for another cause.
    VerificationFailed = "verification-failed",
    /// The Sigstore verifier did not perform a required check.
    VerificationIncomplete = "verification-incomplete",

    /// The index names no kind of publisher.
    ClaimedKindMissing = "claimed-kind-missing",
    /// The index names a kind of publisher that cannot be verified.
    ClaimedKindUnknown = "claimed-kind-unknown",
    /// The index names another kind of publisher than the certificate.
    ClaimedKindMismatch = "claimed-kind-mismatch",
    /// The index names a publisher without a required key.
    ClaimedPublisherIncomplete = "claimed-publisher-incomplete",
    /// The index names another publisher than the certificate.
    ClaimedPublisherMismatch = "claimed-publisher-mismatch",
}

impl Cause {
    /// Returns the cause of a refusal.
    #[must_use]
    pub const fn of(reason: &Reason) -> Self {
        match reason {
            Reason::ChangedPublisher { difference: Difference::Url, .. } => Self::ChangedPublisher,
            Reason::ChangedPublisher {
                difference: Difference::Field { condition, .. }, ..
            } => match condition.field {
                Field::Workflow => Self::ChangedWorkflow,
                Field::Environment => Self::ChangedEnvironment,
                Field::RepositoryId => Self::ChangedRepositoryId,
                Field::OwnerId => Self::ChangedOwnerId,
            },
            Reason::SignatureExpected { .. } => Self::SignatureExpected,
            Reason::NotRecorded { .. } => Self::PublisherNotRecorded,
            Reason::Ambiguous { .. } => Self::AmbiguousPublisher,
            Reason::UnsignedUnderStrict { .. } => Self::AttestationRequired,
            Reason::Invalid { reason, .. }
            | Reason::TooNew { reason, .. }
            | Reason::UnknownIdentity { reason, .. } => match reason {
                InvalidAttestation::Document(error) => Self::of_document(error),
                InvalidAttestation::FileName(_) => Self::FileNameInvalid,
                InvalidAttestation::Bundle(error) => Self::of_attestation(error),
            },
        }
    }

    const fn of_document(error: &DocumentError) -> Self {
        match error {
            DocumentError::Json(JsonError::TooLong { .. }) => Self::DocumentTooLong,
            DocumentError::Json(JsonError::Malformed(_)) => Self::DocumentMalformed,
            DocumentError::Version(_) => Self::DocumentVersion,
            DocumentError::NoBundle => Self::BundleMissing,
            DocumentError::NoAttestation { .. } => Self::BundleEmpty,
            DocumentError::TooManyBundles { .. } => Self::BundleCount,
            DocumentError::TooManyAttestations { .. } => Self::BundleSize,
        }
    }

    const fn of_attestation(error: &AttestationError) -> Self {
        match error {
            AttestationError::Fault(error) => Self::of_fault(error),
            AttestationError::Statement(error) => Self::of_statement(error),
            AttestationError::Signature => Self::SignatureMismatch,
            AttestationError::Certificate(_) => Self::CertificateInvalid,
            AttestationError::CertificateTimestamp(_) => Self::CertificateTimestampInvalid,
            AttestationError::UnknownCertificateLog(_) => Self::CertificateLogUnknown,
            AttestationError::KeyAlgorithm => Self::KeyAlgorithm,
            AttestationError::EntryKind { .. } => Self::LogEntryKind,
            AttestationError::BodyKind { .. } => Self::LogEntryKindMismatch,
            AttestationError::UnknownLog(_) => Self::LogUnknown,
            AttestationError::MalformedEntry(_) => Self::LogEntryMalformed,
            AttestationError::NoSignedTime => Self::LogTimeMissing,
            AttestationError::SignedTime(_) => Self::LogTimeMismatch,
            AttestationError::Time(_) => Self::LogTimeOutsideCertificate,
            AttestationError::NoInclusionProof => Self::InclusionProofMissing,
            AttestationError::InclusionProof(_) => Self::InclusionProofInvalid,
            AttestationError::NoCheckpoint => Self::CheckpointMissing,
            AttestationError::Checkpoint(_) => Self::CheckpointInvalid,
            AttestationError::OtherEntry(_) => Self::LogEntryMismatch,
            AttestationError::Other(_) => Self::VerificationFailed,
            AttestationError::NotProven(_) => Self::VerificationIncomplete,
            AttestationError::Publisher(error) => Self::of_certificate(error),
            AttestationError::Disagreement(error) => Self::of_claim(error),
            AttestationError::SeveralPublishers { .. } => Self::BundlePublishers,
            AttestationError::NotPublished => Self::PublishAttestationMissing,
        }
    }

    const fn of_fault(error: &AttestationFault) -> Self {
        match error {
            AttestationFault::Shape(_) => Self::AttestationMalformed,
            AttestationFault::Version(_) => Self::AttestationVersion,
            AttestationFault::NoVerificationMaterial => Self::VerificationMaterialMissing,
            AttestationFault::NotBase64 { .. } => Self::AttestationEncoding,
            AttestationFault::NoEntry => Self::LogEntryMissing,
            AttestationFault::TooManyEntries { .. } => Self::LogEntryCount,
        }
    }

    const fn of_statement(error: &StatementError) -> Self {
        match error {
            StatementError::Json(JsonError::TooLong { .. }) => Self::StatementTooLong,
            StatementError::Json(JsonError::Malformed(_)) => Self::StatementMalformed,
            StatementError::Type(_) => Self::StatementType,
            StatementError::Predicate(_) => Self::PredicateType,
            StatementError::Subjects(_) => Self::SubjectCount,
            StatementError::SubjectName(_) => Self::SubjectNameInvalid,
            StatementError::OtherFile(_) => Self::SubjectNameMismatch,
            StatementError::NoSha256 => Self::SubjectSha256Missing,
            StatementError::OtherSha256(_) => Self::SubjectSha256Mismatch,
        }
    }

    const fn of_certificate(error: &PublisherError) -> Self {
        match error {
            PublisherError::NoIssuer => Self::CertificateIssuerMissing,
            PublisherError::UnknownIssuer { .. } => Self::CertificateIssuerUnknown,
            PublisherError::Missing { .. } => Self::CertificateClaimMissing,
            PublisherError::Malformed { .. } => Self::CertificateClaimMalformed,
            PublisherError::ForeignBuildConfig { .. } => Self::CertificateWorkflowForeign,
        }
    }

    const fn of_claim(error: &Disagreement) -> Self {
        match error {
            Disagreement::UnknownKind { .. } => Self::ClaimedKindUnknown,
            Disagreement::Nameless => Self::ClaimedKindMissing,
            Disagreement::Incomplete { .. } => Self::ClaimedPublisherIncomplete,
            Disagreement::Kind { .. } => Self::ClaimedKindMismatch,
            Disagreement::Part { .. } => Self::ClaimedPublisherMismatch,
        }
    }
}
