//! Resolves the user's arguments to a lock.
//!
//! Asks pip for its version and configuration, then for the set that it would install. Owns the
//! choice between `pip lock` and `pip install --dry-run --report`, for the shim and the tool alike.
//! Must not install or judge.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use crate::evidence::sources;
use crate::failure::Failure;
use crate::package::lock::Lock;
use crate::pip::command_line::arguments::{InstallArgs, Subcommand};
use crate::pip::guard::{AS_INSTALL, Allowed, Guard, GuardError};
use crate::pip::marker::Environment as MarkerEnvironment;
use crate::pip::resolve::{Answer, Probe, Question, ResolveError, Resolver};
use crate::pip::run::{Captured, Environment};
use crate::pip::scheme::Scheme;
use crate::pip::settings::{FileLines, Settings};
use crate::pip::version::HAS_LOCK;
use crate::resolve::requirement_files::{self, Copies, Files};
use crate::resolve::session::Session;
use crate::resolve::steps::{self, Installed};
use crate::terminal::progress::Activity;
use crate::terminal::report::Live;
use crate::wheelhouse::Fetched;

/// A guarded pip whose version, settings and requirements files are known.
pub struct Prepared<'a> {
    /// pip's version, defaults and configuration.
    pub probe: Probe,
    /// Network settings, and the place of pip's cache.
    pub settings: Settings,
    /// The content of the requirements files.
    pub files: Files,
    resolver: Resolver<'a>,
}

impl<'a> Prepared<'a> {
    /// Returns the pip that resolves.
    #[must_use]
    pub const fn resolver(&self) -> &Resolver<'a> {
        &self.resolver
    }

    /// Returns the requirements that the user named on the command line and in files.
    #[must_use]
    pub fn asked_for(&self, arguments: &InstallArgs) -> Vec<String> {
        let words = arguments.requirement_arguments().into_iter();
        let words = words.map(|word| word.to_string_lossy().into_owned());
        words.chain(self.files.requirements.iter().cloned()).collect()
    }

    /// Returns whether a lock consists of wheels that the hashes in the user's files allow. pip
    /// resolves with wheels alone first, and then offers a wheel where only the source is allowed.
    #[must_use]
    pub fn is_of_wheels(&self, lock: &Lock) -> bool {
        lock.is_of_wheels() && !self.files.exclude_any(lock, &self.markers())
    }

    /// Compares the fetched files with the hashes that the user's own files state. pip has compared
    /// the bytes that it saw, but with one line only, and the index may have sent other bytes
    /// since. If a generated file replaces the user's file, only this function checks the hashes.
    ///
    /// # Errors
    /// A line excludes a file, or a file cannot be read.
    pub fn verify_hashes(&self, lock: &Lock, fetched: &[Fetched]) -> Result<(), Failure> {
        self.files.verify_hashes(lock, fetched, &self.markers())
    }

    fn markers(&self) -> MarkerEnvironment {
        self.probe.facts.target.as_deref().map(MarkerEnvironment::of).unwrap_or_default()
    }

    /// Copies the user's requirements files into `directory`.
    ///
    /// # Errors
    /// A file cannot be read or copied.
    pub fn copies(&self, session: Session<'_>, directory: &Path) -> Result<Copies, Failure> {
        requirement_files::copies(session.process, &self.probe.options, &self.settings, directory)
    }
}

/// Reasons why there is no lock.
#[derive(Debug)]
pub enum Unresolved {
    /// Wheels alone are not sufficient: a package would have to be built.
    NeedsSource(Failure),
    /// This program could not resolve.
    Failure(Failure),
    /// pip failed, with its own message and exit code.
    Pip(Captured),
}

/// How pip is asked for the set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By `pip lock`, where that may give the same set.
    Shortest,
    /// By the report of `pip install`, unless only `pip lock` can answer.
    ByReport,
}

/// A lock, and the output of the pip that resolved it.
#[derive(Debug)]
pub struct Resolved {
    /// The lock.
    pub lock: Lock,
    /// pip's standard error.
    pub stderr: Vec<u8>,
    /// pip's standard output and report, if `pip install` was asked.
    pub said: Option<Said>,
    /// The directories that pip would install to. `None` if pip did not state them.
    pub scheme: Option<Box<Scheme>>,
}

