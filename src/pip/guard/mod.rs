//! The guard over a pip that resolves or builds: it runs no code of a package before the verdict.
//!
//! The guard is Python code that pip's own interpreter loads as `sitecustomize`. Each part is a
//! file of this folder; [`SOURCE`] joins them, and `notes.py` lists their duties. A run under the
//! guard has three steps:
//!
//! 1. [`Guard::set_up`] writes the code to a private directory, once for all runs.
//! 2. [`Guard::environment`] puts that directory first in `PYTHONPATH`. That works however pip is
//!    started: by a console script, by a shim of pyenv, or again by `pip --python X`.
//! 3. [`Guard::take_notes`] reads the notes of the pip that has ended, each a file of JSON:
//!    `facts-*.json` ([`Facts`], one for each process of pip), `blocked-*.json` ([`Blocked`], one
//!    for each refused act), `deaf-*.json` (an interpreter without audit events).
//!
//! Missing facts are an error, never a pass: the guard was not loaded then. Decides only which
//! rules are in force, not which package is trusted.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::http::settings::Login;
use crate::pip::behind::WrapperNote;
use crate::pip::network::Network;
use crate::pip::run::{BEHIND_WRAPPER, Cause, Environment, RunError};
use crate::pip::scheme::Scheme;
use crate::pip::target::Target;
use crate::process::run::Run;
use crate::sync::lock;

/// The text of the guard, run by the user's own interpreter: one module, joined from its parts.
///
/// The order matters twice: the docstring of the first part is the module's, and the last part
/// starts the guard, so all names must be defined above it.
pub const SOURCE: &str = concat!(
    include_str!("notes.py"),
    include_str!("starts.py"),
    include_str!("unpacking.py"),
    include_str!("keyring.py"),
    include_str!("origins.py"),
    include_str!("stated_names.py"),
    include_str!("building.py"),
    include_str!("kept_lock.py"),
    include_str!("kept_report.py"),
    include_str!("audit_hook.py"),
    include_str!("observed_imports.py"),
    include_str!("credentials.py"),
    include_str!("failures.py"),
    include_str!("index_lines.py"),
    include_str!("scheme.py"),
    include_str!("target.py"),
    include_str!("network.py"),
    include_str!("installing.py"),
    include_str!("facts.py"),
    include_str!("standby.py"),
    include_str!("entry.py"),
);

/// The variable that names the file to which a guarded `pip lock` must write its lock.
pub(super) const KEPT_LOCK: &str = "PYPI_VERIFY_NOW_GUARD_LOCK";

/// The variable with the subcommand and options by which a guarded pip is to note its target.
pub(super) const TARGET: &str = "PYPI_VERIFY_NOW_GUARD_TARGET";
/// The variable by which a pip that resolves through the gateway passes over the lines of
/// requirements files that name an index (`index_lines.py`).
pub const GATEWAY_HAS_INDEXES: &str = "PYPI_VERIFY_NOW_GUARD_INDEXES";

/// The variable with the subcommand whose options a guarded pip is to note, and with the keys that
/// not every pip has.
pub(super) const OPTIONS: &str = "PYPI_VERIFY_NOW_GUARD_OPTIONS";

/// The variable that names the file to which a `pip download` or `pip wheel` writes the set that it
/// has resolved, and ends.
pub(super) const KEPT_REPORT: &str = "PYPI_VERIFY_NOW_GUARD_REPORT";

/// The variable by which the dry run of a question checks its options as an install does.
pub const AS_INSTALL: &str = "PYPI_VERIFY_NOW_GUARD_AS_INSTALL";

/// The guard of one run of this program, ready for any number of runs of pip.
#[derive(Debug)]
pub struct Guard {
    /// The directory that guarded pips write their notes to.
    notes: PathBuf,
    /// The directory of `sitecustomize.py`.
    code: PathBuf,
    temporary: PathBuf,
    /// The `PYTHONPATH` of a guarded pip.
    python_path: OsString,
    /// The user's own `PYTHONPATH`.
    user_path: Option<OsString>,
    logins: Mutex<Vec<Login>>,
}

/// The rules for a guarded pip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Pip may resolve, and start no process.
    Resolving,
    /// Pip may build sources, from these origins only.
    Builds(Origins),
}

/// The origins that a building pip may take files from. Serialized for `origins.py`.
///
/// The default allows none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Origins {
    /// The URLs of the gateway's indexes.
    pub indexes: Vec<String>,
    /// Directories of this run. The files in them, links included, have their verdict.
    pub directories: Vec<PathBuf>,
    /// URLs that the user named, `file:` URLs included. Without credentials, since a build can read
    /// its environment.
    pub places: Vec<String>,
    /// The projects on record. A source that the user named by URL is not built if its files state
    /// one of these names.
    pub recorded: Vec<String>,
}

