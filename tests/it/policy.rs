//! The table of verdicts, cell by cell, and the rules on documents of several bundles.

use pypi_verify_now::attestation::document::DocumentError;
use pypi_verify_now::attestation::publisher::{
    CertificateClaims, Publisher, PublisherError, PublisherUrl,
};
use pypi_verify_now::attestation::verifier::{AttestationError, BundleEvidence};
use pypi_verify_now::evidence::refusal;
use pypi_verify_now::trust::pin::{Condition, Field, Pin};
use pypi_verify_now::trust::policy::{
    Difference, Evidence, Policy, Reason, Unrecorded, Unsigned, UnsignedKind, Verdict, judge,
};

pub(super) const DEFAULT: Policy =
    Policy { unsigned: Unsigned::Install, unrecorded: Unrecorded::Refuse };
pub(super) const STRICT: Policy = Policy { unsigned: Unsigned::Refuse, ..DEFAULT };
pub(super) const TOFU: Policy = Policy { unrecorded: Unrecorded::Record, ..DEFAULT };
pub(super) const STRICT_TOFU: Policy = Policy { unrecorded: Unrecorded::Record, ..STRICT };
const ALL: [Policy; 4] = [DEFAULT, STRICT, TOFU, STRICT_TOFU];

pub(super) const NOTHING: Evidence = Evidence::Unsigned(UnsignedKind::NoProvenance);

pub(super) fn url(repository: &str) -> PublisherUrl {
    PublisherUrl::parse(&format!("https://github.com/{repository}")).unwrap()
}

pub(super) fn pin(repository: &str) -> Pin {
    Pin::to(url(repository))
}

/// A pin with fields, as in `workflow=release.yml`.
pub(super) fn pin_with(repository: &str, fields: &[&str]) -> Pin {
    let mut pin = pin(repository);
    fields.iter().for_each(|field| pin.add(Condition::parse(field).unwrap()).unwrap());
    pin
}

/// The publisher of this repository with the workflow `release.yml`, repository 7 of owner 8.
pub(super) fn publisher(repository: &str) -> Publisher {
    let repository = format!("https://github.com/{repository}");
    let said = |text: &str| Some(text.to_owned());
    let claims = CertificateClaims {
        issuer: said("https://token.actions.githubusercontent.com"),
        build_config: said(&format!("{repository}/.github/workflows/release.yml@refs/tags/v1")),
        source_repository: Some(repository),
        source_ref: said("refs/tags/v1"),
        repository_id: said("7"),
        owner_id: said("8"),
        ..CertificateClaims::default()
    };
    Publisher::from_verified_certificate(&claims).unwrap()
}

/// A bundle that verifies.
pub(super) fn good(repository: &str) -> BundleEvidence {
    BundleEvidence { claimed: Some(url(repository)), publisher: Ok(publisher(repository)) }
}

/// A bundle that claims to be this repository's and fails.
pub(super) fn bad(repository: &str) -> BundleEvidence {
    BundleEvidence { claimed: Some(url(repository)), publisher: Err(AttestationError::Signature) }
}

/// A bundle of a publisher that is not understood.
pub(super) fn strange() -> BundleEvidence {
    BundleEvidence { claimed: None, publisher: Err(PublisherError::NoIssuer.into()) }
}

pub(super) fn attested(bundles: impl Into<Vec<BundleEvidence>>) -> Evidence {
    Evidence::Attested(bundles.into())
}

/// A verdict as one word, for tables.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ok { .. } => "ok",
        Verdict::Record { .. } => "record",
        Verdict::Unknown { .. } => "unknown",
        Verdict::Fail(Reason::ChangedPublisher { .. }) => "changed",
        Verdict::Fail(Reason::SignatureExpected { .. }) => "expected",
        Verdict::Fail(Reason::Invalid { .. }) => "invalid",
        Verdict::Fail(Reason::TooNew { .. }) => "too new",
        Verdict::Fail(Reason::UnknownIdentity { .. }) => "unknown identity",
        Verdict::Fail(Reason::NotRecorded { .. }) => "not recorded",
        Verdict::Fail(Reason::Ambiguous { .. }) => "ambiguous",
        Verdict::Fail(Reason::UnsignedUnderStrict { .. }) => "unsigned",
    }
}

/// The verdict under default, STRICT, TOFU and both.
fn row(pin: Option<&Pin>, evidence: &Evidence) -> [&'static str; 4] {
    ALL.map(|policy| word(&judge(pin, evidence, &policy)))
}

#[test]
fn verdicts_match_the_table() {
    let r = &pin("o/r");
    let broken = Evidence::Invalid(DocumentError::NoBundle.into());
    for (pin, evidence, verdicts) in [
        (Some(r), attested([good("o/r")]), ["ok", "ok", "ok", "ok"]),
        (Some(r), attested([good("o/other")]), ["changed", "changed", "changed", "changed"]),
        (Some(r), NOTHING, ["expected", "expected", "expected", "expected"]),
        (Some(r), attested([bad("o/r")]), ["invalid", "invalid", "invalid", "invalid"]),
        (Some(r), broken.clone(), ["invalid", "invalid", "invalid", "invalid"]),
        (None, attested([bad("o/r")]), ["invalid", "invalid", "invalid", "invalid"]),
        (None, broken, ["invalid", "invalid", "invalid", "invalid"]),
        (None, attested([good("o/r")]), ["not recorded", "not recorded", "record", "record"]),
        (None, NOTHING, ["unknown", "unsigned", "unknown", "unsigned"]),
    ] {
        assert_eq!(row(pin, &evidence), verdicts, "{pin:?} {evidence:?}");
    }
}

