//! Virtual environments with a real pip of a chosen version, made in milliseconds.
//!
//! The first use of a version makes a template below `target/test-pips`, with `python3 -m venv`
//! and `pip install pip==VERSION` from the user's own index: the only moment that touches the
//! network. Templates are kept between runs and shared by all tests and processes; a [`Venv`] is
//! the directories of a virtual environment with the template's files linked in. It holds pip and
//! nothing else, no setuptools either.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The pips that tests run against, newest first: 26.1 and later take hashed constraints, 25.3
/// resolves from metadata alone, 25.1 is the first with `pip lock`, 24.0 has none.
pub const PIPS: [&str; 5] = ["26.3", "26.1", "25.3", "25.1", "24.0"];

/// The newest that there was when the template was made.
pub const NEWEST: &str = "newest";

/// The pip of a test that names none.
pub const CURRENT_PIP: &str = PIPS[0];

/// A virtual environment with pip in it.
#[derive(Debug, Clone)]
pub struct Venv {
    path: PathBuf,
    /// The version of its pip, as it was asked for.
    pub pip: String,
    /// The interpreter it stands on.
    pub base: &'static Python,
}

/// An interpreter that environments stand on.
#[derive(Debug)]
pub struct Python {
    /// The interpreter itself, no shim, no virtual environment.
    pub executable: PathBuf,
    /// As in `3.11.7`.
    pub version: String,
    /// As in `3.11`.
    pub minor: String,
}

impl Venv {
    /// Makes an environment at `path`, which must not exist, with this pip: `24.0`, or `24.0@3.8`
    /// for another Python than the usual one.
    pub fn create(path: &Path, pip: &str) -> Self {
        let (version, python) = match pip.split_once('@') {
            Some((version, minor)) => (version, Python::of(minor).expect(minor)),
            None => (pip, Python::find()),
        };
        let template = template(version, python);
        let venv = Self { path: path.to_owned(), pip: pip.to_owned(), base: python };
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::create_dir_all(path.join("include")).unwrap();
        symlink("lib", path.join("lib64")).unwrap();
        let home = python.executable.parent().unwrap().display();
        let settings = format!(
            "home = {home}\ninclude-system-site-packages = false\nversion = {}\n",
            python.version
        );
        fs::write(path.join("pyvenv.cfg"), settings).unwrap();
        symlink(&python.executable, path.join("bin/python3")).unwrap();
        symlink("python3", path.join("bin/python")).unwrap();
        symlink("python3", path.join(format!("bin/python{}", python.minor))).unwrap();
        link_tree(&template.join("lib"), &path.join("lib")).unwrap();
        let (theirs, ours) = (template.to_str().unwrap(), path.to_str().unwrap());
        for script in fs::read_dir(template.join("bin")).unwrap() {
            let script = script.unwrap();
            if script.file_type().unwrap().is_file() {
                // pip's scripts name their interpreter, `activate` its directory.
                let text = fs::read_to_string(script.path()).unwrap().replace(theirs, ours);
                let copy = path.join("bin").join(script.file_name());
                fs::write(&copy, text).unwrap();
                fs::set_permissions(&copy, script.metadata().unwrap().permissions()).unwrap();
            }
        }
        venv
    }

    /// The environment's directory, what `VIRTUAL_ENV` says when it is active.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `bin`.
    pub fn bin(&self) -> PathBuf {
        self.path.join("bin")
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.path.join("bin/python")
    }

    /// Returns the directory that packages are installed in.
    pub fn site_packages(&self) -> PathBuf {
        self.path.join(format!("lib/python{}/site-packages", self.base.minor))
    }
}

