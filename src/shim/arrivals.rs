//! The files of a lock, on their way while their verdicts are still being found out.
//!
//! Owns that overlap. What arrives before its verdict is bytes in a private directory and nothing
//! more: whether pip gets to see them is decided afterwards, and by others.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::evidence::audit::Finding;
use crate::evidence::sources;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::http::Client;
use crate::package::lock::{File, Lock};
use crate::terminal::progress::{Activity, Progress};
use crate::wheelhouse::{Fetched, JOBS, Wanted, Wheelhouse};

/// Where files arrive, and the way they come.
pub(super) struct Arrivals<'a> {
    pub(super) wheelhouse: &'a Wheelhouse,
    pub(super) client: &'a Client,
    /// What the wheelhouse draws on, if there is one.
    pub(super) ahead: Option<&'a Gateway>,
}

impl Arrivals<'_> {
    /// Audits, while every file arrives of which the lock states the sha256 and no other digest. A
    /// refusal ends that early.
    ///
    /// # Errors
    /// Those of the audit before those of the files.
    pub(super) fn during(
        &self,
        lock: &Lock,
        progress: &Progress,
        audit: impl FnOnce() -> Result<Vec<Finding>, Failure>,
    ) -> Result<(Vec<Finding>, Vec<Fetched>), Failure> {
        let wanted = stated(lock);
        let stop = AtomicBool::new(false);
        let _fetching = progress.begin(Activity::Fetching, wanted.len());
        let (findings, fetched) = std::thread::scope(|scope| {
            let fetching =
                scope.spawn(|| self.wheelhouse.fetch_until(&stop, self.client, &wanted, JOBS));
            let findings = audit();
            if !findings.as_deref().is_ok_and(are_good) {
                stop.store(true, Ordering::SeqCst);
                // Some wait for what is on its way there.
                if let Some(ahead) = self.ahead {
                    ahead.stop_fetching();
                }
            }
            (findings, fetching.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let findings = findings?;
        // What was cut short may well have failed; if it is wanted after all, it says so again.
        let fetched = if are_good(&findings) { fetched? } else { fetched.unwrap_or_default() };
        Ok((findings, fetched))
    }

    /// Fetches what has not arrived yet; answers with everything.
    ///
    /// # Errors
    /// As [`Wheelhouse::fetch_all`].
    pub(super) fn rest(
        &self,
        wanted: &[Wanted],
        progress: &Progress,
        mut arrived: Vec<Fetched>,
    ) -> Result<Vec<Fetched>, Failure> {
        let is_here = |wanted: &Wanted| {
            let mut here = arrived.iter();
            here.any(|it| it.filename == wanted.filename && Some(it.sha256) == wanted.sha256)
        };
        let missing: Vec<_> = wanted.iter().filter(|wanted| !is_here(wanted)).cloned().collect();
        let _fetching = progress.begin(Activity::Fetching, missing.len());
        arrived.extend(self.wheelhouse.fetch_all(self.client, &missing, JOBS)?);
        Ok(arrived)
    }
}

fn are_good(findings: &[Finding]) -> bool {
    !findings.iter().any(Finding::is_refused)
}

/// The files of indexes and links of which the lock itself states what they must be, but for those
/// that the audit fetches to compare further digests.
fn stated(lock: &Lock) -> Vec<Wanted> {
    let is_told = |file: &&File| file.sha256.is_some() && file.claims.digests.is_empty();
    let stated = lock.listed().filter(is_told);
    stated.filter_map(|file| sources::wanted(file).ok()).collect()
}
