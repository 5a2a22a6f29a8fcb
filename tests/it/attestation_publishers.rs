//! The publisher of an attestation is the one of its certificate. An index that states another one
//! is refused.

use pypi_verify_now::attestation::publisher::PublisherKind;
use serde_json::{Value, json};

use crate::support::private_sigstore::{
    COMMIT, Mutation, PrivateSigstore, San, Signer, bundle, document,
};
use crate::support::verdicts::{WHEEL, github, honest, outcomes, sha256, slsa, verify};

#[test]
fn honest_attestation_of_each_kind_of_publisher_verifies() {
    let definition = "https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-2";
    for (signer, kind, url) in [
        (github(), PublisherKind::GitHub, "https://github.com/octo/example"),
        (
            Signer::gitlab("group/sub/project"),
            PublisherKind::GitLab,
            "https://gitlab.com/group/sub/project",
        ),
        (
            Signer::google("robot@example.iam.gserviceaccount.com"),
            PublisherKind::Google,
            "mailto:robot@example.iam.gserviceaccount.com",
        ),
        (Signer::circleci("p-1", "d-2"), PublisherKind::CircleCi, definition),
    ] {
        let provenance = PrivateSigstore::shared().provenance(&signer, WHEEL, sha256());
        let publisher = verify(&provenance).unwrap();
        assert_eq!((publisher.kind(), publisher.url().as_str()), (kind, url));
        let alone = verify(&honest(&signer).to_string()).unwrap();
        assert_eq!(alone, publisher);
    }
}

#[test]
fn bundle_of_two_publishers_is_refused() {
    let other = Signer::github("octo/other");
    for publisher in [github().publisher(), other.publisher()] {
        let both = [honest(&github()), slsa(&other)];
        assert!(verify(&document([bundle(publisher, both)])).is_err());
    }
}

#[test]
fn bundles_are_judged_separately_and_in_order() {
    let (one, two) = (github(), Signer::gitlab("group/project"));
    let bad = PrivateSigstore::shared().mint(&two, WHEEL, sha256()).break_it(Mutation::BadSet);
    let text = document([
        bundle(two.publisher(), [bad.attestation()]),
        bundle(one.publisher(), [honest(&one)]),
        bundle(json!({"kind": "Pulp User", "prn": "prn:core.user:1"}), [honest(&two)]),
    ]);
    let outcomes = outcomes(&text);
    let claimed: Vec<_> =
        outcomes.iter().map(|o| o.claimed.as_ref().map(ToString::to_string)).collect();
    let (gitlab, github) = ("https://gitlab.com/group/project", "https://github.com/octo/example");
    assert_eq!(claimed, [Some(gitlab.to_owned()), Some(github.to_owned()), None]);
    let good: Vec<_> = outcomes.iter().map(|outcome| outcome.publisher.is_ok()).collect();
    assert_eq!(good, [false, true, false]);
}

#[test]
fn false_publisher_claim_of_index_is_refused() {
    let google = Signer::google("robot@example.iam.gserviceaccount.com");
    let circleci = Signer::circleci("p-1", "d-2");
    let gitlab = Signer::gitlab("group/project").environment("release");
    let claim = |signer: &Signer, key: &str, value: Value| {
        let mut claim = signer.publisher();
        claim[key] = value;
        claim
    };
    let deployed = github().environment("pypi");
    for (signer, lie, reason) in [
        (&github(), Signer::github("octo/other").publisher(), "`https://github.com/octo/other`"),
        (&github(), claim(&github(), "workflow", json!("other.yml")), "`other.yml`"),
        (&deployed, claim(&deployed, "environment", json!("test")), "as its environment"),
        (&github(), gitlab.publisher(), "names a GitLab publisher"),
        (&gitlab, claim(&gitlab, "repository", json!("group/other")), "as its repository"),
        (&gitlab, claim(&gitlab, "workflow_filepath", json!("ci.yml")), "as its workflow"),
        (&gitlab, claim(&gitlab, "environment", json!("test")), "as its environment"),
        (&google, claim(&google, "email", json!("other@example.com")), "as its account"),
        (&google, github().publisher(), "names a GitHub publisher"),
        (&circleci, claim(&circleci, "project_id", json!("p-2")), "as its project"),
        (&circleci, claim(&circleci, "pipeline_definition_id", json!("d-3")), "as its project"),
        (&circleci, claim(&circleci, "vcs_origin", json!("github.com/a/b")), "as its source"),
        (&circleci, claim(&circleci, "vcs_ref", json!("refs/heads/x")), "as its ref"),
        (&github(), json!({"kind": "Pulp User", "prn": "prn:1"}), "unknown kind `Pulp User`"),
        (&github(), json!({"kind": null}), "does not state the kind"),
        (&github(), json!({"kind": 1}), "does not state the kind"),
        (&github(), json!({}), "does not state the kind"),
        (&github(), Value::Null, "does not state the kind"),
        (&github(), json!({"kind": "GitHub", "workflow": "release.yml"}), "without its repository"),
        (&google, json!({"kind": "Google"}), "without its email"),
    ] {
        let error = verify(&document([bundle(lie.clone(), [honest(signer)])])).unwrap_err();
        assert!(error.to_string().contains(reason), "{lie}: {error}");
    }
}

