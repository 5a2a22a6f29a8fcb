//! Ranks the wheels of a page by how likely pip is to choose them.
//!
//! Owns a cheap estimate of pip's choice: the newest release that has a wheel for this Python and
//! system, and of its wheels the most specific one. Final releases come before pre-releases. The
//! order of wheels is `cpXY-cpXY`, `cpXN-abi3`, `cpXY-none`, `pyX-none`; a wheel for any platform
//! comes last. Pure. A wrong estimate costs one request.

use std::cmp::Reverse;
use std::str::FromStr as _;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};

use crate::gateway::prefetch::requires::Requirement;
use crate::index::page::{Page, PageFile};
use crate::package::filename::{DistFilename, DistKind, WheelTags};

/// Newest C library that is considered: N of `manylinux_2_N`.
const NEWEST_GLIBC: u32 = 39;

/// Ranks wheels for the Python that pip runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelRanking {
    /// Major and minor version of Python.
    pub python: (u8, u8),
}

/// A wheel that this Python can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) version: Version,
    pub(super) filename: String,
    /// Rank of the wheel's tags; a smaller one is better.
    rank: u32,
}

impl Candidate {
    /// Returns the sort key of the candidate; the best one is the smallest.
    fn order(&self) -> (bool, Reverse<&Version>, u32) {
        (self.version.any_prerelease(), Reverse(&self.version), self.rank)
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
        let rank = self.rank(tags)?;
        if !file.requires_python.as_deref().is_none_or(|text| self.is_python(text)) {
            return None;
        }
        let version = parsed.version().clone();
        Some(Candidate { version, filename: file.filename.clone(), rank })
    }

    /// Whether a `Requires-Python` admits this Python. An unreadable one does, as in pip.
    fn is_python(&self, text: &str) -> bool {
        let (major, minor) = self.python;
        let version = Version::new([u64::from(major), u64::from(minor), 99]);
        VersionSpecifiers::from_str(text).map_or(true, |wanted| wanted.contains(&version))
    }

    /// Returns the rank of a wheel's tags, or `None` if this Python cannot use the wheel.
    fn rank(&self, tags: &WheelTags) -> Option<u32> {
        let platform = tags.platform.iter().filter_map(|tag| platform(tag)).min()?;
        let (major, minor) = self.python;
        let own = format!("cp{major}{minor}");
        let interpreter = if tags.python.contains(&own) && tags.abi.contains(&own) {
            0
        } else if tags.abi.contains("abi3") && tags.python.iter().any(|tag| self.is_older(tag)) {
            1
        } else if tags.abi.contains("none") && tags.python.contains(&own) {
            2
        } else if tags.abi.contains("none")
            && tags
                .python
                .iter()
                .any(|tag| *tag == format!("py{major}") || *tag == format!("py{major}{minor}"))
        {
            3
        } else {
            return None;
        };
        // pip goes through interpreters first, but a wheel for any system comes last.
        let any = if platform == u32::MAX { 10 } else { 0 };
        Some((any + interpreter) * 1_000 + platform.min(999))
    }

    /// Whether a tag is `cp3N` with N at most our minor version.
    fn is_older(&self, tag: &str) -> bool {
        let (major, minor) = self.python;
        let number = tag.strip_prefix(&format!("cp{major}")).and_then(|n| n.parse::<u8>().ok());
        number.is_some_and(|number| number <= minor)
    }
}

/// Returns the rank of a platform tag on this system, `u32::MAX` for `any`, or `None` if the tag is
/// for another system. A `--platform` of the user's is ignored; the estimates are then wrong.
fn platform(tag: &str) -> Option<u32> {
    if tag == "any" {
        return Some(u32::MAX);
    }
    let machine = if cfg!(target_arch = "x86_64") {
        "x86_64"
    } else if cfg!(target_os = "macos") {
        "arm64"
    } else {
        "aarch64"
    };
    if cfg!(target_os = "macos") {
        let fits =
            tag.starts_with("macosx_") && (tag.ends_with(machine) || tag.ends_with("universal2"));
        return fits.then_some(0);
    }
    let system = tag.strip_suffix(machine)?.strip_suffix('_')?;
    let glibc = match system {
        "linux" => return Some(NEWEST_GLIBC),
        "manylinux1" => 5,
        "manylinux2010" => 12,
        "manylinux2014" => 17,
        other => other.strip_prefix("manylinux_2_")?.parse().ok()?,
    };
    NEWEST_GLIBC.checked_sub(glibc)
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
