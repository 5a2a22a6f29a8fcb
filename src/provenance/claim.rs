//! The `publisher` object of a bundle (PEP 740): who an index says built the file.
//!
//! Owns the shapes that indexes write. It is not signed, so nothing may be decided by it but
//! whether the index tells the truth.

use serde_json::Value;

/// A claimed publisher. Kinds that nobody can verify are kept, to be refused by their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedPublisher {
    /// GitHub Actions.
    GitHub {
        /// `OWNER/REPO`.
        repository: String,
        /// The workflow's file name.
        workflow: String,
        /// The deployment environment; `""` and null are none.
        environment: Option<String>,
    },
    /// GitLab CI.
    GitLab {
        /// `GROUP/…/PROJECT`.
        repository: String,
        /// The path of the pipeline's file in the repository.
        workflow_filepath: String,
        /// The deployment environment; `""` and null are none.
        environment: Option<String>,
    },
    /// A Google service account.
    Google {
        /// Its e-mail address.
        email: String,
    },
    /// CircleCI.
    CircleCi {
        /// The project's id.
        project_id: String,
        /// The pipeline definition's id.
        pipeline_definition_id: String,
        /// Where the sources are, such as `github.com/OWNER/REPO`.
        vcs_origin: Option<String>,
        /// Which ref was built.
        vcs_ref: Option<String>,
    },
    /// A kind that has no verifiable identity here, such as `Pulp User`.
    Unknown {
        /// Its name in the document.
        kind: String,
    },
    /// The kind is null, missing, or no text, or there is no `publisher` at all.
    Nameless,
    /// A known kind, without what that kind needs.
    Incomplete {
        /// Its name in the document.
        kind: String,
        /// The key that is missing or no text.
        missing: &'static str,
    },
}

impl ClaimedPublisher {
    /// Reads the value of `publisher`. Further keys (`claims` among them) are passed over.
    pub(super) fn read(value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let some = |key: &str| text(key).filter(|text| !text.is_empty());
        let Some(kind) = text("kind") else {
            return Self::Nameless;
        };
        let need = |key: &'static str| {
            some(key).ok_or_else(|| Self::Incomplete { kind: kind.clone(), missing: key })
        };
        let read = || match kind.as_str() {
            "GitHub" => Ok(Self::GitHub {
                repository: need("repository")?,
                workflow: need("workflow")?,
                environment: some("environment"),
            }),
            "GitLab" => Ok(Self::GitLab {
                repository: need("repository")?,
                workflow_filepath: need("workflow_filepath")?,
                environment: some("environment"),
            }),
            "Google" => Ok(Self::Google { email: need("email")? }),
            "CircleCI" => Ok(Self::CircleCi {
                project_id: need("project_id")?,
                pipeline_definition_id: need("pipeline_definition_id")?,
                vcs_origin: some("vcs_origin"),
                vcs_ref: some("vcs_ref"),
            }),
            _ => Ok(Self::Unknown { kind: kind.clone() }),
        };
        read().unwrap_or_else(|incomplete| incomplete)
    }
}
