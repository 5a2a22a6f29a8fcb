//! One index of several that cannot answer. pip passes over its page, and so does a build; a file
//! whose evidence only that index has is not installed.

use crate::support::index::{Fault, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo, source};

/// A world whose index has the source `src` and the signed wheel `aa` that it needs, and its twin.
fn worlds(pip: &str) -> (World, Sandbox) {
    let world = World::with_pip(pip);
    let src = world.sdist("src", "1.0").requires("aa");
    let world = world.source(src).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let twin = world.twin();
    (world, twin)
}

/// An index that has neither project, and answers so instead of 404.
fn answering(fault: &Fault) -> LoopbackIndex {
    let index = LoopbackIndex::builder().start();
    for page in ["/simple/src/", "/simple/aa/", "/simple/flit/"] {
        index.fault(page, fault.clone());
    }
    index
}

fn uninstall(world: &World, twin: &Sandbox) {
    for world in [&**world, twin] {
        world.plain_pip(["uninstall", "-y", "src", "aa"]).run().exits(0);
    }
}

#[test]
fn index_that_lacks_the_projects_is_passed_over() {
    let install = ["install", "--no-input", "--retries", "0", "--no-cache-dir"];
    let (world, twin) = worlds("26.3");
    let main = world.index.url();
    let mut faults: Vec<Fault> = [401, 403, 405, 410, 418, 500].map(Fault::status).into();
    faults.push(Fault::Disconnect);
    for fault in faults {
        let other = answering(&fault);
        same(
            &world,
            &twin,
            &[&install[..], &["--extra-index-url", &other.url(), "src"]].concat(),
            But::Nothing,
        )
        .exits(0)
        .stderr_has("unknown: src 1.0")
        .stderr_has("verified: aa 1.0");
        uninstall(&world, &twin);
    }
    let other = answering(&Fault::status(403));
    let down = "http://127.0.0.1:9/simple/";
    let lines = format!(
        "-i {}\n--extra-index-url {down}\n--extra-index-url {main}\nsrc --config-settings x=y\n",
        other.url()
    );
    world.write_file("r.txt", &lines);
    twin.write_file("r.txt", &lines);
    same(&world, &twin, &[&install[..], &["-r", "r.txt"]].concat(), But::Nothing).exits(0);
}

#[test]
fn older_pips_pass_over_it_too() {
    let (world, twin) = worlds("24.0");
    let other = answering(&Fault::status(403));
    let (other, main) = (other.url(), world.index.url());
    let install = ["install", "--no-input", "-i", &other, "--extra-index-url", &main, "src"];
    same(&world, &twin, &install, But::Requested).exits(0);
}

/// pip fails by itself, and a line says which page was passed over.
#[test]
fn set_that_only_the_failing_index_has_is_pips_failure() {
    let (world, twin) = worlds("26.3");
    world.index.fault("/simple/aa/", Fault::status(403));
    let other = LoopbackIndex::builder().start();
    let install =
        ["install", "--no-input", "--retries", "0", "--extra-index-url", &other.url(), "src"];
    let plain = twin.plain_pip(install).run();
    plain.exits(1).stderr_has("No matching distribution found for aa");
    let outcome = world.pip(install).run();
    outcome.exits(1).stderr_has("No matching distribution found for aa");
    outcome.stderr_has("passed over: ").stderr_has("status 403");
    assert!(world.installed().is_empty());
}

/// The other index lists the project without provenance, while the one that has it cannot answer.
#[test]
fn recorded_project_of_the_failing_index_is_refused_elsewhere() {
    let (world, _) = worlds("26.3");
    let unsigned = source(world.sdist("aa", "2.0"));
    let other = LoopbackIndex::builder().file("aa", unsigned).start();
    for status in [403, 500] {
        let main = answering(&Fault::status(status));
        let (url, other) = (main.url(), other.url());
        let install = ["install", "--retries", "0", "-i", &url, "--extra-index-url", &other];
        let install = world.pip([&install[..], &["aa"]].concat());
        world.runs_nothing(install, 77).stderr_has("signature expected");
    }
}

#[test]
fn evidence_that_cannot_be_fetched_ends_the_run() {
    for pip in ["26.3", "24.0"] {
        let (world, _) = worlds(pip);
        let other = answering(&Fault::status(403));
        world.index.fault("/provenance/aa-1.0-py3-none-any.whl", Fault::status(500));
        let url = other.url();
        let install = ["install", "--retries", "0", "--extra-index-url", &url, "src"];
        let outcome = world.pip(install).run();
        outcome.exits(69).stderr_has("answered with status 500").lacks("No matching distribution");
        assert!(world.installed().is_empty());
    }
}

/// Wheels alone find nothing, and the pass with sources ends with a reason of its own.
#[test]
fn reason_of_the_way_that_got_furthest_is_told() {
    for pip in ["26.3", "24.0"] {
        let (world, _) = worlds(pip);
        world.index.fault("/files/src-1.0.tar.gz", Fault::status(403));
        let outcome = world.pip(["install", "--retries", "0", "src"]).run();
        outcome.exits(69).stderr_has("answered with status 403").lacks("No matching distribution");
        // pip looks for what the build needs, with the user's own names in its words.
        let needy = world.sdist("needy", "1.0").build_requires("flit");
        world.source_beside(needy);
        world.write_file("r.txt", "# first\nneedy\n");
        let outcome = world.pip(["install", "-r", "r.txt"]).run();
        outcome.exits(1).lacks("No matching distribution found for needy");
        assert!(
            format!("{outcome}").contains("No matching distribution found for flit"),
            "{outcome}"
        );
        outcome.stdout_has("(from -r r.txt (line 2))").lacks("requirements-1.txt");
    }
}

/// No index answers at all: pip's words are those that plain pip says.
#[test]
fn unreachable_indexes_are_pips_failure() {
    let (world, twin) = worlds("26.3");
    let down = "http://127.0.0.1:9/simple/";
    let install = ["install", "--retries", "0", "-i", down, "src"];
    let (plain, ours) = (twin.plain_pip(install).run(), world.pip(install).run());
    let errors = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("ERROR")).map(str::to_owned).collect()
    };
    assert_eq!((ours.status, errors(&ours.stderr)), (plain.status, errors(&plain.stderr)));
}
