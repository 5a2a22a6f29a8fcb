//! Downloads the files of a lock while the audit is still finding their verdicts.
//!
//! One thread downloads, the caller's thread audits. A file that arrives before its verdict lies in
//! a private directory. This module must not decide if pip may see the file: the stories do, after
//! the verdicts.

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

/// The wheelhouse that receives the files, and the sources of those files.
pub(super) struct Arrivals<'a> {
    pub(super) wheelhouse: &'a Wheelhouse,
    pub(super) client: &'a Client,
    /// The gateway from which the wheelhouse takes files, if there is one.
    pub(super) gateway: Option<&'a Gateway>,
}

impl Arrivals<'_> {
    /// Audits the lock and downloads at the same time every file for which the lock states a sha256
    /// and no other digest. A refusal stops the downloads early.
    ///
    /// # Errors
    /// An error of the audit is returned before an error of a download.
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
                // Some downloads wait for files that the gateway is fetching.
                if let Some(gateway) = self.gateway {
                    gateway.stop_fetching();
                }
            }
            (findings, fetching.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let findings = findings?;
        // A download that was stopped early may report a failure. If its file is needed later,
        // `rest` repeats the download and reports a real failure again.
        let fetched = if are_good(&findings) { fetched? } else { fetched.unwrap_or_default() };
        Ok((findings, fetched))
    }

    /// Fetches the files that have not arrived yet, and returns all files.
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

/// Returns the files of indexes and links whose sha256 is in the lock. Files with further digests
/// are left out, because the audit fetches those to compare the digests.
fn stated(lock: &Lock) -> Vec<Wanted> {
    let is_told = |file: &&File| file.sha256.is_some() && file.claims.digests.is_empty();
    let stated = lock.listed().filter(is_told);
    stated.filter_map(|file| sources::wanted(file).ok()).collect()
}
