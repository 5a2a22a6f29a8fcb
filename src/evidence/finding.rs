//! Findings: the verdicts of a run, with the files that they are about.

use crate::evidence::release::SignedShare;
use crate::package::lock::File;
use crate::package::name::PackageName;
use crate::trust::policy::Verdict;

/// The result for one file, or for a source that is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The project.
    pub name: PackageName,
    /// `name version`.
    pub title: String,
    /// The file, with its sha256. `None` for version control and directories.
    pub file: Option<File>,
    /// The verdict.
    pub verdict: Verdict,
    /// The signed share of the release of an unsigned file, if there is one: a remark.
    pub release: Option<SignedShare>,
}

impl Finding {
    /// Returns whether the file must not be installed.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Fail(_))
    }
}
