//! Who built a file: the identity in a verified certificate, and what trust files call it.
//!
//! Owns what the certificate's claims must look like to name a publisher, and the comparison with
//! the unsigned claim of an index. A [`Publisher`] is the proof that a certificate verified: only
//! the Sigstore module makes one. Verifies nothing itself and asks nobody.

mod certificate;
mod disagreement;
mod url;

use std::fmt;

pub use certificate::{CertificateClaims, PublisherError, SubjectName};
pub use disagreement::Disagreement;
pub use url::{MAX_URL, NotAPublisherUrl, PublisherUrl};

/// The services whose identities are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublisherKind {
    /// GitHub Actions on github.com.
    GitHub,
    /// GitLab CI on gitlab.com.
    GitLab,
    /// A Google Cloud service account.
    Google,
    /// CircleCI.
    CircleCi,
}

impl PublisherKind {
    /// The name that PEP 740 documents use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Google => "Google",
            Self::CircleCi => "CircleCI",
        }
    }
}

impl fmt::Display for PublisherKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who built a file, proven by a certificate of the trusted root, and the facts of that build as
/// far as the certificate has them. The texts come from the build service: escape them before they
/// reach a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    kind: PublisherKind,
    url: PublisherUrl,
    facts: BuildFacts,
}

/// What a certificate says about a build. Nothing here takes part in trust decisions by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// The workflow's file name on GitHub, the pipeline file's path on GitLab.
    pub workflow: Option<String>,
    /// The source repository as the certificate has it (.12); on CircleCI `github.com/OWNER/REPO`.
    pub source: Option<String>,
    /// The commit that was built (.13).
    pub commit: Option<String>,
    /// The ref that was built, such as `refs/tags/v1` (.14).
    pub reference: Option<String>,
    /// The page of the run (.21).
    pub run_url: Option<String>,
    /// The deployment environment (.23; certificates from before 2026 have none).
    pub environment: Option<String>,
    /// The repository's number, which outlives renaming and is not given twice (.15).
    pub repository_id: Option<String>,
    /// The repository owner's number (.17).
    pub owner_id: Option<String>,
}

impl Publisher {
    /// Which service vouches for the identity.
    #[must_use]
    pub const fn kind(&self) -> PublisherKind {
        self.kind
    }

    /// What a trust file holds for this publisher.
    #[must_use]
    pub const fn url(&self) -> &PublisherUrl {
        &self.url
    }

    /// The facts of the build.
    #[must_use]
    pub const fn facts(&self) -> &BuildFacts {
        &self.facts
    }
}
