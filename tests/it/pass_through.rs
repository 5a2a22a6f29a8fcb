//! Commands that do not install are passed to the real pip: its output, its exit code, its
//! arguments byte for byte, without another process or file.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::run::Run;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;

/// A script that is the next `pip` on PATH, behind our shims.
fn with_fake_pip(script: &str) -> Sandbox {
    let world = Sandbox::new();
    let path = world.write_file("fake/pip", format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let search = [world.shims(), world.project().join("fake"), "/usr/bin".into(), "/bin".into()];
    let search = std::env::join_paths(search).unwrap();
    world.env("PATH", search)
}

#[test]
fn harmless_commands_are_byte_for_byte_pips() {
    let world = Sandbox::new();
    world.has_installed(&Wheel::new("bb", "1.0").build());
    for args in [
        &["--version"][..],
        &["list"],
        &["freeze"],
        &["help", "install"],
        &["install", "--help"],
        &["show", "bb"],
        &[],
        &["frobnicate"],
        &["Install", "bb"],
        &["--no-such-option"],
        &["--no-such-option", "frobnicate"],
        &["frobnicate", "--help"],
    ] {
        let (ours, plain) = (world.pip(args).run(), world.plain_pip(args).run());
        assert_eq!(ours.status, plain.status, "{ours}");
        assert_eq!((&ours.stdout, &ours.stderr), (&plain.stdout, &plain.stderr), "{args:?}");
    }
}

#[test]
fn command_known_to_pip_alone_is_refused() {
    for pip in ["26.3", "24.0"] {
        let world = Sandbox::with_pip(pip);
        let command = "from pip._internal import commands as c\n\
            c.commands_dict['sync'] = c.CommandInfo('sync', 'Sync', 'Takes code in.')\n";
        let code = "from pip._internal.cli.base_command import Command\n\
            class Sync(Command):\n  def run(self, options, args):\n    \
                open('ran', 'w').close()\n    return 0\n";
        fs::write(world.venv().site_packages().join("sitecustomize.py"), command).unwrap();
        fs::write(world.venv().site_packages().join("sync.py"), code).unwrap();
        let ran = || world.project().join("ran").exists();
        for args in [&["sync", "x"][..], &["-q", "sync"], &["--new", "x", "sync"]] {
            let refused = world.pip(args).run();
            refused.exits(2).stderr_has("pip has a command `sync`");
            refused.stderr_has("hint: a newer version of pypi-verify-now").stderr_has("off pip ");
            assert!(!ran() && world.leftovers().is_empty(), "{refused}");
        }
        let off = world.pip(["sync", "x"]).env("PYPI_VERIFY_NOW", "off").run();
        off.exits(0).stderr_has("this command is not verified");
        assert!(ran(), "{off}");
    }
}

#[test]
fn pip_without_a_list_of_commands_is_not_run() {
    let world = with_fake_pip("echo $@ >>ran");
    world.pip(["sync"]).run().exits(69).stderr_has("without loading the guard");
    assert_eq!(world.read_file("ran"), "--log /dev/null --version\n");
}

#[test]
fn uninstall_works_as_by_pip() {
    let (ours, plain) = (Sandbox::new(), Sandbox::new());
    for world in [&ours, &plain] {
        world.has_installed(&Wheel::new("bb", "1.0").build());
    }
    let (said, expected) = (
        ours.pip(["uninstall", "-y", "bb"]).run(),
        plain.plain_pip(["uninstall", "-y", "bb"]).run(),
    );
    said.exits(0);
    assert_eq!((said.stdout, said.stderr), (expected.stdout, expected.stderr));
    assert!(ours.inspect().is_empty());
    let again = ours.pip(["uninstall", "-y", "bb"]).run();
    again.exits(0).stderr_has("Skipping bb as it is not installed");
}

#[test]
fn every_name_of_pips_leads_to_the_pip_of_that_name() {
    let world = Sandbox::new();
    let plain = world.plain_pip(["--version"]).run();
    let ours = world.run("pip3", ["--version"]).run();
    assert_eq!(ours.exits(0).stdout, plain.stdout);
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let world = with_fake_pip("printf '%s\\0' \"$@\" >argv; exit 7");
    let args: Vec<OsString> = [
        &b"list"[..],
        b"--path=a b  c",
        b"",
        b"\xff\xfe not text",
        b"*",
        b"$HOME",
        b"line\nbreak",
        b"'quoted\"",
        b"--",
        b"-",
    ]
    .iter()
    .map(|bytes| OsString::from_vec(bytes.to_vec()))
    .collect();
    world.run("pip", &args).run().exits(7);
    let expected = args.into_iter().map(OsString::into_vec).flat_map(|arg| [arg, vec![0]].concat());
    assert_eq!(fs::read(world.project().join("argv")).unwrap(), expected.collect::<Vec<u8>>());
}

#[test]
fn standard_input_and_output_are_pips_own() {
    let world = with_fake_pip("cat; echo said >&2");
    let run = world.pip(["cache", "list"]).stdin("typed\n").run();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("typed\n", "said\n"));
}

