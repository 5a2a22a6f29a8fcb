//! Asking the real pip what it would install.
//!
//! Owns the runs of pip that resolve, all of them guarded, and reading what they leave behind.
//! Which arguments they get is decided elsewhere; nothing is installed here.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use url::Url;

use crate::failure::{Failure, Status};
use crate::http::redact::{Redacted, redacted_text};
use crate::package::lock::{Lock, LockError, MAX_BYTES};
use crate::pip::guard::{Allowed, Blocked, Facts, Guard, GuardError, KEPT_LOCK};
use crate::pip::run::{Captured, Cause, Environment, Pip, RunError, exit_code};
use crate::pip::scheme::Scheme;
use crate::pip::settings::Configuration;
use crate::pip::standby::Standby;
use crate::process::run::{Purpose, Run};

/// A pip that resolves: the program, the run it belongs to, and the guard over it.
pub struct Resolver<'a> {
    /// The real pip.
    pub pip: &'a Pip,
    /// The run.
    pub run: &'a Run,
    /// The guard.
    pub guard: &'a Guard,
    /// Where a question of pip's goes.
    pub prompt: Box<dyn Fn(&str) + Send + Sync + 'a>,
    /// The interpreter that waits, where there is one.
    standby: Mutex<Option<Standby>>,
}

/// What pip is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The command line.
    pub arguments: &'a [OsString],
    /// Where that command line has the answer written.
    pub output: &'a Path,
    /// What pip may do to find it.
    pub allowed: Allowed,
    /// What changes in its environment.
    pub environment: Environment,
}

impl<'a> Question<'a> {
    /// A question that nothing needs to be built for.
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

/// A resolved set, as pip answered.
#[derive(Debug)]
pub struct Answer {
    /// The set.
    pub lock: Lock,
    /// What pip printed, and how it ended.
    pub captured: Captured,
    /// Where pip would install the set. `None` if pip did not say.
    pub scheme: Option<Box<Scheme>>,
}

/// The lock that a `pip lock` of the user's wrote, which the guard has kept from its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLock {
    /// The file that pip would have written it to.
    pub place: PathBuf,
    /// Its text, as pip writes it.
    pub text: String,
}

/// A kept lock as `guard.py` notes it. A path is bytes, whatever its encoding.
#[derive(Deserialize)]
struct KeptNote {
    place: Vec<u8>,
    text: String,
}

/// What is known of a pip before it is asked anything.
#[derive(Debug)]
pub struct Probe {
    /// pip's and the environment's own account.
    pub facts: Facts,
    /// pip's version.
    pub version: PipVersion,
    /// pip's configuration.
    pub configuration: Configuration,
}

/// The release of a pip, `MAJOR.MINOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipVersion(pub u32, pub u32);

/// The oldest pip that can tell what it would install (`--dry-run --report`).
pub const OLDEST: PipVersion = PipVersion(22, 2);

/// The first pip with `pip lock`.
pub const HAS_LOCK: PipVersion = PipVersion(25, 1);

/// The first pip that takes hashes from constraints for requirements that are not pinned.
pub const HASHED_CONSTRAINTS: PipVersion = PipVersion(26, 1);

/// The log of a pip that is only asked. The guard takes it for none.
const NO_LOG: &str = "/dev/null";

