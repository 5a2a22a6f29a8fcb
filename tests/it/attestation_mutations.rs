//! Attestations of a private Sigstore: with any single part broken each is refused for that very
//! reason, and the one that is whole verifies.

use proptest::prelude::*;
use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::attestation::verifier::{AttestationError, Subject};
use pypi_verify_now::package::filename::DistFilename;
use serde_json::{Value, json};

use crate::support::private_sigstore::{Mutation, PrivateSigstore, SLSA, bundle, document};
use crate::support::verdicts::{WHEEL, github, honest, sha256, slsa, verifier, verify};

fn broken(mutation: Mutation) -> String {
    let signer = github();
    let minting = PrivateSigstore::shared().mint(&signer, WHEEL, sha256());
    document([bundle(signer.publisher(), [minting.break_it(mutation).attestation()])])
}

fn stated(kind: &str) -> Mutation {
    Mutation::StatedKind(kind.to_owned())
}

fn body_head(head: &str) -> Mutation {
    Mutation::BodyHead(head.to_owned())
}

/// Each mutation is refused for a reason that holds the words beside it.
fn all_refused(table: impl IntoIterator<Item = (Mutation, &'static str)>) {
    for (mutation, reason) in table {
        let name = format!("{mutation:?}");
        let error = verify(&broken(mutation)).expect_err(&name).to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn harmless_mutation_verifies() {
    assert!(verify(&broken(Mutation::None)).is_ok());
}

#[test]
fn broken_envelope_is_refused() {
    all_refused([
        (Mutation::Signature, "its signature does not belong"),
        (Mutation::SignatureOfAnotherKey, "its signature does not belong"),
        (Mutation::Payload, "its signature does not belong"),
        (Mutation::PayloadType, "its signature does not belong"),
    ]);
}

#[test]
fn statement_about_another_file_is_refused() {
    let other = |name: &str| Mutation::SubjectName(name.to_owned());
    all_refused([
        (other("example-1.1-py2.py3-none-any.whl"), "is about the file `example-1.1-"),
        (other("example-1.0-py3-none-any.whl"), "is about the file `example-1.0-py3-"),
        (other("example-1.0.tar.gz"), "is about the file"),
        (other("../example-1.0-py2.py3-none-any.whl"), "is not the file name of a wheel"),
        (other(""), "is not the file name of a wheel"),
        (Mutation::SubjectDigest, "with the sha256 `0000"),
        (Mutation::NoSubject, "has 0 subjects"),
        (Mutation::TwoSubjects, "has 2 subjects"),
        (Mutation::Sha512Only, "has no sha256"),
        (Mutation::NoDigest, "has no sha256"),
        (Mutation::WrongSha256BesideSha512, "with the sha256 `0000"),
        (Mutation::OldStatementType, "not an in-toto statement of version 1"),
        (Mutation::DuplicateStatementKey, "the key `subject` is given twice"),
        (Mutation::Statement("[]".to_owned()), "its statement is not the expected JSON"),
        (Mutation::Statement("not JSON".to_owned()), "its statement is not the expected JSON"),
        (Mutation::Statement("[".repeat(200_000)), "recursion limit exceeded"),
    ]);
}

#[test]
fn subject_in_another_spelling_verifies() {
    let spelled = Mutation::SubjectName("Example-1.0-py3.py2-none-any.whl".to_owned());
    assert!(verify(&broken(spelled)).is_ok());
}

#[test]
fn certificate_not_issued_for_signing_is_refused() {
    all_refused([
        (Mutation::ForeignAuthority, "its certificate does not verify"),
        (Mutation::BadCertificate, "its certificate does not verify"),
        (Mutation::NoCodeSigning, "its certificate does not verify"),
        (Mutation::OtherKeyUsage, "its certificate does not verify"),
        (Mutation::CertificateNull, "it is not an attestation"),
    ]);
}

#[test]
fn certificate_without_transparency_log_is_refused() {
    let reason = "its certificate is not in a certificate transparency log";
    all_refused([
        (Mutation::MissingSct, reason),
        (Mutation::BadSct, reason),
        (Mutation::SctOfAnotherCertificate, reason),
        (Mutation::SctOfUnknownLog, "which the trusted root does not know"),
    ]);
}

#[test]
fn unsigned_or_uncovered_log_time_is_refused() {
    all_refused([
        (Mutation::MissingSet, "has no time signed by the log"),
        (Mutation::MissingTime, "has no time signed by the log"),
        (Mutation::BadSet, "is not the one the log signed"),
        (Mutation::ChangedTime, "is not the one the log signed"),
        (Mutation::TimeAfterCertificate, "does not fit its certificate"),
        (Mutation::TimeBeforeCertificate, "does not fit its certificate"),
        (Mutation::TimeInFuture, "does not fit its certificate"),
    ]);
}

#[test]
fn entry_that_is_not_in_the_log_is_refused() {
    all_refused([
        (Mutation::MissingProof, "has no inclusion proof"),
        (Mutation::BadProof, "is not in the log"),
        (Mutation::ProofIndex, "is not in the log"),
        (Mutation::ProofTreeSize, "checkpoint does not verify: it is of a tree of 4"),
        (Mutation::MissingCheckpoint, "has no checkpoint"),
        (Mutation::CheckpointSignature, "checkpoint does not verify"),
        (Mutation::CheckpointRoot, "root hash"),
        (Mutation::ForgedTree, "checkpoint does not verify"),
        (Mutation::UnknownLog, "which the trusted root does not know"),
    ]);
}

#[test]
fn log_entry_of_another_attestation_is_refused() {
    all_refused([
        (Mutation::EntryOfAnotherEnvelope, "is of another attestation"),
        (Mutation::EntryOfAnotherCertificate, "is of another attestation"),
        (Mutation::SecondEntryOfAnotherEnvelope, "is of another attestation"),
        (Mutation::SecondEntryWithoutSet, "has no time signed by the log"),
        (Mutation::NoEntries, "has no transparency log entry"),
        (Mutation::ManyEntries, "has 9 transparency log entries"),
        (Mutation::RekorV2, "`hashedrekord` in version `0.0.2`"),
        (stated("tuf 0.0.1"), "`tuf` in version `0.0.1`"),
    ]);
}

#[test]
fn log_entry_of_another_kind_than_stated_is_refused() {
    let is = |body| format!("is stated to be `dsse 0.0.1`, and its body is `{body}`");
    for (head, reason) in [
        (r#""apiVersion":"0.0.1","kind":"intoto""#, is("intoto 0.0.1")),
        (r#""apiVersion":"0.0.2","kind":"intoto""#, is("intoto 0.0.2")),
        (r#""apiVersion":"0.0.2","kind":"dsse""#, is("dsse 0.0.2")),
        (r#""apiVersion":"0.0.1","kind":"hashedrekord""#, is("hashedrekord 0.0.1")),
        (r#""apiVersion":"0.0.1","kind":"DSSE""#, is("DSSE 0.0.1")),
        (r#""apiVersion":"0.0.1","kind":null"#, is("? 0.0.1")),
        (r#""apiVersion":0.1,"kind":"dsse""#, is("dsse ?")),
        (r#""kind":"dsse""#, is("dsse ?")),
        (r#""apiVersion":"0.0.1""#, is("? 0.0.1")),
        (
            r#""apiVersion":"0.0.1","kind":"intoto","kind":"dsse""#,
            "its body is not the expected JSON: the key `kind` is given twice".to_owned(),
        ),
    ] {
        let error = verify(&broken(body_head(head))).expect_err(head).to_string();
        assert!(error.contains(&reason), "{head}: {error}");
    }
    all_refused([
        (stated("intoto 0.0.1"), "`intoto` in version `0.0.1`"),
        (stated("intoto 0.0.2"), "`intoto` in version `0.0.2`"),
        (stated("hashedrekord 0.0.1"), "`hashedrekord` in version `0.0.1`"),
        (stated("dsse 0.0.2"), "`dsse` in version `0.0.2`"),
        (stated("DSSE 0.0.1"), "`DSSE` in version `0.0.1`"),
        (stated("dsse "), "`dsse` in version ``"),
    ]);
}

#[test]
fn log_entry_of_the_stated_kind_verifies() {
    let turned = body_head(r#""kind":"dsse","apiVersion":"0.0.1""#);
    assert!(verify(&broken(turned)).is_ok());
    assert!(verify(&broken(stated("dsse 0.0.1"))).is_ok());
}

#[test]
fn log_entry_signed_by_another_known_log_is_refused() {
    assert!(verify(&broken(Mutation::EntryInSecondLog)).is_ok());
    all_refused([
        (Mutation::CheckpointOfSecondLog, "checkpoint does not verify"),
        (Mutation::SetOfSecondLog, "is not the one the log signed"),
    ]);
}

#[test]
fn attestation_in_another_form_is_refused() {
    all_refused([
        (Mutation::Version2, "it is of version 2"),
        (Mutation::MaterialNull, "was not signed with a Sigstore identity"),
        (Mutation::StatementWithNewlines, "its statement is not plain base64"),
        (Mutation::SignatureWithNewlines, "its signature is not plain base64"),
        (Mutation::CertificateWithNewlines, "its certificate is not plain base64"),
        (Mutation::BodyWithNewlines, "its transparency log entry is malformed"),
    ]);
}

#[test]
fn slsa_does_not_replace_the_publish_attestation() {
    let signer = github();
    let of =
        |attestations: Vec<Value>| verify(&document([bundle(signer.publisher(), attestations)]));
    let unknown = PrivateSigstore::shared().mint(&signer, WHEEL, sha256());
    let unknown = unknown.predicate("https://example.com/review/v1", json!({})).attestation();

    assert!(of(vec![honest(&signer), slsa(&signer)]).is_ok());
    assert!(of(vec![slsa(&signer), honest(&signer)]).is_ok());
    let error = of(vec![slsa(&signer)]).unwrap_err();
    assert!(matches!(error, AttestationError::NotPublished), "{error}");
    let error = of(vec![honest(&signer), unknown]).unwrap_err().to_string();
    assert!(error.contains("unknown predicate type `https://example.com/review/v1`"), "{error}");
}

#[test]
fn one_bad_attestation_spoils_its_bundle() {
    let signer = github();
    let bad = PrivateSigstore::shared().mint(&signer, WHEEL, sha256());
    let bad = bad.predicate(SLSA, json!({})).break_it(Mutation::Signature).attestation();
    let error = verify(&document([bundle(signer.publisher(), [honest(&signer), bad])]));
    assert!(matches!(error, Err(AttestationError::Signature)), "{error:?}");
}

#[test]
fn malformed_certificate_or_log_entry_is_refused() {
    for (key, value, reason) in [
        ("/verification_material/certificate", json!("AAAA"), "its certificate does not verify"),
        ("/verification_material/certificate", json!(""), "its certificate does not verify"),
        ("/verification_material/transparency_entries/0", json!({}), "of the kind `?`"),
        ("/verification_material/transparency_entries/0", json!(null), "of the kind `?`"),
        ("/verification_material/transparency_entries/0/logIndex", json!(-1), "is malformed"),
        ("/verification_material/transparency_entries/0/logId", json!(null), "is malformed"),
        ("/envelope/signature", json!(""), "its signature does not belong"),
    ] {
        let mut attestation = honest(&github());
        *attestation.pointer_mut(key).unwrap() = value;
        let error = verify(&attestation.to_string()).unwrap_err().to_string();
        assert!(error.contains(reason), "{key}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A few bytes prove nothing, such as keys that nobody reads; none makes another publisher.
    #[test]
    fn one_changed_byte_never_makes_another_publisher(at in 0..6000_usize, bit in 0..7_u32) {
        let mut bytes = PrivateSigstore::shared().provenance(&github(), WHEEL, sha256()).into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(document) = Document::parse(&bytes) {
            let filename = DistFilename::parse(WHEEL).unwrap();
            let subject = Subject { filename, sha256: sha256() };
            for publisher in verifier().verify(&document, &subject).into_iter().flat_map(|o| o.publisher) {
                prop_assert_eq!(publisher.url().as_str(), "https://github.com/octo/example");
            }
        }
    }
}

#[test]
fn digests_in_a_list_are_refused() {
    let filename = DistFilename::parse("aa-1.0.tar.gz").unwrap();
    let subject = Subject { filename, sha256: sha256() };
    let stated = |digest: String| {
        let statement = format!(
            "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"name\":\
             \"aa-1.0.tar.gz\",\"digest\":{digest}}}],\"predicateType\":\
             \"https://slsa.dev/provenance/v1\"}}"
        );
        subject.stated_by(statement.as_bytes()).map_err(|error| error.to_string())
    };
    assert!(stated(format!("{{\"sha256\":\"{}\"}}", sha256())).is_ok());
    assert!(stated(format!("[\"{}\"]", sha256())).unwrap_err().contains("not the expected JSON"));
}