/// Facts about a guarded pip and its environment, noted when it ends (`facts.py`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// The version of pip.
    pub pip: Option<String>,
    /// The version of Python, `MAJOR.MINOR`.
    pub python: String,
    /// The path of the interpreter.
    pub executable: String,
    /// Whether this is the second process of a `pip --python X`.
    pub restarted: bool,
    /// pip's default cache directory.
    pub cache: Option<PathBuf>,
    /// The URL of the index that this pip uses by default.
    pub index: Option<String>,
    /// How a wrapper that leads back to this program has started this pip.
    #[serde(default)]
    pub behind: Option<WrapperNote>,
    /// The subcommands of this pip. `None` if it has no list of them where pips have it today.
    #[serde(default)]
    pub commands: Option<Vec<String>>,
    /// The options of the subcommand, without dashes. `None` if pip was not asked for them, or if
    /// no option whose presence is in doubt is configured.
    #[serde(default)]
    pub options: Option<Vec<String>>,
    /// The names of the metadata directories (`*.dist-info`, `*.egg-info`, …) on `sys.path`.
    pub installed: Vec<String>,
    /// The credentials that pip used for its indexes.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// The scheme that pip installs by. `None` if it ran neither `install` nor `lock`.
    #[serde(default)]
    pub scheme: Option<Box<Scheme>>,
    /// The Python that pip chooses wheels for. `None` if pip was not asked for it.
    #[serde(default)]
    pub target: Option<Box<Target>>,
    /// Values of pip for the network. `None` if pip was not asked for them.
    #[serde(default)]
    pub network: Option<Box<Network>>,
    /// Whether the guard could observe the exceptions of this pip (`failures.py`).
    #[serde(default)]
    attended: bool,
    /// The exception that ended it.
    #[serde(default)]
    failure: Option<Exception>,
}

/// An exception that ended a pip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Exception {
    /// The names of its class and of the classes that it derives from.
    classes: Vec<String>,
    /// pip's `LinkType` of an entry in a lock, if the exception is about such an entry.
    link: Option<String>,
}

impl Facts {
    /// Returns the cause of this pip's failure.
    #[must_use]
    pub fn cause(&self) -> Cause {
        // `format_unsupported`: the lock names a source where only wheels are allowed.
        let is_a = |it: &Exception, class: &str| it.classes.iter().any(|name| name == class);
        let is_missing = |it: &Exception| {
            is_a(it, "DistributionNotFound") || it.link.as_deref() == Some("format_unsupported")
        };
        match &self.failure {
            _ if !self.attended => Cause::Unseen,
            Some(exception) if is_missing(exception) => Cause::NoDistribution,
            Some(exception) if is_a(exception, "HashMismatch") => Cause::OtherHash,
            _ => Cause::Other,
        }
    }
}

/// An act of pip that the guard refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Blocked {
    /// The command line of the process. For an act without a process: `take URL`, `connect HOST`,
    /// `write PATH` or `build NAME`.
    pub words: Vec<String>,
    /// The directory that the command would have run in.
    pub cwd: String,
    /// The project on record, if pip would have built it from a URL, without an attestation.
    #[serde(default)]
    pub recorded: Option<String>,
    /// The URL of that source.
    #[serde(default)]
    pub place: Option<String>,
}

