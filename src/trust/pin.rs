//! What a project is bound to: a publisher, and what else its certificate must say.
//!
//! Owns the meaning of the fields behind the URL. Knows neither the file they stand in nor the
//! verdicts that follow.

use std::fmt;

use crate::attestation::publisher::PublisherUrl;

/// The publisher a project is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Who may build it.
    pub url: PublisherUrl,
    /// What the certificate must say besides; each field at most once.
    conditions: Vec<Condition>,
}

/// One `KEY=VALUE`: the certificate must state exactly this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which statement of the certificate.
    pub field: Field,
    /// The value, with `%20` and the like resolved. Compared byte for byte.
    pub value: String,
}

/// The statements of a certificate that a pin can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `workflow=`: the workflow's file, as in `release.yml`; on GitLab its path.
    Workflow,
    /// `environment=`: the deployment environment.
    Environment,
    /// `repository-id=`: the source repository's number, which outlives a change of name.
    RepositoryId,
    /// `owner-id=`: the repository owner's number, which a new owner of the old name lacks.
    OwnerId,
}

/// A field of a pin that does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A third word that is no field.
    #[error("`{0}` is not KEY=VALUE")]
    NotAField(String),
    /// A field that this version cannot hold the certificate to.
    #[error("unknown field `{0}` (known are workflow, environment, repository-id and owner-id)")]
    Unknown(String),
    /// The same field a second time.
    #[error("`{0}` is given twice")]
    Twice(Field),
    /// Nothing to compare with.
    #[error("`{0}` has no value")]
    Empty(Field),
    /// A `%` that is not followed by two hexadecimal digits, or that hides bytes that are no text.
    #[error("`{0}` is not percent-encoded text")]
    Encoding(String),
}

/// Two pins of one project that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// What the first pin says: a publisher, or `KEY=VALUE`.
    pub first: String,
    /// What the second pin says instead.
    pub second: String,
}

impl Pin {
    /// Bound to a publisher, without further conditions.
    #[must_use]
    pub const fn to(url: PublisherUrl) -> Self {
        Self { url, conditions: Vec::new() }
    }

    /// Adds a condition.
    ///
    /// # Errors
    /// The field has one already.
    pub fn add(&mut self, condition: Condition) -> Result<(), FieldError> {
        if self.conditions.iter().any(|other| other.field == condition.field) {
            return Err(FieldError::Twice(condition.field));
        }
        self.conditions.push(condition);
        Ok(())
    }

    /// Both pins together: the publisher that both name, under the conditions of either.
    ///
    /// # Errors
    /// They name different publishers, or different values for one field.
    pub fn and(&self, other: &Self) -> Result<Self, Clash> {
        if self.url != other.url {
            let (first, second) = (self.url.to_string(), other.url.to_string());
            return Err(Clash { first, second });
        }
        let mut both = self.clone();
        for condition in &other.conditions {
            match self.conditions.iter().find(|known| known.field == condition.field) {
                None => both.conditions.push(condition.clone()),
                Some(known) if known == condition => {}
                Some(known) => {
                    let (first, second) = (known.to_string(), condition.to_string());
                    return Err(Clash { first, second });
                }
            }
        }
        Ok(both)
    }

    /// What the certificate must say besides the URL, in the order of the line.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Workflow, Self::Environment, Self::RepositoryId, Self::OwnerId];

    /// The key, as the trust file spells it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Environment => "environment",
            Self::RepositoryId => "repository-id",
            Self::OwnerId => "owner-id",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Condition {
    /// Reads `KEY=VALUE`. A value that holds a blank writes it as `%20`, and `%` as `%25`.
    ///
    /// # Errors
    /// There is no `=`, the key is unknown, or the value is empty or wrongly encoded.
    pub fn parse(word: &str) -> Result<Self, FieldError> {
        let Some((key, value)) = word.split_once('=') else {
            return Err(FieldError::NotAField(word.to_owned()));
        };
        let field = Field::ALL.into_iter().find(|field| field.key() == key);
        let field = field.ok_or_else(|| FieldError::Unknown(key.to_owned()))?;
        if value.is_empty() {
            return Err(FieldError::Empty(field));
        }
        let value = percent_decoded(value).ok_or_else(|| FieldError::Encoding(word.to_owned()))?;
        Ok(Self { field, value })
    }
}

impl fmt::Display for Condition {
    /// For people to read: the value without its percent-encoding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.field, self.value)
    }
}

/// The text behind a percent-encoding (RFC 3986, 2.1), if it is one and is UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|pair| pair.bytes().all(|c| c.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
