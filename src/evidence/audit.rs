//! Audits a lock: gathers the evidence for every file and returns a finding with a verdict for
//! each.
//!
//! Worker threads gather evidence for all files at once; then each project is judged. The shim and
//! the tool share this. Must not change or print anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use url::Url;

use crate::attestation::verifier::Verifier;
use crate::evidence::recheck::refusals_without_cache;
use crate::evidence::release::SignedShare;
use crate::failure::{Failure, Status};
use crate::index::page::{Page, PageFile};
use crate::index::{Index, PageListing, SecondSource};
use crate::package::digest::Sha256;
use crate::package::lock::{Entry, File, Lock, Source};
use crate::package::name::PackageName;
use crate::sync::in_order;
use crate::terminal::progress::{Activity, Progress};
use crate::trust::binding::Binding;
use crate::trust::pins::Pins;
use crate::trust::policy::{self, Evidence, Policy, UnsignedKind, Verdict};

pub use crate::evidence::documents::{Documents, Others, verify};
pub use crate::evidence::finding::Finding;

/// Number of files that are audited at once. The threads mostly wait for the network.
const WORKERS: usize = 16;

/// The sources of evidence and the rules of an audit.
pub struct Audit<'a> {
    /// The client of the indexes.
    pub index: &'a Index<'a>,
    /// The user's indexes, in order.
    pub indexes: &'a [Url],
    /// Whether the user named `--find-links` places. No index lists their files.
    pub find_links: bool,
    /// The source of provenance for files whose index has none.
    pub second_source: Option<&'a SecondSource>,
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
    /// The pins of the trust files.
    pub trust: &'a Pins,
    /// The user's policy.
    pub policy: Policy,
    /// Computes the sha256 of a file from its bytes, and compares the bytes with every digest and
    /// size that the lock states. Called if neither lock nor index states a sha256, or if the lock
    /// states further digests.
    pub digest: &'a (dyn Fn(&File) -> Result<Sha256, Failure> + Sync),
    /// Counts the audited files.
    pub progress: &'a Progress,
}

impl Audit<'_> {
    /// Gathers the evidence for every file of every entry, and judges it. A refusal is never based
    /// on data cached by an earlier run: before a refusal, all data about the project is fetched
    /// again.
    ///
    /// # Errors
    /// Evidence could not be obtained. If this happens for several files, the error of the first
    /// one in the lock's order is returned.
    pub fn run(&self, lock: &Lock) -> Result<Vec<Finding>, Failure> {
        let entries: Vec<&Entry> = lock.entries.iter().collect();
        let findings =
            refusals_without_cache(self.index, &entries, self.of(&entries)?, |index, doubtful| {
                Audit { index, ..*self }.of(doubtful)
            })?;
        Ok(findings.into_iter().flatten().collect())
    }

    /// Returns the findings of these entries, in their order.
    fn of(&self, entries: &[&Entry]) -> Result<Vec<Vec<Finding>>, Failure> {
        let files: Vec<(&Entry, &File)> = entries
            .iter()
            .flat_map(|entry| entry.files().iter().map(move |file| (*entry, file)))
            .collect();
        let _verifying = self.progress.begin(Activity::Verifying, files.len());
        let mut evidence = self.gather(&files)?.into_iter();
        let judge = |entry: &&Entry| {
            let gathered = match entry.files() {
                [] => Vec::new(),
                files => evidence.by_ref().take(files.len()).collect(),
            };
            self.judge(entry, gathered)
        };
        Ok(entries.iter().map(judge).collect())
    }

    fn judge(&self, entry: &Entry, gathered: Vec<Gathered>) -> Vec<Finding> {
        let without_file = |kind| {
            let evidence = Evidence::Unsigned(kind);
            vec![Gathered { file: None, evidence, release: None }]
        };
        let gathered = match entry.source {
            Source::Vcs(_) => without_file(UnsignedKind::VersionControl),
            Source::Directory { .. } => without_file(UnsignedKind::Directory),
            _ => gathered,
        };
        let pin = self.trust.pin(&entry.name);
        let evidence: Vec<_> = gathered.iter().map(|it| it.evidence.clone()).collect();
        let verdicts = Binding::new(pin).judge_all(&evidence, &self.policy);
        let finding = |(Gathered { file, release, .. }, verdict)| Finding {
            name: entry.name.clone(),
            title: entry.title(),
            file,
            verdict,
            release,
        };
        gathered.into_iter().zip(verdicts).map(finding).collect()
    }

    /// Gathers the evidence for all files, and returns it in their order.
    fn gather(&self, files: &[(&Entry, &File)]) -> Result<Vec<Gathered>, Failure> {
        // Number of files of each project that are not audited yet.
        let mut left = BTreeMap::<&PackageName, AtomicUsize>::new();
        files.iter().for_each(|(entry, _)| *left.entry(&entry.name).or_default().get_mut() += 1);
        let stop = AtomicBool::new(false);
        let results = in_order(files, WORKERS, &stop, |(entry, file)| {
            let result = self.look_into(entry, file);
            self.progress.step(Activity::Verifying);
            // After an error the run ends, so the other workers stop.
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            let left = left.get(&entry.name);
            if left.is_some_and(|left| left.fetch_sub(1, Ordering::AcqRel) == 1) {
                self.done_with(&entry.name);
            }
            result
        });
        results.into_iter().collect()
    }

    /// Drops the data of a project that has no more files to audit.
    fn done_with(&self, name: &PackageName) {
        let second = match self.second_source {
            Some(SecondSource::Index(url)) => Some(url),
            _ => None,
        };
        self.indexes.iter().chain(second).for_each(|index| self.index.drop_page(index, name));
    }

    fn look_into(&self, entry: &Entry, file: &File) -> Result<Gathered, Failure> {
        let located = self.locate(entry, file)?;
        same_size(file, located.size)?;
        let sha256 = match file.sha256.or(located.sha256) {
            Some(sha256) if file.claims.digests.is_empty() => sha256,
            _ => (self.digest)(file)?,
        };
        let file = File { sha256: Some(sha256), ..file.clone() };
        let documents = Documents {
            index: self.index,
            indexes: self.indexes,
            second_source: self.second_source,
            verifier: self.verifier,
            others: Others::of(&entry.name, self.trust, &self.policy),
        };
        let link = located.provenance.as_ref();
        let evidence = documents.evidence(&entry.name, &file.filename, sha256, link)?;
        let release = match (&evidence, &located.page) {
            (None, Some(page)) => documents.signed_share(page, &file.filename),
            _ => None,
        };
        let evidence = evidence.unwrap_or(Evidence::Unsigned(located.without));
        Ok(Gathered { file: Some(file), evidence, release })
    }

    fn locate(&self, entry: &Entry, file: &File) -> Result<Located, Failure> {
        let Some(url) = file.place.url() else {
            return Ok(Located::nowhere(UnsignedKind::LocalFile));
        };
        if matches!(entry.source, Source::Direct(_)) {
            return Ok(Located::nowhere(if file.place.is_local() {
                UnsignedKind::LocalFile
            } else {
                UnsignedKind::DirectUrl
            }));
        }
        let filename = file.filename.as_str();
        if let Some(listed) = self.index.listing(self.indexes, &entry.name, filename, url)? {
            return Ok(Located::of(listed));
        }
        if file.place.is_local() {
            return Ok(Located::nowhere(UnsignedKind::LocalFile));
        }
        // Some indexes write another link to a file into each answer.
        let sha256 = file.sha256.as_ref();
        if let Some(listed) =
            self.index.listing_by_digest(self.indexes, &entry.name, filename, sha256, url)?
        {
            return Ok(Located::of(listed));
        }
        if self.find_links {
            return Ok(Located::nowhere(UnsignedKind::FindLinks));
        }
        Err(Failure::new(
            Status::CouldNotCheck,
            format!(
                "no configured index lists {} of {} at its locked URL, nor with its digest",
                file.filename,
                entry.title()
            ),
        )
        .hint("the index may have changed since the lock was made: run the command again"))
    }
}

