//! Reads a publisher from the claims of a certificate.
//!
//! Owns the list of known issuers, and the claims that each issuer must state consistently. The
//! numbers are those of Fulcio's extensions, 1.3.6.1.4.1.57264.1.N (Fulcio, `docs/oid-info.md`).

use crate::attestation::publisher::{BuildFacts, Publisher, PublisherKind, PublisherUrl};

/// The claims of a signing certificate, extracted by the verifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateClaims {
    /// The subject alternative name.
    pub subject: Option<SubjectName>,
    /// .8: the OIDC issuer.
    pub issuer: Option<String>,
    /// .9: the build signer; differs from the build config where a reusable workflow signs.
    pub build_signer: Option<String>,
    /// .12: the source repository.
    pub source_repository: Option<String>,
    /// .13: the commit.
    pub source_digest: Option<String>,
    /// .14: the ref.
    pub source_ref: Option<String>,
    /// .15: the repository's number.
    pub repository_id: Option<String>,
    /// .17: the owner's number.
    pub owner_id: Option<String>,
    /// .18: the build config, the caller of a reusable workflow.
    pub build_config: Option<String>,
    /// .21: the run.
    pub run_url: Option<String>,
    /// .23: the deployment environment.
    pub environment: Option<String>,
}

/// A certificate's subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectName {
    /// A URI, of a build.
    Uri(String),
    /// An e-mail address, of an account.
    Email(String),
}

impl SubjectName {
    /// Returns the text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uri(text) | Self::Email(text) => text,
        }
    }
}

/// Reasons why a valid certificate names no publisher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// The certificate has no issuer extension.
    #[error("its certificate names no issuer of the identity")]
    NoIssuer,
    /// The issuer is not known to this program.
    #[error(
        "its certificate is for the subject `{subject}` of the issuer `{issuer}`, a service that is not known here"
    )]
    UnknownIssuer {
        /// The issuer.
        issuer: String,
        /// The subject.
        subject: String,
    },
    /// The certificate lacks a claim that its issuer always states.
    #[error("its certificate, for a {kind} identity, does not say its {claim}")]
    Missing {
        /// The service.
        kind: PublisherKind,
        /// Name of the claim.
        claim: &'static str,
    },
    /// A claim has a form that names no publisher of that service.
    #[error("its certificate, for a {kind} identity, has `{value}` as its {claim}")]
    Malformed {
        /// The service.
        kind: PublisherKind,
        /// Name of the claim.
        claim: &'static str,
        /// The value.
        value: String,
    },
    /// The build config is not a file of the source repository at the built ref or commit.
    #[error(
        "its certificate says `{build_config}` was run, which is not a workflow of {repository} at the commit that was built"
    )]
    ForeignBuildConfig {
        /// The build config.
        build_config: String,
        /// The source repository.
        repository: String,
    },
}

impl Publisher {
    /// Returns the publisher that a certificate names. The returned [`Publisher`] is the proof that
    /// the certificate was verified: only the Sigstore verifier may call this function, after
    /// verification, and a test enforces that.
    ///
    /// # Errors
    /// The issuer is unknown, a claim is missing or malformed, or the build config is not a file of
    /// the source repository.
    pub fn from_verified_certificate(claims: &CertificateClaims) -> Result<Self, PublisherError> {
        let issuer = claims.issuer.as_deref().ok_or(PublisherError::NoIssuer)?;
        match PublisherKind::ALL.into_iter().find(|kind| kind.issuer() == issuer) {
            Some(kind @ (PublisherKind::GitHub | PublisherKind::GitLab)) => {
                repository(kind, claims)
            }
            Some(PublisherKind::Google) => google(claims),
            Some(PublisherKind::CircleCi) => circleci(claims),
            None => Err(PublisherError::UnknownIssuer {
                issuer: issuer.to_owned(),
                subject: claims.subject.as_ref().map_or("", SubjectName::as_str).to_owned(),
            }),
        }
    }
}

