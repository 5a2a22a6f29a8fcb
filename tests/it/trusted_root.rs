//! The root that everything is verified against: another instance's is no root of ours, and what is
//! no trusted root at all is the user's error.

use pypi_verify_now::attestation::verifier::Verifier;
use pypi_verify_now::failure::{Failure, Status};
use serde_json::{Value, json};

use crate::support::private_sigstore::{PUBLISH, PrivateSigstore};
use crate::support::verdicts::{WHEEL, github, sha256, verify};

#[test]
fn another_instance_s_attestations_are_refused() {
    let other = PrivateSigstore::new().provenance(&github(), WHEEL, sha256());
    assert!(verify(&other).is_err());
}

#[test]
fn one_verifier_serves_many_threads() {
    let text = PrivateSigstore::shared().provenance(&github(), WHEEL, sha256());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| verify(&text).is_ok())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn invalid_trusted_root_is_refused() {
    let root = PrivateSigstore::shared().trusted_root();
    let with = |key: &str, value: Value| {
        let mut root = root.clone();
        root[key] = value;
        root.to_string()
    };
    let whole = root.to_string();
    let twice = whole.replacen('{', r#"{"tlogs":[],"#, 1);
    let mut bad_key = root.clone();
    bad_key["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA");
    let mut backwards = root.clone();
    backwards["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2019-01-01T00:00:00Z");
    let mut same_log = root.clone();
    same_log["tlogs"][1] = same_log["tlogs"][0].clone();
    for (text, reason) in [
        (String::new(), "not the expected JSON"),
        ("{}".to_owned(), "not the expected JSON"),
        (whole[..whole.len() - 1].to_owned(), "not the expected JSON"),
        (twice, "the key `tlogs` is given twice"),
        (with("mediaType", json!(PUBLISH)), "is of the type"),
        (with("tlogs", json!([])), "has no transparency log"),
        (with("certificateAuthorities", json!([])), "has no certificate authority"),
        (with("ctlogs", json!([])), "has no certificate transparency log"),
        (bad_key.to_string(), "cannot be used"),
        (backwards.to_string(), "cannot be used"),
        (same_log.to_string(), "cannot be used: it has the log"),
        (" ".repeat(2 << 20), "more than 1048576 bytes"),
    ] {
        let error = Verifier::from_trusted_root(text.as_bytes()).err().expect(reason);
        assert!(error.to_string().contains(reason), "{error}");
        let failure = Failure::from(error);
        assert_eq!(failure.status, Status::BadInput);
    }
}
