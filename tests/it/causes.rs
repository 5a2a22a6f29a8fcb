//! The causes of refusals: their codes, and the cause of each reason.

use std::collections::BTreeSet;

use pypi_verify_now::attestation::document::{AttestationFault, DocumentError};
use pypi_verify_now::attestation::publisher::{Disagreement, PublisherError, PublisherKind};
use pypi_verify_now::attestation::statement::StatementError;
use pypi_verify_now::attestation::verifier::{
    AttestationError, BundleEvidence, InvalidAttestation,
};
use pypi_verify_now::evidence::cause::Cause;
use pypi_verify_now::package::filename::DistFilename;
use pypi_verify_now::package::json::JsonError;
use pypi_verify_now::trust::pin::Condition;
use pypi_verify_now::trust::policy::{Difference, Evidence, Reason, UnsignedKind, Verdict, judge};

use crate::policy::{
    DEFAULT, NOTHING, STRICT, attested, good, pin, pin_with, publisher, url, word,
};

fn text() -> String {
    "text".to_owned()
}

/// The reasons of the policy itself, without those of an attestation that does not verify.
fn reasons() -> Vec<Reason> {
    let kind = UnsignedKind::NoProvenance;
    let changed = |difference| Reason::ChangedPublisher {
        expected: pin("o/r"),
        found: publisher("o/x"),
        difference,
    };
    let field = |field: &str| Difference::Field {
        condition: Condition::parse(field).unwrap(),
        found: None,
    };
    vec![
        changed(Difference::Url),
        changed(field("workflow=a.yml")),
        changed(field("environment=a")),
        changed(field("repository-id=1")),
        changed(field("owner-id=1")),
        Reason::SignatureExpected { expected: pin("o/r"), kind },
        Reason::NotRecorded { found: publisher("o/r") },
        Reason::Ambiguous { found: vec![publisher("o/r"), publisher("o/x")] },
        Reason::UnsignedUnderStrict { kind },
    ]
}

fn documents() -> Vec<InvalidAttestation> {
    let not_a_name = DistFilename::parse("text").unwrap_err();
    vec![
        not_a_name.into(),
        DocumentError::Json(JsonError::TooLong { limit: 1 }).into(),
        DocumentError::Json(JsonError::Malformed(text())).into(),
        DocumentError::Version(text()).into(),
        DocumentError::NoBundle.into(),
        DocumentError::NoAttestation { number: 1 }.into(),
        DocumentError::TooManyBundles { count: 1 }.into(),
        DocumentError::TooManyAttestations { number: 1, count: 1 }.into(),
    ]
}

fn parts() -> Vec<AttestationError> {
    let kind = PublisherKind::GitHub;
    vec![
        AttestationFault::Shape(text()).into(),
        AttestationFault::Version(text()).into(),
        AttestationFault::NoVerificationMaterial.into(),
        AttestationFault::NotBase64 { field: "text" }.into(),
        AttestationFault::NoEntry.into(),
        AttestationFault::TooManyEntries { count: 9 }.into(),
        StatementError::Json(JsonError::TooLong { limit: 1 }).into(),
        StatementError::Json(JsonError::Malformed(text())).into(),
        StatementError::Type(text()).into(),
        StatementError::Predicate(text()).into(),
        StatementError::Subjects(2).into(),
        StatementError::SubjectName(DistFilename::parse("text").unwrap_err()).into(),
        StatementError::OtherFile(text()).into(),
        StatementError::NoSha256.into(),
        StatementError::OtherSha256(text()).into(),
        PublisherError::NoIssuer.into(),
        PublisherError::UnknownIssuer { issuer: text(), subject: text() }.into(),
        PublisherError::Missing { kind, claim: "text" }.into(),
        PublisherError::Malformed { kind, claim: "text", value: text() }.into(),
        PublisherError::ForeignBuildConfig { build_config: text(), repository: text() }.into(),
        Disagreement::UnknownKind { kind: text(), issuer: "text", subject: text() }.into(),
        Disagreement::Nameless.into(),
        Disagreement::Incomplete { kind: text(), missing: "text" }.into(),
        Disagreement::Kind { claimed: kind, certified: PublisherKind::Google }.into(),
        Disagreement::Part { part: "text", claimed: text(), certified: text() }.into(),
    ]
}

