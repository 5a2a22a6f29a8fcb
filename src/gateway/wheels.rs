//! The wheels that pip will most likely install, fetched while it still resolves.
//!
//! Owns which they are, and their bounds, which hold for the wheels that are looked into as well.
//! Of each project only the first that pip considers is fetched, so that a search for what goes
//! together costs no downloads. What comes is bytes whose sha256 the index stated, and no more of
//! them than it stated; nobody gets them from here who does not ask for that very file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::gateway::MAX_WHEEL;
use crate::gateway::upstream::{Key, Lane, Upstream};
use crate::index::page::PageFile;
use crate::package::name::PackageName;

/// How many wheels are fetched ahead at once, besides those that are read to resolve.
pub const FETCHERS: usize = 6;
/// How many bytes of them at most in a run.
pub const MAX_AHEAD: u64 = 1024 * 1024 * 1024;
/// How many bytes of the disk are left to pip and to what it asks for itself. A guess that fills
/// the disk would have pip fail for want of a few kilobytes, and in words about something else.
const LEFT_FREE: u64 = 64 * 1024 * 1024;

/// The wheels of a run.
pub(super) struct Wheels {
    upstream: Arc<Upstream>,
    /// How many bytes may be fetched ahead in this run.
    bound: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Key>,
    /// Those that a thread has taken from there, or fetches to look into.
    begun: Vec<Key>,
    /// Which of each project is fetched.
    projects: BTreeMap<PackageName, Key>,
    bytes: u64,
    fetchers: usize,
    stopped: bool,
}

/// Whether a file may be fetched ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// It may, and counts from now on.
    New,
    /// It may, and was counted before.
    Known,
    /// It may not.
    None,
}

impl Wheels {
    pub(super) fn new(upstream: Arc<Upstream>) -> Arc<Self> {
        let bound = upstream.free_bytes().saturating_sub(LEFT_FREE).min(MAX_AHEAD);
        Arc::new(Self { upstream, bound, state: Mutex::default() })
    }

    /// pip considers this file: unless it finds a conflict, it will want the bytes.
    pub(super) fn consider(self: &Arc<Self>, key: &Key, file: &PageFile) {
        let mut state = self.state();
        if self.admission(&mut state, key, file) != Admission::New {
            return;
        }
        state.queue.push_back(key.clone());
        if state.fetchers < FETCHERS {
            let fetcher = Arc::clone(self);
            let spawned = std::thread::Builder::new().name("wheels".to_owned());
            if spawned.spawn(move || fetcher.fetch()).is_ok() {
                state.fetchers = state.fetchers.saturating_add(1);
            }
        }
    }

    /// Whether this file may be fetched to look into it; it then counts as fetched.
    pub(super) fn admit(&self, key: &Key, file: &PageFile) -> bool {
        let mut state = self.state();
        match self.admission(&mut state, key, file) {
            Admission::New => state.begun.push(key.clone()),
            Admission::Known => {}
            Admission::None => return false,
        }
        true
    }

    fn admission(&self, state: &mut State, key: &Key, file: &PageFile) -> Admission {
        let size = file.size.filter(|size| *size <= MAX_WHEEL);
        let (Some(size), Some(_)) = (size, file.sha256) else { return Admission::None };
        // Where files are judged first, a guess would be judged too.
        if self.upstream.judges() || state.stopped {
            return Admission::None;
        }
        match state.projects.get(&key.name) {
            Some(first) if first == key => return Admission::Known,
            Some(_) => return Admission::None,
            None => {}
        }
        let bytes = state.bytes.saturating_add(size);
        if bytes > self.bound {
            return Admission::None;
        }
        state.bytes = bytes;
        state.projects.insert(key.name.clone(), key.clone());
        Admission::New
    }

    /// Those that are being fetched, or were.
    pub(super) fn begun(&self) -> Vec<Key> {
        self.state().begun.clone()
    }

    /// Begins no further one.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
    }

    fn fetch(&self) {
        while let Some(key) = self.next() {
            drop(self.upstream.file(&key, Lane::Ahead));
        }
    }

    fn next(&self) -> Option<Key> {
        let mut state = self.state();
        let next = if state.stopped { None } else { state.queue.pop_front() };
        match &next {
            Some(key) => state.begun.push(key.clone()),
            None => state.fetchers = state.fetchers.saturating_sub(1),
        }
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
