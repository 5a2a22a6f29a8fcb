//! One wheel under the shared private Sigstore: attestations of it, and what the program says.

use std::sync::OnceLock;

use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::attestation::publisher::Publisher;
use pypi_verify_now::attestation::verifier::{AttestationError, BundleEvidence, Subject, Verifier};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::filename::DistFilename;
use serde_json::{Value, json};

use super::private_sigstore::{PrivateSigstore, SLSA, Signer};

/// The file that is attested.
pub const WHEEL: &str = "example-1.0-py2.py3-none-any.whl";

/// A verifier under the shared instance's root.
pub fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let root = PrivateSigstore::shared().trusted_root_json();
        Verifier::from_trusted_root(root.as_bytes()).unwrap()
    })
}

/// The digest of the file.
pub fn sha256() -> Sha256 {
    Sha256::of(b"the wheel")
}

/// Returns the result of each bundle of a document, or of a single attestation.
pub fn outcomes(text: &str) -> Vec<BundleEvidence> {
    let subject = Subject { filename: DistFilename::parse(WHEEL).unwrap(), sha256: sha256() };
    verifier().verify(&Document::parse(text.as_bytes()).unwrap(), &subject)
}

/// Returns the result of the only bundle.
pub fn verify(text: &str) -> Result<Publisher, AttestationError> {
    let mut outcomes = outcomes(text);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).publisher
}

/// The usual builder.
pub fn github() -> Signer {
    Signer::github("octo/example")
}

/// A publish attestation with nothing wrong.
pub fn honest(signer: &Signer) -> Value {
    PrivateSigstore::shared().mint(signer, WHEEL, sha256()).attestation()
}

/// A SLSA attestation with nothing wrong.
pub fn slsa(signer: &Signer) -> Value {
    let built = json!({"buildDefinition": {}});
    PrivateSigstore::shared().mint(signer, WHEEL, sha256()).predicate(SLSA, built).attestation()
}
