//! Questions to the real pip: its version, its configuration, and the set that it would install.
//!
//! Each question is one run of pip under the guard, by the standby if there is one. The answer is a
//! document that pip writes to a private directory (a lock or an installation report), and the
//! facts that the guard notes. A run whose guard refused an act or was not loaded is an error, even
//! if pip itself succeeded.
//!
//! Installs no package. The callers choose the arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use serde::Deserialize;

use crate::failure::{Failure, Status};
use crate::package::bounded;
use crate::package::lock::{Lock, LockError, MAX_BYTES};
use crate::pip::asked_about::asked_about;
use crate::pip::behind;
use crate::pip::blocked;
use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::configuration::Configuration;
use crate::pip::guard::{Allowed, Blocked, Facts, Guard, GuardError, KEPT_LOCK, KEPT_REPORT};
use crate::pip::options::Options;
use crate::pip::run::{Captured, Cause, Environment, Pip, RunError, exit_code};
use crate::pip::scheme::Scheme;
use crate::pip::standby::Standby;
use crate::pip::version::{OLDEST, PipVersion};
use crate::process::run::{Purpose, Run};
use crate::sync::lock;

/// A pip that answers questions, under the guard.
pub struct Resolver<'a> {
    /// The program.
    pub pip: &'a Pip,
    /// The run of this program that starts pip.
    pub run: &'a Run,
    /// The guard over pip.
    pub guard: &'a Guard,
    /// Shows the user a prompt of pip's.
    pub prompt: Box<dyn Fn(&str) + Send + Sync + 'a>,
    /// The standby, from [`Resolver::probe`] until [`Resolver::take_standby`], if pip can have one.
    standby: Mutex<Option<Standby>>,
}

/// A question to pip: one command line.
#[derive(Debug)]
pub struct Question<'a> {
    /// The command line.
    pub arguments: &'a [OsString],
    /// The file that the command line has the answer written to. Empty if pip writes none.
    pub output: &'a Path,
    /// The rules for this pip.
    pub allowed: Allowed,
    /// The changes to pip's environment.
    pub environment: Environment,
}

impl<'a> Question<'a> {
    /// Returns a question whose answer needs no build.
    #[must_use]
    pub fn resolving(
        arguments: &'a [OsString],
        output: &'a Path,
        environment: &Environment,
    ) -> Self {
        let environment = environment.clone();
        Self { arguments, output, allowed: Allowed::Resolving, environment }
    }
}

/// The set of files that pip would install.
#[derive(Debug)]
pub struct Answer {
    /// The files, as a lock.
    pub lock: Lock,
    /// The output of pip. Standard error may hold warnings for the user.
    pub captured: Captured,
    /// The scheme that pip would install the set by. `None` if the guard could not note it.
    pub scheme: Option<Box<Scheme>>,
}

/// The lock of a `pip lock` of the user's, diverted by the guard (`guard/kept_lock.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLock {
    /// The file that pip would have written it to.
    pub place: PathBuf,
    /// Its text, as pip writes it.
    pub text: String,
}

/// A kept lock as the guard notes it. The path is bytes, since it may be no UTF-8.
#[derive(Deserialize)]
struct KeptNote {
    place: Vec<u8>,
    text: String,
}

/// The first answer of a pip: facts about itself, its environment and its configuration.
#[derive(Debug)]
pub struct Probe {
    /// The facts that the guard noted.
    pub facts: Facts,
    /// pip's version.
    pub version: PipVersion,
    /// The options that the user gave pip, by the command line and by the configuration.
    pub options: Options,
}

/// The log of a guarded pip. The guard makes pip write no log at all in place of this one.
const NO_LOG: &str = "/dev/null";

/// Variables by which one pip marks another as its child.
pub const INTERNAL: [&str; 2] = ["_PIP_RUNNING_IN_SUBPROCESS", "_PIP_IN_BUILD_IGNORE_CONSTRAINTS"];

