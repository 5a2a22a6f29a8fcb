//! Attestations of real packages under Sigstore's production root, embedded in the program.

use std::path::Path;

use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::attestation::publisher::Publisher;
use pypi_verify_now::attestation::verifier::{AttestationError, Subject, Verifier};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::filename::DistFilename;

const CIRCLECI: &str = "circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl";
const CIRCLECI_SHA256: &str = "8cb34da1e27336f11a2c43f3f9c7433bd76f24f470c904724f06ad7f131d9e9f";
const CIRCLECI_URL: &str = "https://circleci.com/api/v2/projects/fdd9283f-e619-46af-8f9c-851f7d3e8b2b/pipeline-definitions/8e4f8ab2-8d7c-4827-9f15-de076d6d647f";
const MODELS: &str = "pypi_attestations-0.0.19.tar.gz";
const MODELS_SHA256: &str = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";
const NIMBUS: &str = "nimbus_dev_sdk-0.1.0-py3-none-any.whl";
const NIMBUS_SHA256: &str = "4b53c834a36b565d4334218238749601f0988bdef7bbcf674f57f8c523351f11";
const GOOGLE: &str = "gcb_attestation_test-0.0.0.tar.gz";
const GOOGLE_SHA256: &str = "461317362419124b6012e855423a9078d6de8aed3e74fa78cc74d669b23dc6cf";
const GITLAB: &str = "gitlab_oidc_project-0.0.3.tar.gz";
const GITLAB_SHA256: &str = "c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8";
const RFC8785: &str = "rfc8785-0.1.2-py3-none-any.whl";
const RFC8785_SHA256: &str = "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201";
const SPT3G: &str = "spt3g-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const SPT3G_SHA256: &str = "d2772f9a5199f05ed1be8d9aa78b879e51772e3ead9d73fe8057257b1aec7cf8";

fn read(document: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/attestations").join(document);
    std::fs::read(path).unwrap()
}

fn verify(document: &str, filename: &str, sha256: &str) -> Result<Publisher, AttestationError> {
    let document = Document::parse(&read(document)).unwrap();
    let subject = Subject {
        filename: DistFilename::parse(filename).unwrap(),
        sha256: Sha256::parse(sha256).unwrap(),
    };
    let mut outcomes = Verifier::production().unwrap().verify(&document, &subject);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).publisher
}

#[test]
fn real_documents_verify_and_name_their_publishers() {
    let models = "pypi_attestation_models-0.0.4a2.tar.gz";
    let models_sha256 = "c9709ce6fd5b67b59b4a28758cf14d3f411803c4b89b6068b1f1a8e4ee94c8ef";
    let attestations = "https://github.com/trailofbits/pypi-attestations";
    for (kind, filename, sha256, url) in [
        ("provenance", CIRCLECI, CIRCLECI_SHA256, CIRCLECI_URL),
        ("publish.attestation", CIRCLECI, CIRCLECI_SHA256, CIRCLECI_URL),
        (
            "provenance",
            GOOGLE,
            GOOGLE_SHA256,
            "mailto:919436158236-compute@developer.gserviceaccount.com",
        ),
        (
            "publish.attestation",
            GITLAB,
            GITLAB_SHA256,
            "https://gitlab.com/facutuesca/gitlab-oidc-project",
        ),
        ("provenance", NIMBUS, NIMBUS_SHA256, "https://github.com/nimbus-agent/nimbus-sdk"),
        (
            "attestation",
            models,
            models_sha256,
            "https://github.com/trailofbits/pypi-attestation-models",
        ),
        ("provenance", MODELS, MODELS_SHA256, attestations),
        ("publish.attestation", MODELS, MODELS_SHA256, attestations),
    ] {
        let publisher = verify(&format!("{filename}.{kind}"), filename, sha256).unwrap();
        assert_eq!(publisher.url().to_string(), url);
    }
}

#[test]
fn facts_of_a_build_come_from_its_certificate() {
    let publisher = verify(&format!("{NIMBUS}.provenance"), NIMBUS, NIMBUS_SHA256).unwrap();
    let facts = publisher.facts();
    let run = "https://github.com/nimbus-agent/nimbus-sdk/actions/runs/30570958787/attempts/1";
    assert_eq!(facts.workflow.as_deref(), Some("release.yml"));
    assert_eq!(facts.commit.as_deref(), Some("9d960d8a5cca31da8482192cc3010a29b0b8b81a"));
    assert_eq!(facts.reference.as_deref(), Some("refs/heads/main"));
    assert_eq!(facts.run_url.as_deref(), Some(run));
    assert_eq!(facts.environment.as_deref(), Some("pypi"));
    assert_eq!(facts.repository_id.as_deref(), Some("1301891262"));
    assert_eq!(facts.owner_id.as_deref(), Some("281386125"));
}

#[test]
fn absent_circleci_claims_are_none() {
    let publisher = verify(&format!("{CIRCLECI}.provenance"), CIRCLECI, CIRCLECI_SHA256).unwrap();
    let source = "github.com/CircleCI-Public/sign-and-publish-examples";
    assert_eq!(publisher.facts().commit, None);
    assert_eq!(publisher.facts().source.as_deref(), Some(source));
}

#[test]
fn build_provenance_is_not_a_publish_attestation() {
    let error = verify(&format!("{MODELS}.slsa.attestation"), MODELS, MODELS_SHA256).unwrap_err();
    assert!(matches!(error, AttestationError::NotPublished), "{error}");
}

#[test]
fn attestations_of_the_staging_instance_are_refused() {
    for (document, filename, sha256) in [
        (format!("{RFC8785}.attestation"), RFC8785, RFC8785_SHA256),
        (format!("{RFC8785}.publish.attestation"), RFC8785, RFC8785_SHA256),
        (format!("{SPT3G}.publish.attestation"), SPT3G, SPT3G_SHA256),
    ] {
        let error = verify(&document, filename, sha256).unwrap_err();
        assert!(error.to_string().contains("log"), "{document}: {error}");
    }
}

#[test]
fn every_real_attestation_is_refused_for_other_bytes_or_another_name() {
    let documents = [
        (format!("{CIRCLECI}.provenance"), CIRCLECI, CIRCLECI_SHA256),
        (format!("{GOOGLE}.provenance"), GOOGLE, GOOGLE_SHA256),
        (format!("{GITLAB}.publish.attestation"), GITLAB, GITLAB_SHA256),
        (format!("{NIMBUS}.provenance"), NIMBUS, NIMBUS_SHA256),
    ];
    for (document, filename, sha256) in documents {
        let other_bytes = verify(&document, filename, MODELS_SHA256).unwrap_err();
        assert!(other_bytes.to_string().contains("with the sha256"), "{other_bytes}");
        let other_name = verify(&document, MODELS, sha256).unwrap_err();
        assert!(other_name.to_string().contains("is about the file"), "{other_name}");
    }
}
