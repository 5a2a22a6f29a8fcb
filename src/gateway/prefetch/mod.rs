//! Prefetching: pages, METADATA and wheels that pip is likely to request are fetched in advance.
//!
//! Owns the estimate of pip's next requests and its bounds: `queue.rs` has the queue and its worker
//! threads, `requires.rs` reads requirements and markers, `ranking.rs` ranks the wheels of a page,
//! `wheels.rs` fetches wheels, and `metadata.rs` reads METADATA inside a wheel. No verdict and no
//! record of the run may rest on a prefetch.

mod metadata;
mod queue;
mod ranking;
mod requires;
mod wheels;

pub(super) use queue::Prefetcher;
pub use queue::{FIRST_PREFETCHES, MAX_WHEEL, PREFETCHES_PER_PAGE, WORKERS};
pub use ranking::WheelRanking;
pub use wheels::{FETCHERS, MAX_PREFETCHED};
