//! The signer of an attestation: the claims in the certificate of an honest build, and the object
//! that PyPI would write as its `publisher`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A build that signs. Each constructor gives a plausible one; the other methods change a part.
#[derive(Debug, Clone)]
pub struct Signer {
    kind: Kind,
    /// Changed or removed extensions, by their number below 1.3.6.1.4.1.57264.1.
    overrides: BTreeMap<u64, Option<String>>,
    san: Option<San>,
}

#[derive(Debug, Clone)]
enum Kind {
    GitHub { repository: String, workflow: String, reference: String, environment: Option<String> },
    GitLab { project: String, workflow: String, reference: String, environment: Option<String> },
    Google { email: String },
    CircleCi { project_id: String, pipeline_definition_id: String },
}

/// The subject alternative name of a certificate.
#[derive(Debug, Clone)]
pub enum San {
    Uri(String),
    Email(String),
}

/// The commit that every build is of.
pub const COMMIT: &str = "9d960d8a5cca31da8482192cc3010a29b0b8b81a";

impl Signer {
    /// GitHub Actions: `owner/repo`, workflow `release.yml`, on the tag `v1`.
    pub fn github(repository: &str) -> Self {
        Self::of(Kind::GitHub {
            repository: repository.to_owned(),
            workflow: "release.yml".to_owned(),
            reference: "refs/tags/v1".to_owned(),
            environment: None,
        })
    }

    /// GitLab CI: `group/project`, pipeline `.gitlab-ci.yml`, on the tag `v1`.
    pub fn gitlab(project: &str) -> Self {
        Self::of(Kind::GitLab {
            project: project.to_owned(),
            workflow: ".gitlab-ci.yml".to_owned(),
            reference: "refs/tags/v1".to_owned(),
            environment: None,
        })
    }

    /// A Google service account.
    pub fn google(email: &str) -> Self {
        Self::of(Kind::Google { email: email.to_owned() })
    }

    /// CircleCI.
    pub fn circleci(project_id: &str, pipeline_definition_id: &str) -> Self {
        Self::of(Kind::CircleCi {
            project_id: project_id.to_owned(),
            pipeline_definition_id: pipeline_definition_id.to_owned(),
        })
    }

    fn of(kind: Kind) -> Self {
        Self { kind, overrides: BTreeMap::new(), san: None }
    }

    /// Another workflow file (GitHub: the name, GitLab: the path).
    pub fn workflow(mut self, name: &str) -> Self {
        match &mut self.kind {
            Kind::GitHub { workflow, .. } | Kind::GitLab { workflow, .. } => {
                *workflow = name.to_owned();
            }
            Kind::Google { .. } | Kind::CircleCi { .. } => panic!("no workflow here"),
        }
        self
    }

    /// Another ref, such as `refs/heads/main`.
    pub fn reference(mut self, name: &str) -> Self {
        match &mut self.kind {
            Kind::GitHub { reference, .. } | Kind::GitLab { reference, .. } => {
                *reference = name.to_owned();
            }
            Kind::Google { .. } | Kind::CircleCi { .. } => panic!("no ref here"),
        }
        self
    }

    /// In a deployment environment, which the certificate and the publisher then name.
    pub fn environment(mut self, name: &str) -> Self {
        match &mut self.kind {
            Kind::GitHub { environment, .. } | Kind::GitLab { environment, .. } => {
                *environment = Some(name.to_owned());
            }
            Kind::Google { .. } | Kind::CircleCi { .. } => panic!("no environment here"),
        }
        self
    }

    /// Signed inside a reusable workflow of another repository: the SAN and the build signer (.9)
    /// are that workflow's, the build config (.18) stays the caller's.
    pub fn reusable(self, called: &str) -> Self {
        let mut signer = self.extension(9, called);
        signer.san = Some(San::Uri(called.to_owned()));
        signer
    }

    /// Another value in the extension 1.3.6.1.4.1.57264.1.`number`.
    pub fn extension(mut self, number: u64, value: &str) -> Self {
        self.overrides.insert(number, Some(value.to_owned()));
        self
    }

    /// Without the extension 1.3.6.1.4.1.57264.1.`number`.
    pub fn without_extension(mut self, number: u64) -> Self {
        self.overrides.insert(number, None);
        self
    }

    /// Another subject alternative name.
    pub fn alternative_name(mut self, san: San) -> Self {
        self.san = Some(san);
        self
    }

