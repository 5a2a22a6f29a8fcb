//! Trust files in force, end to end: pins of the system, of the user and of the project add up, and
//! no tree that somebody else wrote switches one off.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use crate::support::run::Run;
use crate::support::wheel::Wheel;
use crate::support::world::{MALLORY, OCTO, PIN_AA, World, mallory, octo};

/// The user's own trust file, from the project.
const OWN: &str = "../home/.config/pypi-verify-now/provenance.txt";

/// `aa` is signed by mallory, and the user has bound it to octo.
fn tampered() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &mallory()).file(OWN, PIN_AA)
}

/// `aa` is signed by octo, as the user has bound it.
fn honest() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &octo()).file(OWN, PIN_AA)
}

#[test]
fn pin_of_the_user_holds_in_every_project() {
    let pin_bb = "bb https://github.com/octo/bb\n";
    for text in ["", "# nobody\n", pin_bb, &format!("#\n{PIN_AA}")] {
        let refusal = tampered().trust(text).refuses(["install", "aa"], 77);
        refusal
            .stderr_has("changed publisher")
            .stderr_has("pypi-verify-now/provenance.txt, line 1");
        honest().trust(text).pip(["install", "aa"]).run().exits(0);
    }
    let named = tampered().file("t.txt", pin_bb).env("FILENAME", "t.txt").env("TOFU", "1");
    named.refuses(["install", "aa"], 77).stderr_has("changed publisher");
}

#[test]
fn project_that_contradicts_the_user_is_refused_with_both_lines() {
    let against = &format!("# ours\naa {MALLORY}\n");
    for world in [tampered().trust(against), honest().trust(against)] {
        let tool = || world.tool(["-L", "pylock.toml"]);
        for run in [world.pip(["install", "bb"]), world.pip(["install", "aa"]), tool()] {
            let refusal = world.leaves_all_as_it_was(run, 77);
            refusal.stderr_has(&format!("`aa` is bound to {OCTO} in "));
            refusal.stderr_has("home/.config/pypi-verify-now/provenance.txt, line 1, and to ");
            refusal.stderr_has(&format!("{MALLORY} in ")).stderr_has("/.provenance.txt, line 2");
        }
        assert!(world.index.requests().is_empty());
    }
}

#[test]
fn nearer_file_may_be_tighter() {
    for (workflow, status) in [("release.yml", 0), ("other.yml", 77)] {
        let world = honest().trust(&format!("aa {OCTO} workflow={workflow}\n"));
        let outcome = world.pip(["install", "aa"]).run();
        outcome.exits(status);
        if status != 0 {
            outcome.stderr_has("provenance.txt, line 1; ").stderr_has(&format!("={workflow}, the"));
        }
        // And the conditions of one that is further out hold for a nearer one without.
        let outer = format!("aa {OCTO} workflow={workflow}\n");
        honest().file(OWN, outer).trust(PIN_AA).pip(["install", "aa"]).run().exits(status);
    }
}

#[test]
fn vendored_tree_keeps_pins_of_the_repository() {
    for (signer, good) in [(mallory(), false), (octo(), true)] {
        let world = World::new().signed(Wheel::new("aa", "1.0"), &signer).trust(PIN_AA);
        let world = world.file("vendor/lib/.git", "").file("vendor/lib/.provenance.txt", "");
        let install = world.pip(["install", "aa"]).cwd("vendor/lib");
        if good {
            install.run().exits(0);
        } else {
            world.leaves_all_as_it_was(install, 77).stderr_has("project/.provenance.txt, line 1");
        }
    }
}

#[test]
fn trust_file_that_is_not_regular_ends_the_run() {
    for (make, says) in [
        ("ln -s nowhere", "it is a link to "),
        ("mkdir", "not a regular file"),
        ("ln -s /dev/zero", "not a regular file"),
        ("mkfifo", "not a regular file"),
    ] {
        let world = honest();
        world.sh(&format!("{make} .provenance.txt")).run().exits(0);
        for tofu in ["0", "1"] {
            let outcome = world.pip(["install", "aa"]).env("TOFU", tofu).run();
            outcome.exits(65).stderr_has(says).stderr_has("/.provenance.txt").stderr_has("hint: ");
        }
        assert!(world.index.requests().is_empty() && world.installed().is_empty());
    }
    let world = honest().file("real.txt", "");
    symlink("real.txt", world.project().join(".provenance.txt")).unwrap();
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn missing_named_file_is_bad_input_unless_recorded_in() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let world = world.env("FILENAME", "ci.txt");
    for run in [world.pip(["install", "aa"]), world.tool(["-L", "p", "--config-path", "ci.txt"])] {
        let outcome = world.leaves_all_as_it_was(run, 65);
        outcome.stderr_has("project/ci.txt`, which FILENAME").stderr_has("does not exist");
    }
    assert!(world.index.requests().is_empty());
    world.pip(["install", "aa"]).env("TOFU", "1").run().exits(0).stderr_has("project/ci.txt");
    assert!(world.read_file("ci.txt").contains(OCTO));
}

