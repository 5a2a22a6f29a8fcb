//! The guard over a pip that resolves: no code but pip's own runs before it is verified.
//!
//! Owns the private directory that `guard.py` is loaded from and writes to. It is put there as
//! `sitecustomize` through `PYTHONPATH`, so it works for whatever starts pip (a console script, a
//! pyenv shim, `pip --python X`), and its silence is an error, never a pass.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::http::settings::Login;
use crate::pip::run::{Cause, Environment, RunError};
use crate::pip::scheme::Scheme;
use crate::process::run::Run;

/// The text of the guard, run by the user's own interpreter: one module, joined from its parts.
///
/// The order matters twice: the docstring of the first part is the module's, and the last part
/// starts the guard, so all names must be defined above it.
pub const SOURCE: &str = concat!(
    include_str!("notes.py"),
    include_str!("starts.py"),
    include_str!("origins.py"),
    include_str!("stated_names.py"),
    include_str!("building.py"),
    include_str!("kept_lock.py"),
    include_str!("audit_hook.py"),
    include_str!("observed_imports.py"),
    include_str!("credentials.py"),
    include_str!("failures.py"),
    include_str!("scheme.py"),
    include_str!("installing.py"),
    include_str!("facts.py"),
    include_str!("standby.py"),
    include_str!("entry.py"),
);

/// The variable by which a guarded `pip lock` is told where its lock is kept back.
pub(super) const KEPT_LOCK: &str = "PYPI_VERIFY_NOW_GUARD_LOCK";

/// A guard that is laid out, ready for runs of pip.
#[derive(Debug)]
pub struct Guard {
    notes: PathBuf,
    code: PathBuf,
    temporary: PathBuf,
    python_path: OsString,
    /// The user's own `PYTHONPATH`.
    user_path: Option<OsString>,
    logins: Mutex<Vec<Login>>,
}

/// What a guarded pip may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Resolve; start nothing.
    Resolving,
    /// Build, of what comes from these places alone.
    Builds(Places),
}

/// Where that comes from which a pip may take and build.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Places {
    /// The gateway's indexes.
    pub indexes: Vec<String>,
    /// Directories of this run: what lies in them, or is linked to from them, has been judged.
    pub directories: Vec<PathBuf>,
    /// URLs, of files too, that the user named; without credentials, since a build can read them.
    pub places: Vec<String>,
    /// The projects on record. What the user named is not built if its files say that it is one of
    /// these.
    pub recorded: Vec<String>,
}

/// What the guarded pip said of itself when it was done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// The version of pip.
    pub pip: Option<String>,
    /// The version of Python, `MAJOR.MINOR`.
    pub python: String,
    /// The interpreter.
    pub executable: String,
    /// Whether this is the second process of a `pip --python X`.
    pub restarted: bool,
    /// pip's default cache directory.
    pub cache: Option<PathBuf>,
    /// The URL of the index that this pip uses by default.
    pub index: Option<String>,
    /// The subcommands that it knows, if it says.
    #[serde(default)]
    pub commands: Option<Vec<String>>,
    /// The names of the metadata directories of installed packages, as far as pip sees them.
    pub installed: Vec<String>,
    /// Whom its indexes knew it as.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Where it installs. `None` if it neither installed nor resolved.
    #[serde(default)]
    pub scheme: Option<Box<Scheme>>,
    /// Whether the guard could see why this pip would fail.
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
    /// How pip judged the link of a lock (`LinkType`), where that is what the exception is about.
    link: Option<String>,
}

impl Facts {
    /// Why this pip failed, if it did.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let is_missing = |it: &Exception| {
            it.classes.iter().any(|name| name == "DistributionNotFound")
                || it.link.as_deref() == Some("format_unsupported")
        };
        match &self.failure {
            _ if !self.attended => Cause::Unseen,
            Some(exception) if is_missing(exception) => Cause::NoDistribution,
            _ => Cause::Other,
        }
    }
}

/// What the guard kept from running.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Blocked {
    /// The command.
    pub words: Vec<String>,
    /// The directory it would have run in.
    pub cwd: String,
    /// The project on record that it would have built without an attestation.
    #[serde(default)]
    pub recorded: Option<String>,
    /// The place of that one.
    #[serde(default)]
    pub place: Option<String>,
}

/// The guard did not do its duty.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Its files could not be written or read.
    #[error("cannot set up the guard for pip: {0}")]
    Io(#[from] io::Error),
    /// The private directory's path cannot stand in `PYTHONPATH`, or pip could not name it in a
    /// URL.
    #[error("pip cannot work with the directory for temporary files: `{}` {why}", path.display())]
    Path {
        /// The private directory, or one in it.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// pip ran, and the guard was not loaded.
    #[error("pip ran without loading the guard (its interpreter ignores PYTHONPATH)")]
    NotLoaded,
    /// The guard was loaded, and could not write down what it was to say.
    #[error("pip ran under the guard, whose note could not be written")]
    Unfinished,
    /// pip's interpreter does not tell the guard what happens in it (PEP 578 leaves that to it).
    #[error("the interpreter of this pip cannot be guarded: it has no audit events")]
    Deaf,
    /// A note of the guard makes no sense.
    #[error("the guard's note cannot be read: {0}")]
    Note(#[from] serde_json::Error),
}

impl Guard {
    /// Lays the guard out in the run's private directory.
    ///
    /// `python_path` is the user's own `PYTHONPATH`, which stays behind the guard's.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn lay(run: &Run, python_path: Option<&OsStr>) -> Result<Self, GuardError> {
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

    /// A private directory for what a guarded pip prints.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.code
    }

    /// A private directory for the temporary files of a guarded pip that is only asked.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// What takes a guard back that is in the environment already.
    #[must_use]
    pub fn undone(&self) -> Environment {
        let mut undone = Environment { set: Vec::new(), remove: vec!["PYPI_VERIFY_NOW_GUARD"] };
        match &self.user_path {
            Some(path) => undone.set.push(("PYTHONPATH".into(), path.clone())),
            None => undone.remove.push("PYTHONPATH"),
        }
        undone
    }

    /// The environment under which a run of pip is guarded.
    #[must_use]
    pub fn environment(&self, allowed: &Allowed) -> Environment {
        let mut set = vec![
            ("PYTHONPATH".into(), self.python_path.clone()),
            ("PYPI_VERIFY_NOW_GUARD".into(), self.notes.clone().into_os_string()),
        ];
        if let Allowed::Builds(places) = allowed {
            // Text that is no UTF-8 would fail here, and then nothing may be built.
            let places = serde_json::to_string(places).unwrap_or_else(|_| "{}".to_owned());
            set.push(("PYPI_VERIFY_NOW_GUARD_BUILDING".into(), places.into()));
        }
        let remove =
            vec!["PYPI_VERIFY_NOW_GUARD_BUILDING", "PYPI_VERIFY_NOW_GUARD_ASKING", KEPT_LOCK];
        Environment { set, remove }
    }

    /// Takes the notes of the run that has just ended: what pip it was, and what was blocked.
    ///
    /// # Errors
    /// There is no note (the guard was not loaded), only a part of one, or a note cannot be read.
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
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.extend(facts.iter_mut().flat_map(|facts| facts.logins.drain(..)));
        // Under `pip --python X` both processes report; the second one did the work.
        facts.sort_by_key(|facts| facts.restarted);
        Ok((facts.pop().ok_or(missing)?, blocked))
    }

    /// Whom the indexes knew pip as, in all guarded runs so far; the latest comes last.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
