//! `check`: one file against one document, offline, by the binary as it is installed.

use std::path::PathBuf;

use crate::support::private_sigstore::{Mutation, PrivateSigstore, bundle, document};
use crate::support::run::Run;
use crate::support::sandbox::Sandbox;
use crate::support::served::{octo, provenance, trusted_root, wheel};

const ATTESTATIONS: &str = "https://github.com/trailofbits/pypi-attestations";
const CIRCLECI: &str = "https://circleci.com/api/v2/projects/fdd9283f-e619-46af-8f9c-851f7d3e8b2b/pipeline-definitions/8e4f8ab2-8d7c-4827-9f15-de076d6d647f";
const GOOGLE: &str = "mailto:919436158236-compute@developer.gserviceaccount.com";
const OURS: &str = "https://github.com/octo/aa";

/// The ending of a document's name, behind the name of the file.
const KINDS: [&str; 4] = ["publish.attestation", "slsa.attestation", "attestation", "provenance"];

/// A document of `tests/data/attestations`, as the table of its README has it.
struct Recorded {
    document: PathBuf,
    kind: &'static str,
    filename: String,
    sha256: String,
}

fn recorded() -> Vec<Recorded> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/attestations");
    let table = std::fs::read_to_string(directory.join("README.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (document, filename) = (*cells.get(1)?, *cells.get(2)?);
        let kind = document.strip_prefix(filename)?.strip_prefix('.')?;
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        let (filename, sha256) = (filename.to_owned(), cells[3].to_owned());
        Some(Recorded { document: directory.join(document), kind, filename, sha256 })
    };
    let all: Vec<_> = table.lines().filter_map(row).collect();
    let files = std::fs::read_dir(directory).unwrap().count();
    assert_eq!(all.len() + 1, files, "the README lists every document");
    all
}

/// Returns the publisher of a document that verifies.
fn publisher(document: &Recorded) -> Option<&'static str> {
    let project = document.filename.split('-').next().unwrap();
    match (project, document.kind) {
        // Made on the staging instance.
        ("rfc8785" | "spt3g", _) => None,
        // Says how it was built, not that it was published.
        (_, "slsa.attestation") => None,
        ("circleci_sign_publish_example", _) => Some(CIRCLECI),
        ("gcb_attestation_test", _) => Some(GOOGLE),
        ("gitlab_oidc_project", _) => Some("https://gitlab.com/facutuesca/gitlab-oidc-project"),
        ("nimbus_dev_sdk", _) => Some("https://github.com/nimbus-agent/nimbus-sdk"),
        ("pypi_attestation_models", _) => {
            Some("https://github.com/trailofbits/pypi-attestation-models")
        }
        ("pypi_attestations", _) => Some(ATTESTATIONS),
        (other, _) => panic!("who built {other}?"),
    }
}

/// A world without a network: whatever is asked for goes to a port where nobody listens.
fn offline() -> Sandbox {
    let variables = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"];
    let nobody = "http://127.0.0.1:1";
    variables.into_iter().fold(Sandbox::new(), |world, name| world.env(name, nobody))
}

fn check(world: &Sandbox, publisher: &str, document: &Recorded, sha256: &str) -> Run {
    let path = document.document.to_str().unwrap();
    let args = ["check", "--publisher", publisher, "--provenance", path, "--sha256", sha256];
    world.tool([&args[..], &[document.filename.as_str()]].concat())
}

#[test]
fn every_recorded_document_gets_its_verdict_offline() {
    let world = offline();
    for document in &recorded() {
        let name = &document.filename;
        let builder = publisher(document);
        // The log of Sigstore's staging instance is not in the embedded root.
        let staging = builder.is_none() && document.kind != "slsa.attestation";
        let right = check(&world, builder.unwrap_or(ATTESTATIONS), document, &document.sha256);
        let right = right.run();
        match builder {
            Some(url) => {
                right.exits(0);
                assert_eq!(right.stdout, format!("OK: {name}, built by {url}\n"));
            }
            None => {
                let invalid = (77, "invalid attestation");
                let (status, word) =
                    if staging { (69, "cannot judge its attestation") } else { invalid };
                right.exits(status).stdout_has(&format!("FAIL: {name} ({word}"));
            }
        }
        let wrong = check(&world, "https://github.com/octo/evil", document, &document.sha256);
        let refused = if staging { 69 } else { 77 };
        wrong.run().exits(refused).stdout_has(&format!("FAIL: {name} ("));
        let other_bytes = check(&world, builder.unwrap_or(ATTESTATIONS), document, &"0".repeat(64));
        other_bytes.run().exits(77).stdout_has(&format!("FAIL: {name} ("));
    }
}

#[test]
fn staging_and_build_only_attestations_fail_with_a_reason() {
    let world = offline();
    for document in recorded().iter().filter(|document| publisher(document).is_none()) {
        let (status, reason) = match document.kind {
            "slsa.attestation" => (77, "says that the file was published"),
            _ => (69, "log"),
        };
        let outcome = check(&world, ATTESTATIONS, document, &document.sha256).run();
        outcome.exits(status).stdout_has(reason);
    }
}

