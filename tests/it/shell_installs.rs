//! Real shells, real virtual environments, the real binary: whichever environment is active, `pip`
//! is the shim, and an install lands in that environment.

use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::venv::{CURRENT_PIP, Venv};
use crate::support::wheel::Wheel;

/// Types the lines at the prompt of a shell that has evaluated `shellenv`; without the shell,
/// nothing.
fn type_in(shell: &str, sandbox: &Sandbox, lines: &str) -> Option<String> {
    if which::which(shell).is_err() {
        eprintln!("{shell} not found: not driven");
        return None;
    }
    let options: &[&str] = match shell {
        "bash" => &["--norc", "--noprofile", "-i"],
        _ => &["-f", "-i"],
    };
    let shims = sandbox.shims().display().to_string();
    let hook = format!("eval \"$({BINARY} shellenv {shell} --shims {shims})\"\n{lines}\n");
    // A new shell of a user who has no environment active: the shims are not on PATH yet.
    let outcome = sandbox
        .run(shell, options)
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "dumb")
        .stdin(&hook)
        .run();
    Some(outcome.exits(0).stdout.clone())
}

fn environments() -> (LoopbackIndex, Sandbox, Venv) {
    let wheel = Wheel::new("aa", "1.0").build();
    let file = DistFile::new(&wheel.filename, wheel.bytes).metadata(&wheel.metadata);
    let index = LoopbackIndex::builder().file("aa", file).start();
    let sandbox = Sandbox::new().index(&index.url());
    let other = Venv::create(&sandbox.path("other"), CURRENT_PIP);
    (index, sandbox, other)
}

fn has_aa(venv: &Venv) -> bool {
    venv.site_packages().join("aa-1.0.dist-info").exists()
}

#[test]
fn an_install_lands_in_the_environment_that_is_active() {
    for shell in ["bash", "zsh"] {
        let (_index, sandbox, other) = environments();
        let lines = ". ../venv/bin/activate\npip install aa >/dev/null\ncommand -v pip";
        let Some(out) = type_in(shell, &sandbox, lines) else { continue };
        assert_eq!(out.trim(), sandbox.shims().join("pip").display().to_string(), "{shell}");
        assert!(has_aa(sandbox.venv()) && !has_aa(&other), "{shell}");
    }
}

#[test]
fn nested_activation_installs_into_the_inner_one_and_deactivation_ends_it() {
    for shell in ["bash", "zsh"] {
        let (_index, sandbox, other) = environments();
        let lines = ". ../venv/bin/activate\n. ../other/bin/activate\n\
            pip install aa >/dev/null; command -v pip\ndeactivate\ncommand -v pip";
        let Some(out) = type_in(shell, &sandbox, lines) else { continue };
        let shim = sandbox.shims().join("pip").display().to_string();
        assert_eq!(out.lines().collect::<Vec<_>>(), [&shim, &shim], "{shell}");
        assert!(has_aa(&other) && !has_aa(sandbox.venv()), "{shell}");
    }
}

#[test]
fn a_refusal_at_the_prompt_leaves_the_active_environment_alone() {
    for shell in ["bash", "zsh"] {
        let (_index, sandbox, _) = environments();
        let sandbox = sandbox.trust("aa https://github.com/someone/aa\n");
        let lines = ". ../venv/bin/activate && pip install aa; echo \"ended with $?\"";
        let Some(out) = type_in(shell, &sandbox, lines) else { continue };
        assert!(out.contains("ended with 77"), "{shell}: {out}");
        assert!(!has_aa(sandbox.venv()), "{shell}");
    }
}
