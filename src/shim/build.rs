//! The story of an install that builds from source archives, directories or repositories.
//!
//! Owns the order of its steps:
//!
//! 1. Sources that no index serves (paths, URLs, repositories) are judged before pip runs.
//! 2. pip resolves and builds against the gateway, which serves a file only after its verdict, so
//!    that no unverified code runs.
//! 3. If the user agrees to a publisher at the terminal, the run begins again.
//! 4. pip installs from the files that the gateway served, and from no other source.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::evidence::audit::{self, Finding};
use crate::evidence::judge::Judge;
use crate::failure::{Failure, Status};
use crate::gateway::{Gateway, HOST, Judging, Prefetching, Refusal, Setup};
use crate::package::lock::{Lock, Source};
use crate::package::name::PackageName;
use crate::pip::guard::{Allowed, Blocked, Origins};
use crate::pip::resolve::{Question, ResolveError};
use crate::pip::run::{Captured, Environment};
use crate::resolve::build_steps::{Closed, ForNestedPips};
use crate::resolve::direct::{self, Direct};
use crate::resolve::resolution::Unresolved;
use crate::resolve::steps::{self, Installed};
use crate::shim::locking::{Asked, Made};
use crate::shim::notes::{Notes, with_yanks};
use crate::shim::places::{exchanges, links_page, place, place_local, url_of};
use crate::shim::refused::{Agreed, recorded, refused};
use crate::shim::report_file::ReportFile;
use crate::shim::second_step::{LINKS, OwnPlaces, Resolves, World, inputs};
use crate::shim::story::Story;
use crate::shim::unpacking::Unpacking;
use crate::shim::unresolvable::Ended;
use crate::shim::verified::with_verified_digests;
use crate::terminal::progress::Activity;

/// The outcome of one attempt.
enum Attempt {
    /// pip ran to its end, with this exit code.
    Done(ExitCode),
    /// The user agreed to further publishers, so the gateway may serve more files.
    Agreed(Agreed),
    /// An index asks for credentials that pip was not asked for yet.
    NotLetIn,
}

/// The state before an attempt.
struct Before<'a> {
    /// The publishers that the user has agreed to.
    agreed: &'a Agreed,
    /// Whether pip was asked for credentials.
    introduced: bool,
    /// The failure of the pip that resolved with wheels alone.
    failed: &'a mut Option<Captured>,
}

/// Maximum number of attempts in one run. The user agrees to at least one publisher in each.
const ATTEMPTS: usize = 100;

