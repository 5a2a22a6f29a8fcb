//! The story of one install: resolve, gather evidence, judge, fetch, record, install.
//!
//! Owns the order of the steps. A publisher is recorded only after every verdict is good and every
//! file has been fetched, and pip installs after that. The steps themselves are in the modules
//! named by them.

use std::process::ExitCode;
use std::sync::Arc;

use crate::evidence::audit::Finding;
use crate::evidence::sources::{self, EvidenceSettings, Sources};
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::index::Index;
use crate::index::page::Page;
use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::pip::command_line::arguments::{InstallArgs, Subcommand};
use crate::pip::run::{Captured, Environment, Pip};
use crate::pip::scheme::Scheme;
use crate::pip::version::COMPARES_METADATA;
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::resolution::{Resolved, Unresolved};
use crate::resolve::session::Session;
use crate::resolve::steps::{self, Inputs, InstallForm, Installed};
use crate::shim::arrivals::Arrivals;
use crate::shim::notes::{Notes, with_yanks};
use crate::shim::one_shot_files;
use crate::shim::pylocks;
use crate::shim::report_file::ReportFile;
use crate::shim::resolve_via_gateway::GatewayResolver;
use crate::shim::second_step::{OwnPlaces, Resolves, World, inputs, say_again};
use crate::shim::sidecars;
use crate::shim::story::Story;
use crate::shim::unpacking::{self, Unpacking};
use crate::shim::verified::{wanted, with_verified_digests};
use crate::terminal::report::Report;
use crate::wheelhouse::{Fetched, Prefetched, Wheelhouse};

/// Runs `pip install` with the user's arguments, verified.
///
/// # Errors
/// A file could not be checked or was refused; then no file was installed. If pip itself failed,
/// the exit code is pip's.
pub fn install(
    process: &Process,
    report: Report,
    pip: &Pip,
    arguments: &InstallArgs,
) -> Result<ExitCode, Failure> {
    let run = Run::begin(&process.temporary_directories()).map_err(Failure::temporary_directory)?;
    let given = one_shot_files::copied(process, arguments, &run)?;
    let arguments = given.as_ref().unwrap_or(arguments);
    let progress = Arc::default();
    let (run, progress, installed) = (&run, &progress, Installed::Counts);
    let session = Session { process, report, pip, run, arguments, installed, progress };
    match verified(&session) {
        Ok(code) => Ok(code),
        Err(Unresolved::Failure(failure) | Unresolved::NeedsSource(failure)) => Err(failure),
        Err(Unresolved::Pip(captured)) => Ok(session.as_pip_failed(&captured)),
    }
}

fn verified(session: &Session<'_>) -> Result<ExitCode, Unresolved> {
    // The user's own settings are read first: an error in them must not cost network requests.
    let policy = sources::policy(session.process)?;
    let store = sources::trust_store(session.process, None);
    let trust = sources::pins(session.report, &store, &policy)?;
    let own = EvidenceSettings::read(session.process)?;

    let guard = session.guard()?;
    let prepared = session.prepare(&guard)?;
    let _live = session.live(&prepared);
    let sources = Arc::new(Sources::new(own, &prepared.settings).telling(session.progress));
    let (guard, prepared, store, trust) = (&guard, &prepared, &store, &trust);
    let story = Story { session, guard, prepared, sources, store, trust, policy };
    if session.locks() { story.lock() } else { story.install() }
}

