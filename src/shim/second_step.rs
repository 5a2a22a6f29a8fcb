//! The second step: runs the real pip with the verified files and no index.
//!
//! Writes the constraints, the requirements and the page of links that this pip is given, and runs
//! it. The verified files are chosen before; this module must not add any.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use url::Url;

use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::package::lock::{Lock, Selection};
use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::command_line::table::Fact;
use crate::pip::options::Options;
use crate::pip::resolve::ResolveError;
use crate::pip::run::{Environment, RunError, exit_code};
use crate::pip::settings::Settings;
use crate::pip::standby::Standby;
use crate::resolve::build_steps::{Closed, is_of_places};
use crate::resolve::direct::Direct;
use crate::resolve::resolution::{Prepared, Said};
use crate::resolve::session::Session;
use crate::resolve::steps::{self, HashedFiles, Inputs, InstallForm, Replacement};
use crate::shim::report_file::ReportFile;

/// The name of the page that leads to the files, in the run's directory.
pub(super) const LINKS: &str = "links.html";

/// The files and settings that pip installs from.
pub(super) struct World<'a> {
    /// A page (PEP 503) with a link to each file.
    pub(super) links: String,
    /// The private directory that contains the files.
    pub(super) files: &'a Path,
    /// After a build: the replacements for the user's options about indexes and directories.
    pub(super) closed: Option<&'a Closed>,
    /// Whether pip is given the user's own options about places.
    pub(super) own_places: OwnPlaces,
    /// Whether pip resolves the set again.
    pub(super) resolves: Resolves,
    /// Further changes to pip's environment.
    pub(super) environment: Environment,
    /// The file that the user names for pip's installation report.
    pub(super) report: Option<ReportFile>,
    /// The user's options.
    pub(super) options: &'a Options,
    /// The client of this program, which knows user names and passwords.
    pub(super) client: &'a Client,
}

/// Whether the pip that installs resolves the set again, by the METADATA inside the wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolves {
    /// The set is resolved again, and is the same one.
    Again,
    /// The lock is installed as it is, since the wheels contradict the METADATA beside them.
    No,
}

/// Whether pip is given the user's own options about places, none of which it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnPlaces {
    /// The options stay, beside `--no-index`.
    Kept,
    /// The options are removed, since pip fails over an index that is no URL when it reads a page
    /// of links.
    Removed,
}

impl OwnPlaces {
    /// Returns what these settings need.
    pub(super) const fn of(settings: &Settings) -> Self {
        if settings.not_urls.is_empty() { Self::Kept } else { Self::Removed }
    }

    /// Returns variables that stand in for the user's, in configuration files too.
    fn environment(self, links: &Path) -> Environment {
        let mut environment = Environment::default();
        if self == Self::Removed {
            let url = Url::from_file_path(links).map_or_else(|()| String::new(), String::from);
            let names = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"];
            environment.set.extend(names.map(|name| (name.into(), url.clone().into())));
        }
        environment
    }
}

