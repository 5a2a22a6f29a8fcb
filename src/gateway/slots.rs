//! Things that are found out at most once in a run, whoever asks and however many at a time.
//!
//! Owns the waiting: the first to ask does the work, the others wait for that answer. Also the
//! permits that keep the work within bounds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

/// Values by key, each made once.
pub(super) struct Slots<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Slots<K, V> {
    /// The value of `key`; `make` makes it if nobody did or does.
    pub(super) fn get_or(&self, key: &K, make: impl FnOnce() -> V) -> V {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key.clone()).or_default())
        };
        slot.get_or_init(make).clone()
    }

    /// Forgets the value of `key` if it is one of these, so that the next to ask has it made anew.
    pub(super) fn forget(&self, key: &K, these: impl Fn(&V) -> bool) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(key).and_then(|slot| slot.get()).is_some_and(these) {
            slots.remove(key);
        }
    }

    /// The keys that somebody asked for, in no order.
    pub(super) fn keys(&self) -> Vec<K> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.keys().cloned().collect()
    }

    /// Everything that is there, in no order.
    pub(super) fn all(&self) -> Vec<(K, V)> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().filter_map(|(key, slot)| Some((key.clone(), slot.get()?.clone()))).collect()
    }

    /// The value of `key`, if it is there.
    pub(super) fn peek(&self, key: &K) -> Option<V> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key)?.get().cloned()
    }
}

/// A number of permits; who wants one waits until one is free.
pub(super) struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A permit; it is free again once dropped.
pub(super) struct Permit<'a>(&'a Permits);

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    pub(super) fn take(&self) -> Permit<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free = free.saturating_sub(1);
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        self.0.freed.notify_one();
    }
}
