//! How far a piece of work is, for whoever shows it.
//!
//! Owns what is being done at the moment, counted by the threads that do it, and the words for it.
//! Pure: who shows the words comes in as a closure that takes them away again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long something goes on before it is shown: what is done sooner needs no words.
pub const UNNOTICED: Duration = Duration::from_millis(500);

/// The work of a run: one piece after another, or some at once.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    clear: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What is being done. Of several at once the first of these is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// pip finds out what it would install.
    Resolving,
    /// The same, and builds what has no wheel.
    Building,
    /// Evidence is fetched and verified, file by file.
    Verifying,
    /// Files are fetched.
    Fetching,
}

/// A piece of work; with the value it ends.
#[must_use]
pub struct Underway<'a>(&'a Progress, Activity);

#[derive(Default)]
struct State {
    work: BTreeMap<Activity, Work>,
    closed: bool,
}

struct Work {
    since: Instant,
    done: usize,
    of: usize,
    bytes: u64,
}

impl Progress {
    /// Begins a piece of work of so many steps, 0 where nobody knows.
    pub fn begin(&self, activity: Activity, of: usize) -> Underway<'_> {
        let mut state = self.state();
        if !state.closed {
            let work = Work { since: Instant::now(), done: 0, of, bytes: 0 };
            state.work.insert(activity, work);
        }
        Underway(self, activity)
    }

    /// One more step is done. Counts only while this is being done.
    pub fn step(&self, activity: Activity) {
        if let Some(work) = self.state().work.get_mut(&activity) {
            work.done = work.done.saturating_add(1);
        }
    }

    /// So many bytes have arrived.
    pub fn received(&self, bytes: usize) {
        if let Some(work) = self.state().work.get_mut(&Activity::Fetching) {
            work.bytes = work.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Ends everything that is being done; when this returns, nothing of it is shown any more.
    pub fn end(&self) {
        self.state().work.clear();
        self.cleared();
    }

    /// The same, for good: the process is about to end.
    pub fn close(&self) {
        *self.state() = State { work: BTreeMap::new(), closed: true };
        self.cleared();
    }

    /// Who shows the words takes them away with this closure. The first one counts.
    pub fn shown_by(&self, clear: Box<dyn Fn() + Send + Sync>) {
        let _ = self.clear.set(clear);
    }

    /// The words for what is being done, once it goes on for longer than [`UNNOTICED`].
    #[must_use]
    pub fn words(&self, now: Instant) -> Option<String> {
        let state = self.state();
        let (activity, work) = state.work.first_key_value()?;
        (now.saturating_duration_since(work.since) >= UNNOTICED).then(|| work.words(*activity))
    }

    fn cleared(&self) {
        if let Some(clear) = self.clear.get() {
            clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn words(&self, activity: Activity) -> String {
        let activity = match activity {
            Activity::Resolving => "resolving",
            Activity::Building => "resolving and building",
            Activity::Verifying => "verifying",
            Activity::Fetching => "fetching",
        };
        let count =
            if self.of == 0 { String::new() } else { format!(" {} of {}", self.done, self.of) };
        let tenths = self.bytes / 100_000;
        let bytes = if tenths == 0 {
            String::new()
        } else {
            format!(" ({}.{} MB)", tenths / 10, tenths % 10)
        };
        format!("{activity}{count}{bytes}")
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.state().work.remove(&self.1);
        self.0.cleared();
    }
}