fn attestations() -> Vec<AttestationError> {
    vec![
        AttestationError::Signature,
        AttestationError::Certificate(text()),
        AttestationError::CertificateTimestamp(text()),
        AttestationError::UnknownCertificateLog(text()),
        AttestationError::KeyAlgorithm,
        AttestationError::EntryKind { kind: text(), version: text() },
        AttestationError::BodyKind { body: text(), stated: text() },
        AttestationError::UnknownLog(text()),
        AttestationError::MalformedEntry(text()),
        AttestationError::NoSignedTime,
        AttestationError::SignedTime(text()),
        AttestationError::Time(text()),
        AttestationError::NoInclusionProof,
        AttestationError::InclusionProof(text()),
        AttestationError::NoCheckpoint,
        AttestationError::Checkpoint(text()),
        AttestationError::OtherEntry(text()),
        AttestationError::Other(text()),
        AttestationError::NotProven("text"),
        AttestationError::SeveralPublishers { first: url("o/r"), other: url("o/x") },
        AttestationError::NotPublished,
    ]
}

#[test]
fn each_code_is_unique_kebab_case_and_in_the_reference() {
    let reference = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md"),
    );
    let section = reference.unwrap();
    let section = section.split("## Codes of refusals").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let rows = Cause::ALL.iter().map(|it| format!("| `{}` | {} |", it.code(), it.meaning()));
    assert_eq!(listed, rows.collect::<Vec<_>>());
    let codes: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.code()).collect();
    assert_eq!(codes.len(), Cause::ALL.len());
    for code in codes {
        let is_word = |word: &str| {
            let mut letters = word.chars();
            letters.next().is_some_and(|first| first.is_ascii_lowercase())
                && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        assert!(code.split('-').all(is_word), "{code}");
    }
}

#[test]
fn each_reason_has_a_cause_of_its_own_and_each_cause_a_reason() {
    let bundles = parts().into_iter().chain(attestations()).map(InvalidAttestation::Bundle);
    let invalid = documents().into_iter().chain(bundles);
    let invalid = invalid.map(|reason| Reason::Invalid { reason, expected: None });
    let mut met = BTreeSet::new();
    for reason in reasons().into_iter().chain(invalid) {
        let code = Cause::of(&reason).code();
        assert!(met.insert(code), "{code} is also the code of {reason:?}");
    }
    assert_eq!(met, Cause::ALL.iter().map(|cause| cause.code()).collect());
}

#[test]
fn verdicts_of_the_policy_have_the_code_of_their_cause() {
    let failed = AttestationError::OtherEntry(text());
    let mismatch = Evidence::Attested(vec![BundleEvidence {
        claimed: Some(url("o/r")),
        publisher: Err(failed),
    }]);
    let (r, owned) = (pin("o/r"), pin_with("o/r", &["owner-id=9"]));
    for (pin, evidence, policy, code) in [
        (Some(&r), attested([good("o/x")]), DEFAULT, "changed-publisher"),
        (Some(&owned), attested([good("o/r")]), DEFAULT, "changed-owner-id"),
        (Some(&r), NOTHING, DEFAULT, "signature-expected"),
        (Some(&r), mismatch.clone(), DEFAULT, "log-entry-mismatch"),
        (None, mismatch, DEFAULT, "log-entry-mismatch"),
        (None, attested([good("o/r")]), DEFAULT, "publisher-not-recorded"),
        (None, attested([]), DEFAULT, "bundle-missing"),
        (None, NOTHING, STRICT, "attestation-required"),
    ] {
        let verdict = judge(pin, &evidence, &policy);
        let Verdict::Fail(reason) = &verdict else { panic!("{}", word(&verdict)) };
        assert_eq!(Cause::of(reason).code(), code);
    }
}
