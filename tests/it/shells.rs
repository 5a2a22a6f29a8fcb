//! The shell hooks, driven in real shells: whatever happens to PATH, `pip` is the shim.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pypi_verify_now::cli::shellenv::{self, Shell};
use pypi_verify_now::failure::{Failure, Status};
use tempfile::TempDir;

use crate::support::venv::Python;

/// Two virtual environments and a system directory, each with a `pip` that prints where it is, and
/// a shim directory with a name that needs quoting, whose `pip` prints the real one: the next on
/// PATH.
struct World {
    root: TempDir,
    shell: Shell,
    program: PathBuf,
}

/// How a shell is run.
#[derive(Clone, Copy)]
enum Mode {
    /// The shell gets the lines as a script, as in `RUN` or a CI job.
    Script,
    /// The shell reads the lines at its prompt.
    Prompt,
}

const SHIMS: &str = "it's $HOME/the \"shims\"\\";

const SHIM: &str = r#"#!/bin/sh
IFS=:
for entry in $PATH; do
    [ "$entry" = "${0%/pip}" ] || [ ! -x "$entry/pip" ] || { echo "shim of $entry"; exit; }
done
"#;

impl World {
    /// `None` where the shell is not installed, which is said.
    fn new(shell: Shell) -> Option<Self> {
        let name = match shell {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        };
        let Ok(program) = which::which(name) else {
            eprintln!("{name} not found: not driven");
            return None;
        };
        let world = Self { root: TempDir::new().unwrap(), shell, program };
        world.pip("system", "#!/bin/sh\n");
        world.pip(SHIMS, SHIM);
        for environment in ["one", "two"] {
            let made = Command::new(&Python::find().executable)
                .args(["-I", "-B", "-m", "venv", "--without-pip"])
                .arg(world.root.path().join(environment))
                .env_clear()
                .status();
            assert!(made.unwrap().success());
            world.pip(&format!("{environment}/bin"), "#!/bin/sh\n");
        }
        fs::write(world.root.path().join("hook"), world.hook()).unwrap();
        Some(world)
    }

    fn hook(&self) -> Vec<u8> {
        shellenv::text(self.shell, &self.root.path().join(SHIMS)).unwrap()
    }

