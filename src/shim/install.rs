//! The story of one install: resolve, gather evidence, judge, record, install.
//!
//! Owns the order of the steps: nothing is recorded before every verdict is good and every byte
//! is here, and pip installs only after that. Each step is done by the module that owns it.

use std::path::Path;
use std::process::ExitCode;

use url::Url;

use super::arguments::InstallArgs;
use crate::audit::Finding;
use crate::failure::{Failure, Status};
use crate::interrupt::Run;
use crate::lock::{File, Lock, Source, Which};
use crate::pip::run::{Captured, Environment, Pip, exit_code};
use crate::process::Process;
use crate::refusal::{self, TrustContext};
use crate::report::Report;
use crate::resolution::{Request, Unresolved, private_directory};
use crate::sources::{self, Own, Sources};
use crate::steps::{self, Form, HashedFiles, Installed};
use crate::trust::file::TrustFile;
use crate::trust::policy::{Reason, Verdict};
use crate::trust::store::Store;
use crate::wheelhouse::{JOBS, Wanted, Wheelhouse};

/// One install in progress.
struct Install<'a> {
    process: &'a Process,
    report: Report,
    pip: &'a Pip,
    arguments: &'a InstallArgs,
    run: Run,
}

/// Runs `pip install` with the user's arguments, verified.
///
/// # Errors
/// Something could not be checked or was refused; then nothing was installed. Where pip itself
/// failed, the exit code is pip's.
pub fn install(
    process: &Process,
    report: Report,
    pip: &Pip,
    arguments: &InstallArgs,
) -> Result<ExitCode, Failure> {
    let run = Run::begin().map_err(private_directory)?;
    let install = Install { process, report, pip, arguments, run };
    match install.verified() {
        Ok(code) => Ok(code),
        Err(Unresolved::Failure(failure)) => Err(failure),
        Err(Unresolved::Pip(captured)) => Ok(install.as_pip_failed(&captured)),
    }
}

impl Install<'_> {
    fn verified(&self) -> Result<ExitCode, Unresolved> {
        // What is the user's own is read first: an error in it costs no network.
        let store = sources::trust_store(self.process, None);
        let trust = store.load().map_err(Failure::from)?;
        let own = Own::read(self.process)?;

        let request = self.request();
        let guard = request.guard()?;
        let prepared = request.prepare(&guard)?;
        let sources = Sources::new(own, &prepared.settings)?;
        let resolved = request.resolve(&prepared)?;
        self.pass_on_warnings(&resolved.stderr);
        installable(&resolved.lock)?;

        let directory = self.run.subdirectory("wheelhouse").map_err(private_directory)?;
        let wheelhouse = Wheelhouse::new(directory, prepared.settings.cache.as_deref());
        let policy = sources::policy(self.process);
        let findings = sources.audit(&trust, policy, &wheelhouse, &resolved.lock)?;
        let findings = self.decide(findings, &store, &trust)?;

        let lock = with_verified_digests(resolved.lock, &findings);
        wheelhouse.fetch_all(&sources.client, &wanted(&lock)?, JOBS).map_err(Failure::from)?;
        if !self.is_dry_run() {
            sources::record(self.report, &findings, &store)?;
        }
        refusal::summary(&findings).iter().for_each(|line| self.report.news(line));
        let form = steps::form(&prepared.probe, self.arguments, &lock, prepared.files.remote);
        Ok(self.hand_to_pip(form, &lock, &wheelhouse)?)
    }

    const fn request(&self) -> Request<'_> {
        Request {
            process: self.process,
            report: self.report,
            pip: self.pip,
            run: &self.run,
            arguments: self.arguments,
            installed: Installed::Counts,
        }
    }

    /// A warning that only the first step can give reaches the user from there.
    fn pass_on_warnings(&self, stderr: &[u8]) {
        let text = String::from_utf8_lossy(stderr);
        let is_about_yanking = |line: &&str| {
            line.contains("is a yanked version") || line.starts_with("Reason for being yanked: ")
        };
        text.lines().filter(is_about_yanking).for_each(|line| self.report.pass_on(line));
    }

    /// Asks the person at the terminal where that is possible, and refuses what remains.
    fn decide(
        &self,
        mut findings: Vec<Finding>,
        store: &Store,
        trust: &TrustFile,
    ) -> Result<Vec<Finding>, Failure> {
        let context = TrustContext {
            path: store.path(),
            file: trust,
            record_with: "run the same command with TOFU=1 in its environment",
        };
        if self.may_ask() {
            ask(self.report, &mut findings, &context);
        }
        let refused: Vec<_> = findings.iter().filter(|finding| finding.is_refused()).collect();
        if refused.is_empty() {
            return Ok(findings);
        }
        let lines = refused.iter().flat_map(|finding| refusal::lines(finding, &context));
        lines.for_each(|line| self.report.detail(&line));
        let (bad, all) = (refused.len(), findings.len());
        let message = format!("{bad} of {all} files refused; nothing was installed");
        Err(Failure::new(Status::Refused, message))
    }

    fn may_ask(&self) -> bool {
        self.process.interactive
            && !self.arguments.has("--no-input")
            && !self.process.variable_is_on("PIP_NO_INPUT")
            && !self.process.variable_is_on("CI")
    }

    /// A dry run changes nothing; that includes whom the user trusts.
    fn is_dry_run(&self) -> bool {
        self.arguments.has("--dry-run") || self.process.variable_is_on("PIP_DRY_RUN")
    }

    /// The second step: the real pip, in a world of the verified files and nothing else.
    fn hand_to_pip(
        &self,
        form: Form,
        lock: &Lock,
        wheelhouse: &Wheelhouse,
    ) -> Result<ExitCode, Failure> {
        let directory = self.run.directory();
        let write = |name: &str, text: String| {
            let path = directory.join(name);
            std::fs::write(&path, text).map(|()| path).map_err(private_directory)
        };
        let which = if form == Form::NamedFile { Which::Named } else { Which::All };
        let pins = write("pins.txt", lock.pins())?;
        let requirements = write("requirements.txt", lock.requirements(which))?;
        let links = write("links.html", lock.links(wheelhouse.directory()))?;
        let report = directory.join("report.json");
        let files = HashedFiles {
            pins: &pins,
            requirements: &requirements,
            links: &links,
            report: &report,
        };
        let argv = steps::install(self.arguments, form, files);
        let environment = Environment { set: Vec::new(), remove: steps::removed_variables(form) };
        let status = self.pip.run(&self.run, &argv, &environment)?;
        if status.success() && steps::wants_report(self.arguments) {
            self.give_report(lock, &report, wheelhouse)?;
        }
        Ok(ExitCode::from(exit_code(status)))
    }

    /// pip's installation report, with the places that the files really come from.
    fn give_report(&self, lock: &Lock, report: &Path, from: &Wheelhouse) -> Result<(), Failure> {
        let text = std::fs::read_to_string(report).map_err(private_directory)?;
        let directory = Url::from_directory_path(from.directory()).map_or_else(
            |()| format!("file://{}/", from.directory().display()),
            |url| url.to_string(),
        );
        let text = lock.with_real_places(&text, &directory);
        let destination = self.arguments.last_value("--report").unwrap_or_default();
        let written = if destination == "-" {
            self.report.bytes(format!("{text}\n").as_bytes())
        } else {
            std::fs::write(self.process.directory.join(destination), text)
        };
        written.map_err(|error| {
            let message = format!("cannot write the report {}: {error}", destination.display());
            Failure::new(Status::BadInput, message)
        })
    }

    /// A pip that failed by itself has its own words and its own exit code.
    fn as_pip_failed(&self, captured: &Captured) -> ExitCode {
        self.report.replay(&captured.stdout, &captured.stderr);
        if String::from_utf8_lossy(&captured.stderr).contains("No matching distribution found") {
            self.report
                .hint("only wheels are considered: what is published as source alone is not found");
        }
        ExitCode::from(exit_code(captured.status))
    }
}