#[test]
fn one_process_becomes_pip_and_no_configuration_is_read() {
    let world = with_fake_pip("echo $$ >>pids");
    // Whoever reads one of these fails, or never comes back.
    let world = world
        .pip_conf("not a configuration")
        .trust("<<<<<<< not a trust file\n")
        .env("PYPI_VERIFY_NOW_TRUSTED_ROOT", "nowhere")
        .env("PYPI_VERIFY_NOW_PROVENANCE", "nowhere")
        .env("TMPDIR", "nowhere");
    for args in [&["--version"][..], &["list"], &["install", "--help"]] {
        let mut child = world.pip(args).command().spawn().unwrap();
        assert!(child.wait().unwrap().success());
        // The process that was started is the one that pip ran in, and there was no other pip.
        assert_eq!(world.read_file("pids"), format!("{}\n", child.id()), "{args:?}");
        fs::remove_file(world.project().join("pids")).unwrap();
    }
}

#[test]
fn system_calls_show_one_process_and_no_file_of_the_users() {
    let world = with_fake_pip(":").trust("zz https://github.com/octo/zz\n");
    if !traced(&world, &["true"]).is_some_and(|calls| calls.contains("execve(")) {
        eprintln!("no strace here: left out");
        return;
    }
    let calls = traced(&world, &["pip", "--version"]).unwrap();
    let own: Vec<_> = calls.lines().take_while(|line| !line.contains("fake/pip\"")).collect();
    assert!(own.len() < calls.lines().count(), "pip was not started: {calls}");
    let forks = ["clone", "fork(", "vfork("];
    assert!(!own.iter().any(|line| forks.iter().any(|call| line.contains(call))), "{calls}");
    let (users, shim) = (world.path("").display().to_string(), "/shims/pip\"");
    let opened = own.iter().filter(|line| line.contains("open") && line.contains(&users));
    let opened: Vec<_> = opened.filter(|line| !line.contains(shim)).collect();
    assert!(opened.is_empty(), "{opened:?}");
}

/// The calls of a command that start processes and open files, if they can be had.
fn traced(world: &Sandbox, command: &[&str]) -> Option<String> {
    let strace = PathBuf::from("/usr/bin/strace");
    let file = world.path("trace");
    if !strace.exists() {
        return None;
    }
    let args = ["-f", "-e", "trace=process,open,openat", "-o", file.to_str().unwrap()];
    world.run(strace, [&args, command].concat()).run();
    fs::read_to_string(file).ok()
}

#[test]
fn pip_that_leads_back_here_ends_in_a_clear_error() {
    for script in ["exec pip \"$@\"", "pip \"$@\"; exit $?"] {
        let world = with_fake_pip(script);
        let path = [world.shims(), world.project().join("fake")];
        let world = world.env("PATH", std::env::join_paths(path).unwrap());
        for args in [&["--version"][..], &["install", "aa"]] {
            let run = world.pip(args).run();
            run.exits(69).stderr_has("fake/pip` leads back to the shim").stderr_has("hint: ");
            assert!(world.leftovers().is_empty());
        }
    }
}

#[test]
fn missing_pip_is_an_error_with_a_hint() {
    let world = Sandbox::new();
    let nothing = |run: Run| run.env("PATH", world.shims());
    for args in [&["--version"][..], &["install", "aa"]] {
        let run = nothing(world.pip(args)).run();
        run.exits(69).stderr_has("no `pip` on PATH").stderr_has("hint: ").stderr_has("venv");
        assert!(world.leftovers().is_empty());
    }
}