impl World<'_> {
    /// Installs with hashes required for every file. If a standby interpreter is waiting, it runs
    /// the install, and its guard is removed first.
    pub(super) fn install_hashed(
        &self,
        session: &Session<'_>,
        form: InstallForm,
        lock: &Lock,
        standby: Option<(Standby, Environment)>,
    ) -> Result<ExitCode, Failure> {
        let selection =
            if form == InstallForm::NamedFile { Selection::Named } else { Selection::All };
        let pins = write(session, "pins.txt", &lock.pins())?;
        let known = lock.with_userinfo(&|url| self.client.userinfo(url));
        let requirements = known.requirements(selection).map_err(ResolveError::from)?;
        let requirements = write(session, "requirements.txt", &requirements)?;
        let links = write(session, LINKS, &self.links)?;
        let report = session.run.directory().join("report.json");
        let words = match (self.closed, self.resolves) {
            (Some(closed), _) => closed.replacements(self.options, form),
            (None, Resolves::Again) => Vec::new(),
            (None, Resolves::No) => vec!["--no-deps".into()],
        };
        let files = HashedFiles {
            pins: &pins,
            requirements: &requirements,
            links: &links,
            report: self.report.as_ref().map(|_| report.as_path()),
            replacement: Some(Replacement {
                removes: match (self.closed, self.own_places) {
                    (Some(_), _) => is_of_places,
                    (None, OwnPlaces::Removed) => |option| option.is(Fact::NamesPlace),
                    (None, OwnPlaces::Kept) => |_| false,
                },
                words: &words,
            }),
        };
        let argv = steps::install(session.arguments, form, files);
        let mut environment = self.environment.clone();
        environment.set.extend(self.own_places.environment(&links).set);
        let changes = steps::second_environment(form, self.options);
        environment.remove.extend(changes.remove);
        if self.closed.is_none() {
            environment.set.extend(changes.set);
        }
        let status = match standby {
            Some((standby, undone)) => {
                environment.set.extend(undone.set);
                environment.remove.extend(undone.remove);
                standby
                    .install(&argv, &environment)
                    .map_err(|source| RunError { program: session.pip.program.clone(), source })?
            }
            None => session.pip.run(session.run, &argv, &environment)?,
        };
        self.give_report(session, lock, &report, status)?;
        Ok(ExitCode::from(exit_code(status)))
    }

    /// Installs where a source has no hash that pip could check: a directory or a repository.
    pub(super) fn install_unhashed(
        &self,
        session: &Session<'_>,
        closed: &Closed,
        lock: &Lock,
    ) -> Result<ExitCode, Failure> {
        let links = write(session, LINKS, &self.links)?;
        let versions = write(session, "versions.txt", &lock.versions())?;
        let report = session.run.directory().join("report.json");
        let wanted = self.report.as_ref().map(|_| report.as_path());
        let argv = closed.install(session.arguments, self.options, &links, &versions, wanted);
        let status = session.pip.run(session.run, &argv, &self.environment)?;
        self.give_report(session, lock, &report, status)?;
        Ok(ExitCode::from(exit_code(status)))
    }

    /// Gives the user pip's installation report with the real URLs of the files. pip writes the
    /// report before it installs, so the report may exist although the install failed.
    fn give_report(
        &self,
        session: &Session<'_>,
        lock: &Lock,
        at: &Path,
        status: ExitStatus,
    ) -> Result<(), Failure> {
        let destination = match &self.report {
            Some(destination) if status.success() || at.exists() => destination,
            _ => return Ok(()),
        };
        let text = std::fs::read_to_string(at).map_err(Failure::temporary_directory)?;
        let directory = Url::from_directory_path(self.files)
            .map_or_else(|()| format!("file://{}/", self.files.display()), |url| url.to_string());
        let text = lock.with_real_requests(&lock.with_real_places(&text, &directory));
        let text = lock.with_real_yanks(&text);
        give(session, &text, destination)
    }
}

/// Returns whether pip can read the user's inputs a second time.
pub(super) fn inputs(prepared: &Prepared<'_>, arguments: &InstallArgs) -> Inputs {
    let asked = prepared.asked_for(arguments);
    let by_place = asked.iter().any(|word| Direct::parse(word).is_some());
    let has_odd_index = !prepared.settings.not_urls.is_empty();
    if prepared.files.remote || by_place || has_odd_index {
        Inputs::NotRepeatable
    } else {
        Inputs::Repeatable
    }
}

/// Prints the output of a `pip install` that had no package to install. `report` is the destination
/// of its report.
pub(super) fn say_again(
    session: &Session<'_>,
    said: &Said,
    stderr: &[u8],
    report: Option<&ReportFile>,
) -> Result<ExitCode, Failure> {
    session.report.replay(&said.stdout, stderr);
    if let Some(destination) = report {
        let text = std::fs::read_to_string(&said.report).map_err(Failure::temporary_directory)?;
        give(session, &text, destination)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn give(session: &Session<'_>, text: &str, destination: &ReportFile) -> Result<(), Failure> {
    destination.write(session.report, text).map_err(|error| {
        let message = format!("cannot write the report {}: {error}", destination.name());
        Failure::new(Status::BadInput, message)
    })
}

/// Writes a file into the run's directory.
fn write(session: &Session<'_>, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = session.run.directory().join(name);
    std::fs::write(&path, text).map(|()| path).map_err(Failure::temporary_directory)
}