/// Everything of a lock must be one file that can be verified and pinned.
fn installable(lock: &Lock) -> Result<(), Failure> {
    for entry in &lock.entries {
        let what = match &entry.source {
            Source::Files(files) if files.len() == 1 => continue,
            Source::Files(_) => "it has more than one file",
            Source::Direct(file) if file.filename.as_str().ends_with(".whl") => continue,
            Source::Direct(_) => "it is a source archive, which would be built unverified",
            Source::Vcs(_) => "it comes from version control, which nothing vouches for",
            Source::Directory { .. } => "it is a directory, which would be built unverified",
        };
        let message = format!("{} cannot be verified: {what}", entry.title());
        return Err(Failure::new(Status::Refused, message)
            .hint("name it by project and version, from an index")
            .hint("to let this command through unverified: PYPI_VERIFY_NOW=off pip …"));
    }
    Ok(())
}

/// The lock, each file with the digest that was verified, and without one if none was.
fn with_verified_digests(mut lock: Lock, findings: &[Finding]) -> Lock {
    let verified: std::collections::HashMap<_, _> = findings
        .iter()
        .filter_map(|finding| finding.file.as_ref())
        .map(|file| ((file.filename.as_str(), file.url.as_str()), file.sha256))
        .collect();
    for entry in &mut lock.entries {
        let files = match &mut entry.source {
            Source::Files(files) => files.as_mut_slice(),
            Source::Direct(file) => std::slice::from_mut(file),
            Source::Vcs(_) | Source::Directory { .. } => continue,
        };
        for file in files {
            let key = (file.filename.as_str(), file.url.as_str());
            file.sha256 = verified.get(&key).copied().flatten();
        }
    }
    lock
}

/// The files of indexes and links. One named by its place pip fetches from there, under its hash,
/// so that it says the same of where it came from.
fn wanted(lock: &Lock) -> Result<Vec<Wanted>, Failure> {
    let files = lock.entries.iter().filter_map(|entry| match &entry.source {
        Source::Files(files) => Some(files),
        _ => None,
    });
    let wanted = files.flatten().map(|file| {
        // Only a verified digest may lead to bytes that are installed.
        let sha256 = file.sha256.ok_or_else(|| {
            Failure::new(Status::CouldNotCheck, format!("{} was not verified", file.filename))
        })?;
        sources::wanted(&File { sha256: Some(sha256), ..file.clone() })
    });
    wanted.collect()
}

/// Asks for each project once, as `ssh` asks about a new host key.
fn ask(report: Report, findings: &mut [Finding], context: &TrustContext<'_>) {
    let mut answers = std::collections::BTreeMap::new();
    for finding in findings {
        let Verdict::Fail(Reason::NotRecorded { found }) = &finding.verdict else { continue };
        let publisher = found.clone();
        let url = publisher.url().to_string();
        let agreed = *answers.entry((finding.name.clone(), url.clone())).or_insert_with(|| {
            let path = context.path.display();
            report.detail(&format!("{} is built by {url}, not recorded in {path}", finding.title));
            report.ask("Trust this publisher for this project from now on?")
        });
        if agreed {
            finding.verdict = Verdict::Record { publisher };
        }
    }
}
