//! From the user's arguments to a lock: which pip this is, how it is configured, what it would
//! install.
//!
//! Owns the choice between `pip lock` and `pip install --dry-run --report`, for the shim and the
//! tool alike. Installs nothing and judges nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use crate::evidence::sources;
use crate::failure::{Failure, Status};
use crate::package::lock::Lock;
use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::guard::{Allowed, Guard, GuardError};
use crate::pip::resolve::{Answer, HAS_LOCK, Probe, Question, ResolveError, Resolver};
use crate::pip::run::{Captured, Environment};
use crate::pip::scheme::Scheme;
use crate::pip::settings::{FileLines, Settings};
use crate::resolve::requirement_files::{self, Copies, Files};
use crate::resolve::session::Session;
use crate::resolve::steps::{self, Installed};
use crate::terminal::progress::Activity;
use crate::terminal::report::Live;

/// A pip that is known and guarded, with its settings.
pub struct Prepared<'a> {
    /// What pip this is.
    pub probe: Probe,
    /// How it reaches the network, and its cache.
    pub settings: Settings,
    /// What the requirements files say.
    pub files: Files,
    resolver: Resolver<'a>,
}

impl<'a> Prepared<'a> {
    /// The pip that resolves.
    #[must_use]
    pub const fn resolver(&self) -> &Resolver<'a> {
        &self.resolver
    }

    /// What the user named: on the command line, and in files.
    #[must_use]
    pub fn asked_for(&self, arguments: &InstallArgs) -> Vec<String> {
        let words = arguments.requirement_arguments().into_iter();
        let words = words.map(|word| word.to_string_lossy().into_owned());
        words.chain(self.files.requirements.iter().cloned()).collect()
    }

    /// Copies the user's requirements files into `directory`.
    ///
    /// # Errors
    /// One cannot be read, or not be copied so.
    pub fn copies(&self, session: Session<'_>, directory: &Path) -> Result<Copies, Failure> {
        requirement_files::copies(
            session.process,
            session.arguments,
            &self.probe,
            &self.settings,
            directory,
        )
    }
}

/// There is no lock.
#[derive(Debug)]
pub enum Unresolved {
    /// Wheels alone do not do: something would have to be built.
    NeedsSource(Failure),
    /// For a reason of ours.
    Failure(Failure),
    /// pip failed, in its own words and with its own exit code.
    Pip(Captured),
}

/// A lock, and what pip printed on standard error while it was made.
#[derive(Debug)]
pub struct Resolved {
    /// The lock.
    pub lock: Lock,
    /// pip's standard error.
    pub stderr: Vec<u8>,
    /// What else it said, where it was a `pip install`.
    pub said: Option<Said>,
    /// Where pip would install the lock. `None` if pip did not say.
    pub scheme: Option<Box<Scheme>>,
}

/// What a `pip install` said that installed nothing.
#[derive(Debug)]
pub struct Said {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Where its report lies.
    pub report: PathBuf,
}

impl<'a> Session<'a> {
    /// Learns what pip this is and how it is configured.
    ///
    /// # Errors
    /// pip cannot be run, guarded or configured.
    pub fn prepare(&self, guard: &'a Guard) -> Result<Prepared<'a>, Unresolved> {
        let (report, progress) = (self.report, self.progress);
        let prompt = Box::new(move |question: &str| {
            progress.end();
            report.prompt(question);
        });
        let resolver = Resolver::new(self.pip, self.run, guard, prompt);
        let mut global = self.arguments.global_without(&steps::NOT_FOR_QUESTIONS);
        if self.arguments.has("--isolated") {
            // It may stand behind `install` as well, and changes what the configuration is.
            global.push("--isolated".into());
        }
        let mut probe = resolver.probe(&global)?;
        probe.configuration = probe.configuration.read_by(self.arguments.subcommand().word());
        let settings = self.settings(&probe, &FileLines::default())?;
        let files = requirement_files::of_files(self.process, self.arguments, &probe, &settings)?;
        let settings = self.settings(&probe, &files.lines)?;
        Ok(Prepared { probe, settings, files, resolver })
    }

    /// Lays out the guard of this run.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn guard(&self) -> Result<Guard, GuardError> {
        Guard::set_up(self.run, self.process.variable("PYTHONPATH"))
    }

    /// Lets pip ask these indexes for a project, any project: it gives them the credentials that
    /// the user, a keyring or a file has, and the guard remembers them. What pip finds does not
    /// matter.
    ///
    /// # Errors
    /// There is no private directory.
    pub fn knock(&self, prepared: &Prepared<'_>, indexes: &[Url]) -> Result<(), Failure> {
        let directory = self.run.subdirectory("knock").map_err(private_directory)?;
        let output = directory.join("report.json");
        let arguments = steps::knock(self.arguments, &output);
        let environment = steps::places(indexes);
        let (allowed, arguments) = (Allowed::Resolving, arguments.as_slice());
        let question = Question { arguments, output: &output, allowed, environment };
        let _ = prepared.resolver.report(&question);
        Ok(())
    }

