//! How far a piece of work is, for whoever shows it.
//!
//! Owns what is being done at the moment, counted by the threads that do it, and the words for it.
//! Pure: who shows the words comes in as a closure that takes them away again.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long something goes on before it is shown: what is done sooner needs no words.
pub const UNNOTICED: Duration = Duration::from_millis(500);

/// The work of a run, one piece after another.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    clear: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub struct Underway<'a>(&'a Progress);

#[derive(Default)]
struct State {
    work: Option<Work>,
    closed: bool,
}

struct Work {
    activity: Activity,
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
            state.work = Some(Work { activity, since: Instant::now(), done: 0, of, bytes: 0 });
        }
        Underway(self)
    }

    /// One more step is done. Counts only while this is what is being done.
    pub fn step(&self, activity: Activity) {
        let mut state = self.state();
        if let Some(work) = state.work.as_mut().filter(|work| work.activity == activity) {
            work.done = work.done.saturating_add(1);
        }
    }

    /// So many bytes have arrived.
    pub fn received(&self, bytes: usize) {
        let mut state = self.state();
        if let Some(work) = state.work.as_mut().filter(|work| work.activity == Activity::Fetching) {
            work.bytes = work.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Ends what is being done; when this returns, nothing of it is shown any more.
    pub fn end(&self) {
        self.state().work = None;
        self.cleared();
    }

    /// The same, for good: the process is about to end.
    pub fn close(&self) {
        *self.state() = State { work: None, closed: true };
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
        let work = state.work.as_ref()?;
        (now.saturating_duration_since(work.since) >= UNNOTICED).then(|| work.words())
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
    fn words(&self) -> String {
        let activity = match self.activity {
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
        self.0.end();
    }
}
