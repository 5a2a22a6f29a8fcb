//! A run that is ended early: whatever it was doing, the pip it had started is gone, so is its
//! private directory, and the exit code is the one that pip would have had.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::index::Fault;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

const PAGE: &str = "/simple/aa/";
const METADATA: &str = "/files/aa-1.0-py3-none-any.whl.metadata";

fn world() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA)
}

/// From here on requests of `path` hang; says when the first one has come. `before` is asked for
/// `times` times before it.
fn hang(world: &World, path: &str, before: &str, times: usize) -> Receiver<()> {
    let (reached, gate) = channel();
    world.index.fault(path, Fault::Hang);
    world.index.after(before, times, move |_| reached.send(()).unwrap());
    gate
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The exit code of what was sent this signal, as a shell has it.
fn ended_by(child: Child, signal: Signal) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    let status = output.status;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

/// Asserts that no process, no directory and no installed file of the run is left.
#[track_caller]
fn nothing_is_left(world: &Sandbox) {
    assert_eq!(processes(world), Vec::<String>::new());
    // A pip that is terminated leaves its own, here as elsewhere.
    let left = fs::read_dir(world.path("tmp")).unwrap().map(|entry| entry.unwrap().file_name());
    let ours: Vec<_> = left.filter(|name| !name.to_string_lossy().starts_with("pip-")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert!(world.inspect().is_empty());
}

/// The processes that live in this world, where the system tells.
fn processes(world: &Sandbox) -> Vec<String> {
    let home = format!("HOME={}\0", world.path("home").display());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let of_this_world = entries.filter_map(|entry| {
        let path = entry.unwrap().path();
        let environment = fs::read(path.join("environ")).ok()?;
        let ours = String::from_utf8_lossy(&environment).contains(&home);
        ours.then(|| fs::read_to_string(path.join("cmdline")).unwrap_or_default())
    });
    of_this_world.filter(|command| !command.is_empty()).collect()
}

#[test]
fn interrupt_while_pip_resolves_leaves_no_files() {
    for (signal, code) in [(Signal::INT, 1), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let world = world();
        let gate = hang(&world, PAGE, PAGE, 0);
        let child = started(world.pip(["install", "aa"]).command());
        gate.recv().unwrap();
        assert_eq!(ended_by(child, signal), code);
        nothing_is_left(&world);
    }
}

#[test]
fn interrupt_while_evidence_is_fetched_leaves_no_files() {
    let evidence = "/provenance/aa-1.0-py3-none-any.whl";
    for (signal, code) in [(Signal::INT, 1), (Signal::TERM, 143)] {
        let world = world();
        // pip resolves with page and METADATA; what comes next is the document.
        let gate = hang(&world, evidence, METADATA, 1);
        let child = started(world.pip(["install", "aa"]).command());
        gate.recv().unwrap();
        assert_eq!(ended_by(child, signal), code);
        nothing_is_left(&world);
    }
}

#[test]
fn interrupt_while_downloading_leaves_no_files() {
    let world = world();
    let gate =
        hang(&world, "/files/aa-1.0-py3-none-any.whl", "/provenance/aa-1.0-py3-none-any.whl", 1);
    let child = started(world.pip(["install", "aa"]).env("TOFU", "1").command());
    gate.recv().unwrap();
    assert_eq!(ended_by(child, Signal::TERM), 143);
    nothing_is_left(&world);
    assert_eq!(world.trust_file().unwrap(), PIN_AA);
}

#[test]
fn interrupt_while_pip_installs_leaves_no_files() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = world();
        // A pip that resolves as the real one, and says so when it is asked to install, and waits.
        let real = world.venv().bin().join("pip");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *' --no-index '*) echo here; exec sleep 300;; esac\n\
             exec {} \"$@\"\n",
            real.display()
        );
        let path = world.write_file("fake/pip", script);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let search =
            [world.shims(), world.project().join("fake"), "/usr/bin".into(), "/bin".into()];
        let search = std::env::join_paths(search).unwrap();
        let mut child = started(world.pip(["install", "aa"]).env("PATH", search).command());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "here\n");
        assert_eq!(ended_by(child, signal), code);
        nothing_is_left(&world);
    }
}

/// Runs a command at a terminal of its own, and presses Ctrl-C when a line comes in.
const CTRL_C: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
sys.stdin.readline()
os.write(terminal, b'\\x03')
try:
    while os.read(terminal, 4096): pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[test]
fn control_c_at_a_terminal_leaves_no_files() {
    let evidence = "/provenance/aa-1.0-py3-none-any.whl";
    for (path, before, times) in [(PAGE, PAGE, 0), (evidence, METADATA, 1)] {
        let world = world();
        let gate = hang(&world, path, before, times);
        let run = world.run("python3", ["-c", CTRL_C, "pip", "install", "aa"]);
        let mut child = started(run.command());
        gate.recv().unwrap();
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        nothing_is_left(&world);
    }
}

#[test]
fn threads_that_still_write_do_not_keep_the_private_directory() {
    let place = tempfile::tempdir().unwrap();
    let run = pypi_verify_now::process::run::Run::begin(&[place.path().to_owned()]).unwrap();
    let directory = run.directory().to_owned();
    let (begun, gate) = channel();
    // Each puts a file where one has just gone, twenty times: fewer altogether than the attempts.
    let writers = [0, 1, 2, 3].map(|writer| {
        let (names, begun) = (directory.clone(), begun.clone());
        std::thread::spawn(move || {
            let mut names = (0..20).map(|number| names.join(format!("{writer}-{number}")));
            names.find(|name| {
                let gone = fs::write(name, "").is_err();
                begun.send(()).unwrap();
                while name.exists() {}
                gone
            });
        })
    });
    writers.iter().for_each(|_| gate.recv().unwrap());
    drop(run);
    assert!(!directory.exists());
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}