    fn settings(&self, probe: &Probe, lines: &FileLines) -> Result<Settings, Failure> {
        let mut surroundings = sources::surroundings(self.process);
        surroundings.default_index.clone_from(&probe.facts.index);
        surroundings.default_cache.clone_from(&probe.facts.cache);
        let command_line = requirement_files::command_line(self.arguments);
        Settings::merge(&probe.configuration, &command_line, lines, &surroundings)
    }

    /// Shows how far the run is, on a terminal, if the user has not switched that off for pip.
    #[must_use]
    pub fn live(&self, prepared: &Prepared<'_>) -> Option<Live> {
        let given = self.arguments.last_value("--progress-bar").and_then(OsStr::to_str);
        let bar = given.or_else(|| prepared.probe.configuration.get("progress-bar"));
        if !self.process.redraws || matches!(bar, Some("off" | "raw")) {
            return None;
        }
        let progress = Arc::clone(self.progress);
        self.run.before_exit(move || progress.close());
        self.report.live(self.progress)
    }

    /// What pip would install: its lock where that is the answer, else its report. `environment` is
    /// what changes in pip's.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or leaves nothing readable.
    pub fn resolve(
        &self,
        prepared: &Prepared<'_>,
        environment: &Environment,
    ) -> Result<Resolved, Unresolved> {
        let Prepared { probe, resolver, .. } = prepared;
        let _resolving = self.progress.begin(Activity::Resolving, 0);
        let directory = self.run.subdirectory("resolve").map_err(private_directory)?;
        let wheels_only = wheels_only(&directory)?;
        let overlooks = self.installed == Installed::Ignored;
        let lock_will_do = probe.version >= HAS_LOCK && steps::configured_alike(probe);
        if overlooks && lock_will_do
            || steps::lock_answers(self.arguments, probe, prepared.files.remote)
                && !prepared.settings.find_links.iter().any(|place| may_yank(place))
        {
            let output = directory.join("pylock.toml");
            let argv = steps::lock(self.arguments, &output, &wheels_only);
            match resolver.lock(&Question::resolving(&argv, &output, environment)) {
                Ok(answer) if overlooks || steps::overlooks_nothing(&answer.lock) => {
                    let Answer { lock, captured, scheme } = answer;
                    return Ok(Resolved { lock, stderr: captured.stderr, said: None, scheme });
                }
                // Something of it is installed, or `pip lock` could not: then `pip install`
                // itself says what it would do, or why not, in its own words.
                Ok(_) => {}
                Err(ResolveError::Pip(_)) if !overlooks && self.run.interrupted().is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let output = directory.join("report.json");
        let argv = steps::report(self.arguments, self.installed, &output, &wheels_only);
        let question = Question::resolving(&argv, &output, environment);
        let Answer { lock, captured, scheme } = resolver.report(&question)?;
        let said = Some(Said { stdout: captured.stdout, report: output });
        Ok(Resolved { lock, stderr: captured.stderr, said, scheme })
    }
}

/// A requirements file in `directory` that lets pip consider wheels alone.
///
/// # Errors
/// It cannot be written.
pub fn wheels_only(directory: &Path) -> Result<PathBuf, Failure> {
    let path = directory.join("wheels-only.txt");
    std::fs::write(&path, "--only-binary :all:\n").map_err(private_directory)?;
    Ok(path)
}

/// Whether a `--find-links` place is a page. It may say of a file that it is yanked, which
/// `pip lock` tells nobody but in words that the page has a say in.
fn may_yank(place: &str) -> bool {
    let is_remote = Url::parse(place).is_ok_and(|url| url.scheme() != "file");
    is_remote || place.ends_with(".html") || place.ends_with(".htm")
}

/// The private directory of the run cannot be used.
pub fn private_directory(error: std::io::Error) -> Failure {
    let message = format!("cannot use a private temporary directory: {error}");
    Failure::new(Status::CouldNotCheck, message).hint("check TMPDIR, and that its disk is not full")
}

impl From<ResolveError> for Unresolved {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Pip(captured) => Self::Pip(captured),
            blocked @ ResolveError::Blocked(_) => Self::NeedsSource(blocked.into()),
            error => Self::Failure(error.into()),
        }
    }
}

impl From<Failure> for Unresolved {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<GuardError> for Unresolved {
    fn from(error: GuardError) -> Self {
        Self::Failure(error.into())
    }
}
