//! Real shells, real virtual environments, the real binary: whichever environment is active, `pip`
//! is the shim, and an install lands in that environment.

use std::fs;

use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::run::Outcome;
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::venv::{CURRENT_PIP, Venv};
use crate::support::wheel::Wheel;

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Types the lines at the prompt of a shell that has evaluated `shellenv`; without the shell,
/// nothing.
fn type_in(shell: &str, sandbox: &Sandbox, lines: &str) -> Option<String> {
    if which::which(shell).is_err() {
        eprintln!("{shell} not found: not driven");
        return None;
    }
    let options: &[&str] = match shell {
        "bash" => &["--norc", "--noprofile", "-i"],
        "fish" => &["--no-config", "-i"],
        _ => &["-f", "-i"],
    };
    let hook = format!("{}{}", hook(shell, sandbox), in_its_words(shell, lines));
    // A new shell of a user who has no environment active: the shims are not on PATH yet.
    let outcome = sandbox
        .run(shell, options)
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "dumb")
        .stdin(&hook)
        .run();
    Some(outcome.exits(0).stdout.clone())
}

/// The line that users have in their startup file.
fn hook(shell: &str, sandbox: &Sandbox) -> String {
    let command = format!("{BINARY} shellenv {shell} --shims {}", sandbox.shims().display());
    match shell {
        "fish" => format!("{command} | source\n"),
        _ => format!("eval \"$({command})\"\n"),
    }
}

fn in_its_words(shell: &str, lines: &str) -> String {
    match shell {
        "fish" => {
            lines.replace("bin/activate", "bin/activate.fish").replace("$?", "$status") + "\n"
        }
        _ => format!("{lines}\n"),
    }
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
fn install_lands_in_the_environment_that_is_active() {
    for shell in SHELLS {
        let (_index, sandbox, other) = environments();
        let lines = ". ../venv/bin/activate\npip install aa >/dev/null\ncommand -v pip";
        let Some(out) = type_in(shell, &sandbox, lines) else { continue };
        assert_eq!(out.trim(), sandbox.shims().join("pip").display().to_string(), "{shell}");
        assert!(has_aa(sandbox.venv()) && !has_aa(&other), "{shell}");
    }
}

#[test]
fn nested_activation_installs_into_the_inner_environment() {
    for shell in SHELLS {
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
fn refusal_at_the_prompt_leaves_the_active_environment_alone() {
    for shell in SHELLS {
        let (_index, sandbox, _) = environments();
        let sandbox = sandbox.trust("aa https://github.com/someone/aa\n");
        let lines = ". ../venv/bin/activate && pip install aa; echo \"ended with $?\"";
        let Some(out) = type_in(shell, &sandbox, lines) else { continue };
        assert!(out.contains("ended with 77"), "{shell}: {out}");
        assert!(!has_aa(sandbox.venv()), "{shell}");
    }
}

/// A server of tmux for this world alone.
struct Tmux<'a>(&'a Sandbox);

impl Tmux<'_> {
    fn run(&self, args: &[&str]) -> Outcome {
        let socket = self.0.path("tmp/tmux").display().to_string();
        let args = [&["-S", &socket, "-f", "tmux.conf"], args].concat();
        let run = self.0.run("tmux", args).env("PATH", "/usr/bin:/bin").env("TERM", "dumb");
        run.run()
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
fn login_shells_of_tmux_have_the_shim_first() {
    let startup = [".bash_profile", ".zshrc", ".config/fish/config.fish"];
    for (shell, startup) in SHELLS.into_iter().zip(startup) {
        let (Ok(path), Ok(_)) = (which::which(shell), which::which("tmux")) else {
            eprintln!("{shell} or tmux not found: not driven");
            continue;
        };
        let (_index, sandbox, other) = environments();
        let startup = sandbox.path("home").join(startup);
        fs::create_dir_all(startup.parent().unwrap()).unwrap();
        fs::write(startup, hook(shell, &sandbox)).unwrap();
        let set = format!("set -g default-shell {}\n", path.display());
        let sandbox = sandbox.file("tmux.conf", set);
        let tmux = Tmux(&sandbox);
        tmux.run(&["new-session", "-d"]).exits(0);
        let lines = ". ../venv/bin/activate; pip install aa; command -v pip >where; \
            tmux wait-for -S done";
        tmux.run(&["send-keys", in_its_words(shell, lines).trim(), "Enter"]).exits(0);
        tmux.run(&["wait-for", "done"]).exits(0);
        let shim = sandbox.shims().join("pip").display().to_string();
        assert_eq!(sandbox.read_file("where").trim(), shim, "{shell}");
        assert!(has_aa(sandbox.venv()) && !has_aa(&other), "{shell}");
    }
}
