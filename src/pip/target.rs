//! The target of a pip: the Python that pip chooses wheels for, with its tags and markers.
//!
//! Owns the value that the guard reports (`guard/target.py`) and the order of wheels by it. Must
//! not compute a tag itself: systems, C libraries, implementations of Python and the options
//! `--platform`, `--python-version`, `--implementation` and `--abi` have a part in each, so pip is
//! asked. Pure. No verdict may rest on the tags of a target.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::package::filename::WheelTags;

/// The target of one run (`pip._internal.models.target_python`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Target {
    /// The version of Python for `Requires-Python`, such as `3.11.7`.
    pub python: String,
    /// Groups of platform tags, each sorted, the best one first.
    pub platforms: Vec<Vec<String>>,
    /// Interpreter tag, ABI tag and the index of a group in [`Target::platforms`], the best ones
    /// first (`packaging.tags`).
    pub tags: Vec<(String, String, usize)>,
    /// The marker environment (PEP 508) of the Python that pip runs on.
    pub markers: BTreeMap<String, String>,
}

/// The rank of a wheel's best tag among the tags of a target. The smallest one is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRank {
    /// Index in [`Target::tags`].
    run: usize,
    /// Index in the group of platforms.
    platform: usize,
}

impl Target {
    /// Returns the rank of a wheel. Returns `None` if the target cannot use the wheel.
    #[must_use]
    pub fn rank(&self, tags: &WheelTags) -> Option<TagRank> {
        let of_run = |(run, (python, abi, group)): (usize, &(String, String, usize))| {
            if !tags.python.contains(python) || !tags.abi.contains(abi) {
                return None;
            }
            let mut platforms = self.platforms.get(*group)?.iter();
            let platform = platforms.position(|platform| tags.platform.contains(platform))?;
            Some(TagRank { run, platform })
        };
        self.tags.iter().enumerate().find_map(of_run)
    }
}