fn repository(
    kind: PublisherKind,
    claims: &CertificateClaims,
) -> Result<Publisher, PublisherError> {
    let missing = |claim| PublisherError::Missing { kind, claim };
    let written = claims.source_repository.as_deref().ok_or(missing("source repository"))?;
    let malformed = || PublisherError::Malformed {
        kind,
        claim: "source repository",
        value: written.to_owned(),
    };
    let host = match kind {
        PublisherKind::GitHub => "https://github.com/",
        _ => "https://gitlab.com/",
    };
    if !written.starts_with(host) || written.ends_with('/') {
        return Err(malformed());
    }
    let url = PublisherUrl::parse(written).map_err(|_| malformed())?;
    let build_config = claims.build_config.as_deref().ok_or(missing("build configuration"))?;
    if claims.source_digest.is_none() && claims.source_ref.is_none() {
        return Err(missing("commit or ref"));
    }
    let workflow = workflow(kind, claims, written, build_config).ok_or_else(|| {
        PublisherError::ForeignBuildConfig {
            build_config: build_config.to_owned(),
            repository: written.to_owned(),
        }
    })?;
    let facts = BuildFacts { workflow: Some(workflow.to_owned()), ..facts(claims) };
    Ok(Publisher { kind, url, facts })
}

/// Returns the file in `REPO/.github/workflows/FILE@REF` (GitHub) or `REPO//FILE@REF` (GitLab),
/// where REF must be the certificate's own ref or commit.
fn workflow<'a>(
    kind: PublisherKind,
    claims: &CertificateClaims,
    repository: &str,
    build_config: &'a str,
) -> Option<&'a str> {
    let (start, rest) = build_config.split_at_checked(repository.len())?;
    let rest = match kind {
        PublisherKind::GitHub => rest.strip_prefix("/.github/workflows/")?,
        _ => rest.strip_prefix("//")?,
    };
    let at = [&claims.source_ref, &claims.source_digest].into_iter().flatten();
    let file = at.filter_map(|at| rest.strip_suffix(at.as_str())?.strip_suffix('@')).next()?;
    // GitHub runs workflows from this directory only, not from directories below it.
    let nested = kind == PublisherKind::GitHub && file.contains('/');
    (start.eq_ignore_ascii_case(repository) && !file.is_empty() && !nested).then_some(file)
}

fn google(claims: &CertificateClaims) -> Result<Publisher, PublisherError> {
    let kind = PublisherKind::Google;
    let Some(SubjectName::Email(email)) = &claims.subject else {
        return Err(PublisherError::Missing { kind, claim: "e-mail address" });
    };
    let url = PublisherUrl::parse(&format!("mailto:{email}")).map_err(|_| {
        PublisherError::Malformed { kind, claim: "e-mail address", value: email.clone() }
    })?;
    Ok(Publisher { kind, url, facts: facts(claims) })
}

fn circleci(claims: &CertificateClaims) -> Result<Publisher, PublisherError> {
    let kind = PublisherKind::CircleCi;
    let claim = "build signer";
    let signer = claims.build_signer.as_deref().ok_or(PublisherError::Missing { kind, claim })?;
    let malformed = || PublisherError::Malformed { kind, claim, value: signer.to_owned() };
    if !signer.starts_with("https://circleci.com/") || signer.ends_with('/') {
        return Err(malformed());
    }
    let url = PublisherUrl::parse(signer).map_err(|_| malformed())?;
    Ok(Publisher { kind, url, facts: facts(claims) })
}

fn facts(claims: &CertificateClaims) -> BuildFacts {
    // CircleCI writes two quotation marks for an empty value.
    let said =
        |claim: &Option<String>| claim.clone().filter(|text| !text.is_empty() && text != "\"\"");
    BuildFacts {
        subject: claims.subject.as_ref().map(|subject| subject.as_str().to_owned()),
        workflow: None,
        source: said(&claims.source_repository),
        commit: said(&claims.source_digest),
        reference: said(&claims.source_ref),
        run_url: said(&claims.run_url),
        environment: said(&claims.environment),
        repository_id: said(&claims.repository_id),
        owner_id: said(&claims.owner_id),
    }
}
