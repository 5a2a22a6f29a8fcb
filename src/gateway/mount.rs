//! An index of the user's behind the gateway, with bounds on the parallel requests to it.
//!
//! Owns the permits. A thread acquires one before it sends a request, and waits while none is free.
//! Prefetches have permits of their own. The module must not send requests.

use std::sync::{Condvar, Mutex};

use url::Url;

use crate::gateway::trial::Trial;
use crate::sync::{lock, unpoisoned};

/// Maximum number of parallel requests to one index for pages and documents of pip's.
pub const DOCUMENTS: usize = 32;
/// Maximum number of parallel downloads from one index.
pub const FILES: usize = 8;

/// An index of the user's, and the permits for requests to it.
pub(super) struct Mount {
    pub(super) url: Url,
    pub(super) documents: Permits,
    pub(super) files: Permits,
    /// Permits for prefetches, separate so that they do not delay requests of pip's.
    pub(super) prefetches: Permits,
    /// First use of credentials.
    pub(super) trial: Trial,
}

impl Mount {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            documents: Permits::new(DOCUMENTS),
            files: Permits::new(FILES),
            prefetches: Permits::new(FILES),
            trial: Trial::default(),
        }
    }
}

/// Counting semaphore: a fixed number of permits.
pub(super) struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A permit; dropping it frees it.
pub(super) struct Permit<'a>(&'a Permits);

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    pub(super) fn acquire(&self) -> Permit<'_> {
        let mut free = lock(&self.free);
        while *free == 0 {
            free = unpoisoned(self.freed.wait(free));
        }
        *free = free.saturating_sub(1);
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = lock(&self.0.free);
        *free = free.saturating_add(1);
        self.0.freed.notify_one();
    }
}
