//! The value whose methods are the stories of an install, a build and a lock.
//!
//! Contains no step: `shim::install`, `shim::build` and `shim::locking` contain one story each.

use std::sync::Arc;

use crate::evidence::sources::Sources;
use crate::pip::guard::Guard;
use crate::resolve::resolution::Prepared;
use crate::resolve::session::Session;
use crate::trust::pins::Pins;
use crate::trust::policy::Policy;
use crate::trust::store::Store;

/// Data that the stories of an install, a build and a lock share.
pub(super) struct Story<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) guard: &'a Guard,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) sources: Arc<Sources>,
    pub(super) store: &'a Store,
    pub(super) trust: &'a Pins,
    pub(super) policy: Policy,
}
