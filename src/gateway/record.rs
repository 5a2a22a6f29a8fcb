//! What happened at the gateway, for whoever started it.
//!
//! Owns the lists: what was asked for, handed over, refused, and not found out. What was only
//! looked at ahead is in none of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::failure::{Failure, Status};
use crate::gateway::upstream::Key;
use crate::index::page::{Page, PageFile};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::wheelhouse::Fetched;

/// A file that pip got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The index that lists it.
    pub index: Url,
    /// The project.
    pub name: PackageName,
    /// Its name.
    pub filename: String,
    /// Where it really is.
    pub url: Url,
    /// Of the bytes, computed.
    pub sha256: Sha256,
    /// Where the bytes are.
    pub path: PathBuf,
}

/// A file that pip did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The index that lists it.
    pub index: Url,
    /// The project.
    pub name: PackageName,
    /// Its name.
    pub filename: String,
    /// Why not.
    pub reason: String,
}

impl Refusal {
    /// What the user is told of a file that is refused for this reason.
    #[must_use]
    pub fn failure(reason: String) -> Failure {
        Failure::new(Status::Refused, reason)
            .hint("the file is not what its index says; nothing was installed")
    }
}

/// Something that could not be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The index that was asked.
    pub index: Url,
    /// The project.
    pub name: PackageName,
    /// The file; none where it was the page of the project.
    pub filename: Option<String>,
    /// The status of the index's answer, where that was the reason: 401 says that pip may know
    /// credentials that we do not.
    pub code: Option<u16>,
    /// What happened.
    pub failure: Failure,
}

/// What an index said of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPage {
    /// The index.
    pub index: Url,
    /// The project.
    pub name: PackageName,
    /// Its page; none where the index has none (404).
    pub page: Option<Arc<Page>>,
}

/// What a URL of the gateway stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// The index that lists the file.
    pub index: Url,
    /// The project.
    pub name: PackageName,
    /// What the index says about the file, its real URL with it. The sha256 is that of the bytes
    /// where the index states none and the file was fetched.
    pub file: PageFile,
}

/// The lists, each thing once.
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
                filename: key.filename.clone(),
                url: file.url.clone(),
                sha256: fetched.sha256,
                path: fetched.path.clone(),
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