#[test]
fn publisher_claim_in_another_spelling_is_accepted() {
    let deployed = github().environment("PyPI");
    for (signer, claim) in [
        (
            &github(),
            json!({"kind": "GitHub", "repository": "Octo/EXAMPLE", "workflow": "release.yml"}),
        ),
        (
            &github(),
            json!({"kind": "GitHub", "repository": "octo/example", "workflow": "release.yml",
            "environment": null, "claims": {"ref": "x"}, "more": 1}),
        ),
        (
            &deployed,
            json!({"kind": "GitHub", "repository": "octo/example", "workflow": "release.yml",
            "environment": "pypi"}),
        ),
        // The certificate is from before it named environments: it cannot be checked.
        (
            &github(),
            json!({"kind": "GitHub", "repository": "octo/example", "workflow": "release.yml",
            "environment": "pypi"}),
        ),
    ] {
        let text = document([bundle(claim.clone(), [honest(signer)])]);
        assert!(verify(&text).is_ok(), "{claim}: {:?}", verify(&text));
    }
}

#[test]
fn reusable_workflow_signs_for_its_caller() {
    let called = "https://github.com/shared/flows/.github/workflows/build.yml@refs/heads/main";
    let signer = github().reusable(called);
    let publisher = verify(&document([bundle(signer.publisher(), [honest(&signer)])])).unwrap();
    assert_eq!(publisher.url().as_str(), "https://github.com/octo/example");
    assert_eq!(publisher.facts().workflow.as_deref(), Some("release.yml"));
}

#[test]
fn certificate_that_names_no_publisher_is_refused() {
    let other = "https://github.com/octo/other/.github/workflows/release.yml@refs/tags/v1";
    let elsewhere = "https://github.com/octo/example/.github/workflows/release.yml@refs/heads/x";
    let dynamic = "https://github.com/octo/example/dynamic/release.yml@refs/tags/v1";
    let enterprise = "https://token.actions.githubusercontent.com/enterprise";
    let google = Signer::google("robot@example.com");
    let uri = San::Uri("https://example.com/".to_owned());
    for (signer, reason) in [
        (
            github().extension(8, "https://github.com/login/oauth"),
            "`https://github.com/login/oauth`",
        ),
        (github().extension(8, enterprise), "a service that is not known here"),
        (github().without_extension(8).without_extension(1), "names no issuer"),
        (github().without_extension(12), "does not say its source repository"),
        (github().extension(12, "https://gitlab.com/octo/example"), "as its source repository"),
        (github().extension(12, "https://github.com/octo"), "as its source repository"),
        (github().without_extension(18), "does not say its build configuration"),
        (github().extension(18, other), "which is not a workflow of"),
        (github().extension(18, elsewhere), "which is not a workflow of"),
        (github().extension(18, dynamic), "which is not a workflow of"),
        (github().without_extension(13).without_extension(14), "commit or ref"),
        (google.clone().alternative_name(uri), "does not say its e-mail address"),
        (google.extension(8, "https://oidc.circleci.com"), "does not say its build signer"),
        (Signer::circleci("p", "d").extension(9, "https://circleci.com/"), "as its build signer"),
    ] {
        let error = verify(&honest(&signer).to_string()).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn build_config_may_be_named_by_its_commit() {
    let config = format!("https://github.com/octo/example/.github/workflows/release.yml@{COMMIT}");
    assert!(verify(&honest(&github().extension(18, &config)).to_string()).is_ok());
}
