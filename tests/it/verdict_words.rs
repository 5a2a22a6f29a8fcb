//! The four words for evidence that is not good: too new to be judged, invalid, of an unknown
//! identity, and not there. Each has its own text, code and exit code, and none of them passes.

use pypi_verify_now::package::digest::Sha256;
use serde_json::{Value, json};

use crate::support::index::{DistFile, Fault, LoopbackIndex};
use crate::support::private_sigstore::{
    Minting, Mutation, PrivateSigstore, Signer, bundle, document,
};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, dist, mallory, octo, signed, source};

const AA: &str = "aa-1.0-py3-none-any.whl";
const TOO_OLD: &str = "this version or its trusted root may be too old";

/// The document of one attestation of a file, which `minted` may change.
fn minted(file: &DistFile, signer: &Signer, change: impl Fn(Minting<'static>) -> Value) -> Value {
    let minting = PrivateSigstore::shared().mint(signer, &file.filename, Sha256::of(&file.bytes));
    bundle(signer.publisher(), [change(minting)])
}

/// Adds such a document to a file.
fn attested(
    file: DistFile,
    signer: &Signer,
    change: impl Fn(Minting<'static>) -> Value,
) -> DistFile {
    let bundle = minted(&file, signer, change);
    file.provenance(document([bundle]))
}

fn broken(file: DistFile, mutation: Mutation) -> DistFile {
    attested(file, &octo(), |it| it.break_it(mutation.clone()).attestation())
}

fn aa() -> DistFile {
    dist(Wheel::new("aa", "1.0"))
}

/// Files with an attestation that only a later version, or a newer root, can judge.
fn too_new() -> Vec<DistFile> {
    let bundles = [minted(&aa(), &octo(), Minting::attestation)];
    let of_version_2 = json!({"version": 2, "attestation_bundles": bundles});
    let unknown = "https://docs.example/attestations/other/v1";
    let mut files = vec![
        aa().provenance(of_version_2.to_string()),
        attested(aa(), &octo(), |it| it.predicate(unknown, json!({})).attestation()),
    ];
    let stated = |text: &str| Mutation::StatedKind(text.to_owned());
    files.extend(
        [
            Mutation::RekorV2,
            stated("dsse 0.0.2"),
            stated("tuf 0.0.1"),
            Mutation::UnknownLog,
            Mutation::SctOfUnknownLog,
            Mutation::Version2,
        ]
        .map(|mutation| broken(aa(), mutation)),
    );
    files
}

#[test]
fn too_new_evidence_cannot_be_judged_and_never_passes() {
    for (number, file) in too_new().into_iter().enumerate() {
        for (trust, tofu) in [(PIN_AA, "0"), ("# nobody\n", "1")] {
            let world = World::new().file_on_index(file.clone()).trust(trust).env("TOFU", tofu);
            let outcome = world.refuses(["install", "aa"], 69);
            for text in ["aa 1.0 (aa-1.0", "cannot judge", TOO_OLD, "hint: update", "of 1 files"] {
                assert!(outcome.stderr.contains(text), "{number}: {text}: {outcome}");
            }
            outcome.lacks("invalid").lacks("cannot be accepted");
        }
    }
}

#[test]
fn broken_evidence_of_what_is_known_stays_invalid() {
    for mutation in [
        Mutation::Signature,
        Mutation::BadSct,
        Mutation::MissingSct,
        Mutation::MissingSet,
        Mutation::BadSet,
        Mutation::CheckpointSignature,
        Mutation::CheckpointOfSecondLog,
        Mutation::ForeignAuthority,
        // Also where the log is not known, since the statement is compared first.
        Mutation::SubjectDigest,
    ] {
        let world = World::new().file_on_index(broken(aa(), mutation)).trust(PIN_AA);
        let outcome = world.refuses(["install", "aa"], 77);
        outcome.stderr_has("invalid attestation").lacks(TOO_OLD);
    }
}

/// A file that is refused decides the exit code, and both files are told of.
#[test]
fn refusal_beside_a_file_that_cannot_be_judged_is_a_refusal() {
    let world = World::new()
        .file_on_index(broken(dist(Wheel::new("aa", "1.0").requires("bb")), Mutation::RekorV2))
        .file_on_index(broken(dist(Wheel::new("bb", "1.0")), Mutation::Signature))
        .trust(PIN_AA);
    let outcome = world.refuses(["install", "aa"], 77);
    outcome.stderr_has("2 of 2 files refused").stderr_has(TOO_OLD).stderr_has("invalid");
}

/// An index cannot hide a broken bundle of the pinned publisher behind one that is too new.
#[test]
fn broken_bundle_beside_one_that_is_too_new_is_invalid() {
    let mint = |file: &DistFile, mutation: Mutation| {
        minted(file, &octo(), |it| it.break_it(mutation.clone()).attestation())
    };
    for (first, second, status) in [
        (Mutation::RekorV2, Mutation::Signature, 77),
        (Mutation::Signature, Mutation::RekorV2, 77),
        (Mutation::None, Mutation::RekorV2, 69),
    ] {
        let file = aa();
        let bundles = [mint(&file, first), mint(&file, second)];
        let world = World::new().file_on_index(file.provenance(document(bundles))).trust(PIN_AA);
        world.refuses(["install", "aa"], status);
    }
}

#[test]
fn source_that_cannot_be_judged_is_not_built() {
    let world = World::new();
    let src = broken(source(world.sdist("src", "1.0")), Mutation::RekorV2);
    let world = world.file_on_index(src).env("TOFU", "1");
    world.runs_nothing(world.pip(["install", "src"]), 69).stderr_has(TOO_OLD);
}

#[test]
fn tool_has_the_exit_code_of_the_word() {
    for (mutation, status) in [(Mutation::RekorV2, 69), (Mutation::Signature, 77)] {
        let file = aa();
        let bundle = minted(&file, &octo(), |it| it.break_it(mutation.clone()).attestation());
        let text = document([bundle]);
        let world = World::new().file_on_index(file.clone().provenance(text.clone()));
        let world = world.trust(PIN_AA);
        let said = world.tool(["--", "aa"]).run();
        said.exits(status).stdout_has("FAIL: aa 1.0 (aa-1.0-py3-none-any.whl: ");
        world.write_file(&file.filename, &file.bytes);
        world.write_file("document", text);
        let publisher = "https://github.com/octo/example";
        let check = ["check", &file.filename, "--provenance", "document", "--publisher", publisher];
        let said = world.tool(check).run();
        said.exits(status).stdout_has("FAIL: aa-1.0-py3-none-any.whl (");
        assert_eq!(said.stderr.contains("hint: update"), status == 69, "{said}");
    }
}

/// Signers of services that a trust file cannot name, with issuer and subject.
fn unknown() -> [(Signer, Value, &'static str); 4] {
    let subject = "https://github.com/octo/example/.github/workflows/release.yml@refs/tags/v1";
    let slug = "https://token.actions.githubusercontent.com/octo-corp";
    let gitlab = Signer::gitlab("group/project").extension(8, "https://gitlab.corp.example");
    let oauth = "https://github.com/login/oauth";
    let pulp = json!({"kind": "Pulp User", "prn": "prn:core.user:1"});
    [
        (octo().extension(8, slug), octo().publisher(), slug),
        (gitlab.clone(), gitlab.publisher(), "https://gitlab.corp.example"),
        (octo().extension(8, oauth), pulp.clone(), oauth),
        (octo(), pulp, subject),
    ]
}

#[test]
fn unknown_identity_has_its_own_word_and_names_issuer_and_subject() {
    for (signer, claim, issuer) in unknown() {
        for (trust, tofu) in [(PIN_AA, "0"), ("# nobody\n", "1")] {
            let mut bundle = minted(&aa(), &signer, Minting::attestation);
            bundle["publisher"] = claim.clone();
            let file = aa().provenance(document([bundle]));
            let world = World::new().file_on_index(file).trust(trust).env("TOFU", tofu);
            let outcome = world.refuses(["install", "aa"], 77);
            outcome.stderr_has("unknown identity").stderr_has(issuer).lacks("invalid");
            outcome.stderr_has("issuer").stderr_has("subject").stderr_has("https://git");
        }
    }
}

/// An identity is unknown only if all else verifies.
#[test]
fn broken_attestation_of_an_unknown_identity_is_invalid() {
    for (signer, _, _) in unknown() {
        let file = attested(aa(), &signer, |it| it.break_it(Mutation::BadSet).attestation());
        let world = World::new().file_on_index(file).trust(PIN_AA);
        let outcome = world.refuses(["install", "aa"], 77);
        outcome.stderr_has("invalid attestation").lacks("unknown identity");
    }
}

/// A world of two indexes: the second, whose files pip prefers, has `aa` without an attestation,
/// and the first has `file`.
fn two_indexes(file: DistFile) -> (World, LoopbackIndex) {
    let world = World::new().file_on_index(file);
    let second = LoopbackIndex::builder().file("aa", aa()).start();
    let world = world.pip_conf(&format!("[global]\nextra-index-url = {}\n", second.url()));
    (world, second)
}

#[test]
fn provenance_of_another_index_counts_for_the_same_bytes() {
    let (world, second) = two_indexes(signed(aa(), &octo()));
    let world = world.trust(PIN_AA);
    world.pip(["install", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    assert_eq!(second.count(&format!("/files/{AA}")), 1);
    assert_eq!(world.index.count(&format!("/provenance/{AA}")), 1);
    world.tool(["--", "aa"]).run().exits(0).stdout_has("OK: aa 1.0");
    let (world, _second) = two_indexes(signed(aa(), &octo()));
    let world = world.trust("# nobody\n").env("TOFU", "1");
    world.pip(["install", "aa"]).run().exits(0);
    let recorded = std::fs::read_to_string(world.project().join(".provenance.txt")).unwrap();
    assert!(recorded.contains("aa  "), "{recorded}");
}

#[test]
fn provenance_of_another_index_counts_for_a_source() {
    let world = World::new().trust("src https://github.com/octo/example\n");
    let file = source(world.sdist("src", "1.0"));
    let second = LoopbackIndex::builder().file("src", file.clone()).start();
    let world = world.file_on_index(signed(file, &octo()));
    let world = world.pip_conf(&format!("[global]\nextra-index-url = {}\n", second.url()));
    world.pip(["install", "src"]).run().exits(0).stderr_has("verified: src 1.0");
}

#[test]
fn provenance_of_another_index_is_judged_as_any() {
    let other = Wheel::new("aa", "1.0").file("aa.py", "import os");
    for (file, word) in [
        (signed(aa(), &mallory()), "changed publisher"),
        (broken(aa(), Mutation::Signature), "invalid attestation"),
        // Other bytes under this name: the document is about them.
        (signed(dist(other), &octo()), "signature expected"),
        (aa(), "signature expected"),
    ] {
        let (world, _second) = two_indexes(file);
        let world = world.trust(PIN_AA);
        world.refuses(["install", "aa"], 77).stderr_has(word);
    }
}

#[test]
fn other_index_that_fails_has_no_provenance() {
    for fault in [Fault::status(500), Fault::status(401)] {
        let (world, _second) = two_indexes(signed(aa(), &octo()));
        world.index.fault(&format!("/provenance/{AA}"), fault);
        let world = world.env("PIP_RETRIES", "0");
        world.pip(["install", "aa"]).run().exits(0).stderr_has("unknown: aa 1.0");
        let world = world.trust(PIN_AA);
        world.pip(["install", "-I", "aa"]).run().exits(77).stderr_has("signature expected");
    }
}

/// The names of the files of one release of `aa`.
const RELEASE: [&str; 3] = [AA, "aa-1.0-cp39-cp39-win32.whl", "aa-1.0.tar.gz"];

/// A world whose index has one release of `aa`, of which these two files have these documents.
fn release(world: World, signer: &Signer, mutation: Mutation) -> World {
    let mut world = world.file_on_index(aa()).wheel(Wheel::new("aa", "0.9"));
    for name in &RELEASE[1..] {
        let file = DistFile::new(name, name.as_bytes());
        let change = |it: Minting<'static>| it.break_it(mutation.clone()).attestation();
        world = world.file_on_index(attested(file, signer, change));
    }
    world
}

#[test]
fn unsigned_file_of_a_signed_release_is_told_of_its_siblings() {
    let told = "the index has no attestation for it; 2 of 3 files of the release are signed, by \
                https://github.com/octo/example";
    let world = release(World::new(), &octo(), Mutation::None).trust(PIN_AA);
    let install = ["install", "--only-binary", ":all:", "aa==1.0"];
    world.refuses(install, 77).stderr_has("signature expected").stderr_has(told);
    world.tool(["--", "aa==1.0"]).run().exits(77).stdout_has(told);
    let strict = world.pip(install).env("STRICT", "1");
    world.leaves_all_as_it_was(strict, 77).stderr_has(told);
    let world = release(World::new(), &octo(), Mutation::None);
    world.pip(["install", "aa==1.0"]).run().exits(0).stderr_has(told);
}

/// The index may link to what it likes: only files whose attestations verify are counted.
#[test]
fn siblings_that_do_not_verify_are_not_counted() {
    for mutation in [Mutation::Signature, Mutation::SubjectDigest, Mutation::RekorV2] {
        let world = release(World::new(), &octo(), mutation).trust(PIN_AA);
        let outcome = world.refuses(["install", "aa==1.0"], 77);
        outcome.stderr_has("signature expected").lacks("of the release");
    }
    let world = release(World::new(), &octo(), Mutation::None).trust(PIN_AA);
    world.index.replace_file(RELEASE[1], b"other bytes".to_vec());
    let outcome = world.refuses(["install", "aa==1.0"], 77);
    outcome.stderr_has("1 of 3 files of the release are signed");
    world.index.fault(&format!("/provenance/{}", RELEASE[2]), Fault::status(404));
    world.refuses(["install", "aa==1.0"], 77).lacks("of the release");
}

/// A source that is refused names its siblings too.
#[test]
fn unsigned_source_of_a_signed_release_is_told_of_its_siblings() {
    let world = World::new().trust("src https://github.com/octo/example\n");
    let sdist = source(world.sdist("src", "1.0"));
    let wheel = DistFile::new("src-1.0-cp39-cp39-win32.whl", "wheel");
    let world = world.file_on_index(sdist);
    let world = world.file_on_index(signed(wheel, &octo()));
    let outcome = world.runs_nothing(world.pip(["install", "src"]), 77);
    outcome.stderr_has("1 of 2 files of the release are signed, by https://github.com/octo");
}

/// A page may link to a document before it is there, and a cache between keep its 404.
#[test]
fn document_that_is_not_there_yet_is_asked_for_again_past_caches() {
    let path = format!("/provenance/{AA}");
    let world = World::new().file_on_index(signed(aa(), &octo())).trust(PIN_AA);
    world.index.fault_times(&path, 1, Fault::status(404));
    world.pip(["install", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    let asked = world.index.requests().into_iter().filter(|request| request.path == path);
    let past_caches: Vec<_> =
        asked.map(|request| request.header("cache-control") == Some("no-cache")).collect();
    assert_eq!(past_caches, [false, true]);
    let world = World::new().file_on_index(signed(aa(), &octo())).trust(PIN_AA);
    world.index.fault(&path, Fault::status(404));
    let outcome = world.refuses(["install", "aa"], 77);
    outcome
        .stderr_has("signature expected")
        .stderr_has("links to an attestation that is not there");
    let world = World::new().file_on_index(aa()).trust(PIN_AA);
    world.refuses(["install", "aa"], 77).lacks("not there yet");
}
