//! The story of one install: resolve, gather evidence, judge, record, install.
//!
//! Owns the order of the steps: nothing is recorded before every verdict is good and every byte
//! is here, and pip installs only after that. Each step is done by the module that owns it.

use std::process::ExitCode;
use std::sync::Arc;

use crate::evidence::audit::Finding;
use crate::evidence::refusal::{self, TrustContext, recorded_in};
use crate::evidence::sources::{self, Own, Sources};
use crate::failure::{Failure, Status};
use crate::gateway::Gateway;
use crate::index::Index;
use crate::package::lock::{File, Lock};
use crate::pip::command_line::arguments::{InstallArgs, Subcommand};
use crate::pip::run::{Captured, Cause, Environment, Pip, exit_code};
use crate::process::Process;
use crate::process::run::{CTRL_C, Run};
use crate::resolve::resolution::{Prepared, Request, Resolved, Unresolved, private_directory};
use crate::resolve::steps::{self, Inputs, Installed};
use crate::shim::ahead::Ahead;
use crate::shim::arrivals::Arrivals;
use crate::shim::build::Build;
use crate::shim::given;
use crate::shim::notes::Notes;
use crate::shim::report_file::ReportFile;
use crate::shim::second_step::{World, inputs, say_again};
use crate::shim::unpacking::{self, Unpacking};
use crate::terminal::progress::Progress;
use crate::terminal::report::Report;
use crate::trust::pins::Pins;
use crate::trust::policy::{Reason, Verdict};
use crate::trust::store::Store;
use crate::wheelhouse::{Elsewhere, Wanted, Wheelhouse};

/// One install in progress.
pub(super) struct Install<'a> {
    pub(super) process: &'a Process,
    pub(super) report: Report,
    pub(super) pip: &'a Pip,
    pub(super) arguments: &'a InstallArgs,
    pub(super) run: Run,
    pub(super) progress: Arc<Progress>,
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
    let run = Run::begin(&process.temporary_directories()).map_err(private_directory)?;
    let given = given::kept(process, arguments, &run)?;
    let arguments = given.as_ref().unwrap_or(arguments);
    let progress = Arc::default();
    let install = Install { process, report, pip, arguments, run, progress };
    match install.verified() {
        Ok(code) => Ok(code),
        Err(Unresolved::Failure(failure) | Unresolved::NeedsSource(failure)) => Err(failure),
        Err(Unresolved::Pip(captured)) => Ok(install.as_pip_failed(&captured)),
    }
}

