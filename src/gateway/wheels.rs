//! The wheels that pip will most likely install, fetched while it still resolves.
//!
//! Owns which they are, and their bounds. Of each project only the first that pip considers is
//! fetched, so that a search for what goes together costs no downloads. What comes is bytes whose
//! sha256 the index stated; nobody gets them from here who does not ask for that very file.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::MAX_WHEEL;
use super::upstream::{Key, Lane, Upstream};
use crate::name::PackageName;
use crate::page::PageFile;

/// How many wheels are fetched ahead at once, besides those that are read to resolve.
pub const FETCHERS: usize = 6;
/// How many bytes of them at most in a run.
pub const MAX_AHEAD: u64 = 1024 * 1024 * 1024;

/// The wheels of a run.
pub(super) struct Wheels {
    upstream: Arc<Upstream>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Key>,
    /// Those that a thread has taken from there.
    begun: Vec<Key>,
    projects: BTreeSet<PackageName>,
    bytes: u64,
    fetchers: usize,
    stopped: bool,
}

impl Wheels {
    pub(super) fn new(upstream: Arc<Upstream>) -> Arc<Self> {
        Arc::new(Self { upstream, state: Mutex::default() })
    }

    /// pip considers this file: unless it finds a conflict, it will want the bytes.
    pub(super) fn consider(self: &Arc<Self>, key: &Key, file: &PageFile) {
        let size = file.size.filter(|size| *size <= MAX_WHEEL);
        let (Some(size), Some(_)) = (size, file.sha256) else { return };
        let mut state = self.state();
        let bytes = state.bytes.saturating_add(size);
        // Where files are judged first, a guess would be judged too.
        if self.upstream.judges()
            || state.stopped
            || bytes > MAX_AHEAD
            || !state.projects.insert(key.name.clone())
        {
            return;
        }
        state.bytes = bytes;
        state.queue.push_back(key.clone());
        if state.fetchers < FETCHERS {
            let fetcher = Arc::clone(self);
            let spawned = std::thread::Builder::new().name("wheels".to_owned());
            if spawned.spawn(move || fetcher.fetch()).is_ok() {
                state.fetchers = state.fetchers.saturating_add(1);
            }
        }
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
