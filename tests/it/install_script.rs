//! `install.sh`: what it lays, that it can be run again, that it takes everything away, and that
//! `--try` believes nothing but what it sees.
//!
//! The binary is a stand-in throughout, and so is Python in `--try`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

struct World {
    root: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { root: TempDir::new().unwrap() };
        world.program("built", "#!/bin/sh\necho \"stand-in called ${0##*/}\"\n");
        world.program("bin/python3.11", "");
        world.program("bin/python3.11-config", "");
        world.program("bin/python3.13t", "");
        world.program("other bin/python3.12", "");
        fs::write(world.at("bin/python3.9"), "not executable").unwrap();
        world
    }

    fn at(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn program(&self, relative: &str, text: &str) {
        let path = self.at(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn script(&self, arguments: &[&str]) -> Output {
        let root = self.root.path().display();
        self.command("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"))
            .args(arguments)
            .env("SHELL", "/bin/bash")
            .env("PATH", format!("{root}/bin:{root}/other bin:/usr/bin:/bin"))
            .output()
            .unwrap()
    }

    /// A command that knows no place but this world.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.at("home"))
            .env("PATH", "/usr/bin:/bin")
            .env("TMPDIR", self.root.path())
            .current_dir(self.root.path());
        command
    }

    fn installed(&self, arguments: &[&str]) -> Output {
        let output = self.script(&[&["--binary", "built"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Everything below `relative`, sorted, directories with a `/` at the end.
    fn listing(&self, relative: &str) -> Vec<String> {
        let find = self
            .command("find")
            .args([".", "-mindepth", "1", "(", "-type", "d", "-printf", "%P/\\n", ")", "-o"])
            .args(["-printf", "%P\\n"])
            .current_dir(self.at(relative))
            .output()
            .unwrap();
        let mut lines: Vec<String> =
            String::from_utf8(find.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn binary_and_a_shim_for_each_name_of_pip_are_installed() {
    let world = World::new();
    world.installed(&["--prefix", "a prefix/"]);
    let listing = world.listing("a prefix");
    let pips: Vec<&str> =
        listing.iter().filter_map(|line| line.split_once("shims/")).map(|l| l.1).collect();
    // What the machine has in /usr/bin comes on top of what the world has.
    for name in ["pip", "pip3", "pip3.11", "pip3.12"] {
        assert!(pips.contains(&name), "{pips:?}");
        let shim = world.at("a prefix/lib/pypi-verify-now/shims").join(name);
        assert!(fs::read_link(&shim).unwrap().is_relative());
        let called = world.command(&shim).output().unwrap();
        assert_eq!(text(&called.stdout), format!("stand-in called {name}\n"));
    }
    for name in ["pip3.9", "pip3.13t", "pip3.11-config"] {
        assert!(!pips.contains(&name), "{pips:?}");
    }
}

#[test]
fn script_prints_one_line_for_the_shell() {
    let world = World::new();
    world.program("built", "#!/bin/sh\necho \"echo evaluated $*\"\n");
    let output = world.installed(&["--prefix=it's a prefix"]);
    let line = text(&output.stdout);
    assert_eq!(line.lines().count(), 1);
    let shell = world.command("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(text(&shell.stdout), "evaluated shellenv bash\n");
}

#[test]
fn profile_without_the_line_is_mentioned() {
    let world = World::new();
    fs::create_dir(world.at("home")).unwrap();
    let said = |world: &World| text(&world.installed(&["--prefix", "p"]).stderr);
    let warning = "~/.bash_profile, for login shells";
    assert!(said(&world).contains(warning));
    fs::write(world.at("home/.profile"), ". ~/.bashrc\n").unwrap();
    assert!(!said(&world).contains(warning));
    fs::write(world.at("home/.bash_profile"), "# nothing\n").unwrap();
    assert!(said(&world).contains(warning));
}

#[test]
fn default_prefix_is_in_the_home_directory() {
    let world = World::new();
    let output = world.installed(&[]);
    assert!(
        text(&output.stdout).contains("/home/.pypi-verify-now/bin/pypi-verify-now shellenv bash")
    );
    assert!(world.at("home/.pypi-verify-now/bin/pypi-verify-now").is_file());
}

#[test]
fn second_run_changes_the_binary_alone() {
    let world = World::new();
    world.installed(&["--prefix", "p"]);
    let before = world.listing("p");
    world.program("built", "#!/bin/sh\necho newer\n");
    world.installed(&["--prefix", "p"]);
    assert_eq!(world.listing("p"), before);
    let shim = world.at("p/lib/pypi-verify-now/shims/pip");
    let called = world.command(shim).output().unwrap();
    assert_eq!(text(&called.stdout), "newer\n");
}

#[test]
fn uninstall_removes_every_file() {
    let world = World::new();
    let before = world.listing("");
    world.installed(&["--prefix", "deep/er/p"]);
    world.installed(&["--prefix", "deep/er/p"]);
    let output = world.script(&["--uninstall", "--prefix", "deep/er/p"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.listing(""), before);
    assert!(world.script(&["--uninstall", "--prefix", "deep/er/p"]).status.success());
}

#[test]
fn uninstall_keeps_foreign_files() {
    let world = World::new();
    world.program("p/bin/other", "");
    fs::create_dir_all(world.at("p/lib")).unwrap();
    world.installed(&["--prefix", "p"]);
    world.program("p/lib/pypi-verify-now/shims/pip-mine", "");
    assert!(world.script(&["--uninstall", "--prefix", "p"]).status.success());
    let left = ["bin/", "bin/other", "lib/", "lib/pypi-verify-now/", "lib/pypi-verify-now/shims/"];
    let left = [&left[..], &["lib/pypi-verify-now/shims/pip-mine"]].concat();
    assert_eq!(world.listing("p"), left);
}

#[test]
fn empty_directories_that_were_there_before_stay() {
    let world = World::new();
    fs::create_dir_all(world.at("p/lib")).unwrap();
    world.installed(&["--prefix", "p"]);
    assert!(world.script(&["--uninstall", "--prefix", "p"]).status.success());
    assert_eq!(world.listing("p"), ["lib/"]);
}

#[test]
fn foreign_tool_of_equal_name_is_kept() {
    let world = World::new();
    world.program("p/bin/pypi-verify-now", "the Python tool");
    for task in [&["--binary", "built"][..], &["--uninstall"]] {
        world.script(&[task, &["--prefix", "p"]].concat());
        let kept = fs::read_to_string(world.at("p/bin/pypi-verify-now")).unwrap();
        assert_eq!(kept, "the Python tool");
    }
    assert_eq!(world.script(&["--binary", "built", "--prefix", "p"]).status.code(), Some(1));
}

#[test]
fn invalid_command_line_installs_no_file() {
    let world = World::new();
    let before = world.listing("");
    for arguments in [&["--prefix"][..], &["--new"], &["word"], &["--binary", "gone"]] {
        let output = world.script(arguments);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?} {output:?}");
    }
    assert_eq!(world.listing(""), before);
}

/// Makes environments that are empty directories with a `python` that claims whatever is asked of
/// it, but that the package is there only if a file `installed` is.
const PYTHON: &str = r#"#!/bin/sh
case "$*" in
*ensurepip*) exit 0 ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip "*) exit 0 ;;
*importlib*) test -e "${0%/bin/python}/installed" ;;
*) exit 9 ;;
esac
"#;

/// The beginning of every stand-in for the shim in `--try`: the pin is in `$pin`.
const SHIM: &str = "#!/bin/sh\npin=$(cat \"$PYPI_VERIFY_NOW_FILENAME\")\n\
    [ \"${0##*/} $*\" = 'pip install --disable-pip-version-check nimbus-dev-sdk==0.1.0' ] || exit 8\n";

fn trying(shim: &str) -> Output {
    let world = World::new();
    world.program("bin/python3", PYTHON);
    world.program("built", &format!("{SHIM}{shim}"));
    let before = world.listing("");
    let output = world.script(&["--try", "--binary", "built"]);
    assert_eq!(world.listing(""), before, "the scratch directory is still there");
    output
}

const REFUSES_THE_IMPOSTOR: &str = "case $pin in *somebody-else*) echo refused; exit 77;; esac\n";
const INSTALLS: &str = "echo installed; touch \"$VIRTUAL_ENV/installed\"\n";

#[test]
fn trial_shows_an_install_and_a_refusal() {
    let output = trying(&format!("{REFUSES_THE_IMPOSTOR}{INSTALLS}"));
    let shown = text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    for part in
        ["installed\n[exit status 0]", "refused\n[exit status 77]", "that your index serves"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn trial_falls_back_to_the_recorded_attestation() {
    let lacks = "test -e \"$PYPI_VERIFY_NOW_PROVENANCE\"/nimbus_dev_sdk-0.1.0-py3-none-any.whl.provenance || exit 77\n";
    let output = trying(&format!("{REFUSES_THE_IMPOSTOR}{lacks}{INSTALLS}"));
    let shown = text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("your index serves none"), "{shown}");
}

#[test]
fn trial_fails_unless_install_and_refusal_succeed() {
    for (shim, why) in [
        (INSTALLS.to_owned(), "should have been refused"),
        (format!("{REFUSES_THE_IMPOSTOR}exit 69\n"), "should have been installed"),
        (format!("{REFUSES_THE_IMPOSTOR}exit 77\n"), "should have been installed"),
        (format!("{REFUSES_THE_IMPOSTOR}exit 0\n"), "it is not there"),
        (format!("case $pin in *else*) exit 69;; esac\n{INSTALLS}"), "should have been refused"),
        (
            format!("touch \"$VIRTUAL_ENV/x\"\n{REFUSES_THE_IMPOSTOR}{INSTALLS}"),
            "changed the environment",
        ),
    ] {
        let output = trying(&shim);
        assert_eq!(output.status.code(), Some(1), "{shim}");
        assert!(text(&output.stderr).contains(why), "{shim}: {output:?}");
    }
}

#[test]
fn dockerfile_builds_with_the_pinned_toolchain() {
    let toolchain = include_str!("../../rust-toolchain.toml");
    let channel = toolchain.split('"').nth(1).unwrap();
    let dockerfile = include_str!("../../shim/Dockerfile.example");
    assert!(dockerfile.contains(&format!("FROM rust:{channel}-")), "{channel}");
}
