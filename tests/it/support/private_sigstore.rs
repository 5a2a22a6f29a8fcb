//! A Sigstore instance of the tests' own: root, intermediate, CT log and Rekor log with fresh keys,
//! whose trusted root the program can be given, and which attests any file for any publisher.
//!
//! [`PrivateSigstore::provenance`] makes a whole document in one call; [`PrivateSigstore::mint`]
//! makes one attestation with any single part broken. Everything is minted at one fixed moment.
#![allow(dead_code, reason = "a box of tools, of which each theme takes what it needs")]

mod authority;
mod encoding;
mod log;
mod minting;
mod mutation;
mod signer;

use std::fmt::Display;
use std::sync::OnceLock;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use serde_json::{Value, json};

use authority::Authority;
use encoding::{base64, sha256};
use log::Rekor;

pub use minting::Minting;
pub use mutation::Mutation;
pub use signer::{COMMIT, San, Signer};

/// The moment of every signature: 2025-06-02 00:00:00 UTC, in seconds since the epoch.
pub const SIGNED_AT: i64 = 1_748_822_400;

/// The predicate type of a publish attestation (PEP 740).
pub const PUBLISH: &str = "https://docs.pypi.org/attestations/publish/v1";
/// The predicate type of a SLSA provenance attestation.
pub const SLSA: &str = "https://slsa.dev/provenance/v1";

/// A certificate authority, a CT log and two Rekor logs, the second of which is rarely used.
pub struct PrivateSigstore {
    authority: Authority,
    ct: KeyPair,
    rekor: Rekor,
    second_rekor: Rekor,
}

impl PrivateSigstore {
    /// An instance with fresh keys.
    pub fn new() -> Self {
        Self {
            authority: Authority::new(),
            ct: p256(),
            rekor: Rekor::new(),
            second_rekor: Rekor::new(),
        }
    }

    /// The instance that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PrivateSigstore> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// This instance's `trusted_root.json`.
    pub fn trusted_root_json(&self) -> String {
        self.trusted_root().to_string()
    }

    /// Returns the document as a value, for tests that break it.
    pub fn trusted_root(&self) -> Value {
        let valid = json!({"start": "2020-01-01T00:00:00Z"});
        let log = |url: &str, key: &KeyPair| {
            json!({
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": base64(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": valid,
                },
                "logId": {"keyId": base64(sha256(&key.subject_public_key_info()))},
            })
        };
        let certificate = |der: &[u8]| json!({"rawBytes": base64(der)});
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                log("https://rekor.example", self.rekor.key()),
                log("https://second.rekor.example", self.second_rekor.key()),
            ],
            "certificateAuthorities": [{
                "subject": {"organization": "private.example", "commonName": "private"},
                "uri": "https://fulcio.example",
                "certChain": {"certificates": [
                    certificate(self.authority.intermediate()),
                    certificate(self.authority.root()),
                ]},
                "validFor": valid,
            }],
            "ctlogs": [log("https://ct.example", &self.ct)],
            "timestampAuthorities": [],
        })
    }

    /// A whole provenance document (PEP 740): one bundle of `signer`, with its honest `publisher`,
    /// and in it one publish attestation of the file. `sha256` is 64 hexadecimal digits.
    pub fn provenance(&self, signer: &Signer, filename: &str, sha256: impl Display) -> String {
        let attestation = self.mint(signer, filename, sha256).attestation();
        document([bundle(signer.publisher(), [attestation])])
    }

    /// One attestation of the file, to be broken before it is made.
    pub fn mint(&self, signer: &Signer, filename: &str, sha256: impl Display) -> Minting<'_> {
        Minting::new(self, signer.clone(), filename, sha256.to_string())
    }
}

/// One entry of `attestation_bundles`.
pub fn bundle(publisher: Value, attestations: impl IntoIterator<Item = Value>) -> Value {
    json!({
        "publisher": publisher,
        "attestations": attestations.into_iter().collect::<Vec<_>>(),
    })
}

/// A provenance document of these bundles.
pub fn document(bundles: impl IntoIterator<Item = Value>) -> String {
    json!({"version": 1, "attestation_bundles": bundles.into_iter().collect::<Vec<_>>()})
        .to_string()
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}
