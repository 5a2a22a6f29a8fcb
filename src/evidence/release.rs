//! The signed share of a release: a remark beside the verdict of an unsigned file.
//!
//! Projects often sign some wheels of a release and not the others. The remark tells the user that
//! the project does sign, and who. Must not affect a verdict. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::attestation::publisher::Publisher;

/// The number of signed files of one release, with their publishers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedShare {
    signed: usize,
    all: usize,
    publishers: BTreeSet<String>,
}

impl SignedShare {
    /// Returns the share of the files with a verified publisher among `all` files. Returns `None`
    /// if no file has one.
    pub fn of<'a>(files: impl Iterator<Item = Vec<&'a Publisher>>, all: usize) -> Option<Self> {
        let mut share = Self { signed: 0, all, publishers: BTreeSet::new() };
        for publishers in files.filter(|publishers| !publishers.is_empty()) {
            share.signed += 1;
            share.publishers.extend(publishers.iter().map(|it| it.url().to_string()));
        }
        (share.signed > 0).then_some(share)
    }
}

impl fmt::Display for SignedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signed, all, publishers } = self;
        let by: Vec<&str> = publishers.iter().map(String::as_str).collect();
        write!(f, "{signed} of {all} files of the release are signed, by {}", by.join(" and "))
    }
}