impl Story<'_> {
    /// Builds after an attempt with wheels alone was not sufficient. `failed` is the failure of
    /// that pip, if there was one. Code that runs during the build can write every file that the
    /// user can.
    pub(super) fn instead_of_wheels(
        &self,
        failed: Option<Captured>,
    ) -> Result<ExitCode, Unresolved> {
        let unpacking = Unpacking::new(self.session, self.store, self.trust);
        unpacking.watched(|| self.run(failed))
    }

    fn run(&self, mut failed: Option<Captured>) -> Result<ExitCode, Unresolved> {
        let mut agreed = Agreed::new();
        // If the guard has credentials already, asking pip again would prompt the user twice.
        let mut introduced = !self.guard.logins().is_empty();
        for number in 1..=ATTEMPTS {
            let directory = self.session.run.subdirectory(&format!("build-{number}"));
            let directory = directory.map_err(Failure::temporary_directory)?;
            let before = Before { agreed: &agreed, introduced, failed: &mut failed };
            match self.attempt(&directory, before)? {
                Attempt::Done(code) => return Ok(code),
                Attempt::Agreed(more) => agreed.extend(more),
                Attempt::NotLetIn => {
                    introduced = true;
                    self.session.ask_for_credentials(self.prepared, &self.sources.indexes)?;
                    self.sources.lend(&self.guard.logins());
                }
            }
        }
        Err(Failure::new(Status::CouldNotCheck, "pip was asked too often; nothing was installed")
            .into())
    }

    fn attempt(&self, directory: &Path, before: Before<'_>) -> Result<Attempt, Unresolved> {
        if steps::has_pylock(&self.prepared.probe.options) {
            let message = "pylock.toml: building the sources of a lock is not supported";
            return Err(Failure::new(Status::BadInput, message)
                .hint("install from a requirements file with the same versions and hashes")
                .into());
        }
        let copies = self.prepared.copies(*self.session, directory)?;
        let options = &self.prepared.probe.options;
        let named = direct::named(self.session.arguments, options, &copies.texts());
        self.judge_named(&named)?;

        let (sources, trust) = (Arc::clone(&self.sources), self.trust.clone());
        let judge = Arc::new(Judge::new(sources, trust, self.policy, before.agreed.clone()));
        let gateway = self.gateway(directory, &judge)?;
        let closed = Closed {
            indexes: gateway.index_urls(),
            find_links: self.find_links(directory, &judge)?,
            requirements: copies.requirements.clone(),
            constraints: copies.constraints.clone(),
            inherited_constraints: copies.inherited_constraints.clone(),
            build_constraints: copies.build_constraints.clone(),
            cache: directory.join("cache"),
        };
        let unpacking = Unpacking::new(self.session, self.store, self.trust);
        let resolved = unpacking
            .answering(|| judge.findings(), |ask| self.resolve(&closed, &named, directory, ask))?;
        let exchanges = exchanges(&closed, &copies, self.prepared, &self.session.process.directory);
        let refused = refused(&gateway, &judge, resolved.as_ref().ok().map(|asked| &asked.lock));
        let ended = Ended { gateway: &gateway, exchanges: &exchanges, named: &named, directory };
        // A refused file of the user's own directories has no link, so that pip cannot find it.
        let is_complete = refused.is_empty() && ended.is_complete();
        let may_ask = resolved.is_err() && !judge.local().iter().any(Finding::is_refused);
        if may_ask
            && !is_complete
            && let Some(captured) = self.failure_of_pip(&closed, &ended)
        {
            return Err(Unresolved::Pip(captured));
        }
        // A refused file is the true cause of the failure, whatever message pip prints.
        let refused = self.decide(refused)?;
        if !refused.is_empty() {
            return Ok(Attempt::Agreed(recorded(&refused)));
        }
        if let Some(refusal) = gateway.refusals().into_iter().next() {
            return Err(Refusal::failure(refusal.reason).into());
        }
        match ended.fatal_failure(before.introduced) {
            Some(failed) if failed.asks_for_credentials() && !before.introduced => {
                return Ok(Attempt::NotLetIn);
            }
            Some(failed) => return Err(failed.failure.into()),
            None => {}
        }
        let resolved = resolved.map_err(|error| self.told(error, &ended, before.failed));
        let Asked { mut lock, made } = resolved?;
        let handed: Vec<_> = gateway.handed_over().into_iter().map(|handed| handed.file).collect();
        let stated = lock.clone();
        place(&mut lock, &gateway);
        let made = made.map(|made| made.in_words_of_the_user(&gateway, self.prepared, &exchanges));
        let known = gateway.pages();
        drop(gateway);

        let local = place_local(&mut lock, &closed, judge.local())?;
        let judged = [judge.findings(), local].concat();
        let findings = self.findings_of_build(&lock, &judged, &handed);
        let findings = self.decide(findings)?;
        let lock = with_verified_digests(lock, &findings);
        if let Some(made) = made {
            let made = made.with_real_places(&stated, &lock)?;
            return Ok(Attempt::Done(self.give_lock(&made, &findings, &[])?));
        }
        let fetched = self.fetch_unserved(&lock, &handed, closed.find_links.as_deref())?;
        self.prepared.verify_hashes(&lock, &[handed.as_slice(), &fetched].concat())?;
        self.session.tell(&findings);
        let pages: &dyn Fn(&_) -> Vec<_> = &|name| {
            let of_it = known.iter().filter(|known| known.name == *name);
            of_it.filter_map(|known| known.page.clone()).collect()
        };
        let (session, prepared) = (self.session, self.prepared);
        let lock = with_yanks(lock, pages);
        Notes { session, prepared, lock: &lock, pages }.tell_of_yanked();
        let files = handed.iter().chain(&fetched);
        let files = files.map(|file| (file.path.as_path(), file.sha256));
        let links = links_page(files, closed.find_links.as_deref());
        let install = |ask| self.hand_to_pip(&closed, &named, &lock, links, ask);
        let code = unpacking.answering(|| findings.clone(), install)??;
        // Recorded only now: if the source does not build, its publisher was not used.
        if code == ExitCode::SUCCESS {
            self.session.record(&findings, self.prepared, self.store)?;
        }
        Ok(Attempt::Done(code))
    }

    pub(super) fn decide(&self, findings: Vec<Finding>) -> Result<Vec<Finding>, Failure> {
        self.session.decide(findings, self.prepared, self.trust)
    }

    /// Judges the requirements that name a URL, a path or a repository. They have no attestation,
    /// so they are judged before pip runs any code from them.
    fn judge_named(&self, named: &[Direct]) -> Result<(), Failure> {
        let findings: Vec<Finding> =
            named.iter().filter_map(|direct| direct.finding(self.trust, &self.policy)).collect();
        self.decide(findings).map(drop)
    }

    fn gateway(&self, directory: &Path, judge: &Arc<Judge>) -> Result<Gateway, Failure> {
        let handed = directory.join("handed-over");
        std::fs::create_dir(&handed).map_err(Failure::temporary_directory)?;
        let judge = Arc::clone(judge);
        let setup = Setup {
            client: Arc::clone(&self.sources.client),
            indexes: self.sources.indexes.clone(),
            directory: handed,
            pip_cache: self.prepared.settings.cache.clone(),
            judging: Judging::Before(Box::new(move |asked| judge.judge(asked))),
            // A prefetched file would also be judged, and its refusal would count as pip's.
            prefetching: Prefetching::Disabled,
        };
        Ok(Gateway::start(setup)?)
    }

    fn resolve(
        &self,
        closed: &Closed,
        named: &[Direct],
        directory: &Path,
        ask: (OsString, OsString),
    ) -> Result<Asked, Unresolved> {
        let files = closed.find_links.iter().cloned().collect();
        let places = Origins { indexes: closed.indexes.clone(), ..self.places(files, named) };
        let mut environment = self.environment(closed, named, &ForNestedPips::Gateway);
        environment.set.push(ask);
        let building = self.session.progress.begin(Activity::Building, 0);
        let output = directory.join("report.json");
        let asked = self.ask_pip(closed, &output, Allowed::Builds(places), environment);
        drop(building);
        asked.map_err(|error| self.unresolved(error))
    }

    /// Asks pip for its set or its lock, by the gateway of `closed`.
    pub(super) fn ask_pip(
        &self,
        closed: &Closed,
        output: &Path,
        allowed: Allowed,
        environment: Environment,
    ) -> Result<Asked, ResolveError> {
        let arguments = self.session.arguments;
        let locks = self.session.locks().then(|| self.lock_place());
        let argv = match locks {
            Some(place) => closed.lock(arguments, place, output),
            None => closed.report(arguments, Installed::Counts, output),
        };
        let question = Question { arguments: &argv, output, allowed, environment };
        let resolver = self.prepared.resolver();
        match locks {
            Some(_) => resolver.kept_lock(question).and_then(Made::asked),
            None => self
                .session
                .ask(self.prepared, question)
                .map(|answer| Asked { lock: answer.lock, made: None }),
        }
    }

    /// Returns the places from which pip may take files without an index: this run's directories,
    /// and the places that the user named.
    fn places(&self, directories: Vec<PathBuf>, named: &[Direct]) -> Origins {
        let at = &self.session.process.directory;
        Origins {
            indexes: Vec::new(),
            directories,
            places: named.iter().map(|direct| url_of(&direct.place, at)).collect(),
            recorded: self.trust.pins().map(|(name, _)| name.to_string()).collect(),
        }
    }

    /// Converts an error of the resolving pip. If the guard stopped a place that turned out to be a
    /// recorded project, the failure is an ordinary refusal.
    fn unresolved(&self, error: ResolveError) -> Unresolved {
        let ResolveError::Blocked(blocked) = &error else { return error.into() };
        let finding = |blocked: &Blocked| {
            let name = PackageName::parse(blocked.recorded.as_ref()?).ok()?;
            let place = blocked.place.as_ref()?;
            let kind = Direct::editable(place).kind;
            audit::unattested_by_name(Some(&name), place, kind, self.trust, &self.policy)
        };
        let findings = blocked.iter().filter_map(finding).collect();
        match self.decide(findings) {
            Err(refused) => refused.into(),
            Ok(_) => error.into(),
        }
    }

    pub(super) fn environment(
        &self,
        closed: &Closed,
        named: &[Direct],
        nested: &ForNestedPips<'_>,
    ) -> Environment {
        let transport = &self.prepared.settings.transport;
        let mut proxies = transport.exceptions_with(HOST).to_vec();
        if named.iter().any(Direct::is_remote) {
            proxies.extend(transport.proxy_as_variables());
        }
        closed.environment(&self.prepared.probe.options, proxies, nested)
    }

    fn hand_to_pip(
        &self,
        closed: &Closed,
        named: &[Direct],
        lock: &Lock,
        links: String,
        ask: (OsString, OsString),
    ) -> Result<ExitCode, Unresolved> {
        let directory = self.session.run.directory();
        let nested = directory.join(LINKS);
        let report = steps::report_destination(&self.prepared.probe.options);
        let report = ReportFile::open(report, &self.session.process.directory)?;
        let mut environment = self.environment(closed, named, &ForNestedPips::Links(&nested));
        // Build requirements have no hashes, and neither have directories and repositories, which
        // pip reads again during the install. So the guard restricts this pip to the verified
        // places.
        let guard = self.prepared.resolver().guard;
        let places = self.places(vec![directory.to_owned()], named);
        let guarded = guard.environment(&Allowed::Builds(places));
        environment.set.extend(guarded.set);
        environment.set.push(ask);
        environment.remove.extend(guarded.remove);
        let options = &self.prepared.probe.options;
        let client = &self.sources.client;
        let world = World {
            links,
            files: directory,
            closed: Some(closed),
            own_places: OwnPlaces::Kept,
            resolves: Resolves::Again,
            environment,
            report,
            options,
            client,
        };
        // A source that is named by place and already installed is not in the lock and has no hash.
        let of_files = lock.entries.iter().all(|it| matches!(it.source, Source::Files(_)));
        let code = if of_files && (named.is_empty() || !lock.entries.is_empty()) {
            let inputs = inputs(self.prepared, self.session.arguments);
            let form = steps::form(&self.prepared.probe, lock, inputs);
            world.install_hashed(self.session, form, lock, None)?
        } else {
            world.install_unhashed(self.session, closed, lock)?
        };
        match guard.take_notes() {
            Ok((_, blocked)) if blocked.iter().any(|blocked| !blocked.words.is_empty()) => {
                Err(self.unresolved(ResolveError::Blocked(blocked)))
            }
            Err(error) if code == ExitCode::SUCCESS => Err(error.into()),
            _ => Ok(code),
        }
    }
}
