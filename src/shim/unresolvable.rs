//! The failure that is told after an attempt to build: that of pip, or a refusal.
//!
//! A set that cannot be resolved is pip's failure, and a file that would not be installed is not
//! refused. Before a refusal is told, pip resolves once more by a gateway that gives no verdicts
//! and hands over no source. That pip is guarded, so it runs no code of packages, and its answer is
//! discarded.

use std::path::Path;
use std::sync::Arc;

use crate::failure::Failure;
use crate::gateway::{Failed, FailedKind, Gateway, Judging, Prefetching, Setup};
use crate::pip::guard::Allowed;
use crate::pip::resolve::ResolveError;
use crate::pip::run::{Captured, Cause};
use crate::resolve::build_steps::{Closed, ForNestedPips};
use crate::resolve::direct::Direct;
use crate::resolve::resolution::Unresolved;
use crate::shim::places::{Exchange, failure_of_the_user};
use crate::shim::story::Story;

/// An attempt to resolve and build, after its pip has ended.
pub(super) struct Ended<'a> {
    /// The gateway of the attempt.
    pub(super) gateway: &'a Gateway,
    /// The replacements for private paths in pip's output.
    pub(super) exchanges: &'a [Exchange],
    /// The requirements that name a place.
    pub(super) named: &'a [Direct],
    /// The directory of the attempt.
    pub(super) directory: &'a Path,
}

impl Ended<'_> {
    /// Returns whether pip got every file that it requested, and every page that it needs.
    pub(super) fn is_complete(&self) -> bool {
        let is_fatal = |failed: &Failed| failed.kind == FailedKind::Fatal;
        self.gateway.refusals().is_empty() && !self.gateway.failures().iter().any(is_fatal)
    }

    /// Returns the first failed request that ends the attempt. A page that pip passes over does
    /// not, unless its index asks for credentials that pip was not asked for yet.
    pub(super) fn fatal_failure(&self, introduced: bool) -> Option<Failed> {
        let is_passed_over = |failed: &Failed| {
            failed.kind == FailedKind::PassedOver && (introduced || !failed.asks_for_credentials())
        };
        self.gateway.failures().into_iter().find(|failed| !is_passed_over(failed))
    }
}

impl Story<'_> {
    /// Returns the failure of pip if the set cannot be resolved whatever the verdicts are, or if
    /// pip was interrupted. Returns `None` if it may be resolved, or if that is not known.
    pub(super) fn failure_of_pip(&self, closed: &Closed, ended: &Ended<'_>) -> Option<Captured> {
        let directory = ended.directory.join("unjudged");
        std::fs::create_dir(&directory).ok()?;
        let setup = Setup {
            client: Arc::clone(&self.sources.client),
            indexes: self.sources.indexes.clone(),
            directory,
            pip_cache: self.prepared.settings.cache.clone(),
            judging: Judging::Never,
            prefetching: Prefetching::Disabled,
        };
        let gateway = Gateway::start(setup).ok()?;
        let closed = Closed { indexes: gateway.index_urls(), ..closed.clone() };
        let mut environment = self.environment(&closed, ended.named, &ForNestedPips::Gateway);
        // An unverified wheel may name any host, and no password is for it.
        environment.set.push(("PIP_NO_INPUT".into(), "1".into()));
        environment.set.push(("PIP_KEYRING_PROVIDER".into(), "disabled".into()));
        let output = ended.directory.join("unjudged.json");
        let answer = self.ask_pip(&closed, &output, Allowed::Resolving, environment);
        let Err(ResolveError::Pip(captured)) = answer else { return None };
        let found_out = Ended { gateway: &gateway, ..*ended }.is_complete();
        let is_of_set = matches!(captured.cause, Cause::NoDistribution | Cause::OtherHash);
        let is_interrupted = self.session.run.interrupted().is_some();
        (is_of_set && found_out || is_interrupted)
            .then(|| failure_of_the_user(captured, &gateway, self.prepared, ended.exchanges))
    }

    /// Returns the error that is told if pip itself could not resolve or build: that of the attempt
    /// that got furthest. `failed` is the failure of the pip that resolved with wheels alone.
    pub(super) fn told(
        &self,
        error: Unresolved,
        ended: &Ended<'_>,
        failed: &mut Option<Captured>,
    ) -> Unresolved {
        let Unresolved::Pip(captured) = error else { return error };
        let failures = ended.gateway.failures();
        if let (Some(first), true) = (failures.first(), ended.gateway.pages().is_empty()) {
            // No index was reached. pip's own message is the one that the user knows.
            let failure = || Unresolved::Failure(first.failure.clone());
            return failed.take().map_or_else(failure, Unresolved::Pip);
        }
        for failed in failures {
            let Failure { message, .. } = failed.failure;
            self.session.report.detail(&format!("passed over: {message}"));
        }
        let (gateway, exchanges) = (ended.gateway, ended.exchanges);
        Unresolved::Pip(failure_of_the_user(captured, gateway, self.prepared, exchanges))
    }
}
