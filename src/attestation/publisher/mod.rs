//! Publishers: the identity in a verified certificate, and its URL in a trust file.
//!
//! Owns the claims by which a certificate names a publisher, and the comparison with the unsigned
//! claim of an index. A [`Publisher`] is the proof that a certificate was verified: only the
//! Sigstore verifier creates one. Must not do verification or network requests itself.

mod certificate;
mod disagreement;
mod url;

use std::fmt;

pub use certificate::{CertificateClaims, PublisherError, SubjectName};
pub use disagreement::Disagreement;
pub use url::{MAX_URL, NotAPublisherUrl, PublisherUrl};

/// Services whose identities can be verified.
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
    /// All services.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Google, Self::CircleCi];

    /// Returns the name in PEP 740 documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Google => "Google",
            Self::CircleCi => "CircleCI",
        }
    }

    /// Returns the issuer that certificates name.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::GitHub => "https://token.actions.githubusercontent.com",
            Self::GitLab => "https://gitlab.com",
            Self::Google => "https://accounts.google.com",
            Self::CircleCi => "https://oidc.circleci.com",
        }
    }
}

impl fmt::Display for PublisherKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The publisher of a file, proven by a certificate of the trusted root, and the facts of the build
/// that the certificate states. The build service wrote these texts, so they must be escaped before
/// they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    kind: PublisherKind,
    url: PublisherUrl,
    facts: BuildFacts,
}

/// Statements of a certificate about a build. The policy uses a field only if a pin names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// The subject alternative name: the workflow that signed, or an account.
    pub subject: Option<String>,
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
    /// The repository's number, which stays after renaming and is never reused (.15).
    pub repository_id: Option<String>,
    /// The repository owner's number (.17).
    pub owner_id: Option<String>,
}

impl Publisher {
    /// Returns the service that vouches for the identity.
    #[must_use]
    pub const fn kind(&self) -> PublisherKind {
        self.kind
    }

    /// Returns the URL of this publisher in a trust file.
    #[must_use]
    pub const fn url(&self) -> &PublisherUrl {
        &self.url
    }

    /// Returns the facts of the build.
    #[must_use]
    pub const fn facts(&self) -> &BuildFacts {
        &self.facts
    }
}
