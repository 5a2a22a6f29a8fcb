//! Locks and workers for threads of one run.
//!
//! Owns the rule for a lock that another thread held when it panicked: the value is used, since
//! each value behind a lock of this program is whole between two statements. Must not know what the
//! values or the work are.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{LockResult, Mutex, MutexGuard};

/// Locks a mutex, also after a panic of another thread.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    unpoisoned(mutex.lock())
}

/// Returns the guard or value of a lock, also after a panic of another thread.
pub(crate) fn unpoisoned<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Works on items in at most `workers` threads. Returns the results in the order of the items.
///
/// Once `stop` is set, by the caller or by `work`, no further item is begun; items that were not
/// begun have no result.
pub(crate) fn in_order<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    stop: &AtomicBool,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let worker = || {
        while !stop.load(Ordering::SeqCst) {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = items.get(at) else { return };
            let result = work(item);
            lock(&results).push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(worker);
        }
    });
    let mut results = unpoisoned(results.into_inner());
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
