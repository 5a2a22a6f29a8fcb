//! From a lock to findings: what is known of every file, and the verdict on it.
//!
//! Owns the story that the shim and the tool share: evidence is gathered for all files at once,
//! then judged project by project. Changes nothing and prints nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::attestation::document::Document;
use crate::attestation::verifier::{BundleOutcome, Subject, Verifier};
use crate::failure::{Failure, Status};
use crate::index::{Index, SecondSource};
use crate::package::digest::Sha256;
use crate::package::filename::DistFilename;
use crate::package::lock::{Entry, File, Lock, Source};
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;
use crate::terminal::progress::{Activity, Progress};
use crate::trust::pins::Pins;
use crate::trust::policy::{self, BundleEvidence, Evidence, Policy, UnsignedKind, Verdict};

/// How many files are looked into at once. The work is waiting, not computing.
const WORKERS: usize = 16;

/// What an audit looks at and judges by.
pub struct Audit<'a> {
    /// The network side of the indexes.
    pub index: &'a Index<'a>,
    /// The user's indexes, in order.
    pub indexes: &'a [Url],
    /// Whether the user named `--find-links` places, whose files no index lists.
    pub find_links: bool,
    /// Where provenance is looked for if the index has none.
    pub second_source: Option<&'a SecondSource>,
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
    /// Who is trusted for what.
    pub trust: &'a Pins,
    /// What the user asked for.
    pub policy: Policy,
    /// Computes the sha256 of a file from its bytes, where neither lock nor index state it, or
    /// where the lock states other digests, and holds the bytes against everything it states.
    pub digest: &'a (dyn Fn(&File) -> Result<Sha256, Failure> + Sync),
    /// Told of each file that has been looked into.
    pub progress: &'a Progress,
}

/// What came out for one file, or for a source that is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The project.
    pub name: PackageName,
    /// `name version`.
    pub title: String,
    /// The file, with its sha256; none for version control and directories.
    pub file: Option<File>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Audit<'_> {
    /// Looks into every file of every entry, and judges. No refusal rests on what was kept from
    /// an earlier run: before one, everything about the project is fetched again.
    ///
    /// # Errors
    /// Something could not be found out. The failure of the first file, in the lock's order, is
    /// the one reported.
    pub fn run(&self, lock: &Lock) -> Result<Vec<Finding>, Failure> {
        let entries: Vec<&Entry> = lock.entries.iter().collect();
        let mut findings = self.of(&entries)?;
        if self.index.has_used_cached_answer() {
            let is_refused =
                |of_entry: &&mut Vec<Finding>| of_entry.iter().any(Finding::is_refused);
            let (doubtful, places): (Vec<_>, Vec<_>) = entries
                .iter()
                .copied()
                .zip(findings.iter_mut())
                .filter(|(_, of_entry)| is_refused(of_entry))
                .unzip();
            let index = self.index.bypassing_cache();
            let anew = Audit { index: &index, ..*self }.of(&doubtful)?;
            places.into_iter().zip(anew).for_each(|(place, of_entry)| *place = of_entry);
        }
        Ok(findings.into_iter().flatten().collect())
    }

    /// The findings of these entries, in their order.
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
        let verdicts = policy::judge_project(pin, &evidence, &self.policy);
        let finding = |(file, verdict)| Finding {
            name: entry.name.clone(),
            title: entry.title(),
            file,
            verdict,
        };
        files.into_iter().zip(verdicts).map(finding).collect()
    }

    /// Evidence for all files, in their order.
    fn gather(&self, files: &[(&Entry, &File)]) -> Result<Vec<(File, Evidence)>, Failure> {
        // How many files of each project are still to be looked into.
        let mut left = BTreeMap::<&PackageName, AtomicUsize>::new();
        files.iter().for_each(|(entry, _)| *left.entry(&entry.name).or_default().get_mut() += 1);
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..WORKERS.min(files.len()) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some((entry, file)) = files.get(at) else { return };
                        let result = self.look_into(entry, file);
                        self.progress.step(Activity::Verifying);
                        // After a failure nothing further is begun: the run is over.
                        if result.is_err() {
                            next.store(files.len(), Ordering::Relaxed);
                        }
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                        let left = left.get(&entry.name);
                        if left.is_some_and(|left| left.fetch_sub(1, Ordering::AcqRel) == 1) {
                            self.done_with(&entry.name);
                        }
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Nothing more will be asked of this project.
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
        let Ok(url) = Url::parse(&file.url) else {
            return Ok(nowhere(UnsignedKind::LocalFile));
        };
        if matches!(entry.source, Source::Direct(_)) {
            let local = url.scheme() == "file";
            return Ok(nowhere(if local {
                UnsignedKind::LocalFile
            } else {
                UnsignedKind::DirectUrl
            }));
        }
        if let Some(page_file) =
            self.index.locate(self.indexes, &entry.name, file.filename.as_str(), &url)?
        {
            return Ok(Located {
                sha256: page_file.sha256,
                size: page_file.size,
                provenance: page_file.provenance,
                without: UnsignedKind::NoProvenance,
            });
        }
        if url.scheme() == "file" {
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

/// Where the documents of files come from, and who verifies them.
pub struct Documents<'a> {
    /// The network side of the indexes.
    pub index: &'a Index<'a>,
    /// Where provenance is looked for if the index has none.
    pub second_source: Option<&'a SecondSource>,
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
}

impl Documents<'_> {
    /// The evidence for a file of an index, whose page links to `provenance`; nothing where
    /// neither the index nor the second source has a document.
    ///
    /// # Errors
    /// It could not be found out.
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

impl Finding {
    /// Whether it must not be installed.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Fail(_))
    }
}

