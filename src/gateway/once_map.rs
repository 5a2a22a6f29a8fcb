//! A map whose values are computed once.
//!
//! Owns the waiting. The first thread that asks for a key computes the value; other threads wait
//! for that result. Like a `HashMap` of `OnceLock`s, so that a thread waits only for its own key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};

use crate::sync::lock;

/// Computes each value once and stores it by key.
pub(super) struct OnceMap<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> OnceMap<K, V> {
    /// Returns the value of `key`. Computes it with `compute` unless another thread did or does.
    pub(super) fn get_or_compute(&self, key: &K, compute: impl FnOnce() -> V) -> V {
        let cell = {
            let mut cells = lock(&self.0);
            Arc::clone(cells.entry(key.clone()).or_default())
        };
        cell.get_or_init(compute).clone()
    }

    /// Removes the value of `key` if it matches, so that it is computed again on the next call.
    pub(super) fn remove_if(&self, key: &K, matches: impl Fn(&V) -> bool) {
        let mut cells = lock(&self.0);
        if cells.get(key).and_then(|cell| cell.get()).is_some_and(matches) {
            cells.remove(key);
        }
    }

    /// Returns the keys that were asked for, in no order.
    pub(super) fn keys(&self) -> Vec<K> {
        let cells = lock(&self.0);
        cells.keys().cloned().collect()
    }

    /// Returns all computed entries, in no order.
    pub(super) fn entries(&self) -> Vec<(K, V)> {
        let cells = lock(&self.0);
        cells.iter().filter_map(|(key, cell)| Some((key.clone(), cell.get()?.clone()))).collect()
    }

    /// Returns the value of `key`, or `None` if it is not computed yet.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let cells = lock(&self.0);
        cells.get(key)?.get().cloned()
    }
}
