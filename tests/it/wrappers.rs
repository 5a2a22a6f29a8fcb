//! Wrappers on PATH that look for "the next pip" and find ours again, as the shims of pyenv and
//! asdf do for `system`: the pip behind them runs. No variable and no wrapper makes an install an
//! unverified one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pypi_verify_now::pip::started::{STARTED_VARIABLE, programs, value};

use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, mallory, octo};

/// Calls the next pip on PATH, whose first directory is ours.
const EXEC: &str = "exec pip \"$@\"";

/// Lays a program into a directory of the sandbox.
fn lay(sandbox: &Sandbox, path: &str, script: &str) -> PathBuf {
    let path = sandbox.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// PATH with these directories between our shims and the real pip.
fn path(sandbox: &Sandbox, between: &[&str]) -> OsString {
    let between = between.iter().map(|directory| sandbox.path(directory));
    let rest = [sandbox.venv().bin(), "/usr/bin".into(), "/bin".into()];
    std::env::join_paths(std::iter::once(sandbox.shims()).chain(between).chain(rest)).unwrap()
}

fn world(pip: &str) -> World {
    let world = World::with_pip(pip).trust(PIN_AA);
    world.signed(Wheel::new("aa", "1.0").requires("bb"), &octo()).wheel(Wheel::new("bb", "1.0"))
}

#[test]
fn pip_behind_a_wrapper_that_leads_back_is_run() {
    let pyenv = "root=$(dirname \"$0\")\nshift\nname=$1\nshift\n\
        search=$(printf %s \"$PATH\" | sed \"s|$root:||\")\n\
        exec \"$(PATH=$search command -v \"$name\")\" \"$@\"";
    let shapes: [(&str, &[(&str, &str)]); 5] = [
        ("exec", &[("one/pip", EXEC)]),
        ("a process of its own", &[("one/pip", "pip \"$@\"\nexit $?")]),
        ("pyenv", &[("one/pip", "exec pyenv exec pip \"$@\""), ("one/pyenv", pyenv)]),
        ("two in a row, by another name", &[("one/pip", "exec pip3 \"$@\""), ("two/pip3", EXEC)]),
        ("an option more", &[("one/pip", "exec pip --timeout 60 \"$@\"")]),
    ];
    for pip in ["26.3", "24.0"] {
        for (shape, programs) in &shapes {
            let world = world(pip);
            for (path, script) in *programs {
                lay(&world, path, script);
            }
            let search = path(&world, &["one", "two"]);
            let world = world.env("PATH", search.to_str().unwrap());
            let twin = world.twin();
            let installed = same(&world, &twin, &["install", "aa"], But::Requested);
            assert_eq!(installed.status, 0, "{shape}: {installed}");
            installed.stderr_has("verified: aa 1.0").lacks("is not verified");
            for args in [&["list"][..], &["frobnicate"], &["uninstall", "-y", "aa"]] {
                let (ours, plain) = (world.pip(args).run(), twin.plain_pip(args).run());
                assert_eq!(ours.status, plain.status, "{shape}: {ours}");
                let root = |sandbox: &Sandbox| sandbox.path("").display().to_string();
                let plain = plain.stdout.replace(&root(&twin), &root(&world));
                assert_eq!(ours.stdout, plain, "{shape}: {ours}");
            }
            // A source is built behind the same wrapper.
            world.source_beside(world.sdist("src", "1.0"));
            world.pip(["install", "src"]).run().exits(0);
        }
    }
}

/// Variables that the wrapper sets and removes count for every pip of the run.
#[test]
fn variables_of_the_wrapper_hold() {
    let world = world("26.3");
    let index = world.index.url();
    let script = format!("unset PIP_NO_DEPS; export PIP_INDEX_URL='{index}'\n{EXEC}");
    lay(&world, "one/pip", &script);
    let search = path(&world, &["one"]);
    let install = world.pip(["install", "aa"]).env("PATH", search);
    let install = install.env("PIP_NO_DEPS", "1").env("PIP_INDEX_URL", "http://127.0.0.1:9/");
    install.run().exits(0).stderr_has("verified: aa 1.0");
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
}

#[test]
fn install_behind_a_wrapper_is_refused_as_ever() {
    let world = World::new().trust(PIN_AA).signed(Wheel::new("aa", "1.0"), &mallory());
    let wrapper = lay(&world, "one/pip", EXEC);
    let search = path(&world, &["one"]);
    let arguments = ["install", "aa"];
    let words = arguments.map(OsString::from);
    let pip = world.venv().bin().join("pip");
    // Variables as somebody else could set them, to look like a call of ours.
    let strays = [
        None,
        Some(value(&words, [wrapper.as_path()])),
        Some(value(&words, [wrapper.as_path(), Path::new("/nowhere/pip")])),
        Some(value(&[], [Path::new("/nowhere/pip")])),
        Some(OsString::from("2:1:/nowhere/pip")),
    ];
    for stray in strays {
        let run = world.pip(arguments).env("PATH", &search);
        let run = match &stray {
            Some(stray) => run
                .env(STARTED_VARIABLE, stray)
                .env("PYPI_VERIFY_NOW_GUARD_BEHIND", &pip)
                .env("PYPI_VERIFY_NOW_GUARD", world.project()),
            None => run,
        };
        let outcome = world.leaves_all_as_it_was(run, 77);
        outcome.stderr_has("changed publisher");
    }
}

/// A wrapper that calls for something else than it was asked for is not gone along with.
#[test]
fn wrapper_that_asks_for_another_package_installs_nothing() {
    for script in ["exec pip install aa", "pip install aa; exec pip \"$@\""] {
        let world = World::new().trust(PIN_AA).signed(Wheel::new("aa", "1.0"), &mallory());
        let world = world.wheel(Wheel::new("bb", "1.0"));
        lay(&world, "one/pip", script);
        let run = world.pip(["install", "bb"]).env("PATH", path(&world, &["one"]));
        let outcome = run.run();
        assert!(!world.installed().contains(&"aa 1.0".to_owned()), "{outcome}");
        assert!(world.leftovers().is_empty(), "{outcome}");
    }
}

#[test]
fn call_is_recognized_by_its_arguments() {
    let words = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
    let (one, two) = (PathBuf::from("/nowhere/1/pip"), PathBuf::from("/nowhere/2/pip"));
    let stated = value(&words("install aa"), [one.as_path(), two.as_path()]);
    let found = |text: &str| programs(Some(&stated), &words(text));
    for same in ["install aa", "--timeout 60 install aa", "install aa --no-color"] {
        assert_eq!(found(same), [one.clone(), two.clone()], "{same}");
    }
    for other in ["install", "install aab", "install -q aa", "aa install", ""] {
        assert!(found(other).is_empty(), "{other}");
    }
    for broken in [
        "",
        ":",
        "x:y:/nowhere/1/pip",
        "-1:0:/nowhere/1/pip",
        "18446744073709551615:0:/nowhere/1/pip",
    ] {
        let found = programs(Some(OsStr::new(broken)), &words("install aa"));
        assert!(found.is_empty(), "{broken}");
    }
    assert!(programs(None, &words("install aa")).is_empty());
}