    /// The `publisher` that an honest index writes for this build.
    pub fn publisher(&self) -> Value {
        match &self.kind {
            Kind::GitHub { repository, workflow, environment, .. } => json!({
                "kind": "GitHub", "repository": repository, "workflow": workflow,
                "environment": environment.clone().unwrap_or_default(), "claims": null,
            }),
            Kind::GitLab { project, workflow, environment, .. } => json!({
                "kind": "GitLab", "repository": project, "workflow_filepath": workflow,
                "environment": environment, "claims": null,
            }),
            Kind::Google { email } => json!({"kind": "Google", "email": email}),
            Kind::CircleCi { project_id, pipeline_definition_id } => json!({
                "kind": "CircleCI", "project_id": project_id,
                "pipeline_definition_id": pipeline_definition_id,
                "vcs_origin": "github.com/example/mirrored", "vcs_ref": "refs/heads/main",
            }),
        }
    }

    pub(super) fn san(&self) -> San {
        self.san.clone().unwrap_or_else(|| match &self.kind {
            Kind::Google { email } => San::Email(email.clone()),
            _ => San::Uri(self.build_identity()),
        })
    }

    pub(super) fn extensions(&self) -> Vec<(u64, String)> {
        let mut all: BTreeMap<u64, String> = self.honest_extensions().into_iter().collect();
        for (number, value) in &self.overrides {
            match value {
                Some(value) => all.insert(*number, value.clone()),
                None => all.remove(number),
            };
        }
        all.into_iter().collect()
    }

    /// The URI of what runs, at the ref it runs at: SAN, build signer (.9) and build config (.18).
    fn build_identity(&self) -> String {
        match &self.kind {
            Kind::GitHub { repository, workflow, reference, .. } => {
                format!("https://github.com/{repository}/.github/workflows/{workflow}@{reference}")
            }
            Kind::GitLab { project, workflow, reference, .. } => {
                format!("https://gitlab.com/{project}//{workflow}@{reference}")
            }
            Kind::Google { email } => email.clone(),
            Kind::CircleCi { project_id, pipeline_definition_id } => format!(
                "https://circleci.com/api/v2/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}"
            ),
        }
    }

    fn honest_extensions(&self) -> Vec<(u64, String)> {
        let identity = self.build_identity();
        let (issuer, host, repository, reference, environment) = match &self.kind {
            Kind::GitHub { repository, reference, environment, .. } => (
                "https://token.actions.githubusercontent.com",
                "https://github.com",
                repository,
                reference,
                environment,
            ),
            Kind::GitLab { project, reference, environment, .. } => {
                ("https://gitlab.com", "https://gitlab.com", project, reference, environment)
            }
            Kind::Google { .. } => {
                let issuer = "https://accounts.google.com".to_owned();
                return vec![(1, issuer.clone()), (8, issuer)];
            }
            Kind::CircleCi { .. } => {
                let issuer = "https://oidc.circleci.com".to_owned();
                return vec![
                    (1, issuer.clone()),
                    (8, issuer),
                    (9, identity),
                    // As CircleCI writes it: two quotation marks.
                    (11, "\"\"".to_owned()),
                    (12, "github.com/example/mirrored".to_owned()),
                    (14, "refs/heads/main".to_owned()),
                    (18, "https://circleci.com/api/v2/pipeline/f3f6eb86/config".to_owned()),
                    (21, "https://app.circleci.com//workflow/61718d02/job/8bdcded5".to_owned()),
                ];
            }
        };
        let owner = repository.split('/').next().unwrap_or_default();
        let mut all = vec![
            (1, issuer.to_owned()),
            (8, issuer.to_owned()),
            (9, identity.clone()),
            (10, COMMIT.to_owned()),
            (11, "github-hosted".to_owned()),
            (12, format!("{host}/{repository}")),
            (13, COMMIT.to_owned()),
            (14, reference.clone()),
            (15, "1301891262".to_owned()),
            (16, format!("{host}/{owner}")),
            (17, "281386125".to_owned()),
            (18, identity),
            (19, COMMIT.to_owned()),
            (20, "push".to_owned()),
            (21, format!("{host}/{repository}/actions/runs/30570958787/attempts/1")),
            (22, "public".to_owned()),
        ];
        all.extend(environment.iter().map(|name| (23, name.clone())));
        all
    }
}
