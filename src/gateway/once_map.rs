//! A map whose values are computed once, and permits that bound parallel work.
//!
//! Owns the waiting. The first thread that asks for a key computes the value; other threads wait
//! for that result. Like a `HashMap` of `OnceLock`s, so that a thread waits only for its own key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

/// Computes each value once and stores it by key.
pub(super) struct Slots<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Slots<K, V> {
    /// Returns the value of `key`. Computes it with `make` unless another thread did or does.
    pub(super) fn get_or(&self, key: &K, make: impl FnOnce() -> V) -> V {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key.clone()).or_default())
        };
        slot.get_or_init(make).clone()
    }

    /// Removes the value of `key` if it matches, so that it is computed again on the next call.
    pub(super) fn forget(&self, key: &K, these: impl Fn(&V) -> bool) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(key).and_then(|slot| slot.get()).is_some_and(these) {
            slots.remove(key);
        }
    }

    /// Returns the keys that were asked for, in no order.
    pub(super) fn keys(&self) -> Vec<K> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.keys().cloned().collect()
    }

    /// Returns all computed entries, in no order.
    pub(super) fn all(&self) -> Vec<(K, V)> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().filter_map(|(key, slot)| Some((key.clone(), slot.get()?.clone()))).collect()
    }

    /// Returns the value of `key`, or `None` if it is not computed yet.
    pub(super) fn peek(&self, key: &K) -> Option<V> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key)?.get().cloned()
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
