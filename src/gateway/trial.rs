//! The first use of a user name and a password on an index.
//!
//! Owns the rule that prefetches send no password that the index has not accepted: each wrong one
//! counts towards the lock of an account. The first page is requested alone, and the others wait
//! for its answer. If it is refused, only pip's own requests go on.

use std::sync::{Mutex, MutexGuard};

use crate::gateway::unavailable::Unavailable;
use crate::sync::lock;

/// Whether an index has accepted the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Acceptance {
    #[default]
    Open,
    Accepted,
    Refused,
}

/// The outcome for one index.
#[derive(Default)]
pub(super) struct Trial(Mutex<Acceptance>);

/// A request to an index. If its answer is the outcome, other requests wait while this lives.
pub(super) struct Running<'a>(Option<MutexGuard<'a, Acceptance>>);

impl Trial {
    /// Waits for a running trial, and begins a request. Returns `None` if it is a prefetch and the
    /// credentials were refused. `has_credentials` says whether the request would send some.
    pub(super) fn begin(
        &self,
        is_prefetch: bool,
        has_credentials: impl FnOnce() -> bool,
    ) -> Option<Running<'_>> {
        if !has_credentials() {
            return Some(Running(None));
        }
        let outcome = lock(&self.0);
        match *outcome {
            Acceptance::Open => Some(Running(Some(outcome))),
            Acceptance::Refused if is_prefetch => None,
            Acceptance::Accepted | Acceptance::Refused => Some(Running(None)),
        }
    }
}

impl Running<'_> {
    /// Notes the answer. An index in trouble has neither accepted nor refused.
    pub(super) fn end<T>(self, answer: &Result<T, Unavailable>) {
        let Some(mut outcome) = self.0 else { return };
        *outcome = match answer {
            Err(Unavailable::Failed { code, .. } | Unavailable::PassedOver { code, .. }) => {
                match code {
                    Some(401 | 403 | 407) => Acceptance::Refused,
                    _ => Acceptance::Open,
                }
            }
            _ => Acceptance::Accepted,
        };
    }
}
