//! The verdicts, end to end: what is refused changes nothing and says why, what is agreed to is
//! recorded, and only then installed.

use crate::source_builds::AT_A_TERMINAL;
use crate::support::index::{DistFile, Fault};
use crate::support::private_sigstore::{COMMIT, Mutation};
use crate::support::run::Outcome;
use crate::support::wheel::Wheel;
use crate::support::world::{MALLORY, OCTO, PIN_AA, World, dist, mallory, octo, signed};

const AA: &str = "aa-1.0-py3-none-any.whl";

fn aa() -> Wheel {
    Wheel::new("aa", "1.0")
}

#[track_caller]
fn says(outcome: &Outcome, texts: &[&str]) {
    texts.iter().for_each(|text| {
        outcome.stderr_has(text);
    });
}

#[test]
fn file_of_another_publisher_is_refused() {
    let world = World::new().signed(aa(), &mallory()).trust(PIN_AA);
    for tofu in ["0", "1"] {
        let run = world.pip(["install", "aa"]).env("TOFU", tofu);
        let refusal = world.leaves_all_as_it_was(run, 77);
        let build = format!("{MALLORY}/actions/runs/30570958787/attempts/1");
        let accept = format!("write `aa {MALLORY}`");
        says(&refusal, &["aa 1.0", AA, "changed publisher", "line 1", &accept]);
        says(&refusal, &[&format!("expected  {OCTO}"), &format!("found     {MALLORY}")]);
        says(&refusal, &[&format!("commit {COMMIT}"), &format!("run {build}")]);
        assert_eq!(refusal.stdout, "");
    }
}

#[test]
fn signed_file_without_a_pin_is_refused() {
    for trust in [None, Some("zz https://github.com/octo/zz\n")] {
        let world = World::new().signed(aa(), &octo());
        let world = if let Some(trust) = trust { world.trust(trust) } else { world };
        let refusal = world.refuses(["install", "aa"], 77);
        let build = format!("{OCTO}/actions/runs/30570958787/attempts/1");
        says(&refusal, &["aa 1.0", AA, "not recorded", COMMIT, &build, "TOFU=1"]);
        says(&refusal, &[&format!("found     {OCTO}"), &format!("add the line `aa {OCTO}`")]);
    }
}

#[test]
fn unsigned_file_of_a_pinned_project_is_refused() {
    let world = World::new().wheel(aa()).trust(PIN_AA);
    let refusal = world.refuses(["install", "aa"], 77);
    says(&refusal, &["aa 1.0", AA, "signature expected", "no attestation for it"]);
    says(&refusal, &[&format!("expected  {OCTO}"), "remove the line of `aa`"]);
}

#[test]
fn invalid_attestation_is_refused_for_any_pin() {
    for mutation in [Mutation::Signature, Mutation::SubjectDigest] {
        for (trust, tofu) in [(PIN_AA, "0"), ("# nobody\n", "1")] {
            let world = World::new().broken(aa(), &octo(), mutation.clone()).trust(trust);
            let run = world.pip(["install", "aa"]).env("TOFU", tofu);
            let refusal = world.leaves_all_as_it_was(run, 77);
            says(&refusal, &["aa 1.0", AA, "invalid attestation", "cannot be accepted"]);
        }
    }
}

#[test]
fn document_without_proof_is_refused() {
    let empty = r#"{"version": 1, "attestation_bundles": []}"#;
    for document in [empty, "{}", "<html>", "[[[["] {
        let file: DistFile = dist(aa()).provenance(document);
        let world = World::new().file_on_index(file).trust(PIN_AA).env("TOFU", "1");
        world.refuses(["install", "aa"], 77).stderr_has("invalid attestation");
    }
}

#[test]
fn attestation_of_another_file_is_refused() {
    let other = Wheel::new("aa", "1.0").file("aa.py", "import os");
    let world = World::new().signed(aa(), &octo()).trust(PIN_AA);
    world.index.replace_file(AA, other.build().bytes);
    world.refuses(["install", "aa"], 77).stderr_has("invalid attestation");
}

#[test]
fn one_refusal_among_many_installs_none() {
    let world = World::new()
        .signed(aa().requires("bb"), &octo())
        .signed(Wheel::new("bb", "1.0"), &mallory())
        .trust("aa https://github.com/octo/example\nbb https://github.com/octo/bb\n");
    let refusal = world.refuses(["install", "aa"], 77);
    refusal.stderr_has("bb 1.0").stderr_has("1 of 2 files refused").lacks("refused: aa");
}

