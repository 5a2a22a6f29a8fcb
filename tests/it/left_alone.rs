//! The suite leaves the machine alone: tests of each kind are run once more, by themselves, with a
//! home, a directory for temporary files and a working directory of their own, and nothing is
//! there when they have ended.
//!
//! Whatever heeds `HOME`, `TMPDIR` or the `XDG_*` writes there if it writes outside a sandbox. For
//! the rest, where mounts can be had, nothing else may be written to, so that a test that needs
//! another place fails; and the interpreter, which stays writable, has the files that it had.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::venv::{CURRENT_PIP, Python, Venv};

/// A test or two of each way in which tests run something or keep something.
const OF_EACH_KIND: [&str; 18] = [
    "cache::links_and_pipes_are_not_entries",
    "cache_command::purge_keeps_the_cache_of_pip",
    "gateway::another_user_is_refused_even_with_the_path",
    "guard::environments_own_sitecustomize_still_runs",
    "install_script::default_prefix_is_in_the_home_directory",
    "install_script::trial_shows_an_install_and_a_refusal",
    "interruption::interrupt_while_pip_installs_leaves_no_files",
    "kept_files::cache_is_where_pip_is_told_to_keep_its_own",
    "live_line::line_is_shown_and_cleared_at_a_terminal",
    "settings_e2e::trust_on_first_use_writes_to_the_named_file_alone",
    "shell_installs::refusal_at_the_prompt_leaves_the_active_environment_alone",
    "shells::new_shell_has_the_shim_first",
    "source_builds::first_use_records_no_publisher_after_a_refusal",
    "tool_pip::pip_that_fails_says_so_itself",
    "trust_store::missing_directory_is_an_error_that_names_the_file",
    "wheelhouse::wheelhouse_that_cannot_be_written_is_an_error",
    "world::sdist_says_that_its_code_ran",
    "wheel_archive::every_listing_is_the_one_that_python_reads",
];

/// Modules that start a command by their own means and are not run here: what all others use, this
/// one, and the one that asks cargo, which runs the tests.
const NOT_RUN: [&str; 3] = ["left_alone", "support", "tidy"];

/// The variable with the path that [`visitor_writes_where_it_is_sent`] writes to.
const VISIT: &str = "PVN_TESTS_VISIT";

/// Makes everything unwritable but $1, what cargo builds in, and the interpreter in $2; then runs
/// the rest.
const ALONE: &str = r#"
built=$1 python=$2 work=$PWD
shift 2
for place in / /tmp /var/tmp /dev/shm "$HOME_OF_USER"; do
    if [ -d "$place" ]; then
        mount --bind "$place" "$place" && mount -o remount,bind,ro "$place" || exit 1
    fi
done
for place in "$built" "$python"; do
    mount --bind "$place" "$place" && mount -o remount,bind,rw "$place" || exit 1
done
unset HOME_OF_USER
cd "$work" && exec "$@"
"#;

/// A place to be left as empty as it was.
struct Alone {
    root: TempDir,
}

