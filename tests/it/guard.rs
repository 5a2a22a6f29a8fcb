//! The guard over a pip that resolves: allowed and refused processes, the cause of a failure, and
//! the errors for a guard that was not loaded or cannot work.

use std::os::unix::fs::PermissionsExt as _;

use pypi_verify_now::pip::guard::SOURCE;

use crate::support::sandbox::Sandbox;
use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::World;

/// Runs Python code under the guard.
fn guarded(sandbox: &Sandbox, code: &str) -> crate::support::run::Outcome {
    sandbox.write_file("guard/sitecustomize.py", SOURCE);
    std::fs::create_dir_all(sandbox.project().join("notes")).unwrap();
    let python = sandbox.venv().python();
    sandbox
        .run(&python, ["-c", code])
        .env("PYTHONPATH", sandbox.project().join("guard"))
        .env("PYPI_VERIFY_NOW_GUARD", sandbox.project().join("notes"))
        .run()
}

/// Counts the notes of one kind.
fn notes(sandbox: &Sandbox, kind: &str) -> usize {
    let names = std::fs::read_dir(sandbox.project().join("notes")).unwrap();
    names.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(kind)).count()
}

#[test]
fn source_is_python_3_7_without_unused_public_or_undefined_names() {
    let sandbox = Sandbox::new();
    let lint = |source: &str| {
        let run = sandbox.run(sandbox.venv().python(), ["-c", include_str!("guard_lint.py")]);
        run.stdin(source).run()
    };
    let outcome = lint(SOURCE);
    assert_eq!(outcome.exits(0).stdout, "");
    let faulty = "import re\n_x = 1\ndef _f():\n    y = z\n";
    let found = lint(faulty).exits(0).stdout.clone();
    for fault in ["unused at the top: re", "public: re", "top: _x", "undefined: z", "line 4: y"] {
        assert!(found.contains(fault), "{fault} is not in {found}");
    }
    assert_ne!(lint("(a := 1)\n").status, 0, "the walrus is Python 3.8");
}

#[test]
fn every_way_to_start_a_process_is_refused_and_noted() {
    for code in [
        "import subprocess; subprocess.run(['touch', 'started'])",
        "import subprocess; subprocess.run('touch started', shell=True)",
        "import os; os.system('touch started')",
        "import os; os.execvp('touch', ['touch', 'started'])",
        "import os; os.posix_spawnp('touch', ['touch', 'started'], os.environ)",
        "import os; os.fork() or os.execvp('touch', ['touch', 'started'])",
        "import os; os.spawnlp(os.P_WAIT, 'touch', 'touch', 'started')",
        "import pty; pty.spawn(['touch', 'started'])",
    ] {
        let sandbox = Sandbox::new();
        guarded(&sandbox, code).exits(1).stderr_has("not run before it is verified");
        assert!(!sandbox.project().join("started").exists(), "{code}");
        // `execvp` tries each directory of PATH, so there may be several.
        assert!(notes(&sandbox, "blocked-") >= 1, "{code}");
        assert_eq!(notes(&sandbox, "facts-"), 1, "{code}");
    }
}

#[test]
fn credential_helper_and_pips_own_restart_may_start() {
    let sandbox = Sandbox::new();
    sandbox.write_file("keyring", "#!/bin/sh\ntouch started\n");
    guarded(
        &sandbox,
        "import os, subprocess; os.chmod('keyring', 0o755); subprocess.run(['./keyring', 'get'])",
    )
    .exits(0);
    assert!(sandbox.project().join("started").exists());
    assert_eq!(notes(&sandbox, "blocked-"), 0);
}

#[test]
fn programs_for_the_user_agent_are_refused_without_a_note() {
    let sandbox = Sandbox::new();
    guarded(&sandbox, "import subprocess; subprocess.run(['rustc', '--version'])").exits(1);
    assert_eq!((notes(&sandbox, "blocked-"), notes(&sandbox, "facts-")), (0, 1));
}

#[test]
fn interpreter_without_audit_events_ends_before_pip_runs() {
    let sandbox = Sandbox::new();
    let deaf = "import sys; sys.addaudithook = lambda hook: None\n";
    sandbox.write_file("guard/sitecustomize.py", [deaf, SOURCE].concat());
    std::fs::create_dir_all(sandbox.project().join("notes")).unwrap();
    let python = sandbox.venv().python();
    let outcome = sandbox
        .run(&python, ["-c", "print('went on')"])
        .env("PYTHONPATH", sandbox.project().join("guard"))
        .env("PYPI_VERIFY_NOW_GUARD", sandbox.project().join("notes"))
        .run();
    outcome.exits(69).lacks("went on").stderr_has("cannot be guarded");
    assert_eq!(notes(&sandbox, "facts-"), 0);
}

