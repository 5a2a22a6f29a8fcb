//! Compares an index's claim about the publisher with the certificate.
//!
//! Owns which differences are an error. A claim about a value that the certificate does not contain
//! cannot be compared and is ignored. A claim must never be used for a decision in favour of a
//! file.

use crate::attestation::document::ClaimedPublisher;

use crate::attestation::publisher::{Publisher, PublisherKind, PublisherUrl};

/// A claim that differs from the certificate, or that cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The claimed kind cannot be verified by this program.
    #[error(
        "the index names a publisher of the unknown kind `{kind}`, its certificate is for the subject `{subject}` of the issuer `{issuer}`"
    )]
    UnknownKind {
        /// The kind.
        kind: String,
        /// The issuer in the certificate.
        issuer: &'static str,
        /// The subject in the certificate.
        subject: String,
    },
    /// The claim states no kind.
    #[error("the index does not state the kind of the publisher")]
    Nameless,
    /// The claim lacks a key that its kind requires.
    #[error("the index names a {kind} publisher without its {missing}")]
    Incomplete {
        /// The kind.
        kind: String,
        /// The key.
        missing: &'static str,
    },
    /// The claimed kind differs from the certificate's.
    #[error("the index names a {claimed} publisher, its certificate is for a {certified} identity")]
    Kind {
        /// The kind in the claim.
        claimed: PublisherKind,
        /// The kind in the certificate.
        certified: PublisherKind,
    },
    /// A part of the claim differs from the certificate.
    #[error("the index names `{claimed}` as its {part}, its certificate says `{certified}`")]
    Part {
        /// Name of the part.
        part: &'static str,
        /// The value in the claim.
        claimed: String,
        /// The value in the certificate.
        certified: String,
    },
}

impl Publisher {
    /// Checks that an index's claim is true of this publisher.
    ///
    /// # Errors
    /// The kind is unknown or missing; or the kind, repository, workflow, environment, account,
    /// project or source differs from the certificate's.
    pub fn agrees_with(&self, claim: &ClaimedPublisher) -> Result<(), Disagreement> {
        match claim {
            ClaimedPublisher::GitHub { repository, workflow, environment } => {
                self.same_kind(PublisherKind::GitHub)?;
                self.same_url("repository", claim, repository)?;
                self.same("workflow", workflow, self.facts.workflow.as_ref(), str::to_owned)?;
                self.same_environment(environment.as_deref())
            }
            ClaimedPublisher::GitLab { repository, workflow_filepath, environment } => {
                self.same_kind(PublisherKind::GitLab)?;
                self.same_url("repository", claim, repository)?;
                let workflow = self.facts.workflow.as_ref();
                self.same("workflow", workflow_filepath, workflow, str::to_owned)?;
                self.same_environment(environment.as_deref())
            }
            ClaimedPublisher::Google { email } => {
                self.same_kind(PublisherKind::Google)?;
                self.same_url("account", claim, email)
            }
            ClaimedPublisher::CircleCi { project_id, vcs_origin, vcs_ref, .. } => {
                self.same_kind(PublisherKind::CircleCi)?;
                self.same_url("project", claim, project_id)?;
                if let Some(origin) = vcs_origin {
                    let source = self.facts.source.as_ref();
                    self.same("source", origin, source, str::to_ascii_lowercase)?;
                }
                vcs_ref.iter().try_for_each(|name| {
                    self.same("ref", name, self.facts.reference.as_ref(), str::to_owned)
                })
            }
            ClaimedPublisher::Unknown { kind } => Err(Disagreement::UnknownKind {
                kind: kind.clone(),
                issuer: self.kind.issuer(),
                subject: self.facts.subject.clone().unwrap_or_default(),
            }),
            ClaimedPublisher::Nameless => Err(Disagreement::Nameless),
            ClaimedPublisher::Incomplete { kind, missing } => {
                Err(Disagreement::Incomplete { kind: kind.clone(), missing })
            }
        }
    }

    fn same_kind(&self, claimed: PublisherKind) -> Result<(), Disagreement> {
        if self.kind == claimed {
            return Ok(());
        }
        Err(Disagreement::Kind { claimed, certified: self.kind })
    }

    fn same_url(
        &self,
        part: &'static str,
        claim: &ClaimedPublisher,
        claimed: &str,
    ) -> Result<(), Disagreement> {
        let url = PublisherUrl::of_claim(claim);
        if url.as_ref() == Some(&self.url) {
            return Ok(());
        }
        let claimed = url.map_or_else(|| claimed.to_owned(), |url| url.to_string());
        Err(Disagreement::Part { part, claimed, certified: self.url.to_string() })
    }

    /// Compares environments. GitHub ignores case in their names, and PyPI stores them in lower
    /// case.
    fn same_environment(&self, claimed: Option<&str>) -> Result<(), Disagreement> {
        let certified = self.facts.environment.as_ref();
        claimed.map_or(Ok(()), |claimed| {
            self.same("environment", claimed, certified, str::to_lowercase)
        })
    }

    fn same(
        &self,
        part: &'static str,
        claimed: &str,
        certified: Option<&String>,
        normal: fn(&str) -> String,
    ) -> Result<(), Disagreement> {
        match certified {
            Some(certified) if normal(claimed) != normal(certified) => Err(Disagreement::Part {
                part,
                claimed: claimed.to_owned(),
                certified: certified.clone(),
            }),
            _ => Ok(()),
        }
    }
}