/// The finding for an entry that no index vouches for.
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

/// The same for a place whose project may not be known yet; nothing where that leaves it open.
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
    // Nobody's name: what is refused is the place.
    let name = name.cloned().or_else(|| PackageName::parse("unnamed").ok())?;
    matches!(verdict, Verdict::Fail(_)).then(|| Finding {
        name,
        title: place.to_owned(),
        file: None,
        verdict,
    })
}

/// The evidence of one document for one file.
#[must_use]
pub fn verify(verifier: &Verifier, filename: &str, sha256: Sha256, document: &[u8]) -> Evidence {
    let document = match Document::parse(document) {
        Ok(document) => document,
        Err(error) => return Evidence::InvalidDocument(error.to_string()),
    };
    let subject = match DistFilename::parse(filename) {
        Ok(filename) => Subject { filename, sha256 },
        Err(error) => return Evidence::InvalidDocument(error.to_string()),
    };
    let bundle = |outcome: BundleOutcome| BundleEvidence {
        claimed: outcome.claimed,
        publisher: outcome.result.map_err(|error| error.to_string()),
    };
    Evidence::Attested(verifier.verify(&document, &subject).into_iter().map(bundle).collect())
}

/// What the index that serves a file says of it.
struct Located {
    sha256: Option<Sha256>,
    size: Option<u64>,
    provenance: Option<Url>,
    /// The kind of the file if there turns out to be no attestation.
    without: UnsignedKind,
}

/// Whether lock and index state one size for a file, where both state one. That costs no bytes; a
/// file that is fetched anyway is held to the lock's again.
fn same_size(file: &File, listed: Option<u64>) -> Result<(), Failure> {
    match (file.claims.size, listed) {
        (Some(stated), Some(listed)) if stated != listed => {
            let filename = &file.filename;
            let message =
                format!("{filename} has size {listed} on its index, and size {stated} in the lock");
            Err(Failure::new(Status::Refused, message)
                .hint("one of the two is wrong: make the lock anew, or ask who runs the index"))
        }
        _ => Ok(()),
    }
}
