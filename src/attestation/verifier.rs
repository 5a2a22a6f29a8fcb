//! Verifies attestations with Sigstore. The only module that uses the Sigstore crate.
//!
//! Owns the trusted root, the conversion of a PEP 740 attestation into a Sigstore bundle, and the
//! order of the checks. The root is the embedded one or the user's; it must never be one that a
//! document names. Must not fetch, and must not decide whom to trust.

use ::sigstore::crypto::{CertificateInfo, KeyAlgorithm, SubjectAltName, parse_certificate_info};
use ::sigstore::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use ::sigstore::types::bundle::{CertificateContent, VerificationMaterialContent};
use ::sigstore::types::{
    Bundle as SigstoreBundle, DerCertificate, DsseEnvelope, DsseSignature, KeyId, KindVersion,
    LogKeyId, MediaType, PayloadBytes, Sha256Hash, SignatureBytes, SignatureContent,
    TransparencyLogEntry, VerificationMaterial,
};
use ::sigstore::{CertificateError, TransparencyLogError, VerificationPolicy, VerificationResult};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::attestation::document::{Attestation, Bundle, Document, MAX_DOCUMENT};
use crate::attestation::publisher::{CertificateClaims, Publisher, PublisherUrl, SubjectName};
use crate::attestation::statement::Predicate;
use crate::failure::{Failure, Status};
use crate::package::json::{self, JsonError, Lenient};

pub use crate::attestation::error::{AttestationError, InvalidAttestation};
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
        Ok(Self { logs })
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
            .map(|text| log_entry(text))
            .collect::<Result<Vec<_>, _>>()?;
        for entry in entries {
            let log = self.log(&entry)?;
            let bundle = sigstore_bundle(attestation, entry);
            held_when_logged(&bundle)?;
            let result = log.verify(digest, &bundle, &policy)?;
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

/// The keys of a log entry that tell its kind.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct EntryKind {
    kind_version: EntryVersion,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryVersion {
    kind: Lenient,
    version: Lenient,
}

/// Reads a log entry, and checks that it has a proof and a promise. The crate ignores a missing one
/// if another entry of the bundle has it.
fn log_entry(text: &RawValue) -> Result<TransparencyLogEntry, AttestationError> {
    let EntryKind { kind_version } = serde_json::from_str(text.get()).unwrap_or_default();
    let part = |text: Lenient| text.0.unwrap_or_else(|| "?".to_owned());
    let (kind, version) = (part(kind_version.kind), part(kind_version.version));
    // The kind of entry that Rekor v1 makes for a DSSE envelope; PyPI has no other.
    if (&*kind, &*version) != (KindVersion::DsseV001.kind(), KindVersion::DsseV001.version()) {
        return Err(AttestationError::EntryKind { kind, version });
    }
    let entry: TransparencyLogEntry = serde_json::from_str(text.get())
        .map_err(|error| AttestationError::MalformedEntry(error.to_string()))?;
    body_is_of(entry.canonicalized_body.as_bytes(), entry.kind_version)?;
    if entry.inclusion_promise.is_none() || entry.integrated_time.is_none() {
        return Err(AttestationError::NoSignedTime);
    }
    let proof = entry.inclusion_proof.as_ref().ok_or(AttestationError::NoInclusionProof)?;
    let checkpoint = proof.checkpoint.checkpoint().ok_or(AttestationError::NoCheckpoint)?;
    if checkpoint.tree_size() != proof.tree_size {
        return Err(AttestationError::Checkpoint(format!(
            "it is of a tree of {}, the inclusion proof of one of {}",
            checkpoint.tree_size(),
            proof.tree_size
        )));
    }
    Ok(entry)
}

/// The keys of an entry's body that tell its kind.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct EntryBody {
    kind: Lenient,
    api_version: Lenient,
}

/// Checks that the kind and version in an entry's body equal those in the entry.
///
/// The log signs the body alone. The crate parses the body as the kind in the entry says, and does
/// not compare it with the kind in the body. A body with a repeated key is ambiguous and refused.
fn body_is_of(body: &[u8], stated: KindVersion) -> Result<(), AttestationError> {
    let body: EntryBody = json::parse(body, MAX_DOCUMENT)
        .map_err(|error| AttestationError::MalformedEntry(format!("its body is {error}")))?;
    let part = |text: Lenient| text.0.unwrap_or_else(|| "?".to_owned());
    let (kind, version) = (part(body.kind), part(body.api_version));
    if (&*kind, &*version) == (stated.kind(), stated.version()) {
        return Ok(());
    }
    Err(AttestationError::BodyKind {
        body: format!("{kind} {version}"),
        stated: format!("{} {}", stated.kind(), stated.version()),
    })
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