    fn pip(&self, directory: &str, text: &str) {
        let directory = self.root.path().join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("pip"), text).unwrap();
        fs::set_permissions(directory.join("pip"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The shell, which reads nobody's startup files.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        match self.shell {
            Shell::Bash => command.args(["--norc", "--noprofile"]),
            Shell::Zsh => command.arg("-f"),
            Shell::Fish => command.arg("--no-config"),
        };
        command
            .env_clear()
            .env("HOME", self.root.path())
            .env("TMPDIR", self.root.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.root.path().join("system").display()))
            .env("SHIMS", self.root.path().join(SHIMS))
            .env("TERM", "dumb")
            .current_dir(self.root.path());
        command
    }

    /// The lines that the shell prints for these lines; the root of the world is written as `~`,
    /// its shims as `SHIMS`.
    fn run(&self, mode: Mode, lines: &str) -> Vec<String> {
        self.run_with(mode, &[], lines)
    }

    fn run_with(&self, mode: Mode, options: &[&str], lines: &str) -> Vec<String> {
        let mut command = self.command();
        command.args(options);
        match mode {
            Mode::Script => command.args(["-c", lines]),
            Mode::Prompt => command.arg("-i"),
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Mode::Prompt = mode {
            child.stdin.take().unwrap().write_all(format!("{lines}\n").as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let root = self.root.path().to_str().unwrap();
        let shims = format!("{root}/{SHIMS}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().count() > 0, "{}", String::from_utf8_lossy(&output.stderr));
        text.replace(&shims, "SHIMS").replace(root, "~").lines().map(str::to_owned).collect()
    }
}

/// Runs the lines in bash and zsh, as a script and at the prompt.
fn in_bash_and_zsh(lines: &str, expected: &[&str]) {
    for shell in [Shell::Bash, Shell::Zsh] {
        let Some(world) = World::new(shell) else { continue };
        for mode in [Mode::Script, Mode::Prompt] {
            assert_eq!(world.run(mode, lines), expected, "{shell:?}: {lines}");
        }
    }
}

fn at_the_prompt_of(shell: Shell, lines: &str, expected: &[&str]) {
    if let Some(world) = World::new(shell) {
        assert_eq!(world.run(Mode::Prompt, lines), expected, "{lines}");
    }
}

#[test]
fn new_shell_has_the_shim_first() {
    in_bash_and_zsh(
        ". ./hook\ncommand -v pip; pip; echo \"$PATH\"",
        &["SHIMS/pip", "shim of ~/system", "SHIMS:~/system:/usr/bin:/bin"],
    );
}

#[test]
fn activating_and_deactivating_keeps_the_shim_first() {
    in_bash_and_zsh(
        ". ./hook\n. one/bin/activate\ncommand -v pip; pip\ndeactivate\ncommand -v pip; pip",
        &["SHIMS/pip", "shim of ~/one/bin", "SHIMS/pip", "shim of ~/system"],
    );
}

#[test]
fn rest_of_the_activating_line_has_the_shim() {
    in_bash_and_zsh(
        ". ./hook\n. one/bin/activate && command -v pip && pip; deactivate && command -v pip && pip",
        &["SHIMS/pip", "shim of ~/one/bin", "SHIMS/pip", "shim of ~/system"],
    );
}

#[test]
fn one_environment_over_the_other_keeps_the_shim_first() {
    in_bash_and_zsh(
        ". ./hook\n. one/bin/activate; . two/bin/activate; command -v pip; pip; deactivate; pip",
        &["SHIMS/pip", "shim of ~/two/bin", "shim of ~/system"],
    );
}

#[test]
fn functions_and_subshells_have_the_shim_too() {
    in_bash_and_zsh(
        ". ./hook\nwork() { . one/bin/activate && pip; }\n(. two/bin/activate; pip)\nwork; pip",
        &["shim of ~/two/bin", "shim of ~/one/bin", "shim of ~/one/bin"],
    );
}

#[test]
fn deactivating_restores_path_exactly() {
    in_bash_and_zsh(
        ". ./hook\nbefore=$PATH\n. one/bin/activate\necho \"$PATH\"\ndeactivate\n\
         [ \"$PATH\" = \"$before\" ] && echo same",
        &["SHIMS:~/one/bin:~/system:/usr/bin:/bin", "same"],
    );
}

#[test]
fn environment_active_before_the_hook_keeps_the_shim_first() {
    in_bash_and_zsh(
        ". one/bin/activate\n. ./hook\npip\ndeactivate\ncommand -v pip; pip",
        &["shim of ~/one/bin", "SHIMS/pip", "shim of ~/system"],
    );
}

#[test]
fn nested_shell_and_second_evaluation_keep_path() {
    in_bash_and_zsh(
        ". ./hook\n. one/bin/activate\n. ./hook\n. ./hook\necho \"$PATH\"\nsh -c pip\n\
         . ./hook; pip; hash -r; false; echo \"$?\"",
        &["SHIMS:~/one/bin:~/system:/usr/bin:/bin", "shim of ~/one/bin", "shim of ~/one/bin", "1"],
    );
}

#[test]
fn directory_put_in_front_by_hand_is_second_on_the_next_line() {
    for shell in [Shell::Bash, Shell::Zsh] {
        let lines = ". ./hook\nexport PATH=$PWD/one/bin:$PATH\ncommand -v pip; pip; echo \"$PATH\"";
        let path = "SHIMS:~/one/bin:~/system:/usr/bin:/bin";
        at_the_prompt_of(shell, lines, &["SHIMS/pip", "shim of ~/one/bin", path]);
    }
}

#[test]
fn bash_puts_the_shim_first_on_the_current_line() {
    let lines =
        ". ./hook; . ./hook\nexport PATH=$PWD/one/bin:$PATH && pip; PATH=$PWD/two/bin:$PATH; pip";
    at_the_prompt_of(Shell::Bash, lines, &["shim of ~/one/bin", "shim of ~/two/bin"]);
}

#[test]
fn zsh_puts_the_shim_first_on_the_current_line() {
    let lines = "theirs() { export PATH=$PWD/bin:$PATH; }; . ./hook\n\
        chpwd_functions=(theirs $chpwd_functions)\ncd one && pip; cd ../two && pip";
    at_the_prompt_of(Shell::Zsh, lines, &["shim of ~/one/bin", "shim of ~/two/bin"]);
}

#[test]
fn strict_shell_options_are_supported() {
    let lines = ". ./hook; . ./hook; . one/bin/activate; pip; hash nosuch 2>/dev/null || echo no";
    for (shell, options) in [
        (Shell::Bash, &["-eu"][..]),
        (Shell::Bash, &["--posix", "-eu"]),
        (Shell::Bash, &["-eu", "-o", "pipefail", "-O", "nocasematch"]),
        (Shell::Zsh, &["-eu"]),
        (Shell::Zsh, &["-eu", "-o", "ksharrays", "-o", "shwordsplit", "-o", "globsubst"]),
    ] {
        let Some(world) = World::new(shell) else { continue };
        let printed = world.run_with(Mode::Script, options, lines);
        assert_eq!(printed, ["shim of ~/one/bin", "no"], "{shell:?} {options:?}");
    }
}

/// An empty entry of PATH means the working directory, so none may come about.
#[test]
fn empty_entries_are_neither_made_nor_lost() {
    in_bash_and_zsh(
        "show() { hash -r; printf '%s\\n' \"$PATH\"; }\n. ./hook\n\
         PATH=; show; PATH=/a; show; PATH=:/a; show; PATH=/a:; show; PATH=/a:$SHIMS:$SHIMS:/b; show",
        &["SHIMS", "SHIMS:/a", "SHIMS::/a", "SHIMS:/a:", "SHIMS:/a:/b"],
    );
}

#[test]
fn status_and_the_last_argument_of_a_command_survive() {
    for shell in [Shell::Bash, Shell::Zsh] {
        let lines = ". ./hook\n(exit 3)\necho \"$?\"\necho one two\necho \"$_\"";
        at_the_prompt_of(shell, lines, &["3", "one two", "two"]);
    }
}

#[test]
fn other_prompt_hooks_keep_working() {
    for theirs in [
        "PROMPT_COMMAND='echo theirs; '",
        "PROMPT_COMMAND='echo theirs # why'",
        "PROMPT_COMMAND=('echo theirs')",
        "PROMPT_COMMAND=(true 'echo theirs')",
    ] {
        let lines = format!("{theirs}; . ./hook; . ./hook; export PATH=$PWD/one/bin:$PATH\npip");
        let expected = ["theirs", "shim of ~/one/bin", "theirs"];
        at_the_prompt_of(Shell::Bash, &lines, &expected);
    }
    let lines = "precmd_functions=(theirs); theirs() { echo theirs; }; . ./hook\npip";
    at_the_prompt_of(Shell::Zsh, lines, &["theirs", "shim of ~/system", "theirs"]);
}

#[test]
fn other_debug_traps_are_kept() {
    let lines = "trap 'true theirs' DEBUG; . ./hook\ntrap -p DEBUG; . one/bin/activate && pip";
    at_the_prompt_of(Shell::Bash, lines, &["trap -- 'true theirs' DEBUG", "shim of ~/one/bin"]);
}

#[test]
fn fish_keeps_the_shim_first_whatever_changes_path() {
    let Some(world) = World::new(Shell::Fish) else { return };
    let lines = "source hook; source hook; command -v pip; echo \"$PATH\"
        source one/bin/activate.fish; and command -v pip; and pip
        source two/bin/activate.fish; and pip; deactivate; and pip
        set -gx PATH $PWD/one/bin $PATH; and pip; sh -c pip; echo \"$PATH\"";
    let expected = [
        "SHIMS/pip",
        "SHIMS:~/system:/usr/bin:/bin",
        "SHIMS/pip",
        "shim of ~/one/bin",
        "shim of ~/two/bin",
        "shim of ~/system",
        "shim of ~/one/bin",
        "shim of ~/one/bin",
        "SHIMS:~/one/bin:~/system:/usr/bin:/bin",
    ];
    assert_eq!(world.run(Mode::Script, lines), expected);
}

#[test]
fn hook_prints_no_text() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let Some(world) = World::new(shell) else { continue };
        let source = if shell == Shell::Fish { "source" } else { "." };
        let output = world.command().args(["-c", &format!("{source} ./hook")]).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn shell_is_known_by_name_path_and_login_name() {
    for name in ["bash", "/bin/bash", "-bash", "/usr/local/bin/bash"] {
        assert_eq!(Shell::parse(name).unwrap(), Shell::Bash);
    }
    assert_eq!(Shell::parse("-zsh").unwrap(), Shell::Zsh);
    assert_eq!(Shell::parse("/usr/bin/fish").unwrap(), Shell::Fish);
    for name in ["", "sh", "/bin/dash", "tcsh", "zsh5", "bash/"] {
        let failure = Failure::from(Shell::parse(name).unwrap_err());
        assert_eq!(failure.status, Status::Usage, "{name}");
    }
}

#[test]
fn directory_that_cannot_stand_on_path_is_refused() {
    for shims in ["relative", "", "/a:b"] {
        let error = shellenv::text(Shell::Bash, Path::new(shims)).unwrap_err();
        assert_eq!(Failure::from(error).status, Status::Usage);
    }
    let text = shellenv::text(Shell::Fish, &PathBuf::from("/o's\\")).unwrap();
    assert!(String::from_utf8(text).unwrap().contains(r"'/o\'s\\'"));
}
