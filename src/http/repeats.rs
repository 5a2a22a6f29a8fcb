//! Turns for the repeated requests to a server in trouble.
//!
//! Owns the rule that at most one request to a scheme, host and port is repeated at a time after
//! the server failed (status 500 or above). pip requests one file after another and gives up with
//! the first; parallel requests that each used all their retries would multiply the load on a
//! server that has too much of it. A request whose turn comes after one that gave up meanwhile
//! gives up as well.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use url::{Origin, Url};

use crate::sync::lock;

/// The turns of a run, by scheme, host and port.
#[derive(Default)]
pub(super) struct Repeats(Mutex<HashMap<Origin, Arc<ServerTurn>>>);

/// Turns at one scheme, host and port.
#[derive(Default)]
pub(super) struct ServerTurn {
    turn: Mutex<()>,
    /// Number of requests that gave up.
    given_up: AtomicU64,
}

impl Repeats {
    /// Returns the turns at the server of a URL.
    pub(super) fn at(&self, url: &Url) -> Arc<ServerTurn> {
        Arc::clone(lock(&self.0).entry(url.origin()).or_default())
    }
}

impl ServerTurn {
    /// Waits for the turn. Returns `None` if another request gave up while this one waited.
    pub(super) fn wait(&self) -> Option<MutexGuard<'_, ()>> {
        let before = self.given_up.load(Ordering::SeqCst);
        let turn = lock(&self.turn);
        (self.given_up.load(Ordering::SeqCst) == before).then_some(turn)
    }

    /// Notes that the request whose turn it is gives up.
    pub(super) fn give_up(&self) {
        self.given_up.fetch_add(1, Ordering::SeqCst);
    }
}