#[test]
fn environments_own_sitecustomize_still_runs() {
    let sandbox = Sandbox::new();
    let own = sandbox.venv().site_packages().join("sitecustomize.py");
    std::fs::write(own, "print('own sitecustomize')\n").unwrap();
    guarded(&sandbox, "print('main')").exits(0).stdout_has("own sitecustomize").stdout_has("main");
}

#[test]
fn pip_that_ignores_pythonpath_is_refused_with_a_hint() {
    for (option, status) in [(" -I", 69), (" -E", 69), ("", 0)] {
        let world = World::new().wheel(Wheel::new("bb", "1.0"));
        let pip = world.venv().bin().join("pip");
        let script = std::fs::read_to_string(&pip).unwrap();
        let (first, rest) = script.split_once('\n').unwrap();
        std::fs::write(&pip, format!("{first}{option}\n{rest}")).unwrap();
        let install = world.pip(["install", "bb"]).run();
        install.exits(status);
        assert_eq!(world.installed().is_empty(), status != 0);
        let told = ["ignores PYTHONPATH", "hint: take -I and -E out of the first line"];
        assert!(status == 0 || told.iter().all(|text| install.stderr.contains(text)), "{install}");
    }
}

#[test]
fn unfinished_note_and_missing_guard_have_different_messages() {
    let began = "echo '{' >\"$PYPI_VERIFY_NOW_GUARD/.facts-1-2.json\"";
    for (script, said, hint) in [
        ("true", "without loading the guard", "-I and -E"),
        (began, "whose note could not be written", "that its disk is not full"),
    ] {
        let world = Sandbox::new();
        let pip = world.write_file("fake/pip", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(pip, std::fs::Permissions::from_mode(0o755)).unwrap();
        let search =
            [world.shims(), world.project().join("fake"), "/usr/bin".into(), "/bin".into()];
        let run = world.pip(["install", "aa"]).env("PATH", std::env::join_paths(search).unwrap());
        run.run().exits(69).stderr_has(said).stderr_has(hint);
        assert!(world.leftovers().is_empty());
    }
}

#[test]
fn cause_of_failure_is_the_exception_whatever_pip_prints() {
    for pip in ["26.3", "25.1", "24.0", "22.3"] {
        let sandbox = Sandbox::with_pip(pip);
        let sdist = Sdist::new("aa", "1.0", &sandbox.path("ran")).build();
        sandbox.write_file(&sdist.filename, &sdist.bytes);
        let clash =
            [Wheel::new("aa", "2.0").requires("bb"), Wheel::new("bb", "1.0").requires("aa<2")];
        for wheel in clash.map(Wheel::build) {
            sandbox.write_file(&wheel.filename, &wheel.bytes);
        }
        sandbox.write_file("No matching distribution found for aa.txt", "-r ResolutionImpossible");
        let words = |more: &[&str]| {
            let all = [&["install", "--dry-run", "-f", "."], more].concat();
            let run = "import runpy; runpy.run_module('pip', run_name='__main__')";
            format!("import sys; sys.argv[1:] = {all:?}; {run}")
        };
        for (more, missing) in [
            (&["aa==2.0", "bb"][..], true),
            (&["--only-binary", ":all:", "aa==1.0"], true),
            (&["-r", "No matching distribution found for aa.txt"], false),
            (&["--no-such-option"], false),
        ] {
            let outcome = guarded(&sandbox, &words(more));
            assert_ne!(outcome.status, 0, "{outcome}");
            let facts = facts(&sandbox);
            assert_eq!(facts["attended"], true, "pip {pip}: {more:?}: {facts}");
            let classes = facts["failure"]["classes"].to_string();
            let seen = classes.contains("\"DistributionNotFound\"");
            assert_eq!(seen, missing, "pip {pip}: {more:?}: {outcome}");
        }
    }
}

/// Takes the facts of the pip that was run last.
fn facts(sandbox: &Sandbox) -> serde_json::Value {
    let notes = std::fs::read_dir(sandbox.project().join("notes")).unwrap();
    let facts = notes
        .map(|note| note.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("facts-"));
    let path = facts.expect("facts");
    let facts = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_file(path).unwrap();
    facts
}

#[test]
fn interpreter_without_audit_events_is_reported_as_an_error() {
    let world = World::new().wheel(Wheel::new("bb", "1.0"));
    let deaf = "import sys; sys.addaudithook = lambda hook: None\n";
    std::fs::write(world.venv().site_packages().join("deaf.pth"), deaf).unwrap();
    let install = world.pip(["install", "bb"]).run();
    install.exits(69).stderr_has("error: the interpreter of this pip cannot be guarded");
    assert!(world.installed().is_empty());
}
