//! Judges files while pip builds: each file before the gateway serves it.
//!
//! Keeps the findings of the run. The rules of a verdict are in `trust::binding` and
//! `trust::policy`, and the gateway turns a verdict into an answer to pip.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use url::Url;

use crate::attestation::publisher::Publisher;
use crate::evidence::documents::{Documents, Others};
use crate::evidence::finding::Finding;
use crate::evidence::recheck::refusals_without_cache;
use crate::evidence::refusal;
use crate::evidence::release::SignedShare;
use crate::evidence::sources::Sources;
use crate::failure::Failure;
use crate::gateway::{Asked, Handover};
use crate::index::Index;
use crate::package::digest::Claims;
use crate::package::filename::DistFilename;
use crate::package::lock::{File, Place};
use crate::package::name::PackageName;
use crate::sync::lock;
use crate::trust::binding::Binding;
use crate::trust::pins::Pins;
use crate::trust::policy::{Evidence, Policy, Reason, UnsignedKind, Verdict};

/// Judges files when pip requests them. All threads share one judge.
pub struct Judge {
    sources: Arc<Sources>,
    trust: Pins,
    policy: Policy,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    findings: Vec<Finding>,
    /// Findings about files in the user's own directories.
    local: Vec<Finding>,
    /// The publishers that bind the files of each project.
    bindings: BTreeMap<PackageName, Binding>,
}

impl Judge {
    /// Creates a judge. `agreed` contains publishers that the user has just agreed to; they are to
    /// be recorded.
    #[must_use]
    pub fn new(
        sources: Arc<Sources>,
        trust: Pins,
        policy: Policy,
        agreed: BTreeMap<PackageName, Publisher>,
    ) -> Self {
        // A pin of a trust file wins, and the user is not asked about a pinned project.
        let unpinned = agreed.into_iter().filter(|(name, _)| trust.pin(name).is_none());
        let bindings = unpinned.map(|(name, first)| (name, Binding::first(first))).collect();
        let given = Mutex::new(Given { bindings, ..Given::default() });
        Self { sources, trust, policy, given }
    }

    /// Judges a file, and returns whether pip may have it.
    ///
    /// # Errors
    /// The evidence could not be obtained.
    pub fn judge(&self, asked: &Asked<'_>) -> Result<Handover, Failure> {
        let index = self.sources.index();
        let file = File {
            filename: asked.filename.clone(),
            place: Place::from(asked.file.url.clone()),
            sha256: Some(asked.sha256),
            claims: Claims::default(),
        };
        let evidence = self.evidence(&index, asked, asked.file.provenance.as_ref())?;
        let first = self.give(asked.name, file.clone(), &evidence);
        let again = |index: &Index<'_>, _: &[()]| {
            // The entry on the page is fetched again, too.
            let (name, filename) = (asked.name, asked.filename.as_str());
            let indexes = std::slice::from_ref(asked.index);
            let (url, sha256) = (&asked.file.url, Some(&asked.sha256));
            let listed = match index.listing(indexes, name, filename, url)? {
                None => index.listing_by_digest(indexes, name, filename, sha256, url)?,
                listed => listed,
            };
            let finding = match listed {
                Some(listed) => {
                    let link = listed.file.provenance.as_ref();
                    let evidence = self.evidence(index, asked, link)?;
                    self.give(name, file, &evidence)
                }
                None => first.clone(),
            };
            Ok(vec![vec![finding]])
        };
        let findings = vec![vec![first.clone()]];
        let findings = refusals_without_cache(&index, &[()], findings, again)?;
        let mut finding = findings.into_iter().flatten().next().unwrap_or(first);
        finding.release = self.release(&index, asked, &finding.verdict);
        let handover = handover(&finding);
        self.given().findings.push(finding);
        Ok(handover)
    }

    /// Returns the signed share of the release of a file that is refused because it is not signed.
    fn release(
        &self,
        index: &Index<'_>,
        asked: &Asked<'_>,
        verdict: &Verdict,
    ) -> Option<SignedShare> {
        let Verdict::Fail(
            Reason::SignatureExpected { kind, .. } | Reason::UnsignedUnderStrict { kind },
        ) = verdict
        else {
            return None;
        };
        kind.is_listed().then_some(())?;
        let page = index.page(asked.index, asked.name).ok()??;
        self.documents(index, asked.name).signed_share(&page, asked.filename)
    }

    fn evidence(
        &self,
        index: &Index<'_>,
        asked: &Asked<'_>,
        link: Option<&Url>,
    ) -> Result<Evidence, Failure> {
        let documents = self.documents(index, asked.name);
        let found = documents.evidence(asked.name, asked.filename, asked.sha256, link)?;
        Ok(found.unwrap_or(Evidence::Unsigned(UnsignedKind::of_link(link))))
    }

    fn documents<'a>(&'a self, index: &'a Index<'a>, name: &PackageName) -> Documents<'a> {
        Documents {
            index,
            indexes: &self.sources.indexes,
            others: Others::of(name, &self.trust, &self.policy),
            second_source: self.sources.own.second_source.as_ref(),
            verifier: &self.sources.own.verifier,
        }
    }

    /// Judges a file of the user's own `--find-links` directory, which states no provenance.
    ///
    /// # Errors
    /// The evidence could not be obtained.
    pub fn judge_local(&self, name: &PackageName, file: File) -> Result<Handover, Failure> {
        let index = self.sources.index();
        let found = match file.sha256 {
            Some(sha256) => {
                self.documents(&index, name).evidence(name, &file.filename, sha256, None)?
            }
            None => None,
        };
        let evidence = found.unwrap_or(Evidence::Unsigned(UnsignedKind::LocalFile));
        let finding = self.give(name, file, &evidence);
        let handover = handover(&finding);
        self.given().local.push(finding);
        Ok(handover)
    }

    /// Judges one file of a project, with the files of the project that were judged before.
    fn give(&self, name: &PackageName, file: File, evidence: &Evidence) -> Finding {
        let verdict = {
            let mut given = self.given();
            let binding = given.bindings.entry(name.clone());
            let binding = binding.or_insert_with(|| Binding::new(self.trust.pin(name)));
            binding.judge(evidence, &self.policy)
        };
        let version = DistFilename::parse(file.filename.as_str());
        let title =
            version.map_or_else(|_| name.to_string(), |f| format!("{name} {}", f.version()));
        Finding { name: name.clone(), title, file: Some(file), verdict, release: None }
    }

    /// Returns the findings about files in the user's own directories, in order.
    #[must_use]
    pub fn local(&self) -> Vec<Finding> {
        self.given().local.clone()
    }

    /// Returns the findings about files of indexes, in order.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.given().findings.clone()
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        lock(&self.given)
    }
}

/// Returns whether pip may have the file of a finding.
fn handover(finding: &Finding) -> Handover {
    match &finding.verdict {
        Verdict::Fail(reason) => {
            let line = refusal::with_release(&refusal::line(reason), finding);
            Handover::Refuse(format!("{} is refused: {line}", finding.title))
        }
        _ => Handover::Give,
    }
}