/// A question to pip that has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// pip could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The guard was not loaded, or failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The guard refused these acts of pip.
    #[error("{}", blocked::message(.0))]
    Blocked(Vec<Blocked>),
    /// pip failed; this is its output.
    #[error("pip ended with exit code {}", exit_code(.0.status))]
    Pip(Captured),
    /// pip succeeded, and its document is missing or cannot be read.
    #[error("cannot read pip's report: {0}")]
    Io(#[from] std::io::Error),
    /// pip succeeded, and its document is not a valid lock or report.
    #[error("cannot read pip's report: {0}")]
    Document(#[from] LockError),
    /// The version of pip is older than [`OLDEST`], or unknown.
    #[error("this pip is too old to be verified: {0}")]
    TooOld(String),
}

impl<'a> Resolver<'a> {
    /// Returns a resolver without a standby. It shows pip's prompts by `prompt`.
    #[must_use]
    pub fn new(
        pip: &'a Pip,
        run: &'a Run,
        guard: &'a Guard,
        prompt: Box<dyn Fn(&str) + Send + Sync + 'a>,
    ) -> Self {
        Self { pip, run, guard, prompt, standby: Mutex::default() }
    }

    /// Takes the standby, which can become the pip that installs.
    #[must_use]
    pub fn take_standby(&self) -> Option<Standby> {
        self.standby().take()
    }

    fn standby(&self) -> MutexGuard<'_, Option<Standby>> {
        lock(&self.standby)
    }

    /// Asks pip for its version, its environment and its configuration. Starts the standby.
    ///
    /// `global` are the options of the question itself. `arguments` are the user's arguments, which
    /// pip's configuration completes.
    ///
    /// # Errors
    /// pip fails, is not guarded, or is older than [`OLDEST`].
    pub fn probe(
        &self,
        global: &[OsString],
        arguments: &InstallArgs,
    ) -> Result<Probe, ResolveError> {
        let mut argv = global.to_vec();
        // Verbose thrice: a `quiet` in the user's configuration would silence the listing.
        argv.extend(["config", "list", "-vvv"].map(OsString::from));
        // For `pip install` the option counts only on the command line; `pip config` would take
        // this one for it, and leave out what the user has configured.
        let mut set = vec![("PIP_ISOLATED".into(), "0".into())];
        set.extend(asked_about(arguments).map(|(name, value)| (name.into(), value.into())));
        let environment = Environment { set, remove: Vec::new() };
        let question = Question::resolving(&argv, Path::new(""), &environment);
        // An error here is dropped: pip is then started for the question below, which reports it.
        let guarded = self.guard.environment(&question.allowed);
        *self.standby() = Standby::start(self.pip, self.run, &guarded).unwrap_or_default();
        let (captured, facts) = self.run_guarded(&question)?;
        let stated = facts.pip.clone().unwrap_or_default();
        let version = PipVersion::parse(&stated).filter(|version| *version >= OLDEST);
        let version = version.ok_or(ResolveError::TooOld(stated))?;
        let configuration = Configuration::parse(&String::from_utf8_lossy(&captured.stdout));
        let configuration = configuration.known_to(|option| match &facts.options {
            Some(own) => option.keys().any(|key| own.iter().any(|it| it == key)),
            None => option.is_of(version),
        });
        Ok(Probe { facts, version, options: Options::new(arguments, configuration) })
    }

    /// Runs a `pip lock` that writes to the question's output, and reads the lock.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no lock.
    pub fn lock(&self, question: &Question<'_>) -> Result<Answer, ResolveError> {
        let (captured, facts) = self.run_guarded(question)?;
        let lock = Lock::from_pylock(&String::from_utf8_lossy(&read_document(question.output)?))?;
        Ok(Answer { lock, captured, scheme: facts.scheme })
    }

    /// Runs a `pip lock` of the user's, and has the guard divert the lock to the question's output.
    ///
    /// Returns the lock and the output of pip.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no lock.
    pub fn kept_lock(
        &self,
        mut question: Question<'_>,
    ) -> Result<(KeptLock, Captured), ResolveError> {
        question.environment.set.push((KEPT_LOCK.into(), question.output.into()));
        let (captured, _) = self.run_guarded(&question)?;
        let note: KeptNote = serde_json::from_slice(&read_document(question.output)?)
            .map_err(std::io::Error::other)?;
        let place = PathBuf::from(OsString::from_vec(note.place));
        Ok((KeptLock { place, text: note.text }, captured))
    }

    /// Asks pip for its facts alone, by a `pip --version`.
    ///
    /// # Errors
    /// pip fails, or is not guarded.
    pub fn facts(&self) -> Result<Facts, ResolveError> {
        let arguments = ["--version".into()];
        let question = Question::resolving(&arguments, Path::new(""), &Environment::default());
        self.run_guarded(&question).map(|(_, facts)| facts)
    }

    /// Runs a `pip install --dry-run --report` that writes to the question's output, and reads the
    /// report.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no report.
    pub fn report(&self, question: &Question<'_>) -> Result<Answer, ResolveError> {
        let (captured, facts) = self.run_guarded(question)?;
        let lock = Lock::from_report(&read_document(question.output)?)?;
        Ok(Answer { lock, captured, scheme: facts.scheme })
    }

    /// Runs a `pip download` or `pip wheel` of the user's, which the guard ends when it has written
    /// the resolved set to the question's output, and reads that report.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no report.
    pub fn kept_report(&self, mut question: Question<'_>) -> Result<Answer, ResolveError> {
        question.environment.set.push((KEPT_REPORT.into(), question.output.into()));
        self.report(&question)
    }

    /// Has the standby answer a question.
    ///
    /// Returns `None` if there is no standby, if the question needs builds, or if the pipes of the
    /// standby are used up. A question without a document, as [`Self::probe`] asks it, uses no
    /// pipes: that pip prompts for no input.
    fn run_by_standby(
        &self,
        question: &Question<'_>,
        arguments: &[OsString],
        environment: &Environment,
    ) -> Option<Result<Captured, RunError>> {
        let mut standby = self.standby();
        let has_no_document = question.output == Path::new("");
        if question.allowed != Allowed::Resolving || !standby.as_ref()?.can_resolve() {
            return None;
        }
        let captured = if has_no_document {
            standby.as_mut()?.ask(arguments, environment, self.guard.directory())
        } else {
            standby.as_mut()?.resolve(arguments, environment, &self.prompt)
        };
        if captured.is_err() {
            // Its state is unknown.
            *standby = None;
        }
        Some(captured.map_err(|source| self.pip.error(source)))
    }

    /// Runs pip under the guard, so that it leaves only its document behind.
    ///
    /// 1. Variables by which one pip marks another as its child are removed: a user's value would
    ///    change the facts, or make pip ignore constraints.
    /// 2. No log and no keys of TLS sessions are written to files that the user named: a log holds
    ///    pip's whole configuration, passwords included. The log is also switched off for the pips
    ///    that a build starts. Temporary files lie in the private directory. All this holds for
    ///    questions only; the pip that installs does as the user says.
    /// 3. The standby or a new pip runs.
    /// 4. The notes of the guard decide whether the result counts. A refused command comes first:
    ///    pip may have caught the exception and succeeded. A failure of pip is reported in pip's
    ///    words even if the guard was not loaded; a success needs the guard's facts.
    fn run_guarded(&self, question: &Question<'_>) -> Result<(Captured, Facts), ResolveError> {
        let mut environment = self.guard.environment(&question.allowed);
        environment.remove.extend(INTERNAL.map(str::to_owned));
        environment.remove.extend(question.environment.remove.iter().cloned());
        environment.set.extend(question.environment.set.iter().cloned());
        environment.remove.push("SSLKEYLOGFILE".to_owned());
        environment.set.push(("TMPDIR".into(), self.guard.temporary().into()));
        if question.allowed != Allowed::Resolving {
            environment.set.push(("PIP_LOG".into(), NO_LOG.into()));
        }
        let no_log = [OsString::from("--log"), NO_LOG.into()];
        let arguments = &[&no_log, question.arguments].concat();
        let mut captured = match self.run_by_standby(question, arguments, &environment) {
            Some(captured) => captured?,
            None => {
                // A pip that builds may have much to remove after a signal, so it gets more time.
                let answers = question.allowed == Allowed::Resolving;
                let purpose = if answers { Purpose::Answer } else { Purpose::Change };
                let prompt = &self.prompt;
                self.pip.capture(self.run, arguments, &environment, purpose, prompt)?
            }
        };
        let notes = self.guard.take_notes();
        match notes {
            Ok((_, blocked)) if blocked.iter().any(|b| !b.words.is_empty()) => {
                Err(ResolveError::Blocked(blocked))
            }
            Err(error @ GuardError::Deaf) => Err(error.into()),
            Ok((facts, _)) if captured.status.success() => {
                behind::learn(self.pip, facts.behind.as_ref(), arguments, &environment);
                Ok((captured, facts))
            }
            Err(error) if captured.status.success() => Err(error.into()),
            notes => {
                captured.cause = notes.map_or(Cause::Unseen, |(facts, _)| facts.cause());
                Err(ResolveError::Pip(captured))
            }
        }
    }
}

/// Reads a document of pip's, up to the maximum size of a lock.
fn read_document(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let bytes = bounded::read(std::fs::File::open(path)?, limit)?;
    bytes.ok_or_else(|| std::io::Error::other(format!("larger than {MAX_BYTES} bytes")))
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let message = error.to_string();
        match error {
            ResolveError::Blocked(_) => Self::new(Status::Refused, message)
                .hint("if you trust it, name that very place yourself, in the command")
                .hint("to let this command through unverified: PYPI_VERIFY_NOW=off pip …"),
            ResolveError::TooOld(_) => Self::new(Status::CouldNotCheck, message)
                .hint("it must be 22.2 or newer: PYPI_VERIFY_NOW=off pip install --upgrade pip"),
            ResolveError::Run(error) => error.into(),
            ResolveError::Guard(error) => error.into(),
            _ => Self::new(Status::CouldNotCheck, message),
        }
    }
}