/// The output of a `pip install --dry-run`.
#[derive(Debug)]
pub struct Said {
    /// The standard output.
    pub stdout: Vec<u8>,
    /// The path of the report.
    pub report: PathBuf,
}

impl<'a> Session<'a> {
    /// Asks pip for its version and configuration, and reads the requirements files.
    ///
    /// # Errors
    /// pip cannot be run or guarded, or its configuration is not valid.
    pub fn prepare(&self, guard: &'a Guard) -> Result<Prepared<'a>, Unresolved> {
        let (report, progress) = (self.report, self.progress);
        let prompt = Box::new(move |question: &str| {
            progress.end();
            report.prompt(question);
        });
        let resolver = Resolver::new(self.pip, self.run, guard, prompt);
        let mut global = self.arguments.global_without(steps::is_not_for_questions);
        if self.arguments.has("--isolated") {
            // `--isolated` may stand behind `install`, but it changes the configuration, so the
            // question needs it as well.
            global.push("--isolated".into());
        }
        let probe = resolver.probe(&global, self.arguments)?;
        let settings = self.settings(&probe, &FileLines::default())?;
        let files = requirement_files::read_named_files(self.process, &probe.options, &settings)?;
        let settings = self.settings(&probe, &files.lines)?;
        let mut prepared = Prepared { probe, settings, files, resolver };
        let texts = prepared.asked_for(self.arguments);
        let named = ["--requirement", "--constraint"].map(|it| prepared.probe.options.all(it));
        let named = named.into_iter().flatten();
        let constraints = prepared.files.constraints.clone();
        prepared
            .settings
            .learn(&texts.into_iter().chain(named).chain(constraints).collect::<Vec<_>>());
        Ok(prepared)
    }

    /// Writes the guard of this run.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn guard(&self) -> Result<Guard, GuardError> {
        Guard::set_up(self.run, self.process.variable("PYTHONPATH"))
    }

    /// Makes pip authenticate to these indexes, so that the guard can record the credentials that
    /// the user, a keyring or a file provides. The result of the request is discarded.
    ///
    /// # Errors
    /// The private directory cannot be created.
    pub fn ask_for_credentials(
        &self,
        prepared: &Prepared<'_>,
        indexes: &[Url],
    ) -> Result<(), Failure> {
        let directory =
            self.run.subdirectory("credentials").map_err(Failure::temporary_directory)?;
        let output = directory.join("report.json");
        let arguments = steps::credentials_probe(self.arguments, &output);
        let environment = steps::places(indexes);
        let (allowed, arguments) = (Allowed::Resolving, arguments.as_slice());
        let question = Question { arguments, output: &output, allowed, environment };
        let _ = prepared.resolver.report(&question);
        Ok(())
    }

    /// Asks pip for the set, by the user's own subcommand if that can report it. What pip refuses
    /// for an install must not pass because the question is a dry run.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or writes no readable report.
    pub fn ask(
        &self,
        prepared: &Prepared<'_>,
        mut question: Question<'_>,
    ) -> Result<Answer, ResolveError> {
        let Prepared { probe, resolver, .. } = prepared;
        match self.arguments.subcommand() {
            Subcommand::Download | Subcommand::Wheel => return resolver.kept_report(question),
            Subcommand::Install | Subcommand::Lock => {}
        }
        if self.installed == Installed::Counts && !probe.options.is_on("--dry-run") {
            question.environment.set.push((AS_INSTALL.into(), "1".into()));
        }
        resolver.report(&question)
    }

    fn settings(&self, probe: &Probe, lines: &FileLines) -> Result<Settings, Failure> {
        let mut surroundings = sources::surroundings(self.process);
        surroundings.default_index.clone_from(&probe.facts.index);
        surroundings.default_cache.clone_from(&probe.facts.cache);
        surroundings.network = probe.facts.network.as_deref().cloned();
        surroundings.pip.clone_from(&probe.facts.pip);
        Settings::merge(&probe.options, lines, &surroundings)
    }