/// A world with the file `aa-1.0-py3-none-any.whl` and `doc.json`, its honest document.
fn local() -> Sandbox {
    let aa = wheel("aa", "1.0");
    offline()
        .file(&aa.filename, &aa.bytes)
        .file("doc.json", provenance(&aa, &octo("aa")))
        .file("root.json", trusted_root())
}

fn check_local(world: &Sandbox, publisher: &str, file: &str) -> Run {
    let root = ["--trusted-root", "root.json"];
    let args = ["check", "--publisher", publisher, "--provenance", "doc.json"];
    world.tool([&args[..], &root, &[file]].concat())
}

const AA: &str = "aa-1.0-py3-none-any.whl";

#[test]
fn other_bytes_under_the_name_of_a_file_are_refused() {
    let world = local();
    let outcome = check_local(&world, OURS, AA).run();
    assert_eq!(outcome.exits(0).stdout, format!("OK: {AA}, built by {OURS}\n"));
    world.write_file(AA, "other bytes");
    check_local(&world, OURS, AA).run().exits(77).stdout_has("with the sha256");
    world.write_file(AA, wheel("aa", "1.0").bytes);
    world.write_file("bb-1.0-py3-none-any.whl", wheel("aa", "1.0").bytes);
    let renamed = check_local(&world, OURS, "bb-1.0-py3-none-any.whl").run();
    renamed.exits(77).stdout_has("is about the file");
}

#[test]
fn publisher_of_the_certificate_is_compared() {
    let world = local();
    let other = check_local(&world, "https://github.com/octo/evil", AA).run();
    other.exits(77).stdout_has(&format!("found {OURS}"));
    check_local(&world, "https://gitlab.com/octo/aa", AA).run().exits(77);
    check_local(&world, "https://github.com/Octo/AA", AA).run().exits(0);
    let aa = wheel("aa", "1.0");
    let attestation = PrivateSigstore::shared().mint(&octo("aa"), &aa.filename, aa.sha256);
    let lying = bundle(octo("evil").publisher(), [attestation.attestation()]);
    world.write_file("doc.json", document([lying]));
    for publisher in [OURS, "https://github.com/octo/evil"] {
        check_local(&world, publisher, AA).run().exits(77);
    }
}

#[test]
fn document_cannot_choose_the_trusted_root() {
    let world = local();
    let embedded = ["check", "--publisher", OURS, "--provenance", "doc.json", AA];
    world.tool(embedded).run().exits(69);
    world.write_file("root.json", PrivateSigstore::new().trusted_root_json());
    check_local(&world, OURS, AA).run().exits(69);
    let variable = world.tool(embedded).env("PYPI_VERIFY_NOW_TRUSTED_ROOT", "root.json");
    variable.clone().run().exits(69);
    world.write_file("root.json", trusted_root());
    variable.run().exits(0);
    for text in ["", "{}", "[", "<html></html>", "{\"mediaType\": \"x\"}"] {
        world.write_file("root.json", text);
        check_local(&world, OURS, AA).run().exits(65).stderr_has("root.json");
    }
}

#[test]
fn invalid_document_is_refused() {
    let world = local();
    let aa = wheel("aa", "1.0");
    let minting = PrivateSigstore::shared().mint(&octo("aa"), &aa.filename, aa.sha256);
    let broken = minting.break_it(Mutation::ForgedTree).attestation();
    let twice = format!("{{\"version\": 1, {}", &provenance(&aa, &octo("aa"))[1..]);
    for text in [
        String::new(),
        "<html>log in</html>".to_owned(),
        "{\"version\": 1, \"attestation_bundles\": []}".to_owned(),
        document([bundle(octo("aa").publisher(), [])]),
        document([bundle(octo("aa").publisher(), [broken])]),
        twice,
        "[".repeat(200_000),
        " ".repeat(1_000_000),
    ] {
        world.write_file("doc.json", text);
        let outcome = check_local(&world, OURS, AA).run();
        outcome.exits(77).stdout_has(&format!("FAIL: {AA} (invalid attestation")).lacks("panicked");
    }
}

#[test]
fn bad_input_and_a_bad_command_line_have_their_exit_codes() {
    let world = local();
    check_local(&world, "octo/aa", AA).run().exits(2).stderr_has("octo/aa");
    let nobody = check_local(&world, "https://github.com/octo", AA).run();
    nobody.exits(2).stderr_has("hint: ").stderr_has("https://github.com/OWNER/REPO");
    check_local(&world, OURS, "missing-1.0-py3-none-any.whl").run().exits(65).stderr_has("missing");
    check_local(&world, OURS, ".").run().exits(65);
    let args = ["check", "--publisher", OURS, "--provenance", "no.json", AA];
    world.tool(args).run().exits(65).stderr_has("no.json");
    let sha256 = ["check", "--publisher", OURS, "--provenance", "doc.json", "--sha256", "abc", AA];
    world.tool(sha256).run().exits(2).stderr_has("abc");
    world.tool(["check"]).run().exits(2).stderr_has("--publisher");
}
