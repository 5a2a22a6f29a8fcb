//! Audits a lock: gathers the evidence for every file and returns a finding with a verdict for
//! each.
//!
//! Worker threads gather evidence for all files at once; then each project is judged. The shim and
//! the tool share this. Must not change or print anything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use url::Url;

use crate::attestation::document::Document;
use crate::attestation::verifier::{Subject, Verifier};
use crate::evidence::recheck::refusals_without_cache;
use crate::failure::{Failure, Status};
use crate::index::{Index, SecondSource};
use crate::package::digest::Sha256;
use crate::package::filename::DistFilename;
use crate::package::lock::{Entry, File, Lock, Source};
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;
use crate::sync::in_order;
use crate::terminal::progress::{Activity, Progress};
use crate::trust::binding::Binding;
use crate::trust::pins::Pins;
use crate::trust::policy::{self, Evidence, Policy, UnsignedKind, Verdict};

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

    fn judge(&self, entry: &Entry, gathered: Vec<(File, Evidence)>) -> Vec<Finding> {
        let (files, evidence): (Vec<_>, Vec<_>) = match entry.source {
            Source::Vcs(_) => (vec![None], vec![Evidence::Unsigned(UnsignedKind::VersionControl)]),
            Source::Directory { .. } => {
                (vec![None], vec![Evidence::Unsigned(UnsignedKind::Directory)])
            }
            _ => gathered.into_iter().map(|(file, evidence)| (Some(file), evidence)).unzip(),
        };
        let pin = self.trust.pin(&entry.name);
        let verdicts = Binding::new(pin).judge_all(&evidence, &self.policy);
        let finding = |(file, verdict)| Finding {
            name: entry.name.clone(),
            title: entry.title(),
            file,
            verdict,
        };
        files.into_iter().zip(verdicts).map(finding).collect()
    }

    /// Gathers the evidence for all files, and returns it in their order.
    fn gather(&self, files: &[(&Entry, &File)]) -> Result<Vec<(File, Evidence)>, Failure> {
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

    fn look_into(&self, entry: &Entry, file: &File) -> Result<(File, Evidence), Failure> {
        let located = self.locate(entry, file)?;
        same_size(file, located.size)?;
        let sha256 = match file.sha256.or(located.sha256) {
            Some(sha256) if file.claims.digests.is_empty() => sha256,
            _ => (self.digest)(file)?,
        };
        let file = File { sha256: Some(sha256), ..file.clone() };
        let documents = Documents {
            index: self.index,
            second_source: self.second_source,
            verifier: self.verifier,
        };
        let link = located.provenance.as_ref();
        let evidence = documents.evidence(&entry.name, &file.filename, sha256, link)?;
        Ok((file, evidence.unwrap_or(Evidence::Unsigned(located.without))))
    }

    fn locate(&self, entry: &Entry, file: &File) -> Result<Located, Failure> {
        let nowhere = |without| Located { sha256: None, size: None, provenance: None, without };
        let Some(url) = file.place.url() else {
            return Ok(nowhere(UnsignedKind::LocalFile));
        };
        if matches!(entry.source, Source::Direct(_)) {
            return Ok(nowhere(if file.place.is_local() {
                UnsignedKind::LocalFile
            } else {
                UnsignedKind::DirectUrl
            }));
        }
        if let Some(page_file) =
            self.index.locate(self.indexes, &entry.name, file.filename.as_str(), url)?
        {
            return Ok(Located {
                sha256: page_file.sha256,
                size: page_file.size,
                provenance: page_file.provenance,
                without: UnsignedKind::NoProvenance,
            });
        }
        if file.place.is_local() {
            return Ok(nowhere(UnsignedKind::LocalFile));
        }
        if self.find_links {
            return Ok(nowhere(UnsignedKind::FindLinks));
        }
        Err(Failure::new(
            Status::CouldNotCheck,
            format!(
                "no configured index lists {} of {} at its locked URL",
                file.filename,
                entry.title()
            ),
        )
        .hint("the index may have changed since the lock was made: run the command again"))
    }
}

/// The sources of provenance documents, and their verifier.
pub struct Documents<'a> {
    /// The client of the indexes.
    pub index: &'a Index<'a>,
    /// The source of provenance for files whose index has none.
    pub second_source: Option<&'a SecondSource>,
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
}

impl Documents<'_> {
    /// Returns the evidence for a file of an index, whose page links to `provenance`. Returns
    /// `None` if neither the index nor the second source has a document.
    ///
    /// # Errors
    /// The document could not be fetched.
    pub fn evidence(
        &self,
        name: &PackageName,
        filename: &FileName,
        sha256: Sha256,
        provenance: Option<&Url>,
    ) -> Result<Option<Evidence>, Failure> {
        let document = match provenance {
            Some(url) => self.index.provenance(url)?,
            None => None,
        };
        let document = match (document, self.second_source) {
            (None, Some(source)) => self.index.second(source, name, filename, &sha256)?,
            (document, _) => document,
        };
        Ok(document.map(|bytes| verify(self.verifier, filename.as_str(), sha256, &bytes)))
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
    Finding { name: entry.name.clone(), title: entry.title(), file, verdict }
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
    })
}

/// Verifies one document for one file, and returns the evidence.
#[must_use]
pub fn verify(verifier: &Verifier, filename: &str, sha256: Sha256, document: &[u8]) -> Evidence {
    let verified = || {
        let document = Document::parse(document)?;
        let filename = DistFilename::parse(filename)?;
        Ok(verifier.verify(&document, &Subject { filename, sha256 }))
    };
    verified().map_or_else(Evidence::Invalid, Evidence::Attested)
}

/// The entry of a file on the page of its index.
struct Located {
    sha256: Option<Sha256>,
    size: Option<u64>,
    provenance: Option<Url>,
    /// The kind of the file if it has no attestation.
    without: UnsignedKind,
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