/// Returns the finding for an entry that no index serves.
#[must_use]
pub fn unattested(
    entry: &Entry,
    file: Option<File>,
    kind: UnsignedKind,
    trust: &Pins,
    policy: &Policy,
) -> Finding {
    let verdict = policy::judge(trust.pin(&entry.name), &Evidence::Unsigned(kind), policy);
    Finding { name: entry.name.clone(), title: entry.title(), file, verdict, release: None }
}

/// Returns the finding for a place, whose project may not be known yet. Returns `None` if the
/// verdict is not a refusal or needs the project's name.
#[must_use]
pub fn unattested_by_name(
    name: Option<&PackageName>,
    place: &str,
    kind: UnsignedKind,
    trust: &Pins,
    policy: &Policy,
) -> Option<Finding> {
    let pin = name.and_then(|name| trust.pin(name));
    let verdict = policy::judge(pin, &Evidence::Unsigned(kind), policy);
    // This name is a placeholder: the refusal shows the place.
    let name = name.cloned().or_else(|| PackageName::parse("unnamed").ok())?;
    matches!(verdict, Verdict::Fail(_)).then(|| Finding {
        name,
        title: place.to_owned(),
        file: None,
        verdict,
        release: None,
    })
}

/// The evidence for one file, or for a source that is no file.
struct Gathered {
    file: Option<File>,
    evidence: Evidence,
    /// The signed share of the release, if the file is not signed.
    release: Option<SignedShare>,
}

/// The entry of a file on the page of its index.
struct Located {
    sha256: Option<Sha256>,
    size: Option<u64>,
    provenance: Option<Url>,
    page: Option<Arc<Page>>,
    /// The kind of the file if it has no attestation.
    without: UnsignedKind,
}

impl Located {
    fn of(listed: PageListing) -> Self {
        let PageFile { sha256, size, provenance, .. } = listed.file;
        let page = Some(listed.page);
        let without = UnsignedKind::of_link(provenance.as_ref());
        Self { sha256, size, provenance, page, without }
    }

    const fn nowhere(without: UnsignedKind) -> Self {
        Self { sha256: None, size: None, provenance: None, page: None, without }
    }
}

/// Compares the sizes that lock and index state for a file, where both state one. This needs no
/// download. A file that is downloaded is compared with the lock's size again.
fn same_size(file: &File, listed: Option<u64>) -> Result<(), Failure> {
    match (file.claims.size, listed) {
        (Some(stated), Some(listed)) if stated != listed => {
            let filename = &file.filename;
            let message =
                format!("{filename} has size {listed} on its index, and size {stated} in the lock");
            Err(Failure::new(Status::Refused, message)
                .hint("one of the two is wrong: make a new lock, or ask the operator of the index"))
        }
        _ => Ok(()),
    }
}