impl Python {
    /// The first Python >= 3.10 with `venv` on PATH; looked for once.
    ///
    /// # Panics
    /// There is none: no test with a pip can run.
    pub fn find() -> &'static Self {
        static PYTHON: OnceLock<Python> = OnceLock::new();
        PYTHON.get_or_init(|| {
            let names = ["python3", "python3.13", "python3.12", "python3.11", "python3.10"];
            let new_enough = |python: &Self| !["3.8", "3.9"].contains(&python.minor.as_str());
            let found = names.iter().filter_map(Self::ask).find(new_enough);
            found.expect("a python3 >= 3.10 with the modules venv and ensurepip on PATH")
        })
    }

    /// The Python of this minor version (`3.8`), if there is one: on PATH, or among pyenv's.
    pub fn of(minor: &str) -> Option<&'static Self> {
        static FOUND: Mutex<Vec<&Python>> = Mutex::new(Vec::new());
        let mut found = FOUND.lock().unwrap();
        if let Some(known) = found.iter().find(|python| python.minor == minor) {
            return Some(known);
        }
        let name = format!("python{minor}");
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let versions = fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
        let of_pyenv = versions.map(|version| version.path().join("bin").join(&name));
        let candidates = std::iter::once(PathBuf::from(&name)).chain(of_pyenv);
        let python = candidates.filter_map(Self::ask).find(|python| python.minor == minor)?;
        found.push(Box::leak(Box::new(python)));
        found.last().copied()
    }

    /// Asks an interpreter for its version; returns `None` if the tests cannot use it.
    fn ask(name: impl AsRef<OsStr>) -> Option<Self> {
        let program = "import sys, venv, ensurepip; \
             print(sys._base_executable, '%d.%d.%d' % sys.version_info[:3], sep='\\n')";
        let output = Command::new(name).args(["-B", "-c", program]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (executable, version) = text.trim().split_once('\n')?;
        let (minor, _) = version.rsplit_once('.')?;
        Some(Self {
            executable: executable.into(),
            version: version.to_owned(),
            minor: minor.to_owned(),
        })
    }
}

/// The template of this pip; made by whoever comes first, all others wait.
fn template(pip: &str, python: &Python) -> PathBuf {
    kept(&format!("{pip}-py{}", python.version), |path| {
        let bootstrap = kept(&format!("bootstrap-py{}", python.version), |path| {
            run(Command::new(&python.executable).args(["-m", "venv"]).arg(path));
        });
        run(Command::new(&python.executable).args(["-m", "venv", "--without-pip"]).arg(path));
        let mut install = Command::new(bootstrap.join("bin/python"));
        install.args(["-m", "pip", "--python"]).arg(path.join("bin/python"));
        install.args(["install", "--quiet", "--disable-pip-version-check"]);
        let wanted = if pip == NEWEST { "pip".to_owned() } else { format!("pip=={pip}") };
        run(install.arg(wanted));
    })
}

/// Returns the directory of all files that outlive a run of the tests.
fn pips() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-pips")
}

/// A directory below `target/test-pips`, made under a lock. Virtual environments cannot be moved,
/// so it is made where it stays, and a mark says that it is whole, and where: in a `target` that
/// was moved or copied it is made again.
fn kept(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let pips = pips();
    let (path, whole) = (pips.join(name), pips.join(format!("{name}.whole")));
    let here = path.to_str().unwrap();
    let is_whole = || fs::read_to_string(&whole).is_ok_and(|place| place == here);
    if !is_whole() {
        fs::create_dir_all(&pips).unwrap();
        let lock = File::create(pips.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        if !is_whole() {
            // What an interrupted run left.
            let _ = fs::remove_dir_all(&path);
            make(&path);
            fs::write(&whole, here).unwrap();
        }
    }
    path
}

/// Runs a command that makes a template: with the user's index, which only the user's own
/// configuration knows, and keeping nothing but below `target`.
fn run(command: &mut Command) {
    let output = command
        .env_remove("PIP_REQUIRE_VIRTUALENV")
        .env("PIP_CACHE_DIR", pips().join("cache"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}");
}

/// Copies a tree by hard links, or by copies if the file system has none.
fn link_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link_tree(&from, &to)?;
        } else if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to)?;
            // Byte code is valid for a source of its time.
            File::options().write(true).open(&to)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}
