//! The time limit of one fetch, with all its retries.
//!
//! Owns that instant. The module must not sleep or abort requests itself.

use std::time::{Duration, Instant};

/// The instant at which a fetch must end.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// Returns the time left, or `None` if there is no limit.
    pub(super) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Whether there is time left after a pause.
    pub(super) fn allows(self, pause: Duration) -> bool {
        self.0.is_none_or(|end| Instant::now().checked_add(pause).is_some_and(|then| then < end))
    }
}
