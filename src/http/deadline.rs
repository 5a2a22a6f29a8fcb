//! How long a fetch may take in all.
//!
//! Owns that moment. Waits for nothing and ends nothing itself.

use std::time::{Duration, Instant};

/// The moment at which a fetch has taken long enough.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// How much time is left, where it ends at all.
    pub(super) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Whether there is time left after a pause.
    pub(super) fn allows(self, pause: Duration) -> bool {
        self.0.is_none_or(|end| Instant::now().checked_add(pause).is_some_and(|then| then < end))
    }
}