/// A failure of the guard itself. The result of that pip is not used.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The files of the guard could not be written or read.
    #[error("cannot set up the guard for pip: {0}")]
    Io(#[from] io::Error),
    /// The path of the private directory is not possible in `PYTHONPATH`, or in a `file:` URL.
    #[error("pip cannot work with the directory for temporary files: `{}` {why}", path.display())]
    Path {
        /// The private directory, or one in it.
        path: PathBuf,
        /// The fault of the path, as the rest of a sentence.
        why: &'static str,
    },
    /// pip ran, and the guard was not loaded.
    #[error("pip ran without loading the guard (its interpreter ignores PYTHONPATH)")]
    NotLoaded,
    /// The guard was loaded, and could not finish a note.
    #[error("pip ran under the guard, whose note could not be written")]
    Unfinished,
    /// pip's interpreter calls no audit hook (PEP 578 leaves that to it).
    #[error("the interpreter of this pip cannot be guarded: it has no audit events")]
    Deaf,
    /// A note is not valid JSON of its kind.
    #[error("the guard's note cannot be read: {0}")]
    Note(#[from] serde_json::Error),
}

impl Guard {
    /// Writes the guard to the run's private directory.
    ///
    /// `python_path` is the user's own `PYTHONPATH`, which is appended to the guard's.
    ///
    /// # Errors
    /// The files cannot be written, or the directory's path is not possible in `PYTHONPATH`.
    pub fn set_up(run: &Run, python_path: Option<&OsStr>) -> Result<Self, GuardError> {
        let (code, notes) = (run.subdirectory("guard")?, run.subdirectory("notes")?);
        let temporary = run.subdirectory("tmp")?;
        std::fs::write(code.join("sitecustomize.py"), SOURCE)?;
        let wrong = match code.to_str() {
            None => Some("is not UTF-8"),
            Some(text) => text.contains(':').then_some("has a `:` in it"),
        };
        if let Some(why) = wrong {
            return Err(GuardError::Path { path: code, why });
        }
        let mut path = code.clone().into_os_string();
        if let Some(rest) = python_path {
            path.push(":");
            path.push(rest);
        }
        let (user_path, python_path) = (python_path.map(OsStr::to_owned), path);
        Ok(Self { notes, code, temporary, python_path, user_path, logins: Mutex::default() })
    }

    /// Returns a private directory for the files that a guarded pip prints to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.code
    }

    /// Returns a private directory for the temporary files of a pip that only resolves.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Returns the changes that remove the guard from an environment which has it already.
    #[must_use]
    pub fn removal(&self) -> Environment {
        let mut removal =
            Environment { set: Vec::new(), remove: vec!["PYPI_VERIFY_NOW_GUARD".to_owned()] };
        match &self.user_path {
            Some(path) => removal.set.push(("PYTHONPATH".into(), path.clone())),
            None => removal.remove.push("PYTHONPATH".to_owned()),
        }
        removal
    }

    /// Returns the changes to the environment that put a run of pip under the guard.
    #[must_use]
    pub fn environment(&self, allowed: &Allowed) -> Environment {
        let mut set = vec![
            ("PYTHONPATH".into(), self.python_path.clone()),
            ("PYPI_VERIFY_NOW_GUARD".into(), self.notes.clone().into_os_string()),
        ];
        if let Allowed::Builds(origins) = allowed {
            // A path that is no UTF-8 cannot be serialized; no origins mean that no build may run.
            let origins = serde_json::to_string(origins).unwrap_or_else(|_| "{}".to_owned());
            set.push(("PYPI_VERIFY_NOW_GUARD_BUILDING".into(), origins.into()));
        }
        let remove = [
            "PYPI_VERIFY_NOW_GUARD_BUILDING",
            "PYPI_VERIFY_NOW_GUARD_ASKING",
            BEHIND_WRAPPER,
            KEPT_LOCK,
            KEPT_REPORT,
            AS_INSTALL,
            OPTIONS,
            TARGET,
            GATEWAY_HAS_INDEXES,
        ];
        Environment { set, remove: remove.map(str::to_owned).to_vec() }
    }

    /// Reads and removes the notes of the run that has just ended: its facts and its refused acts.
    ///
    /// # Errors
    /// There are no facts (the guard was not loaded) or unfinished ones, the interpreter has no
    /// audit events, or a note cannot be read.
    pub fn take_notes(&self) -> Result<(Facts, Vec<Blocked>), GuardError> {
        let (mut facts, mut blocked) = (Vec::<Facts>::new(), Vec::new());
        let mut missing = GuardError::NotLoaded;
        for entry in std::fs::read_dir(&self.notes)? {
            let path = entry?.path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
            let bytes = std::fs::read(&path)?;
            std::fs::remove_file(&path)?;
            if name.starts_with("facts-") {
                facts.push(serde_json::from_slice(&bytes)?);
            } else if name.starts_with("blocked-") {
                blocked.push(serde_json::from_slice(&bytes)?);
            } else if name.starts_with(".facts-") {
                missing = GuardError::Unfinished;
            } else if name.starts_with("deaf-") {
                return Err(GuardError::Deaf);
            }
        }
        let mut logins = lock(&self.logins);
        logins.extend(facts.iter_mut().flat_map(|facts| facts.logins.drain(..)));
        // Under `pip --python X` both processes write facts; the restarted one did the work.
        facts.sort_by_key(|facts| facts.restarted);
        Ok((facts.pop().ok_or(missing)?, blocked))
    }

    /// Returns the credentials that pip used in all guarded runs so far, the latest last.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        lock(&self.logins).clone()
    }
}

impl From<GuardError> for crate::failure::Failure {
    fn from(error: GuardError) -> Self {
        let failure = Self::new(crate::failure::Status::CouldNotCheck, error.to_string());
        match error {
            GuardError::Path { .. } => failure.hint("name another one in TMPDIR"),
            GuardError::Deaf => failure.hint("use the pip of an environment that CPython runs"),
            GuardError::NotLoaded => failure.hint(
                "take -I and -E out of the first line of that pip's script, or use the pip of \
                 another environment: python3 -m venv .venv && . .venv/bin/activate",
            ),
            GuardError::Io(_) | GuardError::Unfinished => {
                failure.hint("check TMPDIR, and that its disk is not full")
            }
            _ => failure,
        }
    }
}

impl From<RunError> for crate::failure::Failure {
    fn from(error: RunError) -> Self {
        Self::new(crate::failure::Status::CouldNotCheck, error.to_string())
            .hint("check that the pip that comes next on PATH can be executed")
    }
}
