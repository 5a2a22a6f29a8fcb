//! What is fetched before pip asks for it: pages of what is likely to be needed, and the METADATA,
//! wheels and provenance documents of what is likely to be chosen.
//!
//! Owns the guesses: their queue, their bounds and the threads that work on them. pip asks for one
//! thing after another; following `Requires-Dist` from page to page in parallel hides its waiting.
//! A guess is never in the way: what pip asks for itself is fetched at once, whatever is queued
//! here. A guess decides nothing and is recorded nowhere.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::gateway::inside;
use crate::gateway::likely::{Candidate, Likely, best};
use crate::gateway::requires::{Environment, Wish, requires};
use crate::gateway::slots::Slots;
use crate::gateway::upstream::{Key, Lane, Upstream};
use crate::gateway::wheels::Wheels;
use crate::index::page::PageFile;
use crate::package::name::PackageName;

/// How many guesses are worked on at once.
pub const WORKERS: usize = 16;
/// How many guesses are made before pip has asked for anything.
pub const FIRST_GUESSES: usize = 512;
/// How many more are made for each page that pip asks for.
pub const GUESSES_PER_PAGE: usize = 32;

/// The largest wheel that is fetched ahead, in bytes; where the index states no size, none is.
pub const MAX_WHEEL: u64 = 64 * 1024 * 1024;

/// The guesses of a run.
pub(super) struct Ahead {
    upstream: Arc<Upstream>,
    likely: Likely,
    environment: Environment,
    candidates: Slots<(usize, PackageName), Arc<Vec<Candidate>>>,
    state: Mutex<State>,
    queued: Condvar,
    wheels: Arc<Wheels>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Guess>,
    /// What was queued before, so that nothing is twice.
    seen: HashSet<String>,
    /// The extras with which each project was wished for.
    extras: BTreeMap<PackageName, BTreeSet<String>>,
    made: usize,
    asked: usize,
    workers: usize,
    idle: usize,
    stopped: bool,
}

/// Something that pip may ask for.
#[derive(Debug, Clone)]
enum Guess {
    /// The page of a project on one index.
    Page(usize, PackageName),
    /// The release of a project that will be chosen.
    Release(Wish),
    /// What that release needs.
    Needs(Key, BTreeSet<String>),
    /// A provenance document.
    Document(Url),
}

impl Ahead {
    pub(super) fn new(upstream: Arc<Upstream>, likely: Likely) -> Arc<Self> {
        let environment = Environment { python: likely.python };
        Arc::new(Self {
            wheels: Wheels::new(Arc::clone(&upstream)),
            upstream,
            likely,
            environment,
            candidates: Slots::default(),
            state: Mutex::default(),
            queued: Condvar::new(),
        })
    }

    /// Begins with what the user asked for, as requirements (PEP 508).
    pub(super) fn expect(self: &Arc<Self>, requirements: &[String]) {
        let none = BTreeSet::new();
        for wish in requirements.iter().filter_map(|r| Wish::read(r, &self.environment, &none)) {
            self.wish(wish);
        }
    }

    /// pip asked for a page, which is here now.
    pub(super) fn page_asked(self: &Arc<Self>, name: &PackageName) {
        let is_new = {
            let mut state = self.state();
            state.asked = state.asked.saturating_add(1);
            !state.extras.contains_key(name)
        };
        if is_new {
            self.wish(Wish::any(name.clone()));
        }
    }

    /// pip asked for a METADATA, which is here now: it considers that release.
    pub(super) fn metadata_asked(self: &Arc<Self>, key: &Key) {
        let extras = self.state().extras.get(&key.name).cloned().unwrap_or_default();
        self.push(Guess::Needs(key.clone(), extras));
        let Some(file) = self.upstream.known_entry(key) else { return };
        self.wheels.consider(key, &file);
        if let Some(link) = file.provenance.filter(|url| url.scheme() != "file") {
            self.push(Guess::Document(link));
        }
    }

    /// Whether this document was to be fetched ahead.
    pub(super) fn is_guessed(&self, document: &Url) -> bool {
        self.state().seen.contains(&Guess::Document(document.clone()).text())
    }

