//! The cost of one attestation, and the share of its signatures.
//!
//! `cargo bench --bench verify`: offline, one core. A real document under Sigstore's production
//! root, and one of the tests' private instance. For each: the time and the allocations of one
//! verification, from the document's bytes to the publisher; the signature checks it consists of,
//! listened to at the crate's crypto provider; and the floor, which is the same checks, each once,
//! done by aws-lc directly on the same bytes. All of it in turn; the least of many rounds.
#![allow(missing_docs, unreachable_pub, unused)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, UnparsedPublicKey, VerificationAlgorithm,
};
use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::attestation::verifier::{Subject, Verifier};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::filename::DistFilename;
use sigstore::crypto::{self, CryptoProvider, HashContext, SigningScheme};
use sigstore::types::HashAlgorithm;
use support::private_sigstore::PrivateSigstore;
use support::verdicts;

/// How often each is done in one round, and how many rounds there are: the least disturbed of many
/// short ones counts, since nothing but computing is measured.
const PER_ROUND: usize = 20;
const ROUNDS: usize = 101;

/// One document, and what it is to say.
struct Case {
    name: &'static str,
    verifier: Verifier,
    document: Vec<u8>,
    filename: &'static str,
    sha256: Sha256,
}

impl Case {
    /// A GitHub publisher's document, as the index serves it.
    fn real() -> Self {
        let filename = "nimbus_dev_sdk-0.1.0-py3-none-any.whl";
        let sha256 = "4b53c834a36b565d4334218238749601f0988bdef7bbcf674f57f8c523351f11";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/attestations");
        Self {
            name: "real, production root",
            verifier: Verifier::production().unwrap(),
            document: std::fs::read(path.join(format!("{filename}.provenance"))).unwrap(),
            filename,
            sha256: Sha256::parse(sha256).unwrap(),
        }
    }

    fn private() -> Self {
        let instance = PrivateSigstore::shared();
        let (filename, sha256) = (verdicts::WHEEL, verdicts::sha256());
        let root = instance.trusted_root_json();
        Self {
            name: "private instance",
            verifier: Verifier::from_trusted_root(root.as_bytes()).unwrap(),
            document: instance.provenance(&verdicts::github(), filename, sha256).into_bytes(),
            filename,
            sha256,
        }
    }

    /// Verifies a document as the audit does.
    fn verify(&self) {
        let document = Document::parse(&self.document).unwrap();
        let filename = DistFilename::parse(self.filename).unwrap();
        let subject = Subject { filename, sha256: self.sha256 };
        let outcomes = black_box(&self.verifier).verify(black_box(&document), &subject);
        assert!(outcomes.iter().all(|outcome| outcome.publisher.is_ok()));
        black_box(outcomes);
    }

    fn parse(&self) {
        black_box(Document::parse(black_box(&self.document)).unwrap());
    }

    /// The signature checks of one verification, in order.
    fn checks(&self) -> Vec<Check> {
        LISTENER.heard.lock().unwrap().clear();
        LISTENER.on.store(true, Ordering::Relaxed);
        self.verify();
        LISTENER.on.store(false, Ordering::Relaxed);
        std::mem::take(&mut LISTENER.heard.lock().unwrap())
    }
}

/// One signature check.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    scheme: SigningScheme,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Check {
    fn run(&self) {
        let algorithm: &dyn VerificationAlgorithm = match self.scheme {
            SigningScheme::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
            SigningScheme::EcdsaP384Sha384 => &ECDSA_P384_SHA384_ASN1,
            other => panic!("a signature of the scheme {other:?}"),
        };
        UnparsedPublicKey::new(algorithm, &self.key)
            .verify(black_box(&self.message), &self.signature)
            .unwrap();
    }
}

/// The provider that the crate comes with, and an ear at it.
#[derive(Debug)]
struct Listener {
    on: AtomicBool,
    heard: Mutex<Vec<Check>>,
}

static LISTENER: Listener = Listener { on: AtomicBool::new(false), heard: Mutex::new(Vec::new()) };

impl CryptoProvider for Listener {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>, crypto::Error> {
        crypto::aws_lc_provider().hash(algorithm)
    }

    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        crypto::aws_lc_provider().sha256(data)
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), crypto::Error> {
        if self.on.load(Ordering::Relaxed) {
            let (key, message, signature) = (key.into(), message.into(), signature.into());
            self.heard.lock().unwrap().push(Check { scheme, key, message, signature });
        }
        crypto::aws_lc_provider().verify_raw(scheme, key, message, signature)
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), crypto::Error> {
        panic!("no part of an attestation is signed prehashed");
    }
}

/// Milliseconds of one, from a round of many.
fn round(work: impl Fn()) -> f64 {
    let start = Instant::now();
    (0..PER_ROUND).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1000.0 / PER_ROUND as f64
}

fn least(times: Vec<f64>) -> f64 {
    times.into_iter().fold(f64::INFINITY, f64::min)
}

fn report(case: &Case) {
    case.verify();
    let checks = case.checks();
    let mut distinct: Vec<Check> = Vec::new();
    for check in &checks {
        if !distinct.contains(check) {
            distinct.push(check.clone());
        }
    }
    let allocated = allocation_counter::measure(|| case.verify());
    let (mut whole, mut parsing, mut made, mut floor) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        whole.push(round(|| case.verify()));
        parsing.push(round(|| case.parse()));
        made.push(round(|| checks.iter().for_each(Check::run)));
        floor.push(round(|| distinct.iter().for_each(Check::run)));
    }
    let (whole, floor) = (least(whole), least(floor));
    println!("{}, {} bytes", case.name, case.document.len());
    println!("  one verification     {whole:6.3} ms, {:.0} a second and core", 1000.0 / whole);
    println!("  of it, reading JSON  {:6.3} ms", least(parsing));
    println!("  of it, signatures    {:6.3} ms, {} checks", least(made), checks.len());
    println!("  the floor            {floor:6.3} ms, {} different checks", distinct.len());
    println!("  ratio to the floor   {:6.2}", whole / floor);
    let (count, bytes, most) = (allocated.count_total, allocated.bytes_total, allocated.bytes_max);
    println!("  allocations          {count}, {bytes} bytes, {most} at once");
    for scheme in [SigningScheme::EcdsaP256Sha256, SigningScheme::EcdsaP384Sha384] {
        let Some(one) = distinct.iter().find(|check| check.scheme == scheme) else { continue };
        let times = (0..ROUNDS).map(|_| round(|| one.run())).collect();
        println!("  one {:16} {:6.3} ms", scheme.name(), least(times));
    }
}

fn main() {
    crypto::install_default_provider(&LISTENER).unwrap();
    println!("one attestation, the least of {ROUNDS} rounds of {PER_ROUND}");
    report(&Case::real());
    report(&Case::private());
}
