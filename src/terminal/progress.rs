//! Counts the progress of a run for the live line.
//!
//! Owns the current activities, counted by the threads that work on them, and their descriptions.
//! Pure: the module that shows the line passes a closure that clears it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// Duration of an activity before it is shown; a shorter one needs no line.
pub const UNNOTICED: Duration = Duration::from_millis(500);

/// Progress of a run: one activity after another, or several at once.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    clear: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Kind of an activity. Of several at once, the first in this order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// pip finds out which files it would install.
    Resolving,
    /// pip resolves, and builds sdists.
    Building,
    /// Evidence is fetched and verified, file by file.
    Verifying,
    /// Files are fetched.
    Fetching,
}

/// A running activity; dropping it ends the activity.
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
    /// Begins an activity of `of` steps, or 0 if the number is unknown.
    pub fn begin(&self, activity: Activity, of: usize) -> Underway<'_> {
        let mut state = self.state();
        if !state.closed {
            let work = Work { since: Instant::now(), done: 0, of, bytes: 0 };
            state.work.insert(activity, work);
        }
        Underway(self, activity)
    }

    /// Counts one step of a running activity.
    pub fn step(&self, activity: Activity) {
        if let Some(work) = self.state().work.get_mut(&activity) {
            work.done = work.done.saturating_add(1);
        }
    }

    /// Adds received bytes.
    pub fn received(&self, bytes: usize) {
        if let Some(work) = self.state().work.get_mut(&Activity::Fetching) {
            work.bytes = work.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Ends every activity. The live line is cleared when this function returns.
    pub fn end(&self) {
        self.state().work.clear();
        self.cleared();
    }

    /// Ends every activity for good, before the process ends.
    pub fn close(&self) {
        *self.state() = State { work: BTreeMap::new(), closed: true };
        self.cleared();
    }

    /// Sets the closure that clears the live line. Only the first call has an effect.
    pub fn shown_by(&self, clear: Box<dyn Fn() + Send + Sync>) {
        let _ = self.clear.set(clear);
    }

    /// Returns the description of the current activity, or `None` if there is none that has lasted
    /// for [`UNNOTICED`].
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
        lock(&self.state)
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