impl Story<'_> {
    /// Installs wheels if they are sufficient, else builds.
    fn install(&self) -> Result<ExitCode, Unresolved> {
        let index = self.sources.index();
        let wheels = self.wheels(&index);
        self.sources.lend(&self.guard.logins());
        match wheels? {
            Wheels::Enough(resolved, gateway) => self.install_wheels(&index, resolved, gateway),
            Wheels::NotEnough(failed) => {
                let first = failed.clone();
                match (self.instead_of_wheels(failed), first) {
                    // A build does not see an index that is no URL. The first pip warned of it.
                    (Err(Unresolved::Pip(_)), Some(first))
                        if !self.prepared.settings.not_urls.is_empty() =>
                    {
                        Err(Unresolved::Pip(first))
                    }
                    (ending, _) => ending,
                }
            }
        }
    }

    /// Installs a resolved set of wheels.
    fn install_wheels(
        &self,
        index: &Index<'_>,
        resolved: Resolved,
        gateway: Option<Arc<Gateway>>,
    ) -> Result<ExitCode, Unresolved> {
        let Self { session, prepared, sources, .. } = self;
        let destination = steps::report_destination(&prepared.probe.options);
        let inputs = inputs(prepared, session.arguments);
        if let (true, Inputs::NotRepeatable, Some(said)) =
            (resolved.lock.entries.is_empty(), inputs, &resolved.said)
        {
            // The inputs cannot be read twice and a second pip could resolve another set, so the
            // output of the first pip is printed.
            let report = ReportFile::open(destination, &session.process.directory)?;
            return Ok(say_again(session, said, &resolved.stderr, report.as_ref())?);
        }
        let wheelhouse = self.wheelhouse(index, gateway.as_ref())?;
        let client = &sources.client;
        let arrivals = Arrivals { wheelhouse: &wheelhouse, client, gateway: gateway.as_deref() };
        let lock = resolved.lock;
        let audit = || sources.audit(index, self.trust, self.policy, &wheelhouse, &lock);
        let (findings, arrived) = arrivals.during(&lock, session.progress, audit)?;
        let findings = self.decide(findings)?;

        let lock = with_verified_digests(lock, &findings);
        let fetched = arrivals.rest(&wanted(&lock)?, session.progress, arrived)?;
        self.look_into(&lock, &arrivals, &fetched, &findings, resolved.scheme)?;
        let sidecars = match &gateway {
            Some(gateway) => sidecars::inconsistent(gateway, &lock, &fetched),
            None => Vec::new(),
        };
        if let Some(sidecar) = sidecars.first()
            && prepared.probe.version >= COMPARES_METADATA
        {
            return Err(Unresolved::Pip(sidecar.as_pip_fails()));
        }
        // The gateway has no more requests, and pip must not find it.
        drop(gateway);
        prepared.verify_hashes(&lock, &fetched)?;
        let report = ReportFile::open(destination, &session.process.directory)?;
        session.record(&findings, prepared, self.store)?;
        session.tell(&findings);
        let lock = with_yanks(lock, &|name| self.fetched_pages(index, name));
        self.tell_notes(index, &lock);
        let world = World {
            links: lock.links(wheelhouse.directory()),
            files: wheelhouse.directory(),
            closed: None,
            own_places: OwnPlaces::of(&prepared.settings),
            resolves: if sidecars.is_empty() { Resolves::Again } else { Resolves::No },
            environment: Environment::default(),
            report,
            options: &prepared.probe.options,
            client,
        };
        let form = match world.resolves {
            Resolves::Again => steps::form(&prepared.probe, &lock, inputs),
            Resolves::No => InstallForm::HashedFile,
        };
        let standby = prepared.resolver().take_standby().map(|it| (it, self.guard.removal()));
        let unpacking = Unpacking::new(session, self.store, self.trust);
        unpacking.watched(|| Ok(world.install_hashed(session, form, &lock, standby)?))
    }

    /// Returns the wheelhouse of the run. It takes files and documents that the gateway has
    /// fetched, so that they are not requested twice.
    fn wheelhouse(
        &self,
        index: &Index<'_>,
        gateway: Option<&Arc<Gateway>>,
    ) -> Result<Wheelhouse, Failure> {
        let session = self.session;
        if let Some(gateway) = gateway.map(Arc::downgrade) {
            index
                .use_prefetched_documents(Box::new(move |url| gateway.upgrade()?.document_at(url)));
        }
        let directory =
            session.run.subdirectory("wheelhouse").map_err(Failure::temporary_directory)?;
        let wheelhouse = Wheelhouse::new(directory, self.prepared.settings.cache.as_deref());
        Ok(wheelhouse.with_progress(session.progress).with_prefetched(gateway.map(prefetched)))
    }

    /// Checks the contents of the wheels that pip will unpack. `download` and `wheel` unpack no
    /// wheel, so they need no check.
    fn look_into(
        &self,
        lock: &Lock,
        arrivals: &Arrivals<'_>,
        fetched: &[Fetched],
        findings: &[Finding],
        scheme: Option<Box<Scheme>>,
    ) -> Result<(), Failure> {
        let session = self.session;
        if session.arguments.subcommand() != Subcommand::Install || lock.entries.is_empty() {
            return Ok(());
        }
        // pip fetches these wheels itself, from their URLs. They are fetched here only to be
        // checked.
        let direct = arrivals.rest(&unpacking::by_place(lock)?, session.progress, Vec::new())?;
        let wheels = unpacking::wheels(&[fetched, &direct].concat(), findings);
        let unpacking = Unpacking::new(session, self.store, self.trust);
        unpacking.check(&wheels, &*unpacking::stated(scheme)?)
    }

    /// Returns the pages of a project that were fetched in this run.
    fn fetched_pages(&self, index: &Index<'_>, name: &PackageName) -> Vec<Arc<Page>> {
        self.sources.indexes.iter().filter_map(|url| index.fetched_page(url, name)).collect()
    }

    /// Prints notes about yanked releases, and about newer releases that pip could not use.
    fn tell_notes(&self, index: &Index<'_>, lock: &Lock) {
        let Self { session, prepared, .. } = self;
        let pages: &dyn Fn(&_) -> Vec<_> = &|name| self.fetched_pages(index, name);
        let notes = Notes { session, prepared, lock, pages };
        notes.tell_of_yanked();
        notes.tell_of_passed_over();
    }

    /// Resolves with wheels alone, unless the user asks for sources.
    fn wheels(&self, index: &Index<'_>) -> Result<Wheels, Unresolved> {
        let Self { session, prepared, sources, .. } = self;
        if prepared.files.sources || steps::asks_for_sources(&prepared.probe.options) {
            return Ok(Wheels::NotEnough(None));
        }
        let directory =
            session.run.subdirectory("gateway").map_err(Failure::temporary_directory)?;
        let resolver = GatewayResolver::start(session, prepared, sources, &directory);
        let resolved = match resolver.map(|it| it.resolve(**session, index)) {
            None => session.resolve(prepared, &Environment::default()).map(|it| (it, None)),
            Some(None) => session.resolve_once(prepared).map(|it| (it, None)),
            Some(Some(resolved)) => resolved,
        };
        match resolved {
            Ok((resolved, gateway)) if prepared.is_of_wheels(&resolved.lock) => {
                Ok(Wheels::Enough(resolved, gateway.map(Arc::new)))
            }
            Ok(_) | Err(Unresolved::NeedsSource(_)) => Ok(Wheels::NotEnough(None)),
            Err(Unresolved::Pip(captured))
                if captured.may_lack_wheels(&prepared.files.hashes)
                    && !pylocks::have_wheels_alone(session, prepared) =>
            {
                Ok(Wheels::NotEnough(Some(captured)))
            }
            Err(error) => Err(error),
        }
    }
}

/// The outcome of resolving with wheels alone.
enum Wheels {
    /// A lock of wheels, and the gateway that may have fetched some of the wheels.
    Enough(Resolved, Option<Arc<Gateway>>),
    /// A package must be built, or may have to be; with the failure of pip, if pip failed.
    NotEnough(Option<Captured>),
}

/// Makes the files that the gateway fetched during the resolution available to the wheelhouse.
fn prefetched(gateway: &Arc<Gateway>) -> Prefetched {
    let gateway = Arc::downgrade(gateway);
    Box::new(move |url| gateway.upgrade()?.bytes_of(url))
}
