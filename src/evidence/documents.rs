//! Provenance documents of one file: which sources are asked for one, in which order.
//!
//! 1. The index that lists the file, by the link on its page.
//! 2. The user's second source.
//! 3. The user's other indexes, if they list a file of this name with the very sha256.
//!
//! A source can withhold a document but cannot forge it, since an attestation contains the sha256
//! of the file. So a document of any source counts. Must not judge.

use url::Url;

use crate::attestation::document::Document;
use crate::attestation::verifier::{Subject, Verifier};
use crate::evidence::release::SignedShare;
use crate::failure::Failure;
use crate::index::page::{Page, PageFile};
use crate::index::{Index, SecondSource};
use crate::package::digest::Sha256;
use crate::package::filename::DistFilename;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;
use crate::sync::in_order;
use crate::trust::pins::Pins;
use crate::trust::policy::{self, Evidence, Policy, Unrecorded, Unsigned};

/// Maximum number of documents that are verified to say how much of a release is signed. The
/// largest releases have about a hundred files.
const MAX_SIBLINGS: usize = 128;
/// Number of those documents that are fetched at once.
const WORKERS: usize = 8;

/// The sources of provenance documents, and their verifier.
#[derive(Clone, Copy)]
pub struct Documents<'a> {
    /// The client of the indexes.
    pub index: &'a Index<'a>,
    /// The user's indexes, in order.
    pub indexes: &'a [Url],
    /// The source of provenance for files whose index has none.
    pub second_source: Option<&'a SecondSource>,
    /// The verifier with its trusted root.
    pub verifier: &'a Verifier,
    /// Whether the other indexes are asked.
    pub others: Others,
}

/// Whether other indexes are asked for a page that was not fetched in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// The indexes are asked.
    Asked,
    /// Only pages are used that were fetched in this run. So the names of private projects do not
    /// reach an index that nobody asked for them.
    Fetched,
}

impl Others {
    /// Asks the other indexes for a project whose verdict depends on a document.
    #[must_use]
    pub fn of(name: &PackageName, trust: &Pins, policy: &Policy) -> Self {
        let is_needed = trust.pin(name).is_some()
            || policy.unsigned == Unsigned::Refuse
            || policy.unrecorded == Unrecorded::Record;
        if is_needed { Self::Asked } else { Self::Fetched }
    }
}

impl Documents<'_> {
    /// Returns the evidence for a file of an index, whose page links to `provenance`. Returns
    /// `None` if no source has a document.
    ///
    /// # Errors
    /// The document of the file's own index or of the second source could not be fetched.
    pub fn evidence(
        &self,
        name: &PackageName,
        filename: &FileName,
        sha256: Sha256,
        provenance: Option<&Url>,
    ) -> Result<Option<Evidence>, Failure> {
        let mut document = match provenance {
            Some(url) => self.index.provenance(url)?,
            None => None,
        };
        if let (None, Some(source)) = (&document, self.second_source) {
            document = self.index.second(source, name, filename, &sha256)?;
        }
        let document =
            document.or_else(|| self.of_other_index(name, filename.as_str(), sha256, provenance));
        Ok(document.map(|bytes| verify(self.verifier, filename.as_str(), sha256, &bytes)))
    }

    /// Returns the document of the first other index that has one for the same bytes. An index that
    /// cannot be asked has none: pip passes over it too, and it could withhold its documents.
    fn of_other_index(
        &self,
        name: &PackageName,
        filename: &str,
        sha256: Sha256,
        asked: Option<&Url>,
    ) -> Option<Vec<u8>> {
        let link = |index: &Url| {
            let page = match self.others {
                Others::Asked => self.index.page(index, name).ok()??,
                Others::Fetched => self.index.fetched_page(index, name)?,
            };
            let of_these_bytes = |file: &PageFile| file.sha256 == Some(sha256);
            let file = page.file_with(filename, &sha256).ok()?.filter(of_these_bytes)?;
            file.provenance.filter(|link| Some(link) != asked)
        };
        let mut links = self.indexes.iter().filter_map(link);
        links.find_map(|link| self.index.provenance(&link).ok()?)
    }

    /// Returns how many files of the release of `filename` are signed, as far as their index says
    /// so truly, and by whom. Returns `None` if none is, or if that cannot be found out.
    #[must_use]
    pub fn signed_share(&self, page: &Page, filename: &FileName) -> Option<SignedShare> {
        let own = DistFilename::parse(filename.as_str()).ok()?;
        let mut files: Vec<(DistFilename, PageFile)> = Vec::new();
        for file in page.files() {
            let Ok(dist) = DistFilename::parse(&file.filename) else { continue };
            let is_known = files.iter().any(|(known, _)| *known == dist);
            if (dist.name(), dist.version()) == (own.name(), own.version()) && !is_known {
                files.push((dist, file));
            }
        }
        let linked: Vec<_> = files.iter().filter(|(_, file)| file.provenance.is_some()).collect();
        if linked.is_empty() || linked.len() > MAX_SIBLINGS {
            return None;
        }
        let evidence = |(_, file): &&(DistFilename, PageFile)| {
            let document = self.index.provenance(file.provenance.as_ref()?).ok()??;
            Some(verify(self.verifier, &file.filename, file.sha256?, &document))
        };
        let stop = std::sync::atomic::AtomicBool::new(false);
        let evidence = in_order(&linked, WORKERS, &stop, evidence);
        let publishers = evidence.iter().flatten().map(policy::publishers);
        SignedShare::of(publishers, files.len())
    }
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