    /// Shows the progress of the run on a terminal, unless the user has switched pip's progress bar
    /// off.
    #[must_use]
    pub fn live(&self, prepared: &Prepared<'_>) -> Option<Live> {
        let bar = prepared.probe.options.last("--progress-bar").and_then(OsStr::to_str);
        if !self.process.redraws || matches!(bar, Some("off" | "raw")) {
            return None;
        }
        let progress = Arc::clone(self.progress);
        self.run.before_exit(move || progress.close());
        self.report.live(self.progress)
    }

    /// Returns the set that pip would install: from `pip lock` if that gives the same set, else
    /// from the report of `pip install`. `environment` contains the changes to pip's environment.
    ///
    /// # Errors
    /// pip fails, would run unverified code, or writes no readable output.
    pub fn resolve(
        &self,
        prepared: &Prepared<'_>,
        environment: &Environment,
    ) -> Result<Resolved, Unresolved> {
        self.resolve_by(prepared, environment, Way::Shortest)
    }

    /// Returns the set as [`Self::resolve`] does, with one run of pip, so that an index that fails
    /// is not asked more often than by pip.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_once(&self, prepared: &Prepared<'_>) -> Result<Resolved, Unresolved> {
        self.resolve_by(prepared, &Environment::default(), Way::ByReport)
    }

    fn resolve_by(
        &self,
        prepared: &Prepared<'_>,
        environment: &Environment,
        way: Way,
    ) -> Result<Resolved, Unresolved> {
        let Prepared { probe, resolver, .. } = prepared;
        let _resolving = self.progress.begin(Activity::Resolving, 0);
        let directory = self.run.subdirectory("resolve").map_err(Failure::temporary_directory)?;
        let wheels_only = wheels_only(&directory)?;
        let overlooks = self.installed == Installed::Ignored;
        let lock_will_do = probe.version >= HAS_LOCK && steps::configured_alike(&probe.options);
        if overlooks && lock_will_do
            || way == Way::Shortest
                && steps::lock_answers(self.arguments, probe, prepared.files.remote)
                && !prepared.settings.find_links.iter().any(|place| may_yank(place))
        {
            let output = directory.join("pylock.toml");
            let argv = steps::lock(self.arguments, &probe.options, &output, &wheels_only);
            match resolver.lock(&Question::resolving(&argv, &output, environment)) {
                Ok(answer)
                    if overlooks
                        || steps::overlooks_nothing(&answer.lock) && !answer.lock.has_direct() =>
                {
                    let Answer { lock, captured, scheme } = answer;
                    return Ok(Resolved { lock, stderr: captured.stderr, said: None, scheme });
                }
                // A package of the set is installed already, or `pip lock` failed, or a place in a
                // requirement needs a requirements file for the second step: only the report says
                // who is requested. Then `pip install` is asked, and its messages are the ones that
                // the user sees.
                Ok(_) => {}
                Err(ResolveError::Pip(_)) if !overlooks && self.run.interrupted().is_none() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let output = directory.join("report.json");
        let options = &probe.options;
        let argv = steps::report(self.arguments, options, self.installed, &output, &wheels_only);
        let question = Question::resolving(&argv, &output, environment);
        let Answer { lock, captured, scheme } = self.ask(prepared, question)?;
        let said = Some(Said { stdout: captured.stdout, report: output });
        Ok(Resolved { lock, stderr: captured.stderr, said, scheme })
    }
}

/// Writes a requirements file into `directory` that allows wheels only.
///
/// # Errors
/// The file cannot be written.
pub fn wheels_only(directory: &Path) -> Result<PathBuf, Failure> {
    let path = directory.join("wheels-only.txt");
    std::fs::write(&path, "--only-binary :all:\n").map_err(Failure::temporary_directory)?;
    Ok(path)
}

/// Returns whether a `--find-links` place is a page. A page can mark a file as yanked, and `pip
/// lock` reports that only in a text that the page influences.
fn may_yank(place: &str) -> bool {
    let is_remote = Url::parse(place).is_ok_and(|url| url.scheme() != "file");
    is_remote || place.ends_with(".html") || place.ends_with(".htm")
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
