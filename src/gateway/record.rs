//! Lists of the files and projects that pip requested from the gateway.
//!
//! Owns the lists of requested projects, handed-over files, refused files and failed requests.
//! Prefetches must not appear in them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use url::Url;

use crate::failure::{Failure, Status};
use crate::gateway::upstream::Key;
use crate::index::page::{Page, PageFile};
use crate::package::name::PackageName;
use crate::sync::lock;
use crate::wheelhouse::Fetched;

/// A file that pip received: the fetched file, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// URL of the index that lists the file.
    pub index: Url,
    /// Name of the project.
    pub name: PackageName,
    /// Real URL of the file.
    pub url: Url,
    /// The file in the gateway's directory.
    pub file: Fetched,
}

/// A file that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// URL of the index that lists the file.
    pub index: Url,
    /// Name of the project.
    pub name: PackageName,
    /// Name of the file, as pip requested it. A refused name may be unsafe on disk.
    pub filename: String,
    /// Reason for the refusal.
    pub reason: String,
}

impl Refusal {
    /// Makes the failure that tells the user of a refused file.
    #[must_use]
    pub fn failure(reason: String) -> Failure {
        Failure::new(Status::Refused, reason)
            .hint("the file does not match its index; nothing was installed")
    }
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// URL of the index.
    pub index: Url,
    /// Name of the project.
    pub name: PackageName,
    /// Name of the file; `None` if the page of the project failed.
    pub filename: Option<String>,
    /// Status of the index's answer, if that was the reason. After a 401, pip may know credentials
    /// that this program does not.
    pub code: Option<u16>,
    /// Whether pip goes on without the answer.
    pub kind: FailedKind,
    /// The failure.
    pub failure: Failure,
}

impl Failed {
    /// Returns whether the index asks for credentials.
    #[must_use]
    pub fn asks_for_credentials(&self) -> bool {
        self.code == Some(401)
    }
}

/// The meaning of a failed request for pip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedKind {
    /// The page of a project that pip passes over, as if this index did not have the project.
    PassedOver,
    /// pip cannot go on, or could have read an answer that this program cannot read.
    Fatal,
}

/// The page of a project on an index, as fetched in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPage {
    /// URL of the index.
    pub index: Url,
    /// Name of the project.
    pub name: PackageName,
    /// The page; `None` if the index does not list the project (404).
    pub page: Option<Arc<Page>>,
}

/// The file behind a URL of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// URL of the index that lists the file.
    pub index: Url,
    /// Name of the project.
    pub name: PackageName,
    /// The index's entry for the file, with its real URL. If the index states no sha256 and the
    /// file was fetched, the entry has the computed one.
    pub file: PageFile,
}

/// The lists; each entry occurs once.
#[derive(Default)]
pub(super) struct Record(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    seen: BTreeSet<(Kind, Key)>,
    names: BTreeSet<PackageName>,
    asked: Vec<PackageName>,
    handed: Vec<Handed>,
    refusals: Vec<Refusal>,
    failures: Vec<Failed>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Handed,
    Refused,
    Failed,
}

impl Record {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        lock(&self.0)
    }

    pub(super) fn ask(&self, name: &PackageName) {
        let mut lists = self.lists();
        if lists.names.insert(name.clone()) {
            lists.asked.push(name.clone());
        }
    }

    pub(super) fn hand(&self, key: &Key, index: &Url, file: &PageFile, fetched: &Fetched) {
        let mut lists = self.lists();
        if lists.seen.insert((Kind::Handed, key.clone())) {
            lists.handed.push(Handed {
                index: index.clone(),
                name: key.name.clone(),
                url: file.url.clone(),
                file: fetched.clone(),
            });
        }
    }

    pub(super) fn refuse(&self, key: &Key, index: Option<&Url>, reason: &str) {
        let mut lists = self.lists();
        let Some(index) = index else { return };
        if lists.seen.insert((Kind::Refused, key.clone())) {
            lists.refusals.push(Refusal {
                index: index.clone(),
                name: key.name.clone(),
                filename: key.filename.clone(),
                reason: reason.to_owned(),
            });
        }
    }

    pub(super) fn fail(
        &self,
        key: &Key,
        index: Option<&Url>,
        code: Option<u16>,
        kind: FailedKind,
        failure: &Failure,
    ) {
        let mut lists = self.lists();
        let Some(index) = index else { return };
        if lists.seen.insert((Kind::Failed, key.clone())) {
            lists.failures.push(Failed {
                index: index.clone(),
                name: key.name.clone(),
                filename: Some(key.filename.clone()).filter(|name| !name.is_empty()),
                code,
                kind,
                failure: failure.clone(),
            });
        }
    }

    pub(super) fn asked(&self) -> Vec<PackageName> {
        self.lists().asked.clone()
    }

    pub(super) fn handed(&self) -> Vec<Handed> {
        self.lists().handed.clone()
    }

    pub(super) fn refusals(&self) -> Vec<Refusal> {
        self.lists().refusals.clone()
    }

    pub(super) fn failures(&self) -> Vec<Failed> {
        self.lists().failures.clone()
    }
}
