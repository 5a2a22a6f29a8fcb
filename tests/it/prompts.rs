//! An index that wants to know who asks: pip asks the user or the keyring, and what it learns
//! serves our own requests too.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::answers::at_a_terminal;
use crate::support::index::LoopbackIndex;
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

const PIPS: [&str; 3] = ["26.3", "25.1", "24.0"];
const ALICE: [(&str, &str); 2] = [("User for ", "alice"), ("Password: ", "s3cret")];

fn world(pip: &str) -> World {
    let index = LoopbackIndex::builder().basic_auth("alice", "s3cret");
    let world = World::before(pip, index).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let local = world.sdist("local", "1.0").requires("aa").build();
    let world = world.file(&local.filename, &local.bytes);
    world.sh("tar -xzf local-1.0.tar.gz").run().exits(0);
    world
}

/// Its index names a user, whose password a keyring has.
fn with_keyring(pip: &str) -> World {
    let world = world(pip);
    let keyring = "#!/bin/sh\necho \"$@\" >>asked\ncase \"$*\" in\n\
        *--mode=creds*' alice') echo '{\"username\": \"alice\", \"password\": \"s3cret\"}';;\n\
        'get '*' alice') echo s3cret;;\n*) exit 1;;\nesac\n";
    let path = world.write_file("fake/keyring", keyring);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let search = [world.shims(), world.project().join("fake"), world.venv().bin()];
    let search = search.into_iter().chain(["/usr/bin".into(), "/bin".into()]);
    let search = std::env::join_paths(search).unwrap();
    let url = world.index.url().replace("://", "://alice@");
    world.env("PATH", search.to_str().unwrap()).env("PIP_INDEX_URL", &url)
}

#[track_caller]
fn shows_no_password(outcome: &Outcome) {
    outcome.lacks("s3cret");
}

#[test]
fn credentials_are_asked_for_once() {
    for pip in PIPS {
        let world = world(pip);
        let outcome = at_a_terminal(&world, &ALICE, &["pip", "install", "aa"]).run();
        outcome.exits(0).stdout_has("verified: aa 1.0").stdout_has("User for 127.0.0.1");
        assert_eq!(outcome.stdout.matches("User for ").count(), 1, "{outcome}");
        assert_eq!(world.installed(), ["aa 1.0"]);
        shows_no_password(&outcome);
    }
}

#[test]
fn build_that_needs_the_index_has_pip_ask_first() {
    for pip in PIPS {
        let world = world(pip);
        let command = ["pip", "install", "./local-1.0"];
        let outcome = at_a_terminal(&world, &ALICE, &command).run();
        outcome.exits(0).stdout_has("verified: aa 1.0");
        assert_eq!(outcome.stdout.matches("User for ").count(), 1, "{outcome}");
        assert_eq!(world.installed(), ["aa 1.0", "local 1.0"]);
        assert!(world.leftovers().is_empty());
    }
}

#[test]
fn wrong_credentials_are_reported_by_pip() {
    let world = world("26.3");
    let wrong = [("User for ", "mallory"), ("Password: ", "guess")];
    let outcome = at_a_terminal(&world, &wrong, &["pip", "install", "aa"]).run();
    outcome.exits(1).stdout_has("401 Error, Credentials not correct");
    assert!(world.installed().is_empty() && world.leftovers().is_empty());
}

#[test]
fn control_c_at_the_question_is_a_cancelled_pip() {
    for answers in [&[("User for ", "^C")][..], &[("User for ", "alice"), ("Password: ", "^C")]] {
        let world = world("26.3");
        let outcome = at_a_terminal(&world, answers, &["pip", "install", "aa"]).run();
        outcome.exits(1).stdout_has("Operation cancelled by user");
        assert!(world.installed().is_empty() && world.leftovers().is_empty());
    }
}

#[test]
fn no_input_shows_the_failure_of_pip() {
    let world = world("26.3");
    let twin = plain(&world).run();
    let ours = world.pip(["install", "--no-input", "aa"]).run();
    ours.exits(twin.status);
    assert_eq!((&ours.stdout, &ours.stderr), (&twin.stdout, &twin.stderr));
}

fn plain(world: &Sandbox) -> crate::support::run::Run {
    world.plain_pip(["install", "--no-input", "aa"])
}

#[test]
fn credentials_of_a_keyring_serve_pip_and_us() {
    for pip in PIPS {
        for command in [&["install", "aa"][..], &["install", "./local-1.0"], &["download", "aa"]] {
            let world = with_keyring(pip);
            let options = ["--keyring-provider", "subprocess", "--no-input"];
            let outcome = world.pip([command, &options].concat()).run();
            outcome.exits(0).stderr_has("verified: aa 1.0");
            assert_eq!(world.read_file("asked").lines().count(), 1, "{outcome}");
            shows_no_password(&outcome);
        }
    }
}

#[test]
fn tool_gets_the_credentials_of_the_keyring() {
    let world = with_keyring("26.3").env("PIP_KEYRING_PROVIDER", "subprocess");
    world.tool(["aa"]).run().exits(0).stdout_has("OK: aa 1.0");
}

#[test]
fn credentials_of_a_keyring_reach_no_other_host() {
    let elsewhere = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    let world = with_keyring("26.3").env("PIP_EXTRA_INDEX_URL", &elsewhere.index.url());
    let run = world.pip(["install", "--keyring-provider", "subprocess", "aa"]).run();
    run.exits(0);
    let sent = elsewhere.index.requests();
    assert!(sent.iter().all(|request| request.header("authorization").is_none()));
    assert!(!sent.is_empty());
}