    /// The wheels that are being fetched ahead, or were.
    pub(super) fn begun(&self) -> Vec<Key> {
        self.wheels.begun()
    }

    /// Ends what is under way soon.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.queued.notify_all();
        self.wheels.stop();
    }

    fn wish(self: &Arc<Self>, wish: Wish) {
        let extras = {
            let mut state = self.state();
            let extras = state.extras.entry(wish.name.clone()).or_default();
            extras.extend(wish.extras.iter().cloned());
            extras.clone()
        };
        // All pages of a project at once; the release is chosen where they all are.
        for index in 1..self.upstream.indexes.len() {
            self.push(Guess::Page(index, wish.name.clone()));
        }
        self.push(Guess::Release(Wish { extras, ..wish }));
    }

    fn push(self: &Arc<Self>, guess: Guess) {
        let mut state = self.state();
        let bound = state.asked.saturating_mul(GUESSES_PER_PAGE).saturating_add(FIRST_GUESSES);
        if state.stopped || state.made >= bound || !state.seen.insert(guess.text()) {
            return;
        }
        state.made = state.made.saturating_add(1);
        state.queue.push_back(guess);
        // One that was woken for an earlier guess counts as idle until it has taken that.
        if state.queue.len() <= state.idle || state.workers >= WORKERS {
            self.queued.notify_one();
            return;
        }
        let worker = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("ahead".to_owned());
        if spawned.spawn(move || worker.work()).is_ok() {
            state.workers = state.workers.saturating_add(1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(self: Arc<Self>) {
        while let Some(guess) = self.next() {
            match guess {
                Guess::Page(index, name) => drop(self.candidates(index, &name)),
                Guess::Release(wish) => self.release(&wish),
                Guess::Needs(key, extras) => self.needs(&key, &extras),
                Guess::Document(url) => drop(self.upstream.document(&url)),
            }
        }
    }

    fn next(&self) -> Option<Guess> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(guess) = state.queue.pop_front() {
                return Some(guess);
            }
            state.idle = state.idle.saturating_add(1);
            state = self.queued.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle = state.idle.saturating_sub(1);
        }
    }

    /// What of a page would do; nothing where there is no page.
    fn candidates(&self, index: usize, name: &PackageName) -> Arc<Vec<Candidate>> {
        let page = self.upstream.page(index, name, Lane::Ahead);
        let Ok(mirror) = page else { return Arc::default() };
        self.candidates
            .get_or(&(index, name.clone()), || Arc::new(self.likely.candidates(&mirror.page)))
    }

    fn release(self: &Arc<Self>, wish: &Wish) {
        let indexes = 0..self.upstream.indexes.len();
        let pages: Vec<_> = indexes.map(|index| self.candidates(index, &wish.name)).collect();
        let Some((index, candidate)) = best(&pages, wish) else { return };
        let filename = candidate.filename.clone();
        self.push(Guess::Needs(
            Key { index, name: wish.name.clone(), filename },
            wish.extras.clone(),
        ));
    }

    fn needs(self: &Arc<Self>, key: &Key, extras: &BTreeSet<String>) {
        let Ok(file) = self.upstream.entry(key, Lane::Ahead) else { return };
        let metadata = match (file.sha256, &file.metadata) {
            (None, _) => None,
            (Some(_), Some(_)) => self.upstream.metadata(key, Lane::Ahead).ok(),
            (Some(_), None) => self.inside(key, &file),
        };
        let Some(metadata) = metadata else { return };
        for wish in requires(&metadata, &self.environment, extras) {
            self.wish(wish);
        }
    }
}

impl Ahead {
    /// The METADATA of a file that pip must fetch whole to read it, since none lies beside it. pip
    /// will most likely install what it reads first.
    fn inside(&self, key: &Key, file: &PageFile) -> Option<Arc<Vec<u8>>> {
        if !self.wheels.admit(key, file) {
            return None;
        }
        let fetched = self.upstream.file(key, Lane::Ahead).ok()?;
        inside::metadata(&fetched.path).map(Arc::new)
    }
}

impl Guess {
    /// What makes two guesses the same.
    fn text(&self) -> String {
        format!("{self:?}")
    }
}
