//! Judges files while pip builds: each file before the gateway serves it.
//!
//! Keeps the findings of the run. The rules of a verdict are in `trust::policy`, and the gateway
//! turns a verdict into an answer to pip.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::evidence::audit::{Documents, Finding};
use crate::evidence::sources::Sources;
use crate::failure::Failure;
use crate::gateway::{Asked, Handover};
use crate::index::Index;
use crate::package::digest::Claims;
use crate::package::filename::DistFilename;
use crate::package::lock::File;
use crate::package::name::PackageName;
use crate::trust::pin::Pin;
use crate::trust::pins::Pins;
use crate::trust::policy::{Evidence, Policy, UnsignedKind, Verdict, judge};

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
    /// Publishers that trust on first use accepted in this run. They bind the other files of their
    /// projects.
    first: BTreeMap<PackageName, Pin>,
}

impl Judge {
    /// Creates a judge. `agreed` contains publishers that the user has just agreed to; they are to
    /// be recorded.
    #[must_use]
    pub fn new(
        sources: Arc<Sources>,
        trust: Pins,
        policy: Policy,
        agreed: BTreeMap<PackageName, Pin>,
    ) -> Self {
        let given = Mutex::new(Given { first: agreed, ..Given::default() });
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
            url: asked.file.url.to_string(),
            sha256: Some(asked.sha256),
            claims: Claims::default(),
        };
        let evidence = self.evidence(&index, asked, asked.file.provenance.as_ref())?;
        let (mut finding, mut handover) = self.give(asked.name, file.clone(), &evidence);
        if finding.is_refused() && self.sources.cache.is_some() {
            // A refusal must not be based on data cached by an earlier run, including the page.
            let index = index.bypassing_cache();
            let (name, filename) = (asked.name, asked.filename.as_str());
            let indexes = std::slice::from_ref(asked.index);
            if let Some(entry) = index.locate(indexes, name, filename, &asked.file.url)? {
                let evidence = self.evidence(&index, asked, entry.provenance.as_ref())?;
                (finding, handover) = self.give(name, file, &evidence);
            }
        }
        self.given().findings.push(finding);
        Ok(handover)
    }

    fn evidence(
        &self,
        index: &Index<'_>,
        asked: &Asked<'_>,
        link: Option<&Url>,
    ) -> Result<Evidence, Failure> {
        let documents = self.documents(index);
        let found = documents.evidence(asked.name, asked.filename, asked.sha256, link)?;
        Ok(found.unwrap_or(Evidence::Unsigned(UnsignedKind::NoProvenance)))
    }

    fn documents<'a>(&'a self, index: &'a Index<'a>) -> Documents<'a> {
        Documents {
            index,
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
            Some(sha256) => self.documents(&index).evidence(name, &file.filename, sha256, None)?,
            None => None,
        };
        let evidence = found.unwrap_or(Evidence::Unsigned(UnsignedKind::LocalFile));
        let (finding, handover) = self.give(name, file, &evidence);
        self.given().local.push(finding);
        Ok(handover)
    }

    fn give(&self, name: &PackageName, file: File, evidence: &Evidence) -> (Finding, Handover) {
        let mut given = self.given();
        let pin = self.trust.pin(name);
        let bound = given.first.get(name).filter(|_| pin.is_none());
        let verdict = match (judge(pin.or(bound), evidence, &self.policy), bound.is_some()) {
            // The publisher was accepted for an earlier file of this run and is not in the trust
            // files yet, so the verdict is `Record` again.
            (Verdict::Ok { publisher }, true) => Verdict::Record { publisher },
            (verdict, _) => verdict,
        };
        if let Verdict::Record { publisher } = &verdict {
            given.first.entry(name.clone()).or_insert_with(|| Pin::to(publisher.url().clone()));
        }
        let version = DistFilename::parse(file.filename.as_str());
        let title =
            version.map_or_else(|_| name.to_string(), |f| format!("{name} {}", f.version()));
        let handover = match &verdict {
            Verdict::Fail(reason) => Handover::Refuse(format!("{title} is refused: {reason}")),
            _ => Handover::Give,
        };
        (Finding { name: name.clone(), title, file: Some(file), verdict }, handover)
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
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
