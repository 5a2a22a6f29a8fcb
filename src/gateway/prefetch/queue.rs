//! Prefetching: pages, METADATA, wheels and provenance documents that pip is likely to request.
//!
//!
//! Owns the queue of prefetches, its bounds and its worker threads. pip requests one file after
//! another. The workers follow `Requires-Dist` from page to page in parallel, so that most answers
//! are ready before pip requests them:
//!
//! 1. A requirement of the user, or a page that pip requests, queues the pages of that project on
//!    every index, then the choice of a release.
//! 2. The chosen release queues a read of its METADATA.
//! 3. Each `Requires-Dist` of that METADATA is a new requirement (step 1).
//! 4. METADATA that pip requests also queues the wheel (see `wheels.rs`) and its provenance
//!    document.
//!
//! A prefetch must not delay a request of pip's, which is served at once without the queue. It
//! decides no verdict, and the record of the run does not list it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use url::Url;

use crate::gateway::once_map::OnceMap;
use crate::gateway::prefetch::metadata;
use crate::gateway::prefetch::ranking::{Candidate, WheelRanking, best};
use crate::gateway::prefetch::requires::{Requirement, requires};
use crate::gateway::prefetch::wheels::Wheels;
use crate::gateway::upstream::{Key, Lane, Upstream};
use crate::index::page::PageFile;
use crate::package::name::PackageName;
use crate::pip::marker::Environment;
use crate::sync::{lock, unpoisoned};

/// Maximum number of prefetches at the same time.
pub const WORKERS: usize = 16;
/// Number of prefetches allowed before the first request of pip's.
pub const FIRST_PREFETCHES: usize = 512;
/// Number of further prefetches allowed for each page that pip requests.
pub const PREFETCHES_PER_PAGE: usize = 32;

/// Maximum size of a prefetched wheel, in bytes. A wheel of unstated size is not prefetched.
pub const MAX_WHEEL: u64 = 64 * 1024 * 1024;

/// Prefetches pages, METADATA, wheels and provenance documents in worker threads.
pub(in crate::gateway) struct Prefetcher {
    upstream: Arc<Upstream>,
    ranking: WheelRanking,
    environment: Environment,
    candidates: OnceMap<(usize, PackageName), Arc<Vec<Candidate>>>,
    state: Mutex<State>,
    queued: Condvar,
    wheels: Arc<Wheels>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Prefetch>,
    /// Text of every prefetch ever queued, so that each is queued once.
    seen: HashSet<String>,
    /// Extras with which each project was required.
    extras: BTreeMap<PackageName, BTreeSet<String>>,
    made: usize,
    asked: usize,
    workers: usize,
    idle: usize,
    stopped: bool,
}

/// A request that pip may make.
#[derive(Debug, Clone)]
enum Prefetch {
    /// Fetch the page of a project on one index.
    Page(usize, PackageName),
    /// Choose the release of a project that pip will most likely install.
    Release(Requirement),
    /// Read the requirements of that release, with these extras.
    Requirements(Key, BTreeSet<String>),
    /// Fetch a provenance document.
    Document(Url),
}

impl Prefetcher {
    pub(in crate::gateway) fn new(upstream: Arc<Upstream>, ranking: WheelRanking) -> Arc<Self> {
        let environment = Environment::of(&ranking.target);
        Arc::new(Self {
            wheels: Wheels::new(Arc::clone(&upstream)),
            upstream,
            ranking,
            environment,
            candidates: OnceMap::default(),
            state: Mutex::default(),
            queued: Condvar::new(),
        })
    }

    /// Queues the requirements (PEP 508) that the user asked for.
    pub(in crate::gateway) fn require(self: &Arc<Self>, requirements: &[String]) {
        let none = BTreeSet::new();
        for requirement in
            requirements.iter().filter_map(|r| Requirement::read(r, &self.environment, &none))
        {
            self.require_one(requirement);
        }
    }

    /// Notes that pip requested this page, which has been fetched.
    pub(in crate::gateway) fn page_asked(self: &Arc<Self>, name: &PackageName) {
        let is_new = {
            let mut state = self.state();
            state.asked = state.asked.saturating_add(1);
            !state.extras.contains_key(name)
        };
        if is_new {
            self.require_one(Requirement::any(name.clone()));
        }
    }

    /// Notes that pip requested this METADATA, which has been fetched: pip considers the release.
    pub(in crate::gateway) fn metadata_asked(self: &Arc<Self>, key: &Key) {
        let extras = self.state().extras.get(&key.name).cloned().unwrap_or_default();
        self.push(Prefetch::Requirements(key.clone(), extras));
        let Some(file) = self.upstream.known_entry(key) else { return };
        self.wheels.consider(key, &file);
        if let Some(link) = file.provenance.filter(|url| url.scheme() != "file") {
            self.push(Prefetch::Document(link));
        }
    }

