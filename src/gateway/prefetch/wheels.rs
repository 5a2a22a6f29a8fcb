//! Prefetching of wheels that pip will most likely install.
//!
//! Owns the choice of the wheels and the bounds on their bytes, which also hold for wheels that are
//! fetched to read their METADATA. Only the first wheel of each project that pip considers is
//! fetched, so that backtracking of the resolver costs no downloads. A wheel without a stated
//! sha256 or size is not fetched, and no more bytes than stated. A prefetched wheel must not reach
//! pip before pip requests it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::gateway::MAX_WHEEL;
use crate::gateway::upstream::{Key, Lane, Upstream};
use crate::index::page::PageFile;
use crate::package::name::PackageName;
use crate::sync::lock;

/// Maximum number of parallel prefetches of wheels, besides those read for their METADATA.
pub const FETCHERS: usize = 6;
/// Maximum number of prefetched bytes in a run.
pub const MAX_PREFETCHED: u64 = 1024 * 1024 * 1024;
/// Number of bytes on the disk that prefetches leave free. If they filled the disk, pip would fail
/// with a misleading message.
const LEFT_FREE: u64 = 64 * 1024 * 1024;

/// Prefetches wheels in threads of its own.
pub(super) struct Wheels {
    upstream: Arc<Upstream>,
    /// Maximum number of prefetched bytes in this run.
    bound: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Key>,
    /// Wheels that a thread fetches or has fetched.
    begun: Vec<Key>,
    /// Chosen wheel of each project.
    projects: BTreeMap<PackageName, Key>,
    bytes: u64,
    fetchers: usize,
    stopped: bool,
}

/// Whether a wheel may be prefetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// Yes; its bytes are now counted.
    New,
    /// Yes; its bytes were counted before.
    Known,
    /// No.
    None,
}

impl Wheels {
    pub(super) fn new(upstream: Arc<Upstream>) -> Arc<Self> {
        let bound = upstream.free_bytes().saturating_sub(LEFT_FREE).min(MAX_PREFETCHED);
        Arc::new(Self { upstream, bound, state: Mutex::default() })
    }

    /// Queues a wheel that pip considers. Unless pip finds a conflict, it will request the file.
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

    /// Whether a wheel may be fetched to read its METADATA; its bytes are then counted.
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
        // While files are judged, a prefetch would cause a verdict on a file that pip may never
        // request.
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

    /// Lists the wheels whose fetching has begun.
    pub(super) fn begun(&self) -> Vec<Key> {
        self.state().begun.clone()
    }

    /// Begins no further fetch.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
    }

    fn fetch(&self) {
        while let Some(key) = self.next() {
            drop(self.upstream.file(&key, Lane::Prefetch));
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
        lock(&self.state)
    }
}
