//! An install that nothing speaks against: afterwards the environment is what plain pip with the
//! same arguments would have made of it, and so is the exit code.

use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, bb, same, world};
use crate::support::venv::PIPS;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

#[test]
fn requirements_file_gives_the_environment_that_plain_pip_gives() {
    for pip in PIPS {
        let world = world(pip).file("requirements.txt", "aa\n");
        let twin = world.twin();
        let but = if pip < "26.1" { But::Requested } else { But::Nothing };
        same(&world, &twin, &["install", "-r", "requirements.txt"], but);
        if pip == PIPS[0] {
            assert_eq!(world.freeze(), ["aa==1.0", "bb==2.0"]);
            assert_eq!(twin.freeze(), world.freeze());
        }
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
        for installed in world.inspect().values() {
            assert_eq!(installed.installer, "pip");
            assert_eq!(installed.direct_url, None);
        }
    }
}

#[test]
fn extras_and_markers_are_evaluated_as_by_pip() {
    let world = world("26.3");
    let twin = world.twin();
    let (there, gone) = ("bb<2; python_version > '3'", "dd; python_version < '3'");
    same(&world, &twin, &["install", "aa[x]", there, gone], But::Nothing);
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0", "cc 1.0"]);
}

#[test]
fn files_within_files_and_constraints_count() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip)
            .file("requirements.txt", "-r more/base.txt\n-c limits.txt\n")
            .file("more/base.txt", "aa[x]  # comment\n")
            .file("limits.txt", "bb<2\n");
        let twin = world.twin();
        same(&world, &twin, &["install", "-rrequirements.txt", "-c", "limits.txt"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0", "cc 1.0"]);
    }
}

#[test]
fn without_dependencies_only_what_is_named_is_installed() {
    let world = world("25.1");
    let twin = world.twin();
    same(&world, &twin, &["install", "--no-deps", "aa"], But::Requested);
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn target_directory_gets_the_same_files() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip);
        let twin = world.twin();
        // What is in the environment does not count for a target.
        world.has_installed(&bb("1.0").build());
        twin.has_installed(&bb("1.0").build());
        same(&world, &twin, &["install", "--target", "there", "aa"], but);
        assert!(world.project().join("there/bb-2.0.dist-info").exists());
        if pip == PIPS[0] {
            same(&world, &twin, &["install", "--target=there", "--upgrade", "bb<2"], but);
            assert!(world.project().join("there/bb-1.0.dist-info").exists());
        }
    }
}

#[test]
fn satisfied_requirement_is_not_reinstalled() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip);
        let twin = world.twin();
        world.has_installed(&bb("1.0").build());
        twin.has_installed(&bb("1.0").build());
        same(&world, &twin, &["install", "aa"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
        let all_there = same(&world, &twin, &["install", "aa", "bb"], But::Nothing);
        all_there.stdout_has("Requirement already satisfied: bb in");
    }
}

#[test]
fn upgrade_and_force_reinstall_are_followed() {
    let world = world("26.3");
    let twin = world.twin();
    world.has_installed(&bb("1.0").build());
    twin.has_installed(&bb("1.0").build());
    let same = |args: &[&str]| same(&world, &twin, args, But::Nothing);
    same(&["install", "-U", "aa"]);
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    same(&["install", "-U", "--upgrade-strategy=eager", "aa"]);
    assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
    same(&["install", "--force-reinstall", "--no-deps", "bb==1.0"]);
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
}

#[test]
fn conflict_with_installed_packages_is_reported_by_pip() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        world.has_installed(&Wheel::new("old", "1.0").requires("bb<2").build());
        let run = world.pip(["install", "bb==2.0"]).run();
        run.exits(0).stderr_has("old 1.0 requires bb<2, but you have bb 2.0");
    }
}

/// Returns the outcomes of ours and of plain pip if this report is asked for.
fn reported(world: &World, twin: &Sandbox, report: &str, what: &str) -> (Outcome, Outcome) {
    let args = ["install", "--report", report, what];
    let ours = world.pip(args).env("TOFU", "1").run();
    (ours, twin.plain_pip(args).run())
}

#[test]
fn unwritable_report_prevents_install_and_record() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo());
        let local = world.sdist("local", "1.0").requires("aa").build();
        let world = world.file(&local.filename, &local.bytes).file("there/x", "");
        let twin = world.twin();
        let absolute = world.path("nowhere/r.json").display().to_string();
        for report in ["nowhere/r.json", "there", "/proc/r.json", &absolute] {
            for what in ["aa", "./local-1.0.tar.gz"] {
                let (ours, plain) = reported(&world, &twin, report, what);
                let told =
                    |text: &str| text.lines().find(|l| l.contains("Errno")).map(str::to_owned);
                assert_eq!(told(&ours.stderr), told(&plain.stderr), "{ours}{plain}");
                assert!(told(&ours.exits(plain.exits(1).status).stderr).is_some());
                assert!(world.installed().is_empty() && world.trust_file().is_none());
            }
        }
    }
}

#[test]
fn report_overwrites_only_what_pip_would_overwrite() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    let twin = world.twin();
    for (what, status) in [("nowhere", 1), ("aa==2.0", 1), ("aa", 0)] {
        for sandbox in [&*world, &twin] {
            sandbox.write_file("old.json", "x".repeat(100_000));
        }
        for report in ["old.json", "new.json"] {
            let (ours, plain) = reported(&world, &twin, report, what);
            ours.exits(status);
            plain.exits(status);
            let read = |of: &Sandbox| std::fs::read_to_string(of.project().join(report)).ok();
            let (ours, plain) = (read(&world), read(&twin));
            let root = |of: &Sandbox| of.path("").display().to_string();
            let plain = plain.map(|text| text.replace(&root(&twin), &root(&world)));
            assert_eq!(ours, plain, "{report} {what}");
        }
    }
}

#[test]
fn refused_install_leaves_no_report() {
    let world = World::new().wheel(Wheel::new("aa", "1.0")).trust(PIN_AA);
    world.write_file("old.json", "old");
    for report in ["old.json", "new.json"] {
        world.refuses(["install", "--report", report, "aa"], 77);
    }
    assert_eq!(world.read_file("old.json"), "old");
    assert!(!world.project().join("new.json").exists());
}
