//! The test world itself: that its wheels, its environments and its isolation are real, so that a
//! test that passes in it says something.

use crate::support::sandbox::Sandbox;
use crate::support::venv::PIPS;
use crate::support::wheel::{Sdist, Wheel};

#[test]
fn every_pip_has_its_version_and_installs_wheels() {
    for pip in PIPS {
        let world = Sandbox::with_pip(pip).env("PIP_FIND_LINKS", ".");
        let bb = Wheel::new("Bb.x", "2.0").script("bb = bb_x:main").build();
        let aa = Wheel::new("aa", "1.0").requires("bb-x>=1").extra("x", "cc").build();
        world.write_file(&aa.filename, &aa.bytes);
        world.write_file(&bb.filename, &bb.bytes);
        world.plain_pip(["--version"]).run().exits(0).stdout_has(&format!("pip {pip} from"));
        world.plain_pip(["install", "aa"]).run().exits(0);
        assert_eq!(world.freeze(), ["aa==1.0", "Bb.x==2.0"]);
        let installed = world.inspect();
        assert!(installed["aa"].requested && !installed["bb_x"].requested, "{installed:?}");
        assert!(world.venv().bin().join("bb").exists());
    }
}

#[test]
fn fresh_environment_holds_pip_alone() {
    let world = Sandbox::new();
    assert!(world.inspect().is_empty());
    assert!(world.freeze().is_empty());
    world.run(world.venv().python(), ["-c", "import setuptools"]).run().exits(1);
    for name in ["pip3", "activate", "activate.fish"] {
        assert!(world.venv().bin().join(name).exists(), "{name}");
    }
    let script = ". ../venv/bin/activate; echo $VIRTUAL_ENV; command -v pip3";
    let activated = world.sh(script).run();
    let venv = world.path("venv").display().to_string();
    assert_eq!(activated.stdout, format!("{venv}\n{venv}/bin/pip3\n"));
}

#[test]
fn environments_share_no_change() {
    let (one, other) = (Sandbox::new(), Sandbox::new());
    let before = other.snapshot();
    one.plain_pip(["uninstall", "--yes", "pip"]).run().exits(0);
    assert_eq!(other.snapshot(), before);
    other.plain_pip(["--version"]).run().exits(0);
}

#[test]
fn environment_of_a_command_is_made_from_scratch() {
    let world = Sandbox::new();
    let env = world.run("env", [""; 0]).env("ONE", "1").run();
    let mut names: Vec<_> =
        env.stdout.lines().map(|line| line.split('=').next().unwrap()).collect();
    names.sort();
    let pip = ["PIP_CONFIG_FILE", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_INDEX"];
    let rest = ["HOME", "LANG", "ONE", "PATH", "TMPDIR", "XDG_CONFIG_DIRS"];
    let python = ["PYTHONDONTWRITEBYTECODE"];
    let mut expected: Vec<_> = pip.iter().chain(&rest).chain(&python).copied().collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn first_pip_on_path_is_ours() {
    let world = Sandbox::new();
    let found = world.sh("command -v pip; command -v pip3").run();
    let shims = world.shims().display().to_string();
    assert_eq!(found.stdout, format!("{shims}/pip\n{shims}/pip3\n"));
}

#[test]
fn sdist_says_that_its_code_ran() {
    let world = Sandbox::new();
    let marker = world.path("ran");
    let sdist = Sdist::new("src-only", "1.0", &marker).requires("aa").build();
    let file = world.write_file(&sdist.filename, &sdist.bytes);
    assert!(!marker.exists());
    world.plain_pip(["install", "--no-deps", file.to_str().unwrap()]).run().exits(0);
    assert_eq!(world.freeze().len(), 1);
    assert!(marker.exists());
}

#[test]
fn equal_wheels_have_equal_bytes() {
    let build = || Wheel::new("aa", "1.0").tag("py2.py3-none-any").build();
    assert_eq!(build().sha256, build().sha256);
    assert_eq!(build().filename, "aa-1.0-py2.py3-none-any.whl");
    assert_ne!(Wheel::new("aa", "1.0").file("aa.py", "x").build().sha256, build().sha256);
}

#[test]
fn snapshot_shows_every_change() {
    let world = Sandbox::new();
    let before = world.snapshot();
    world.plain_pip(["list"]).run().exits(0);
    assert_eq!(world.snapshot(), before);
    std::fs::write(world.venv().site_packages().join("evil.pth"), "import os").unwrap();
    assert_eq!(world.snapshot().len(), before.len() + 1);
}
