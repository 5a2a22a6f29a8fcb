//! A small world for one test: a project, a home, a virtual environment with a real pip, and our
//! shims ahead of it on PATH.
//!
//! ```ignore
//! let world = Sandbox::new().index(&index.url()).trusted_root(&root).trust("aa https://…\n");
//! let run = world.pip(["install", "aa"]).env("STRICT", "1").run();
//! run.exits(77).stderr_has("changed publisher");
//! assert_eq!(world.freeze(), ["aa==1.0"]);
//! ```
//!
//! Commands run in `project`, which is marked as a repository, with an environment made from
//! nothing: no `PIP_*`, proxy or configuration of the host reaches them, and without an index there
//! is none. Everything lies in one temporary directory and goes with the value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pypi_verify_now::package::digest::Sha256;
use tempfile::TempDir;

use super::run::Run;
use super::venv::{CURRENT_PIP, Venv};
use super::wheel::Distribution;

/// The binary that is tested.
pub const BINARY: &str = env!("CARGO_BIN_EXE_pypi-verify-now");

/// The world of one test.
pub struct Sandbox {
    root: TempDir,
    venv: Venv,
    env: BTreeMap<OsString, OsString>,
}

/// One installed package, as its `.dist-info` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub version: String,
    /// Whether `REQUESTED` is there: the user named it (PEP 376).
    pub requested: bool,
    /// `direct_url.json`, if there is one (PEP 610).
    pub direct_url: Option<String>,
    /// `pip`.
    pub installer: String,
}

impl Sandbox {
    /// A world with a current pip.
    pub fn new() -> Self {
        Self::with_pip(CURRENT_PIP)
    }

    /// A world with a pip of this version, as [`Venv::create`] takes it.
    pub fn with_pip(version: &str) -> Self {
        let root = tempfile::Builder::new().prefix("pvn-").tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        // A repository of its own: trust on first use makes its file there.
        for directory in ["home", "project", "project/.git", "shims", "tmp", "etc"] {
            fs::create_dir(path.join(directory)).unwrap();
        }
        let venv = Venv::create(&path.join("venv"), version);
        let minor = format!("pip{}", venv.base.minor);
        for name in ["pip", "pip3", &minor] {
            symlink(BINARY, path.join("shims").join(name)).unwrap();
        }
        let sandbox = Self { root, venv, env: BTreeMap::new() };
        let search = [path.join("shims"), sandbox.venv.bin(), "/usr/bin".into(), "/bin".into()];
        sandbox
            .env("PATH", std::env::join_paths(search).unwrap())
            .env("HOME", path.join("home"))
            .env("TMPDIR", path.join("tmp"))
            .env("XDG_CONFIG_DIRS", path.join("etc"))
            .env("LANG", "C.UTF-8")
            // The interpreter is the machine's, and as root Python writes beside its modules.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INDEX", "1")
    }

    /// All commands ask this index, in place of none.
    pub fn index(self, url: &str) -> Self {
        self.without_env("PIP_NO_INDEX").env("PIP_INDEX_URL", url)
    }

    /// All commands verify against this `trusted_root.json`.
    pub fn trusted_root(self, json: &str) -> Self {
        let path = self.path("trusted_root.json");
        fs::write(&path, json).unwrap();
        self.env("PYPI_VERIFY_NOW_TRUSTED_ROOT", path)
    }

    /// The project's trust file.
    pub fn trust(self, text: &str) -> Self {
        self.file(".provenance.txt", text)
    }