#[test]
fn verdicts_of_several_bundles_match_the_table() {
    let r = &pin("o/r");
    let (ok, changed, invalid) = (["ok"; 4], ["changed"; 4], ["invalid"; 4]);
    for (pin, bundles, verdicts) in [
        // A bundle of the pinned publisher is enough; others never count against it.
        (Some(r), vec![good("o/r"), good("o/other")], ok),
        (Some(r), vec![good("o/other"), good("o/r")], ok),
        (Some(r), vec![bad("o/other"), good("o/r"), strange()], ok),
        // One that fails spoils the document, wherever it stands.
        (Some(r), vec![good("o/r"), bad("o/r")], invalid),
        (Some(r), vec![bad("o/r"), good("o/r")], invalid),
        (Some(r), vec![bad("O/R"), good("o/r")], invalid),
        (Some(r), vec![good("o/other"), bad("o/r")], invalid),
        // Only others.
        (Some(r), vec![good("o/other"), strange()], changed),
        (Some(r), vec![bad("o/other"), strange()], invalid),
        // Nothing at all proves nothing.
        (Some(r), vec![], invalid),
        (None, vec![], invalid),
        (None, vec![strange()], invalid),
        // Trust on first use records one publisher, and chooses none of two.
        (
            None,
            vec![good("o/r"), good("O/R")],
            ["not recorded", "not recorded", "record", "record"],
        ),
        (None, vec![good("o/r"), bad("o/x")], ["not recorded", "not recorded", "record", "record"]),
        (None, vec![good("o/r"), bad("o/r")], invalid),
        (None, vec![good("o/r"), good("o/other")], ["ambiguous"; 4]),
    ] {
        let evidence = attested(bundles);
        assert_eq!(row(pin, &evidence), verdicts, "{pin:?} {evidence:?}");
    }
}

#[test]
fn unsigned_file_of_a_pinned_project_is_refused_wherever_it_comes_from() {
    for kind in [UnsignedKind::NoProvenance, UnsignedKind::LocalFile, UnsignedKind::DirectUrl] {
        assert_eq!(row(Some(&pin("o/r")), &Evidence::Unsigned(kind)), ["expected"; 4]);
        let verdicts = ["unknown", "unsigned", "unknown", "unsigned"];
        assert_eq!(row(None, &Evidence::Unsigned(kind)), verdicts);
    }
}

#[test]
fn case_of_a_repository_does_not_matter() {
    assert_eq!(row(Some(&pin("Octo/Repo")), &attested([good("octo/repo")])), ["ok"; 4]);
}

#[test]
fn fields_of_a_pin_hold_the_certificate_to_exactly_that() {
    let evidence = attested([good("o/r")]);
    for (fields, verdict) in [
        (&["workflow=release.yml", "repository-id=7", "owner-id=8"][..], "ok"),
        (&["workflow=Release.yml"], "changed"),
        (&["workflow=release.yml", "owner-id=9"], "changed"),
        (&["repository-id=77"], "changed"),
        (&["environment=pypi"], "changed"),
    ] {
        assert_eq!(row(Some(&pin_with("o/r", fields)), &evidence), [verdict; 4], "{fields:?}");
    }
}

#[test]
fn field_that_differs_is_named_with_both_values() {
    let bundles = attested([good("o/other"), good("o/r")]);
    let verdict = judge(Some(&pin_with("o/r", &["owner-id=9"])), &bundles, &DEFAULT);
    let Verdict::Fail(reason) = verdict else { panic!("{verdict:?}") };
    assert_eq!(refusal::line(&reason), "changed publisher: expected owner-id 9, found 8");
    let Reason::ChangedPublisher { found, difference, .. } = reason else { panic!("{reason:?}") };
    assert_eq!(found, publisher("o/r"));
    let condition = Condition { field: Field::OwnerId, value: "9".to_owned() };
    assert_eq!(difference, Difference::Field { condition, found: Some("8".to_owned()) });
}

#[test]
fn each_refusal_says_in_one_line_what_was_expected_and_found() {
    let r = &pin("o/r");
    for (pin, evidence, policy, line) in [
        (
            Some(r),
            attested([good("o/x")]),
            DEFAULT,
            "changed publisher: expected https://github.com/o/r, found https://github.com/o/x",
        ),
        (
            Some(r),
            NOTHING,
            DEFAULT,
            "signature expected from https://github.com/o/r, but the index has no attestation for it",
        ),
        (
            None,
            attested([bad("o/r")]),
            DEFAULT,
            "invalid attestation: its signature does not belong to its statement and certificate",
        ),
        (
            None,
            attested([]),
            TOFU,
            "invalid attestation: the provenance document has no attestation bundle",
        ),
        (None, attested([good("o/r")]), DEFAULT, "publisher not recorded: https://github.com/o/r"),
        (
            None,
            attested([good("o/r"), good("o/x")]),
            TOFU,
            "publisher not recorded, and there are several: https://github.com/o/r https://github.com/o/x",
        ),
        (None, NOTHING, STRICT, "no attestation: the index has no attestation for it"),
    ] {
        let verdict = judge(pin, &evidence, &policy);
        let Verdict::Fail(reason) = verdict else { panic!("{verdict:?}") };
        assert_eq!(refusal::line(&reason), line);
    }
}

#[test]
fn trust_on_first_use_does_not_change_pinned_projects() {
    let r = pin("o/r");
    for evidence in
        [NOTHING, attested([good("o/x")]), attested([good("o/r")]), attested([bad("o/r")])]
    {
        for (with, without) in [(TOFU, DEFAULT), (STRICT_TOFU, STRICT)] {
            assert_eq!(judge(Some(&r), &evidence, &with), judge(Some(&r), &evidence, &without));
        }
    }
}