/// pip did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It ran without its guard.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// It would have run something unverified, and was kept from it.
    #[error("{}", blocked_text(.0))]
    Blocked(Vec<Blocked>),
    /// It failed by itself; what it printed is here.
    #[error("pip ended with exit code {}", exit_code(.0.status))]
    Pip(Captured),
    /// It succeeded, and left nothing, or nothing readable, behind.
    #[error("cannot read what pip resolved: {0}")]
    Io(#[from] std::io::Error),
    /// It succeeded, and left something else than a lock behind.
    #[error("cannot read what pip resolved: {0}")]
    Document(#[from] LockError),
    /// It is too old, or no pip.
    #[error("this pip is too old to be verified: {0}")]
    TooOld(String),
}

impl<'a> Resolver<'a> {
    /// A pip in a run, under a guard; what it asks the user goes to `prompt`.
    #[must_use]
    pub fn new(
        pip: &'a Pip,
        run: &'a Run,
        guard: &'a Guard,
        prompt: Box<dyn Fn(&str) + Send + Sync + 'a>,
    ) -> Self {
        Self { pip, run, guard, prompt, standby: Mutex::default() }
    }

    /// The interpreter that waits, for the pip that installs.
    #[must_use]
    pub fn take_standby(&self) -> Option<Standby> {
        self.standby().take()
    }

    fn standby(&self) -> MutexGuard<'_, Option<Standby>> {
        self.standby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns what pip this is, what is installed and how it is configured.
    ///
    /// `global` are the user's options before the subcommand.
    ///
    /// # Errors
    /// pip fails, is not guarded, or is older than [`OLDEST`].
    pub fn probe(&self, global: &[OsString]) -> Result<Probe, ResolveError> {
        let mut arguments = global.to_vec();
        // Verbose thrice: a `quiet` in the user's configuration would silence the listing.
        arguments.extend(["config", "list", "-vvv"].map(OsString::from));
        // For `pip install` the option counts only on the command line; `pip config` would take
        // this one for it, and leave out what the user has configured.
        let environment =
            Environment { set: vec![("PIP_ISOLATED".into(), "0".into())], remove: Vec::new() };
        let question = Question::resolving(&arguments, Path::new(""), &environment);
        // Where none can be had, a pip is started for each question; that says why it cannot be.
        let guarded = self.guard.environment(&question.allowed);
        *self.standby() = Standby::start(self.pip, self.run, &guarded).unwrap_or_default();
        let (captured, facts) = self.guarded(&question)?;
        let stated = facts.pip.clone().unwrap_or_default();
        let version = PipVersion::parse(&stated).filter(|version| *version >= OLDEST);
        let version = version.ok_or(ResolveError::TooOld(stated))?;
        let configuration = Configuration::parse(&String::from_utf8_lossy(&captured.stdout));
        Ok(Probe { facts, version, configuration })
    }

    /// Runs a `pip lock` that writes to `output`, and reads the lock. What pip printed comes with
    /// it: standard error may hold warnings that belong to the user.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no lock.
    pub fn lock(&self, question: &Question<'_>) -> Result<Answer, ResolveError> {
        let (captured, facts) = self.guarded(question)?;
        let lock = Lock::from_pylock(&String::from_utf8_lossy(&read(question.output)?))?;
        Ok(Answer { lock, captured, scheme: facts.scheme })
    }

    /// Runs a `pip lock` of the user's, whose lock is kept back in the question's output. What pip
    /// printed comes with it.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no lock.
    pub fn kept_lock(
        &self,
        mut question: Question<'_>,
    ) -> Result<(KeptLock, Captured), ResolveError> {
        question.environment.set.push((KEPT_LOCK.into(), question.output.into()));
        let (captured, _) = self.guarded(&question)?;
        let note: KeptNote =
            serde_json::from_slice(&read(question.output)?).map_err(std::io::Error::other)?;
        let place = PathBuf::from(OsString::from_vec(note.place));
        Ok((KeptLock { place, text: note.text }, captured))
    }

    /// Returns what this pip says of itself, whatever it is asked.
    ///
    /// # Errors
    /// pip fails, or is not guarded.
    pub fn facts(&self) -> Result<Facts, ResolveError> {
        let arguments = ["--version".into()];
        let question = Question::resolving(&arguments, Path::new(""), &Environment::default());
        self.guarded(&question).map(|(_, facts)| facts)
    }

    /// Runs a `pip install --dry-run --report` that writes to `output`, and reads the report. What
    /// pip printed comes with it.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves no report.
    pub fn report(&self, question: &Question<'_>) -> Result<Answer, ResolveError> {
        let (captured, facts) = self.guarded(question)?;
        let lock = Lock::from_report(&read(question.output)?)?;
        Ok(Answer { lock, captured, scheme: facts.scheme })
    }

    /// Asks the interpreter that waits; nothing where that cannot be. Its first question is asked
    /// of it in silence.
    fn by_standby(
        &self,
        question: &Question<'_>,
        arguments: &[OsString],
        environment: &Environment,
    ) -> Option<Result<Captured, RunError>> {
        let mut standby = self.standby();
        let is_first = question.output == Path::new("");
        if question.allowed != Allowed::Resolving || !standby.as_ref()?.can_resolve() {
            return None;
        }
        let captured = if is_first {
            standby.as_mut()?.ask(arguments, environment, self.guard.directory())
        } else {
            standby.as_mut()?.resolve(arguments, environment, &self.prompt)
        };
        if captured.is_err() {
            *standby = None;
        }
        Some(captured.map_err(|source| self.pip.error(source)))
    }

    /// Asks, and leaves nothing behind but the answer: no log, since pip writes one with all that
    /// it is configured with, and no temporary files. The pip that installs does as the user says.
    fn guarded(&self, question: &Question<'_>) -> Result<(Captured, Facts), ResolveError> {
        let mut environment = self.guard.environment(&question.allowed);
        let internal = ["_PIP_RUNNING_IN_SUBPROCESS", "_PIP_IN_BUILD_IGNORE_CONSTRAINTS"];
        environment.remove.extend(internal);
        environment.remove.extend(&question.environment.remove);
        environment.set.extend(question.environment.set.iter().cloned());
        environment.remove.push("SSLKEYLOGFILE");
        environment.set.push(("TMPDIR".into(), self.guard.temporary().into()));
        if question.allowed != Allowed::Resolving {
            // For the pips that it starts.
            environment.set.push(("PIP_LOG".into(), NO_LOG.into()));
        }
        let no_log = [OsString::from("--log"), NO_LOG.into()];
        let arguments = &[&no_log, question.arguments].concat();
        let mut captured = match self.by_standby(question, arguments, &environment) {
            Some(captured) => captured?,
            None => {
                // A pip that builds may have much to clear up.
                let answers = question.allowed == Allowed::Resolving;
                let purpose = if answers { Purpose::Answer } else { Purpose::Change };
                let prompt = &self.prompt;
                self.pip.capture(self.run, arguments, &environment, purpose, prompt)?
            }
        };
        let notes = self.guard.take_notes();
        // A failure of pip is told in pip's words, loaded guard or not; a success needs both.
        match notes {
            Ok((_, blocked)) if blocked.iter().any(|b| !b.words.is_empty()) => {
                Err(ResolveError::Blocked(blocked))
            }
            Err(error @ GuardError::Deaf) => Err(error.into()),
            Ok((facts, _)) if captured.status.success() => Ok((captured, facts)),
            Err(error) if captured.status.success() => Err(error.into()),
            notes => {
                captured.cause = notes.map_or(Cause::Unseen, |(facts, _)| facts.cause());
                Err(ResolveError::Pip(captured))
            }
        }
    }
}

impl PipVersion {
    /// Reads the first two numbers of a version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits)?.parse().ok()
        });
        Some(Self(parts.next()??, parts.next().unwrap_or(Some(0))?))
    }
}