    /// A file of the project.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write_file(path, content);
        self
    }

    /// The user's pip.conf; from here on pip reads configuration files, the host's global one
    /// included.
    pub fn pip_conf(self, text: &str) -> Self {
        let path = self.path("home/.config/pip/pip.conf");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.without_env("PIP_CONFIG_FILE")
    }

    /// A variable for all commands.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// A variable that no command gets.
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(OsStr::new(name));
        self
    }

    /// `pip …`, as typed: the first on PATH, which is ours.
    pub fn pip<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.run("pip", args)
    }

    /// The real pip, as if we were not there: the shims are not on PATH either.
    pub fn plain_pip<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        let search = [self.venv.bin(), "/usr/bin".into(), "/bin".into()];
        let search = std::env::join_paths(search).unwrap();
        self.run(self.venv.bin().join("pip"), args).env("PATH", search)
    }

    /// `pypi-verify-now …`.
    pub fn tool<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.run(BINARY, args)
    }

    /// A script of `sh`, for pipes and for what users have in Dockerfiles.
    pub fn sh(&self, script: &str) -> Run {
        self.run("sh", ["-c", script])
    }

    /// Any command, by path or by PATH, in the project's directory.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = S>,
    ) -> Run {
        Run::new(program.as_ref(), args, self.env.clone(), self.project())
    }

    /// Returns the directory that commands run in.
    pub fn project(&self) -> PathBuf {
        self.path("project")
    }

    /// The directory of the shims.
    pub fn shims(&self) -> PathBuf {
        self.path("shims")
    }

    /// A path in this world's directory: `home/…`, `project/…`, `tmp/…`, `venv/…`.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    /// The virtual environment.
    pub fn venv(&self) -> &Venv {
        &self.venv
    }

    /// Writes a file of the project; directories are made.
    pub fn write_file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file of the project.
    pub fn read_file(&self, path: &str) -> String {
        fs::read_to_string(self.project().join(path)).unwrap()
    }

    /// The project's trust file, if there is one, with runs of blanks as one.
    pub fn trust_file(&self) -> Option<String> {
        let text = fs::read_to_string(self.project().join(".provenance.txt")).ok()?;
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
        Some(text.lines().map(words).collect())
    }

    /// Lays a wheel down in the environment, as if pip had installed it before.
    pub fn has_installed(&self, wheel: &Distribution) {
        wheel.unpack_into(&self.venv.site_packages());
    }

    /// Returns the lines of `pip freeze`.
    pub fn freeze(&self) -> Vec<String> {
        let frozen = self.plain_pip(["freeze"]).run();
        frozen.exits(0);
        frozen.stdout.lines().map(str::to_owned).collect()
    }

    /// Everything installed besides pip, by the name in its `.dist-info`.
    pub fn inspect(&self) -> BTreeMap<String, Installed> {
        let entries = fs::read_dir(self.venv.site_packages()).unwrap();
        let found = entries.filter_map(|entry| {
            let info = entry.unwrap().path();
            let stem = info.file_name()?.to_str()?.strip_suffix(".dist-info")?.to_owned();
            let (name, version) = stem.split_once('-')?;
            let installed = Installed {
                version: version.to_owned(),
                requested: info.join("REQUESTED").exists(),
                direct_url: fs::read_to_string(info.join("direct_url.json")).ok(),
                installer: fs::read_to_string(info.join("INSTALLER")).ok()?.trim().to_owned(),
            };
            (name != "pip").then(|| (name.to_owned(), installed))
        });
        found.collect()
    }

    /// Every file of the environment with the sha256 of its bytes, byte code left out: two of
    /// these are equal if nothing was touched in between.
    pub fn snapshot(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(self.venv.path(), &mut lines);
        lines.sort();
        lines
    }

    /// Returns a snapshot of the environment and the project.
    pub fn files(&self) -> Vec<String> {
        let mut lines = self.snapshot();
        list(&self.project(), &mut lines);
        lines.sort();
        lines
    }

    /// Returns the files that were left in the directory for temporary files.
    pub fn leftovers(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.path("tmp"), &mut lines);
        lines.sort();
        lines
    }
}

/// All files below a directory, links by their target.
fn list(directory: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let content = if kind.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else if kind.is_dir() {
            if entry.file_name() != "__pycache__" {
                list(&path, lines);
            }
            continue;
        } else {
            Sha256::of(&fs::read(&path).unwrap()).to_string()
        };
        lines.push(format!("{} {content}", path.display()));
    }
}
