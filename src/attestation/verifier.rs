//! Verifies attestations with Sigstore. The only module that uses the Sigstore crate.
//!
//! Owns the trusted root, the conversion of a PEP 740 attestation into a Sigstore bundle, and the
//! order of the checks. The root is the embedded one or the user's; it must never be one that a
//! document names. Must not fetch, and must not decide whom to trust.

mod entry;

use ::sigstore::crypto::{CertificateInfo, KeyAlgorithm, SubjectAltName, parse_certificate_info};
use ::sigstore::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use ::sigstore::types::bundle::{CertificateContent, VerificationMaterialContent};
use ::sigstore::types::{
    Bundle as SigstoreBundle, DerCertificate, DsseEnvelope, DsseSignature, KeyId, LogKeyId,
    MediaType, PayloadBytes, Sha256Hash, SignatureBytes, SignatureContent, TransparencyLogEntry,
    VerificationMaterial,
};
use ::sigstore::{CertificateError, TransparencyLogError, VerificationPolicy, VerificationResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::attestation::document::{Attestation, Bundle, Document};
use crate::attestation::publisher::{CertificateClaims, Publisher, PublisherUrl, SubjectName};
use crate::attestation::statement::Predicate;
use crate::failure::{Failure, Status};
use crate::package::digest::Sha256;
use crate::package::json::{self, JsonError};

pub use crate::attestation::error::{AttestationError, InvalidAttestation, Weight};
pub use crate::attestation::statement::Subject;

/// Maximum size of `trusted_root.json`, in bytes. Sigstore's own has 7 KB.
pub const MAX_TRUSTED_ROOT: usize = 1024 * 1024;

/// The payload type of every attestation's DSSE envelope; PEP 740 permits no other.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The media type of a trusted root, without the version.
const TRUSTED_ROOT_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// Verifies attestations with one trusted root. All threads share one verifier.
pub struct Verifier {
    /// One verifier for each transparency log, whose root contains only that log. The crate accepts
    /// an entry's checkpoint from any log of its root, so with all logs in one root, one log could
    /// vouch for the entries of another.
    logs: Vec<(LogKeyId, ::sigstore::Verifier)>,
    /// The numbers of the certificate transparency logs.
    certificate_logs: Vec<Vec<u8>>,
}

/// One bundle of a document: the publisher that all of its attestations prove, or the reason why
/// they prove none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEvidence {
    /// The publisher that the index claims for the bundle. The claim is unsigned and never trusted;
    /// it only says to which publisher a failed bundle counts.
    pub claimed: Option<PublisherUrl>,
    /// The publisher of the verified certificate, or the reason of the failure.
    pub publisher: Result<Publisher, AttestationError>,
}