impl Install<'_> {
    fn verified(&self) -> Result<ExitCode, Unresolved> {
        // What is the user's own is read first: an error in it costs no network.
        let policy = sources::policy(self.process)?;
        let store = sources::trust_store(self.process, None);
        let trust = sources::pins(self.report, &store, &policy)?;
        let own = Own::read(self.process)?;

        let request = self.request();
        let guard = request.guard()?;
        let prepared = request.prepare(&guard)?;
        let _live = request.live(&prepared);
        let sources = Arc::new(Sources::new(own, &prepared.settings).telling(&self.progress));
        let build = Build {
            install: self,
            guard: &guard,
            prepared: &prepared,
            sources: Arc::clone(&sources),
            store: &store,
            trust: &trust,
            policy,
        };
        if self.locks() {
            return build.lock();
        }
        let index = sources.index();
        let wheels = self.wheels(&prepared, &sources, &index);
        sources.lend(&guard.logins());
        let (resolved, ahead) = match wheels? {
            Wheels::Enough(resolved, ahead) => (resolved, ahead),
            Wheels::NotEnough(failed) => return build.instead_of_wheels(failed),
        };

        let destination = steps::report_destination(self.arguments, &prepared.probe);
        let inputs = inputs(&prepared, self.arguments);
        if let (true, Inputs::Once, Some(said)) =
            (resolved.lock.entries.is_empty(), inputs, &resolved.said)
        {
            // Asked again, it could be told something else.
            let report = ReportFile::open(destination, &self.process.directory)?;
            return Ok(say_again(self, said, &resolved.stderr, report.as_ref())?);
        }
        let lock = resolved.lock;
        let directory = self.run.subdirectory("wheelhouse").map_err(private_directory)?;
        let wheelhouse = Wheelhouse::new(directory, prepared.settings.cache.as_deref())
            .telling(&self.progress)
            .drawing_on(ahead.as_ref().map(elsewhere));
        if let Some(ahead) = ahead.as_ref().map(Arc::downgrade) {
            index.draw_documents_from(Box::new(move |url| ahead.upgrade()?.document_at(url)));
        }
        let audit = || sources.audit(&index, &trust, policy, &wheelhouse, &lock);
        let client = &sources.client;
        let arrivals = Arrivals { wheelhouse: &wheelhouse, client, ahead: ahead.as_deref() };
        let (findings, arrived) = arrivals.during(&lock, &self.progress, audit)?;
        let findings = self.decide(findings, &prepared, &trust)?;

        let lock = with_verified_digests(lock, &findings);
        let fetched = arrivals.rest(&wanted(&lock)?, &self.progress, arrived)?;
        let unpacking = Unpacking::new(self, &store, &trust);
        if self.arguments.subcommand() == Subcommand::Install && !lock.entries.is_empty() {
            // pip fetches them itself, by their places; they are here to be looked into.
            let direct = arrivals.rest(&unpacking::by_place(&lock)?, &self.progress, Vec::new())?;
            let wheels = unpacking::wheels(&[fetched.as_slice(), &direct].concat(), &findings);
            unpacking.check(&wheels, &*unpacking::stated(resolved.scheme)?)?;
        }
        // Nothing of it is asked any more, and pip must not find it.
        drop(ahead);
        prepared.files.hold(&lock, &fetched)?;
        let report = ReportFile::open(destination, &self.process.directory)?;
        self.record(&findings, &prepared, &store)?;
        self.tell(&findings);
        let pages: &dyn Fn(&_) -> Vec<_> =
            &|name| sources.indexes.iter().filter_map(|url| index.known(url, name)).collect();
        let notes = Notes { install: self, prepared: &prepared, lock: &lock, pages };
        notes.tell_of_yanked();
        notes.tell_of_passed_over();
        let form = steps::form(&prepared.probe, self.arguments, &lock, inputs);
        let world = World {
            links: lock.links(wheelhouse.directory()),
            files: wheelhouse.directory(),
            closed: None,
            environment: Environment::default(),
            report,
            probe: &prepared.probe,
        };
        let standby = prepared.resolver().take_standby().map(|it| (it, guard.undone()));
        unpacking.watched(|| Ok(world.install_hashed(self, form, &lock, standby)?))
    }

    /// What pip would install of wheels alone; nothing where that is not what the user asked for,
    /// or where there are none.
    fn wheels(
        &self,
        prepared: &Prepared<'_>,
        sources: &Sources,
        index: &Index<'_>,
    ) -> Result<Wheels, Unresolved> {
        if prepared.files.sources || steps::asks_for_sources(self.arguments, &prepared.probe) {
            return Ok(Wheels::NotEnough(None));
        }
        let request = self.request();
        let directory = self.run.subdirectory("ahead").map_err(private_directory)?;
        let ahead = Ahead::start(self, prepared, sources, &directory);
        let resolved = ahead.and_then(|ahead| ahead.resolve(request, index)).unwrap_or_else(|| {
            let resolved = request.resolve(prepared, &Environment::default())?;
            Ok((resolved, None))
        });
        match resolved {
            Ok((resolved, ahead)) if is_of_wheels(&resolved.lock) => {
                Ok(Wheels::Enough(resolved, ahead.map(Arc::new)))
            }
            Ok(_) | Err(Unresolved::NeedsSource(_)) => Ok(Wheels::NotEnough(None)),
            Err(Unresolved::Pip(captured)) if may_lack_wheels(&captured) => {
                Ok(Wheels::NotEnough(Some(captured)))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the user asks for a lock, and for nothing to be installed.
    pub(super) fn locks(&self) -> bool {
        self.arguments.subcommand() == Subcommand::Lock
    }

    /// Every verdict is good: whom to trust is recorded.
    pub(super) fn record(
        &self,
        findings: &[Finding],
        prepared: &Prepared<'_>,
        store: &Store,
    ) -> Result<(), Failure> {
        // A dry run changes nothing; that includes whom the user trusts. A lock has none.
        if self.is_set("--dry-run", prepared) && !self.locks() {
            return Ok(());
        }
        sources::record(self.report, findings, store)
    }

    /// The user is told what is good and what is unknown.
    pub(super) fn tell(&self, findings: &[Finding]) {
        refusal::summary(findings).iter().for_each(|line| self.report.news(line));
    }

    pub(super) const fn request(&self) -> Request<'_> {
        Request {
            process: self.process,
            report: self.report,
            pip: self.pip,
            run: &self.run,
            arguments: self.arguments,
            installed: Installed::Counts,
            progress: &self.progress,
        }
    }

    /// Asks the person at the terminal where that is possible, and refuses what remains.
    pub(super) fn decide(
        &self,
        mut findings: Vec<Finding>,
        prepared: &Prepared<'_>,
        trust: &Pins,
    ) -> Result<Vec<Finding>, Failure> {
        let context = TrustContext {
            pins: trust,
            record_with: "run the same command with TOFU=1 in its environment",
        };
        if self.may_ask(prepared) {
            ask(self.report, &mut findings, &context);
        }
        let refused: Vec<_> = findings.iter().filter(|finding| finding.is_refused()).collect();
        if refused.is_empty() {
            return Ok(findings);
        }
        let lines = refused.iter().flat_map(|finding| refusal::lines(finding, &context));
        lines.for_each(|line| self.report.detail(&line));
        let (bad, all) = (refused.len(), findings.len());
        let nothing = if self.locks() { "no lock was written" } else { "nothing was installed" };
        let message = format!("{bad} of {all} files refused; {nothing}");
        Err(Failure::new(Status::Refused, message))
    }

    fn may_ask(&self, prepared: &Prepared<'_>) -> bool {
        self.process.interactive
            && !self.is_set("--no-input", prepared)
            && !self.process.variable_is_on("CI")
    }

    /// Whether one of pip's switches is set, wherever pip lets it be set.
    fn is_set(&self, switch: &str, prepared: &Prepared<'_>) -> bool {
        self.arguments.has(switch)
            || prepared.probe.configuration.is_on(switch.trim_start_matches('-'))
    }

    /// A pip that failed by itself has its own words and its own exit code.
    fn as_pip_failed(&self, captured: &Captured) -> ExitCode {
        self.report.replay(&captured.stdout, &captured.stderr);
        if self.run.interrupted() == Some(CTRL_C) {
            // pip's own code for a run that was cancelled, however early it came.
            return ExitCode::FAILURE;
        }
        ExitCode::from(exit_code(captured.status))
    }
}

/// What resolving by wheels alone came to.
enum Wheels {
    /// A lock of wheels, and the gateway that may have some of them already.
    Enough(Resolved, Option<Arc<Gateway>>),
    /// Something must be built, or there may be none; how pip failed, if it did.
    NotEnough(Option<Captured>),
}

/// Whether everything of a lock is one wheel, which can be verified and pinned.
pub(super) fn is_of_wheels(lock: &Lock) -> bool {
    lock.entries.iter().all(|entry| match entry.files() {
        [file] => file.filename.as_str().ends_with(".whl"),
        _ => false,
    })
}

/// Whether pip may have failed because only wheels were considered. Where the guard could not see
/// why, it is tried: what is built then is judged before.
pub(super) fn may_lack_wheels(captured: &Captured) -> bool {
    match captured.cause {
        Cause::NoDistribution => true,
        Cause::Unseen => captured.status.code() == Some(1),
        Cause::Other => false,
    }
}

/// The lock, each file with the digest that was verified, and without one if none was.
pub(super) fn with_verified_digests(mut lock: Lock, findings: &[Finding]) -> Lock {
    let verified: std::collections::HashMap<_, _> = findings
        .iter()
        .filter_map(|finding| finding.file.as_ref())
        .map(|file| ((file.filename.as_str(), file.url.as_str()), file.sha256))
        .collect();
    for entry in &mut lock.entries {
        for file in entry.files_mut() {
            let key = (file.filename.as_str(), file.url.as_str());
            file.sha256 = verified.get(&key).copied().flatten();
        }
    }
    lock
}

/// What was fetched while pip resolved need not be fetched again.
fn elsewhere(gateway: &Arc<Gateway>) -> Elsewhere {
    let gateway = Arc::downgrade(gateway);
    Box::new(move |url| gateway.upgrade()?.bytes_of(url))
}

/// The files of indexes and links. One named by its place pip fetches from there, under its hash,
/// so that it says the same of where it came from.
fn wanted(lock: &Lock) -> Result<Vec<Wanted>, Failure> {
    lock.listed().map(verified).collect()
}

/// A file as it is to be fetched. Only a verified digest may lead to bytes that are installed.
pub(super) fn verified(file: &File) -> Result<Wanted, Failure> {
    let sha256 = file.sha256.ok_or_else(|| {
        Failure::new(Status::CouldNotCheck, format!("{} was not verified", file.filename))
    })?;
    sources::wanted(&File { sha256: Some(sha256), ..file.clone() })
}

/// Asks for each project once, as `ssh` asks about a new host key.
fn ask(report: Report, findings: &mut [Finding], context: &TrustContext<'_>) {
    let mut answers = std::collections::BTreeMap::new();
    for finding in findings {
        let Verdict::Fail(Reason::NotRecorded { found }) = &finding.verdict else { continue };
        let publisher = found.clone();
        let url = publisher.url().to_string();
        let agreed = *answers.entry((finding.name.clone(), url.clone())).or_insert_with(|| {
            let (searched, path) = (refusal::searched(context.pins), recorded_in(context.pins));
            report.detail(&format!("{} is built by {url}, not recorded {searched}", finding.title));
            report.detail(&format!("`yes` records it in {path}"));
            report.ask("Trust this publisher for this project from now on?")
        });
        if agreed {
            finding.verdict = Verdict::Record { publisher };
        }
    }
}