impl Alone {
    fn new() -> Self {
        // Not among the temporary files: these are not to be written to.
        let root = TempDir::with_prefix_in("alone-", env!("CARGO_TARGET_TMPDIR")).unwrap();
        for directory in ["home", "tmp", "work"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        Self { root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Runs tests in here.
    fn run(&self, tests: &[&str], visit: Option<&Path>) -> Output {
        let python = Python::find();
        // Made now, since nothing else may be written to then, and from the user's own index.
        Venv::create(&self.at("made"), CURRENT_PIP);
        fs::remove_dir_all(self.at("made")).unwrap();
        let mut words = vec![std::env::current_exe().unwrap()];
        if can_mount() {
            let alone = ["unshare", "-m", "sh", "-c", ALONE, "sh"].map(PathBuf::from);
            let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
            let places = [built.to_owned(), prefix(python)];
            words = [&alone[..], &places, &words].concat();
        }
        let (program, before) = words.split_first().unwrap();
        let search = [prefix(python).join("bin"), "/usr/bin".into(), "/bin".into()];
        let mut command = Command::new(program);
        command
            .args(before)
            .args(["--exact", "--test-threads=2"])
            .args(tests)
            .env_clear()
            .env("PATH", std::env::join_paths(search).unwrap())
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("HOME_OF_USER", std::env::var_os("HOME").unwrap_or_default())
            .current_dir(self.at("work"));
        if let Some(path) = visit {
            command.env(VISIT, path);
        }
        command.output().unwrap()
    }

    /// Returns the files that were left.
    fn left(&self) -> Vec<PathBuf> {
        let mut left = BTreeSet::new();
        for directory in ["home", "tmp", "work"] {
            list(&self.at(directory), &mut left);
        }
        left.into_iter().collect()
    }
}

/// The directory that an interpreter is installed below.
fn prefix(python: &Python) -> PathBuf {
    python.executable.ancestors().nth(2).unwrap().to_owned()
}

/// Whether there can be a view of the file system for one command alone.
fn can_mount() -> bool {
    let own = "mount --bind / / && mount -o remount,bind,ro /";
    let tried = Command::new("unshare").args(["-m", "sh", "-c", own]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// All that is below a directory.
fn list(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&path, found);
        }
        found.insert(path);
    }
}

fn text(output: &Output) -> String {
    let Output { stdout, stderr, .. } = output;
    String::from_utf8_lossy(stdout).into_owned() + &String::from_utf8_lossy(stderr)
}

#[test]
fn tests_write_no_file_outside_their_sandboxes() {
    let library = prefix(Python::find()).join(format!("lib/python{}", Python::find().minor));
    let modules = || {
        let mut found = BTreeSet::new();
        list(&library, &mut found);
        found
    };
    let (alone, before) = (Alone::new(), modules());
    let output = alone.run(&OF_EACH_KIND, None);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("test result: ok. {} passed", OF_EACH_KIND.len())), "{said}");
    assert_eq!(alone.left(), Vec::<PathBuf>::new());
    let new: Vec<_> = modules().difference(&before).cloned().collect();
    assert_eq!(new, Vec::<PathBuf>::new());
}

/// Writes where it is told to, if it is; [`test_that_writes_elsewhere_is_noticed`] sends it.
#[test]
fn visitor_writes_where_it_is_sent() {
    if let Some(path) = std::env::var_os(VISIT) {
        fs::write(path, "was here").unwrap();
    }
}

#[test]
fn test_that_writes_elsewhere_is_noticed() {
    let alone = Alone::new();
    for place in ["home/.x", "tmp/pvn-x", "work/x"].map(|path| alone.at(path)) {
        assert!(
            alone
                .run(&["left_alone::visitor_writes_where_it_is_sent"], Some(&place))
                .status
                .success()
        );
        assert_eq!(alone.left(), [place.as_path()]);
        fs::remove_file(place).unwrap();
    }
    if !can_mount() {
        eprintln!("no mounts of our own: what heeds no variable goes unnoticed");
        return;
    }
    let elsewhere = TempDir::new().unwrap();
    let place = elsewhere.path().join("x");
    let output = alone.run(&["left_alone::visitor_writes_where_it_is_sent"], Some(&place));
    assert!(!output.status.success() && !place.exists(), "{}", text(&output));
}

#[test]
fn every_way_to_start_a_command_is_among_the_kinds() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut files = BTreeSet::new();
    list(&tests, &mut files);
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let module = path.strip_prefix(&tests).unwrap().with_extension("");
        let module = module.iter().next().unwrap().to_str().unwrap();
        let starts = fs::read_to_string(path).unwrap().contains("Command::new(");
        let is_run = OF_EACH_KIND.iter().any(|test| test.split("::").next() == Some(module));
        assert!(!starts || is_run || NOT_RUN.contains(&module), "no test of {module} is run here");
    }
}