#[test]
fn refusal_does_not_wait_for_downloads() {
    let bb = DistFile { size: Some(1 << 20), ..dist(Wheel::new("bb", "1.0")) };
    let world = World::new().wheel(aa()).file_on_index(bb).trust(PIN_AA);
    // It would take hours.
    world.index.fault("/files/bb-1.0-py3-none-any.whl", Fault::Trickle);
    world.refuses(["install", "aa", "bb"], 77).stderr_has("refused: aa 1.0");
}

#[test]
fn consent_resumes_downloads_after_a_refusal() {
    let aa = DistFile { size: Some(1 << 20), ..signed(dist(aa()), &octo()) };
    let (world, path) = (World::new().file_on_index(aa), format!("/files/{AA}"));
    world.index.fault_times(&path, 1, Fault::Trickle);
    let answering = ["-c", AT_A_TERMINAL, "y", "pip", "install", "aa"];
    world.run("python3", answering).run().exits(0).stdout_has("aa 1.0 is built by");
    assert_eq!(world.installed(), ["aa 1.0"]);
    assert_eq!(world.index.count(&path), 2);
}

#[test]
fn trust_on_first_use_records_and_then_holds() {
    let world = World::new().signed(aa(), &octo()).wheel(Wheel::new("bb", "1.0"));
    let first = world.pip(["install", "aa", "bb"]).env("TOFU", "1").run();
    first.exits(0).stderr_has(&format!("recorded: aa {OCTO}")).stderr_has("unknown: bb 1.0");
    assert_eq!(world.trust_file().unwrap(), format!("aa {OCTO}\n"));
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    world.pip(["install", "--force-reinstall", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    let (good, evil) = (World::new(), World::new());
    let (good, evil) = (good.signed(aa(), &octo()), evil.signed(aa(), &mallory()));
    let trust = world.trust_file().unwrap();
    good.trust(&trust).pip(["install", "aa"]).run().exits(0);
    evil.trust(&trust).refuses(["install", "aa"], 77).stderr_has("changed publisher");
}

#[test]
fn trust_on_first_use_records_all_or_nothing() {
    let world = World::new()
        .signed(aa(), &octo())
        .broken(Wheel::new("bb", "1.0"), &octo(), Mutation::BadSet)
        .env("TOFU", "1");
    world.refuses(["install", "aa", "bb"], 77).stderr_has("bb 1.0").lacks("recorded: aa");
    assert_eq!(world.trust_file(), None);
}

#[test]
fn dry_run_records_nothing() {
    let world = World::new().signed(aa(), &octo()).env("TOFU", "1");
    world.refuses(["install", "--dry-run", "aa"], 0).stdout_has("Would install aa-1.0");
    assert_eq!(world.trust_file(), None);
}

#[test]
fn configured_dry_run_is_read_as_by_pip() {
    for (value, recorded) in [("yes", None), ("no", Some(PIN_AA))] {
        let world = World::new().signed(aa(), &octo()).env("TOFU", "1");
        let in_file = world.pip_conf(&format!("[install]\ndry-run = {value}\n"));
        in_file.pip(["install", "aa"]).run().exits(0);
        assert_eq!(in_file.trust_file().as_deref(), recorded, "{value}");
        let world = World::new().signed(aa(), &octo()).env("TOFU", "1");
        world.pip(["install", "aa"]).env("PIP_DRY_RUN", value).run().exits(0);
        assert_eq!(world.trust_file().as_deref(), recorded, "{value}");
    }
}

#[test]
fn strict_refuses_unknown_projects() {
    let world = World::new().signed(aa(), &octo()).wheel(Wheel::new("bb", "1.0")).trust(PIN_AA);
    let world = world.env("STRICT", "1");
    world.refuses(["install", "aa", "bb"], 77).stderr_has("bb 1.0").stderr_has("STRICT");
    world.pip(["install", "aa"]).run().exits(0);
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn conflicting_trust_files_end_the_run() {
    let world = World::new().signed(aa(), &octo()).env("TOFU", "1");
    let world = world.trust(&format!("<<<<<<< HEAD\n{PIN_AA}=======\n"));
    let refusal = world.refuses(["install", "aa"], 65);
    refusal.stderr_has("line 1").stderr_has(".provenance.txt");
    assert!(world.index.requests().is_empty());
}
