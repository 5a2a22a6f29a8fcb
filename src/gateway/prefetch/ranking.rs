//! Ranks the wheels of a page by how likely pip is to choose them.
//!
//! Owns a cheap estimate of pip's choice: the newest release that has a wheel for the target, and
//! of its wheels the one with the best tag, then with the highest build tag. Final releases come
//! before pre-releases. Pure. A wrong estimate costs one request.

use std::cmp::Reverse;
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};

use crate::gateway::prefetch::requires::Requirement;
use crate::index::page::{Page, PageFile};
use crate::package::filename::{DistFilename, DistKind, WheelTags};
use crate::pip::target::{TagRank, Target};

/// Ranks wheels for the target of a pip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelRanking {
    /// Target that pip chooses wheels for.
    pub target: Target,
}

/// A wheel that the target can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) version: Version,
    pub(super) filename: String,
    rank: TagRank,
    build: BuildTag,
}

/// Build tag of a wheel, in pip's order: none, then by number (digits without leading zeros), then
/// by the text behind the number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct BuildTag(Option<(usize, String, String)>);

impl BuildTag {
    fn of(tags: &WheelTags) -> Self {
        Self(tags.build.clone().map(|(number, rest)| (number.len(), number, rest)))
    }
}

impl Candidate {
    /// Returns the sort key of the candidate; the best one is the smallest.
    fn order(&self) -> (bool, Reverse<&Version>, TagRank, Reverse<&BuildTag>) {
        let version = Reverse(&self.version);
        (self.version.any_prerelease(), version, self.rank, Reverse(&self.build))
    }
}

impl WheelRanking {
    /// Returns every usable wheel of a page, the best one first.
    pub(super) fn candidates(&self, page: &Page) -> Vec<Candidate> {
        let mut candidates: Vec<_> =
            page.files().filter_map(|file| self.candidate(&file)).collect();
        candidates.sort_by(|one, other| one.order().cmp(&other.order()));
        candidates
    }

    fn candidate(&self, file: &PageFile) -> Option<Candidate> {
        if file.yanked.is_some() || !file.filename.ends_with(".whl") {
            return None;
        }
        let parsed = DistFilename::parse(&file.filename).ok()?;
        let DistKind::Wheel(tags) = parsed.kind() else { return None };
        let rank = self.target.rank(tags)?;
        if !file.requires_python.as_deref().is_none_or(|text| self.is_python(text)) {
            return None;
        }
        let (version, build) = (parsed.version().clone(), BuildTag::of(tags));
        Some(Candidate { version, filename: file.filename.clone(), rank, build })
    }

    /// Whether a `Requires-Python` admits the target. An unreadable one does, as in pip.
    fn is_python(&self, text: &str) -> bool {
        match (VersionSpecifiers::from_str(text), Version::from_str(&self.target.python)) {
            (Ok(wanted), Ok(version)) => wanted.contains(&version),
            _ => true,
        }
    }
}

/// Returns the best candidate that a requirement allows, with the number of its index. Of equal
/// ones, the one on the first index wins.
pub(super) fn best<'a>(
    pages: &'a [Arc<Vec<Candidate>>],
    requirement: &Requirement,
) -> Option<(usize, &'a Candidate)> {
    let allows = |candidate: &&Candidate| {
        requirement.versions.as_ref().is_none_or(|wanted| wanted.contains(&candidate.version))
    };
    let firsts = pages
        .iter()
        .enumerate()
        .filter_map(|(index, candidates)| Some((index, candidates.iter().find(allows)?)));
    firsts.min_by(|(_, one), (_, other)| one.order().cmp(&other.order()))
}
