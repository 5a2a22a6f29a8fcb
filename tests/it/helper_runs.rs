//! A pip that is only asked something leaves nothing behind in files that the user named: logs,
//! reports, clones, byte code. The pip that installs does with them as the user says.

use std::fs;
use std::path::Path;

use crate::support::index::LoopbackIndex;
use crate::support::wheel::Wheel;
use crate::support::world::{MALLORY, PIN_AA, World, octo};

const PASSWORD: &str = "sekret-w0rd";

/// `aa`, signed, on an index that wants a password; `./local` needs it, `./broken` does not build.
fn world(pip: &str) -> World {
    let index = LoopbackIndex::builder().basic_auth("someone", PASSWORD);
    let world = World::before(pip, index).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let url = world.index.url_with_credentials("someone", PASSWORD);
    let local = world.sdist("local", "1.0").requires("aa").build();
    let broken = world.sdist("broken", "1.0").backend("raise SystemExit('it is broken')").build();
    let world = world
        .file(&local.filename, &local.bytes)
        .file(&broken.filename, &broken.bytes)
        .env("PIP_INDEX_URL", &url);
    world.sh("for it in *.tar.gz; do tar -xzf $it; done").run().exits(0);
    world
}

/// All files below a directory, by their paths.
fn below(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let all = paths.flat_map(|path| match path.is_dir() {
        true => below(&path),
        false => vec![path.display().to_string()],
    });
    all.collect()
}

/// How a user tells pip where its log goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Option,
    Variable,
    File,
}

#[test]
fn log_holds_the_run_that_installs_and_no_password() {
    for (pip, command, by) in [
        ("26.3", &["install", "aa"][..], By::Variable),
        ("26.3", &["install", "aa"], By::Option),
        ("26.3", &["install", "./local-1.0"], By::File),
        ("26.3", &["install", "./local-1.0"], By::Option),
        ("26.3", &["--isolated", "install", "aa", "-i"], By::Option),
        ("25.1", &["install", "aa"], By::File),
        ("24.0", &["install", "./local-1.0"], By::Variable),
        ("22.3", &["install", "aa"], By::File),
    ] {
        let world = world(pip);
        let log = world.project().join("pip.log").display().to_string();
        let url = world.index.url_with_credentials("someone", PASSWORD);
        let (world, options) = match by {
            By::Option => (world, vec!["--log", &log]),
            By::Variable => (world.env("PIP_LOG", &log), Vec::new()),
            By::File => (world.pip_conf(&format!("[global]\nlog = {log}\n")), Vec::new()),
        };
        let index = command.ends_with(&["-i"]).then_some(url.as_str());
        let words: Vec<_> = options.iter().chain(command).copied().chain(index).collect();
        world.pip(&words).run().exits(0);
        let log = world.read_file("pip.log");
        assert!(!log.contains(PASSWORD), "pip {pip}: {words:?}:\n{log}");
        assert_eq!(log.matches("Successfully installed ").count(), 1, "{log}");
        assert!(!log.contains("Would install"), "pip {pip}: {words:?}:\n{log}");
    }
}

#[test]
fn log_of_the_configuration_would_hold_the_password() {
    let world = world("26.3");
    world.plain_pip(["--log", "pip.log", "config", "list", "-vvv"]).run().exits(0);
    assert!(world.read_file("pip.log").contains(PASSWORD));
}

#[test]
fn output_of_a_failed_build_is_printed_beside_a_log() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let run = world.pip(["--log", "pip.log", "install", "./broken-1.0"]).run();
        run.exits(1).stderr_has("it is broken");
        assert!(!world.project().join("pip.log").exists());
    }
}

#[test]
fn resolving_run_writes_to_no_file_of_the_user() {
    for (pip, command) in [
        ("26.3", &["install", "aa"][..]),
        ("24.0", &["install", "aa"]),
        ("26.3", &["install", "./local-1.0"]),
        ("26.3", &["download", "aa"]),
        ("26.3", &["wheel", "aa"]),
    ] {
        let world = world(pip).trust(&format!("aa {MALLORY}\n"));
        world.write_file("named/kept", "");
        let named = |name: &str| world.project().join("named").join(name);
        let before = world.files();
        let run =
            world.pip(command).env("PIP_LOG", named("log")).env("PIP_REPORT", named("report"));
        let run = run.env("PIP_SRC", named("src")).env("PIP_OUTPUT", named("output"));
        let run = run.env("PIP_TARGET", named("target")).env("PIP_NO_CLEAN", "1");
        let run = run.env("PYTHONPYCACHEPREFIX", world.path("bytecode"));
        run.env("SSLKEYLOGFILE", named("keys")).run().exits(77);
        assert_eq!(world.files(), before, "pip {pip}: {command:?}");
        assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
        let ours = below(&world.path("bytecode")).into_iter().find(|it| it.contains("/guard/"));
        assert_eq!(ours, None, "pip {pip}: {command:?}");
    }
}

#[test]
fn tool_makes_no_directory_for_an_unfetched_repository() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let before = world.files();
        let place = "git+http://127.0.0.1:9/x#egg=x";
        for options in [&["-e", place][..], &["--src", "there", "-e", place]] {
            world.tool(options).env("PIP_LOG", "pip.log").run().exits(77);
            assert_eq!(world.files(), before, "pip {pip}: {options:?}");
        }
    }
}

#[test]
fn files_of_a_failed_build_are_removed() {
    let world = world("26.3");
    world.pip(["install", "--no-clean", "./broken-1.0"]).run().exits(1);
    assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
    world.plain_pip(["install", "--no-clean", "./broken-1.0"]).run().exits(1);
    assert!(!world.leftovers().is_empty());
}