/// Reasons why a text is not a trusted root.
#[derive(Debug, thiserror::Error)]
pub enum TrustedRootError {
    /// Too long, not JSON, an object with a repeated key, or another shape.
    #[error("the trusted root is {0}")]
    Json(#[from] JsonError),
    /// The media type is not that of a trusted root.
    #[error("the trusted root is of the type `{0}`, not `{TRUSTED_ROOT_TYPE}`")]
    Type(String),
    /// A required part is missing.
    #[error("the trusted root has no {0}")]
    Lacks(&'static str),
    /// A key or certificate cannot be used.
    #[error("the trusted root cannot be used: {0}")]
    Unusable(String),
}

impl From<TrustedRootError> for Failure {
    fn from(error: TrustedRootError) -> Self {
        Self::new(Status::BadInput, error.to_string())
            .hint("a trusted root is the `trusted_root.json` of a Sigstore instance")
    }
}

impl Verifier {
    /// Returns a verifier for Sigstore's public instance, with the trusted root embedded in this
    /// program.
    ///
    /// # Errors
    /// The embedded root cannot be used: a defect of this build.
    pub fn production() -> Result<Self, TrustedRootError> {
        Self::from_trusted_root(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// Returns a verifier for another instance, with its `trusted_root.json`.
    ///
    /// # Errors
    /// The text is not a trusted root, a key or certificate in it cannot be used, or it lacks a
    /// transparency log, a certificate authority or a certificate transparency log.
    pub fn from_trusted_root(json: &[u8]) -> Result<Self, TrustedRootError> {
        let value: Value = json::parse(json, MAX_TRUSTED_ROOT)?;
        let root = TrustedRoot::deserialize(value).map_err(JsonError::from)?;
        if !root.media_type.starts_with(TRUSTED_ROOT_TYPE) {
            return Err(TrustedRootError::Type(root.media_type));
        }
        for (count, what) in [
            (root.tlogs.len(), "transparency log"),
            (root.certificate_authorities.len(), "certificate authority"),
            (root.ctlogs.len(), "certificate transparency log"),
        ] {
            if count == 0 {
                return Err(TrustedRootError::Lacks(what));
            }
        }
        let mut logs: Vec<(LogKeyId, ::sigstore::Verifier)> = Vec::new();
        for log in &root.tlogs {
            let id = log.log_id.key_id.clone();
            if logs.iter().any(|(other, _)| *other == id) {
                return Err(TrustedRootError::Unusable(format!("it has the log {id} twice")));
            }
            let mut alone = root.clone();
            alone.tlogs = vec![log.clone()];
            let verifier = ::sigstore::Verifier::new(&alone)
                .map_err(|error| TrustedRootError::Unusable(error.to_string()))?;
            logs.push((id, verifier));
        }
        let certificate_logs = root.ctlogs.iter().map(|log| &log.log_id.key_id);
        let certificate_logs =
            certificate_logs.filter_map(|id| STANDARD.decode(id.to_string()).ok());
        Ok(Self { logs, certificate_logs: certificate_logs.collect() })
    }

    /// Verifies every bundle of a document for one file, in the document's order.
    ///
    /// A bundle is good if all of these hold:
    ///
    /// 1. Each of its attestations verifies for the file. An index cannot add one of another file.
    /// 2. All attestations have one publisher. One publisher cannot use the attestation of another.
    /// 3. At least one has the predicate type "publish". A build that was never published does not
    ///    count.
    /// 4. The index's claim about the publisher is true.
    #[must_use]
    pub fn verify(&self, document: &Document, subject: &Subject) -> Vec<BundleEvidence> {
        let evidence = |bundle: &Bundle| BundleEvidence {
            claimed: bundle.publisher().and_then(PublisherUrl::of_claim),
            publisher: self.verify_bundle(bundle, subject),
        };
        document.bundles().iter().map(evidence).collect()
    }

    fn verify_bundle(
        &self,
        bundle: &Bundle,
        subject: &Subject,
    ) -> Result<Publisher, AttestationError> {
        let mut proven: Vec<(Predicate, Publisher)> = Vec::new();
        for attestation in bundle.attestations() {
            let attestation = attestation.as_ref().map_err(Clone::clone)?;
            let predicate = subject.stated_by(attestation.statement())?;
            let publisher = self.verify_attestation(attestation, subject)?;
            if let Some(claim) = bundle.publisher() {
                publisher.agrees_with(claim)?;
            }
            if let Some((_, first)) = proven.first()
                && (first.kind(), first.url()) != (publisher.kind(), publisher.url())
            {
                return Err(AttestationError::SeveralPublishers {
                    first: first.url().clone(),
                    other: publisher.url().clone(),
                });
            }
            proven.push((predicate, publisher));
        }
        // A statement of how a file was built does not say that the publisher published it.
        proven
            .into_iter()
            .find_map(|(predicate, publisher)| {
                (predicate == Predicate::Publish).then_some(publisher)
            })
            .ok_or(AttestationError::NotPublished)
    }

    /// Verifies the cryptography of one attestation, then reads the identity from its certificate.
    fn verify_attestation(
        &self,
        attestation: &Attestation,
        subject: &Subject,
    ) -> Result<Publisher, AttestationError> {
        let digest = Sha256Hash::new(*subject.sha256.as_bytes());
        // Any identity is accepted here, because the policy decides later whom to trust.
        let policy = VerificationPolicy::any_identity();
        let mut publisher = None;
        let entries = attestation
            .entries()
            .iter()
            .map(|text| {
                let entry = entry::read(text)?;
                let log = self.log(&entry)?;
                entry::complete(&entry)?;
                Ok((entry, log))
            })
            .collect::<Result<Vec<_>, AttestationError>>()?;
        for (entry, log) in entries {
            let bundle = sigstore_bundle(attestation, entry);
            held_when_logged(&bundle)?;
            let result = log.verify(digest, &bundle, &policy).map_err(|error| self.named(error))?;
            let certificate = proven_certificate(&result)?;
            publisher = Some(Publisher::from_verified_certificate(&claims(certificate))?);
        }
        publisher.ok_or(AttestationError::NotProven("transparency log entry"))
    }

    /// Returns the verifier of the log that an entry names.
    fn log(&self, entry: &TransparencyLogEntry) -> Result<&::sigstore::Verifier, AttestationError> {
        let id = &entry.log_id.key_id;
        let known = self.logs.iter().find(|(log, _)| log == id);
        known
            .map(|(_, verifier)| verifier)
            .ok_or_else(|| AttestationError::UnknownLog(id.to_string()))
    }

    /// Returns the reason for an error of the crate. The crate has one error for a certificate
    /// timestamp of an unknown log and for one that is wrong; only its text has the log's number.
    fn named(&self, error: ::sigstore::Error) -> AttestationError {
        match AttestationError::from(error) {
            AttestationError::CertificateTimestamp(detail) => {
                let number = detail.rsplit_once(' ').map_or("", |(_, number)| number);
                let number = Sha256::parse(number).ok().filter(|number| {
                    let is_it = |known: &Vec<u8>| known == number.as_bytes();
                    detail.contains("key not found") && !self.certificate_logs.iter().any(is_it)
                });
                match number {
                    Some(number) => AttestationError::UnknownCertificateLog(number.to_string()),
                    None => AttestationError::CertificateTimestamp(detail),
                }
            }
            reason => reason,
        }
    }
}

/// Returns the certificate of a successful verification, after a check that the crate did verify
/// every part. The crate's contract promises that; this check does not rely on the promise.
fn proven_certificate(result: &VerificationResult) -> Result<&CertificateInfo, AttestationError> {
    for (proven, what) in [
        (result.certificate_verified(), "certificate"),
        (result.sct_verified(), "certificate timestamp"),
        (result.tlog_verified(), "transparency log entry"),
        (result.integrated_time().is_some(), "signed entry timestamp"),
    ] {
        if !proven {
            return Err(AttestationError::NotProven(what));
        }
    }
    let certificate = result.certificate().ok_or(AttestationError::NotProven("certificate"))?;
    // The only algorithm of version 1 (PEP 740, "Attestation objects").
    match certificate.key_algorithm {
        KeyAlgorithm::EcdsaP256 => Ok(certificate),
        _ => Err(AttestationError::KeyAlgorithm),
    }
}

/// Builds a Sigstore bundle of version 0.3 with a DSSE envelope and one log entry.
fn sigstore_bundle(attestation: &Attestation, entry: TransparencyLogEntry) -> SigstoreBundle {
    let certificate = DerCertificate::from_bytes(attestation.certificate());
    let material = VerificationMaterial::new(VerificationMaterialContent::Certificate(
        CertificateContent::new(certificate),
    ))
    .with_tlog_entries(vec![entry]);
    let signature = SignatureBytes::from_bytes(attestation.signature());
    let envelope = DsseEnvelope::new(
        PAYLOAD_TYPE,
        PayloadBytes::from_bytes(attestation.statement()),
        DsseSignature::new(signature, KeyId::default()),
    );
    let content = SignatureContent::DsseEnvelope(envelope);
    SigstoreBundle::new(MediaType::Bundle0_3, material, content)
}

/// Checks that the time of every log entry is within the certificate's validity. The crate checks
/// it too, but its message is about a certificate chain and does not help a user.
fn held_when_logged(bundle: &SigstoreBundle) -> Result<(), AttestationError> {
    let missing = AttestationError::NotProven("certificate");
    let certificate = parse_certificate_info(bundle.signing_certificate().ok_or(missing)?)
        .map_err(|error| AttestationError::Certificate(error.to_string()))?;
    let (start, end) = (certificate.not_before, certificate.not_after);
    for entry in &bundle.verification_material.tlog_entries {
        let time = entry.integrated_time.ok_or(AttestationError::NoSignedTime)?;
        if time < start || time > end {
            let detail = format!("it is {time}, the certificate held from {start} to {end}");
            return Err(AttestationError::Time(detail));
        }
    }
    Ok(())
}

fn claims(certificate: &CertificateInfo) -> CertificateClaims {
    let subject = certificate.identity.as_ref().and_then(|name| match name {
        SubjectAltName::Uri(uri) => Some(SubjectName::Uri(uri.clone())),
        SubjectAltName::Email(address) => Some(SubjectName::Email(address.clone())),
        _ => None,
    });
    let ci = certificate.ci_claims.clone();
    CertificateClaims {
        subject,
        issuer: certificate.issuer.clone(),
        build_signer: ci.build_signer_uri,
        source_repository: ci.source_repository_uri,
        source_digest: ci.source_repository_digest,
        source_ref: ci.source_repository_ref,
        repository_id: ci.source_repository_identifier,
        owner_id: ci.source_repository_owner_identifier,
        build_config: ci.build_config_uri,
        run_url: ci.run_invocation_uri,
        environment: ci.deployment_environment,
    }
}

impl From<::sigstore::Error> for AttestationError {
    fn from(error: ::sigstore::Error) -> Self {
        match error {
            ::sigstore::Error::SignatureInvalid(_) => Self::Signature,
            ::sigstore::Error::Certificate(CertificateError::Sct(detail)) => {
                Self::CertificateTimestamp(detail)
            }
            ::sigstore::Error::Certificate(
                error @ (CertificateError::Expired { .. } | CertificateError::NotYetValid { .. }),
            ) => Self::Time(error.to_string()),
            ::sigstore::Error::Certificate(error) => Self::Certificate(error.to_string()),
            ::sigstore::Error::TransparencyLog(error) => Self::from(error),
            ::sigstore::Error::Timestamp(error) => Self::SignedTime(error.to_string()),
            ::sigstore::Error::Bundle(error) => Self::MalformedEntry(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<TransparencyLogError> for AttestationError {
    fn from(error: TransparencyLogError) -> Self {
        match error {
            TransparencyLogError::InclusionProof(detail) => Self::InclusionProof(detail),
            TransparencyLogError::Checkpoint(detail) => Self::Checkpoint(detail),
            TransparencyLogError::InclusionPromise(detail) => Self::SignedTime(detail),
            TransparencyLogError::EntryMismatch(detail) => Self::OtherEntry(detail),
            TransparencyLogError::IntegratedTime(detail) => Self::Time(detail),
            TransparencyLogError::MalformedEntry(detail) => Self::MalformedEntry(detail),
            error => Self::Other(error.to_string()),
        }
    }
}