    /// Whether this document was queued for prefetching.
    pub(in crate::gateway) fn is_queued(&self, document: &Url) -> bool {
        self.state().seen.contains(&Prefetch::Document(document.clone()).text())
    }

    /// Lists the wheels whose prefetching has begun.
    pub(in crate::gateway) fn begun(&self) -> Vec<Key> {
        self.wheels.begun()
    }

    /// Stops prefetching soon: no new prefetch begins.
    pub(in crate::gateway) fn stop(&self) {
        self.state().stopped = true;
        self.queued.notify_all();
        self.wheels.stop();
    }

    fn require_one(self: &Arc<Self>, requirement: Requirement) {
        let extras = {
            let mut state = self.state();
            let extras = state.extras.entry(requirement.name.clone()).or_default();
            extras.extend(requirement.extras.iter().cloned());
            extras.clone()
        };
        // All pages of a project are queued at once; the release is chosen when all of them are
        // there.
        for index in 1..self.upstream.indexes.len() {
            self.push(Prefetch::Page(index, requirement.name.clone()));
        }
        self.push(Prefetch::Release(Requirement { extras, ..requirement }));
    }

    fn push(self: &Arc<Self>, prefetch: Prefetch) {
        let mut state = self.state();
        let bound =
            state.asked.saturating_mul(PREFETCHES_PER_PAGE).saturating_add(FIRST_PREFETCHES);
        if state.stopped || state.made >= bound || !state.seen.insert(prefetch.text()) {
            return;
        }
        state.made = state.made.saturating_add(1);
        state.queue.push_back(prefetch);
        // A worker that was woken for an earlier entry counts as idle until it has taken that
        // entry.
        if state.queue.len() <= state.idle || state.workers >= WORKERS {
            self.queued.notify_one();
            return;
        }
        let worker = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("prefetch".to_owned());
        if spawned.spawn(move || worker.work()).is_ok() {
            state.workers = state.workers.saturating_add(1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn work(self: Arc<Self>) {
        while let Some(prefetch) = self.next() {
            match prefetch {
                Prefetch::Page(index, name) => drop(self.candidates(index, &name)),
                Prefetch::Release(requirement) => self.release(&requirement),
                Prefetch::Requirements(key, extras) => self.requirements(&key, &extras),
                Prefetch::Document(url) => drop(self.upstream.document(&url)),
            }
        }
    }

    fn next(&self) -> Option<Prefetch> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(prefetch) = state.queue.pop_front() {
                return Some(prefetch);
            }
            state.idle = state.idle.saturating_add(1);
            state = unpoisoned(self.queued.wait(state));
            state.idle = state.idle.saturating_sub(1);
        }
    }

    /// Returns the usable wheels of a page; an empty list if the page cannot be fetched.
    fn candidates(&self, index: usize, name: &PackageName) -> Arc<Vec<Candidate>> {
        let page = self.upstream.page(index, name, Lane::Prefetch);
        let Ok(mirror) = page else { return Arc::default() };
        self.candidates.get_or_compute(&(index, name.clone()), || {
            Arc::new(self.ranking.candidates(&mirror.page))
        })
    }

    fn release(self: &Arc<Self>, requirement: &Requirement) {
        let indexes = 0..self.upstream.indexes.len();
        let pages: Vec<_> =
            indexes.map(|index| self.candidates(index, &requirement.name)).collect();
        let Some((index, candidate)) = best(&pages, requirement) else { return };
        let filename = candidate.filename.clone();
        self.push(Prefetch::Requirements(
            Key { index, name: requirement.name.clone(), filename },
            requirement.extras.clone(),
        ));
    }

    fn requirements(self: &Arc<Self>, key: &Key, extras: &BTreeSet<String>) {
        let Ok(file) = self.upstream.entry(key, Lane::Prefetch) else { return };
        let metadata = match (file.sha256, &file.metadata) {
            (None, _) => None,
            (Some(_), Some(_)) => self.upstream.metadata(key, Lane::Prefetch).ok(),
            (Some(_), None) => self.inside(key, &file),
        };
        let Some(metadata) = metadata else { return };
        for requirement in requires(&metadata, &self.environment, extras) {
            self.require_one(requirement);
        }
    }
}

impl Prefetcher {
    /// Returns the METADATA of a file without a METADATA file beside it. pip must fetch such a file
    /// whole to read it, and will most likely install the first one that it reads.
    fn inside(&self, key: &Key, file: &PageFile) -> Option<Arc<Vec<u8>>> {
        if !self.wheels.admit(key, file) {
            return None;
        }
        let fetched = self.upstream.file(key, Lane::Prefetch).ok()?;
        metadata::metadata(&fetched.path).map(Arc::new)
    }
}

impl Prefetch {
    /// Returns the text by which equal entries are recognised.
    fn text(&self) -> String {
        format!("{self:?}")
    }
}
