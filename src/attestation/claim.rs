//! The `publisher` object of a bundle (PEP 740): the publisher that an index claims.
//!
//! Owns the shapes that indexes write. The claim is not signed, so it must be used only to find out
//! if the index is wrong about the publisher.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attestation::shape::is_object;
use crate::package::json::Lenient;

/// A claimed publisher. Kinds that cannot be verified are kept, so that a refusal can name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedPublisher {
    /// GitHub Actions.
    GitHub {
        /// `OWNER/REPO`.
        repository: String,
        /// The workflow's file name.
        workflow: String,
        /// The deployment environment; `""` and null mean none.
        environment: Option<String>,
    },
    /// GitLab CI.
    GitLab {
        /// `GROUP/…/PROJECT`.
        repository: String,
        /// The path of the pipeline's file in the repository.
        workflow_filepath: String,
        /// The deployment environment; `""` and null mean none.
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
        /// The place of the sources, such as `github.com/OWNER/REPO`.
        vcs_origin: Option<String>,
        /// The ref that was built.
        vcs_ref: Option<String>,
    },
    /// A kind that this program cannot verify, such as `Pulp User`.
    Unknown {
        /// The kind in the document.
        kind: String,
    },
    /// The kind is null, missing or not a text, or there is no `publisher` at all.
    Nameless,
    /// A known kind without a key that the kind requires.
    Incomplete {
        /// The kind in the document.
        kind: String,
        /// The key that is missing or not a text.
        missing: &'static str,
    },
}

/// The keys of all kinds. A value that is not a text counts as missing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ClaimFields {
    kind: Lenient,
    repository: Lenient,
    workflow: Lenient,
    workflow_filepath: Lenient,
    environment: Lenient,
    email: Lenient,
    project_id: Lenient,
    pipeline_definition_id: Lenient,
    vcs_origin: Lenient,
    vcs_ref: Lenient,
}

impl ClaimedPublisher {
    /// Reads the value of `publisher`. Other keys (`claims` among them) are ignored.
    pub(super) fn read(text: Option<&RawValue>) -> Self {
        let text = text.filter(|text| is_object(text));
        let wire: Option<ClaimFields> = text.and_then(|text| serde_json::from_str(text.get()).ok());
        let Some(wire) = wire else { return Self::Nameless };
        let Some(kind) = wire.kind.0 else { return Self::Nameless };
        let some = |value: Lenient| value.0.filter(|text| !text.is_empty());
        let need = |key: &'static str, value: Lenient| {
            some(value).ok_or_else(|| Self::Incomplete { kind: kind.clone(), missing: key })
        };
        let read = || match kind.as_str() {
            "GitHub" => Ok(Self::GitHub {
                repository: need("repository", wire.repository)?,
                workflow: need("workflow", wire.workflow)?,
                environment: some(wire.environment),
            }),
            "GitLab" => Ok(Self::GitLab {
                repository: need("repository", wire.repository)?,
                workflow_filepath: need("workflow_filepath", wire.workflow_filepath)?,
                environment: some(wire.environment),
            }),
            "Google" => Ok(Self::Google { email: need("email", wire.email)? }),
            "CircleCI" => Ok(Self::CircleCi {
                project_id: need("project_id", wire.project_id)?,
                pipeline_definition_id: need(
                    "pipeline_definition_id",
                    wire.pipeline_definition_id,
                )?,
                vcs_origin: some(wire.vcs_origin),
                vcs_ref: some(wire.vcs_ref),
            }),
            _ => Ok(Self::Unknown { kind: kind.clone() }),
        };
        read().unwrap_or_else(|incomplete| incomplete)
    }
}
