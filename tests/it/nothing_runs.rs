//! Nothing of a package runs before it is verified, however the user, a requirements file or a
//! package asks for it: not a build backend, not a `setup.py`, not a version control program.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::index::DistFile;
use crate::support::run::{Outcome, Run};
use crate::support::wheel::{Distribution, Sdist, Wheel};
use crate::support::world::{World, dist};

/// `src` is a source alone, on the index, as a file and as a directory; `both` has a wheel and a
/// source. What runs of either leaves a file.
fn world(pip: &str) -> World {
    let world = World::with_pip(pip);
    let source = |name: &str| Sdist::new(name, "1.0", &marker(&world)).build();
    let (src, both) = (source("src"), source("both"));
    world.write_file(&src.filename, &src.bytes);
    world.sh("tar -xzf src-1.0.tar.gz && mv src-1.0 directory").run().exits(0);
    let git = world.venv().bin().join("git");
    std::fs::write(&git, format!("#!/bin/sh\necho ran >>{}\n", marker(&world).display())).unwrap();
    std::fs::set_permissions(git, Permissions::from_mode(0o755)).unwrap();
    let file = |it: Distribution| DistFile::new(&it.filename, it.bytes);
    world.file_on_index(file(src)).file_on_index(file(both)).wheel(Wheel::new("both", "1.0"))
}

fn marker(world: &World) -> PathBuf {
    world.path("ran")
}

/// It fails with this code, nothing is installed, and nothing has run.
#[track_caller]
fn runs_nothing(world: &World, run: Run, status: i32) -> Outcome {
    let outcome = world.leaves_all_as_it_was(run, status);
    assert!(!marker(world).exists(), "something ran: {outcome}");
    outcome
}

#[test]
fn a_package_without_a_wheel_is_not_found_and_the_reason_is_told() {
    for pip in ["26.3", "25.1", "24.0"] {
        let world = world(pip);
        let outcome = runs_nothing(&world, world.pip(["install", "src"]), 1);
        outcome.stderr_has("No matching distribution found for src").stderr_has("only wheels");
    }
}

#[test]
fn a_setup_py_is_not_run_either() {
    let world = World::new();
    let sdist = Sdist::new("old", "1.0", &marker(&world)).setup_py().build();
    let world = world.file(&sdist.filename, &sdist.bytes).file("setup.py", "open('ran', 'w')\n");
    for args in [&["install", "./old-1.0.tar.gz"][..], &["install", "."], &["install", "-e", "."]] {
        runs_nothing(&world, world.pip(args), 77).stderr_has("before it is verified");
        let isolated = [args, &["--no-build-isolation"]].concat();
        runs_nothing(&world, world.pip(&isolated), 77);
    }
    assert!(!world.project().join("ran").exists());
}

#[test]
fn sources_that_are_named_by_their_place_are_refused() {
    let url = |world: &World| world.index.file_url("src-1.0.tar.gz");
    for pip in ["26.3", "25.1", "24.0"] {
        let world = world(pip);
        let url = format!("src @ {}", url(&world));
        for args in [&["./directory"][..], &["-e", "./directory"], &[&url]] {
            let args = [&["install"], args].concat();
            let outcome = runs_nothing(&world, world.pip(args), 77);
            outcome.stderr_has("error: pip would have built source code");
        }
        let git = format!("git+file://{}/directory", world.project().display());
        let outcome = runs_nothing(&world, world.pip(["install", &git]), 77);
        outcome.stderr_has("error: pip would have run git");
    }
}

#[test]
fn a_build_within_pips_own_process_is_refused_too() {
    let world = world("26.3");
    let args = ["install", "--use-feature=inprocess-build-deps", "./directory"];
    runs_nothing(&world, world.pip(args), 77);
}

#[test]
fn a_source_that_a_wheel_depends_on_by_its_url_is_refused() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let requirement = format!("src @ {}", world.index.file_url("src-1.0.tar.gz"));
        let world = world.wheel(Wheel::new("aa", "1.0").requires(&requirement));
        runs_nothing(&world, world.pip(["install", "aa"]), 77).stderr_has("source code");
    }
}

#[test]
fn nobody_can_ask_for_sources_again() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip)
            .file("in-requirements.txt", "--no-binary both\nboth\n")
            .file("in-constraints.txt", "--no-binary :all:\n")
            .file("nested.txt", "-r in-requirements.txt\n");
        for args in [
            &["--no-binary", ":all:", "both"][..],
            &["-r", "in-requirements.txt"],
            &["-c", "in-constraints.txt", "both"],
            &["-r", "nested.txt", "--no-binary=both"],
        ] {
            let outcome = world.pip([&["install"], args].concat()).run();
            assert!(!marker(&world).exists(), "something ran: {outcome}");
            // The wheel is as good as its verdict; where pip is told to take none, it fails.
            assert!(outcome.status != 0 || world.installed() == ["both 1.0"], "{outcome}");
        }
        let run = world.pip(["install", "--force-reinstall", "both"]).env("PIP_NO_BINARY", "both");
        run.run();
        assert!(!marker(&world).exists());
    }
}

#[test]
fn what_the_environment_adds_is_not_run_either() {
    let world = world("26.3").wheel(Wheel::new("aa", "1.0"));
    let run = world.pip(["install", "aa"]).env("PIP_EDITABLE", "./directory");
    runs_nothing(&world, run, 77).stderr_has("source code");
}

#[test]
fn a_source_among_the_versions_that_pip_tries_is_not_run() {
    // Newest first: 3.0 is a source alone, and its wheels are older.
    let world = world("26.3");
    let newest = Sdist::new("tried", "3.0", &marker(&world)).build();
    let world = world
        .file_on_index(DistFile::new(&newest.filename, newest.bytes))
        .file_on_index(dist(Wheel::new("tried", "2.0").requires("both>1")))
        .file_on_index(dist(Wheel::new("tried", "1.0").requires("both")));
    world.pip(["install", "tried"]).run().exits(0);
    assert_eq!(world.installed(), ["both 1.0", "tried 1.0"]);
    assert!(!marker(&world).exists());
}
