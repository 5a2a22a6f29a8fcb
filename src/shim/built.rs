//! Files and findings of a build, after pip has resolved.
//!
//! Fetches the files that the gateway has not served whole, and puts the findings of the run
//! together: those of the judge, and one for each place that no index serves.

use std::path::Path;

use crate::evidence::audit::{self, Finding};
use crate::failure::Failure;
use crate::package::lock::{Entry, Lock, Source};
use crate::shim::story::Story;
use crate::shim::verified::verified;
use crate::terminal::progress::Activity;
use crate::trust::policy::UnsignedKind;
use crate::wheelhouse::{Fetched, JOBS, Wheelhouse};

impl Story<'_> {
    /// Fetches the files of the lock that the gateway has not served whole. To resolve, pip may
    /// have read only their METADATA.
    pub(super) fn fetch_unserved(
        &self,
        lock: &Lock,
        handed: &[Fetched],
        links: Option<&Path>,
    ) -> Result<Vec<Fetched>, Failure> {
        let directory =
            self.session.run.subdirectory("wheelhouse").map_err(Failure::temporary_directory)?;
        let wheelhouse = Wheelhouse::new(directory, self.prepared.settings.cache.as_deref())
            .with_progress(self.session.progress);
        // Files in the user's own directories have links in this run already.
        let missing = lock.listed().filter(|file| {
            let is_here = |handed: &Fetched| file.sha256 == Some(handed.sha256);
            !handed.iter().any(is_here)
                && !links.is_some_and(|links| links.join(file.filename.as_str()).exists())
        });
        let wanted = missing.map(verified).collect::<Result<Vec<_>, _>>()?;
        let _fetching = self.session.progress.begin(Activity::Fetching, wanted.len());
        Ok(wheelhouse.fetch_all(&self.sources.client, &wanted, JOBS)?)
    }

    /// Returns the findings for the files that are installed and for the files that were used to
    /// build them.
    pub(super) fn findings_of_build(
        &self,
        lock: &Lock,
        judged: &[Finding],
        handed: &[Fetched],
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = judged
            .iter()
            .filter(|finding| {
                let Some(file) = &finding.file else { return false };
                let is_handed = handed.iter().any(|h| h.filename == file.filename);
                let mut locked = lock.entries.iter().flat_map(Entry::files);
                is_handed || locked.any(|locked| locked.filename == file.filename)
            })
            .cloned()
            .collect();
        for entry in &lock.entries {
            let (kind, file) = match &entry.source {
                Source::Files(_) => continue,
                Source::Direct(file) if file.place.is_local() => {
                    (UnsignedKind::LocalFile, Some(file.clone()))
                }
                Source::Direct(file) => (UnsignedKind::DirectUrl, Some(file.clone())),
                Source::Vcs(_) => (UnsignedKind::VersionControl, None),
                Source::Directory { .. } => (UnsignedKind::Directory, None),
            };
            findings.push(audit::unattested(entry, file, kind, self.trust, &self.policy));
        }
        findings
    }
}