/// Reads a document of pip's, within the bound.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if usize::try_from(size).is_ok_and(|size| size <= MAX_BYTES) {
        std::fs::read(path)
    } else {
        Err(std::io::Error::other(format!("larger than {MAX_BYTES} bytes")))
    }
}

fn blocked_text(blocked: &[Blocked]) -> String {
    let first = blocked.iter().find(|b| !b.words.is_empty());
    let Some(Blocked { words, cwd, .. }) = first else {
        return "pip would have started a process to resolve this".to_owned();
    };
    let program = words.first().and_then(|program| Path::new(program).file_name());
    match program.and_then(|name| name.to_str()) {
        Some("connect") => {
            let host = words.get(1).map_or("another host", String::as_str);
            format!("pip would have fetched from {host}, past the indexes")
        }
        Some("take") => {
            let place = words.get(1).map_or("something", String::as_str);
            let place = Url::parse(place)
                .map_or_else(|_| redacted_text(place), |url| Redacted(&url).to_string());
            format!("pip would have taken {place}, a place that you did not name")
        }
        Some("write") => "pip would have written the lock before it is verified".to_owned(),
        Some(vcs @ ("git" | "hg" | "svn" | "bzr")) => {
            format!("pip would have run {vcs} to fetch source code that nothing verifies")
        }
        _ => format!("pip would have built source code in {cwd} before it is verified"),
    }
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
