//! The URL of a publisher in a trust file.
//!
//! Owns its spelling, and the equality of spellings. Parses the few allowed shapes itself, because
//! a URL parser would repair a text that must be refused.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::attestation::document::ClaimedPublisher;
use crate::failure::{Failure, Status};

/// Maximum length of a URL, in bytes.
pub const MAX_URL: usize = 1024;

const CIRCLECI_PROJECTS: &str = "circleci.com/api/v2/projects/";
const CIRCLECI_DEFINITIONS: &str = "pipeline-definitions";

/// A publisher's URL, in one of these shapes:
///
/// ```text
/// https://github.com/OWNER/REPO
/// https://gitlab.com/GROUP/…/PROJECT
/// mailto:SERVICE-ACCOUNT                                           (Google)
/// https://circleci.com/api/v2/projects/ID/pipeline-definitions/ID
/// ```
///
/// Equality follows the services: GitHub and GitLab ignore case. [`fmt::Display`] gives the
/// original spelling, without a trailing slash.
#[derive(Debug, Clone)]
pub struct PublisherUrl {
    written: String,
    normal: String,
}

/// A text that is not a valid publisher URL.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is not the URL of a publisher: {reason}")]
pub struct NotAPublisherUrl {
    url: String,
    reason: &'static str,
}

impl From<NotAPublisherUrl> for Failure {
    /// The error of a command line. A trust file has its own error, with the line.
    fn from(error: NotAPublisherUrl) -> Self {
        Self::new(Status::Usage, error.to_string())
            .hint("a publisher is written as, for example, https://github.com/OWNER/REPO")
    }
}

impl PublisherUrl {
    /// Parses a publisher's URL, with or without one trailing slash.
    ///
    /// # Errors
    /// The text has another scheme or host, a query, a fragment, credentials, a port, a path of
    /// another shape, or a forbidden character.
    pub fn parse(text: &str) -> Result<Self, NotAPublisherUrl> {
        let written = match text.strip_prefix("https://") {
            Some(_) => text.strip_suffix('/').unwrap_or(text),
            None => text,
        };
        let normal = normalise(written)
            .map_err(|reason| NotAPublisherUrl { url: text.to_owned(), reason })?;
        Ok(Self { written: written.to_owned(), normal })
    }

    /// Returns the URL that a trust file would hold for a claimed publisher. Returns `None` if the
    /// claim names no publisher that can be verified. The URL is as untrusted as the claim.
    #[must_use]
    pub fn of_claim(claim: &ClaimedPublisher) -> Option<Self> {
        let url = match claim {
            ClaimedPublisher::GitHub { repository, .. } => {
                format!("https://github.com/{repository}")
            }
            ClaimedPublisher::GitLab { repository, .. } => {
                format!("https://gitlab.com/{repository}")
            }
            ClaimedPublisher::Google { email } => format!("mailto:{email}"),
            ClaimedPublisher::CircleCi { project_id, pipeline_definition_id, .. } => format!(
                "https://{CIRCLECI_PROJECTS}{project_id}/{CIRCLECI_DEFINITIONS}/{pipeline_definition_id}"
            ),
            ClaimedPublisher::Unknown { .. }
            | ClaimedPublisher::Nameless
            | ClaimedPublisher::Incomplete { .. } => return None,
        };
        Self::parse(&url).ok()
    }

    /// Returns the URL in its original spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// Returns the spelling that equal URLs share.
fn normalise(text: &str) -> Result<String, &'static str> {
    if text.len() > MAX_URL {
        return Err("it is too long");
    }
    if let Some(address) = text.strip_prefix("mailto:") {
        return email(address).map(|()| text.to_owned());
    }
    let rest =
        text.strip_prefix("https://").ok_or("it begins neither with https:// nor mailto:")?;
    if rest.contains(['?', '#']) {
        return Err("it has a query or a fragment");
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.contains('@') {
        return Err("it has credentials");
    }
    let segments: Vec<&str> = path.split('/').collect();
    let host = host.to_ascii_lowercase();
    match (host.as_str(), segments.as_slice()) {
        ("github.com", [owner, repository]) => {
            segment(owner)?;
            segment(repository)?;
            git_suffix(repository)?;
        }
        ("github.com", _) => return Err("on github.com it is https://github.com/OWNER/REPO"),
        ("gitlab.com", [groups @ .., project]) if !groups.is_empty() => {
            segments.iter().try_for_each(|name| segment(name))?;
            git_suffix(project)?;
        }
        ("gitlab.com", _) => return Err("on gitlab.com it is https://gitlab.com/GROUP/PROJECT"),
        ("circleci.com", ["api", "v2", "projects", project, CIRCLECI_DEFINITIONS, definition]) => {
            segment(project)?;
            segment(definition)?;
            // IDs are case-sensitive, unlike names.
            return Ok(format!("https://{host}/{path}"));
        }
        ("circleci.com", _) => {
            return Err(
                "on circleci.com it is https://circleci.com/api/v2/projects/ID/pipeline-definitions/ID",
            );
        }
        _ => return Err("only github.com, gitlab.com and circleci.com can be verified"),
    }
    Ok(format!("https://{host}/{}", path.to_ascii_lowercase()))
}

fn segment(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name {
        "" => Err("a part of its path is empty"),
        "." | ".." => Err("its path has dots"),
        // GitLab's own pages of a project begin with this segment.
        "-" => Err("it is the address of a page, not of a project"),
        _ if !name.chars().all(allowed) => Err("it holds a character that names there do not have"),
        _ => Ok(()),
    }
}

fn git_suffix(name: &str) -> Result<(), &'static str> {
    let suffix = name.len().checked_sub(4).and_then(|start| name.get(start..));
    match suffix {
        Some(suffix) if suffix.eq_ignore_ascii_case(".git") => Err("it is written without .git"),
        _ => Ok(()),
    }
}

fn email(address: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    match address.split_once('@') {
        Some((name, host))
            if !name.is_empty()
                && !host.is_empty()
                && (name.chars().chain(host.chars())).all(allowed) =>
        {
            Ok(())
        }
        _ => Err("after mailto: there is one plain e-mail address"),
    }
}

impl PartialEq for PublisherUrl {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for PublisherUrl {}

impl Hash for PublisherUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal.hash(state);
    }
}

impl fmt::Display for PublisherUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