#[test]
fn first_use_outside_a_repository_is_recorded_by_the_user() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    fs::remove_dir(world.project().join(".git")).unwrap();
    let refusal = world.refuses(["install", "aa"], 77);
    refusal.stderr_has("expected  no publisher: no pin in any trust file: no trust file exists");
    let own = "home/.config/pypi-verify-now/provenance.txt";
    refusal.stderr_has("add the line `aa ").stderr_has(own);
    let first = world.pip(["install", "aa"]).env("TOFU", "1").run();
    first.exits(0).stderr_has("recorded: aa ").stderr_has(own);
    assert_eq!(world.trust_file(), None);
    assert!(world.read_file(OWN).contains(OCTO));
    // And holds everywhere.
    let evil = World::new().signed(Wheel::new("aa", "1.0"), &mallory());
    evil.file(OWN, world.read_file(OWN)).refuses(["install", "aa"], 77);
}

#[test]
fn trust_files_are_listed_on_demand_and_by_refusals() {
    let world = honest().trust("# nobody\n").signed(Wheel::new("bb", "1.0"), &octo());
    let both = format!(
        "{}, {}",
        world.path("home/.config/pypi-verify-now/provenance.txt").display(),
        world.path("project/.provenance.txt").display()
    );
    let line = format!("pypi-verify-now: trust files: {both}\n");
    for args in [&["install", "-v", "aa"][..], &["-vv", "install", "--force-reinstall", "aa"]] {
        world.pip(args).run().exits(0).stderr_has(&line);
    }
    world.tool(["-v", "aa"]).run().stderr_has(&line);
    world.pip(["install", "aa"]).run().exits(0).lacks("trust files:");
    let refusal = world.refuses(["install", "bb"], 77);
    refusal.stderr_has(&format!("expected  no publisher: no pin in {both}"));
    refusal.stderr_has("project/.provenance.txt\n");
    let none = World::new().signed(Wheel::new("bb", "1.0"), &octo());
    none.refuses(["install", "-v", "bb"], 77).stderr_has("trust files: none");
}

/// Gives a path of the world away. Only root can; else the tables of `trust_pins` are the test.
fn given_away(world: &World, path: &str) -> bool {
    chown(world.path(path), Some(12345), Some(12345)).is_ok()
}

#[test]
fn foreign_file_in_a_shared_directory_is_bad_input() {
    let world = tampered().file("all/.provenance.txt", format!("aa {MALLORY}\n"));
    let mode = |path, mode| {
        fs::set_permissions(world.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("project/all", 0o1777);
    if !given_away(&world, "project/all/.provenance.txt") {
        return;
    }
    let install = || world.pip(["install", "aa"]).cwd("all").env("TOFU", "1");
    let outcome = world.leaves_all_as_it_was(install(), 65);
    outcome.stderr_has("all/.provenance.txt").stderr_has("belongs to user 12345");
    outcome.stderr_has("hint: if you have read it and its pins are yours: chown -h ");
    assert!(world.index.requests().is_empty());
}

#[test]
fn root_uses_a_directory_of_another_owner() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust("# ours\n");
    let mut paths = ["project/.git", "project/.provenance.txt", "project"].into_iter();
    if !paths.all(|path| given_away(&world, path)) {
        return;
    }
    world.pip(["install", "aa"]).env("TOFU", "1").run().exits(0).stderr_has("recorded: aa ");
    let file = world.path("project/.provenance.txt");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&file.metadata().unwrap()), 12345);
    world.pip(["install", "--force-reinstall", "aa"]).run().exits(0).stderr_has("verified: aa");
}

/// The command with a system file of this text. Nothing where that cannot be arranged.
fn with_a_system_file(world: &World, text: &str, command: &str) -> Option<Run> {
    let file = world.write_file("../system/pypi-verify-now/provenance.txt", text);
    let layer = file.parent().unwrap().parent().unwrap().display().to_string();
    let mount = format!("mount -t overlay overlay -o lowerdir={layer}:/etc /etc");
    let with = |script: &str| world.run("unshare", ["-m", "sh", "-c", script]);
    if which::which("unshare").is_err() || with(&mount).run().status != 0 {
        eprintln!("no mount of our own: left out");
        return None;
    }
    Some(with(&format!("{mount} && {command}")))
}

#[test]
fn pins_of_the_system_hold_for_all_users() {
    for (signer, status) in [(mallory(), 77), (octo(), 0)] {
        let world = World::new().signed(Wheel::new("aa", "1.0"), &signer).trust("");
        let run = with_a_system_file(&world, PIN_AA, "pip install -v aa");
        let Some(run) = run else { return };
        let outcome = run.env("FILENAME", ".provenance.txt").run();
        outcome.exits(status).stderr_has("trust files: /etc/pypi-verify-now/provenance.txt, ");
    }
}
