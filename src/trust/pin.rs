//! A pin: the publisher that a project is bound to, and further conditions on its certificate.
//!
//! Owns the meaning of the fields behind the URL. Must not know the file or the verdicts.

use std::fmt;

use crate::attestation::publisher::PublisherUrl;

/// The publisher that a project is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The publisher's URL.
    pub url: PublisherUrl,
    /// Further conditions on the certificate, at most one for each field.
    conditions: Vec<Condition>,
}

/// One `KEY=VALUE`: the certificate must state exactly this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The field of the certificate.
    pub field: Field,
    /// The value, with percent-encoding resolved. Compared byte for byte.
    pub value: String,
}

/// The fields of a certificate that a pin can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `workflow=`: the workflow's file, as in `release.yml`; on GitLab its path.
    Workflow,
    /// `environment=`: the deployment environment.
    Environment,
    /// `repository-id=`: the number of the source repository, which stays when the repository is
    /// renamed.
    RepositoryId,
    /// `owner-id=`: the number of the repository's owner. A new owner of the old name has another
    /// number.
    OwnerId,
}

/// Reasons why a field of a pin cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A third word that is not `KEY=VALUE`.
    #[error("`{0}` is not KEY=VALUE")]
    NotAField(String),
    /// A field that this version cannot compare with a certificate.
    #[error("unknown field `{0}` (known are workflow, environment, repository-id and owner-id)")]
    Unknown(String),
    /// A second field of one key.
    #[error("`{0}` is given twice")]
    Twice(Field),
    /// An empty value.
    #[error("`{0}` has no value")]
    Empty(Field),
    /// A `%` that is not followed by two hexadecimal digits, or bytes that are not UTF-8.
    #[error("`{0}` is not percent-encoded text")]
    Encoding(String),
}

/// Two pins of one project that cannot both be satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The value in the first pin: a publisher, or `KEY=VALUE`.
    pub first: String,
    /// The value in the second pin.
    pub second: String,
}

impl Pin {
    /// Returns a pin to a publisher, without further conditions.
    #[must_use]
    pub const fn to(url: PublisherUrl) -> Self {
        Self { url, conditions: Vec::new() }
    }

    /// Adds a condition.
    ///
    /// # Errors
    /// The pin has a condition for this field already.
    pub fn add(&mut self, condition: Condition) -> Result<(), FieldError> {
        if self.conditions.iter().any(|other| other.field == condition.field) {
            return Err(FieldError::Twice(condition.field));
        }
        self.conditions.push(condition);
        Ok(())
    }

    /// Combines both pins: the publisher that both name, under the conditions of both.
    ///
    /// # Errors
    /// The pins name different publishers, or different values for one field.
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

    /// Returns the conditions besides the URL, in the order of the line.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 4] =
        [Self::Workflow, Self::Environment, Self::RepositoryId, Self::OwnerId];

    /// Returns the key in the trust file.
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
    /// Parses `KEY=VALUE`. In the value, a blank is written `%20`, and `%` is written `%25`.
    ///
    /// # Errors
    /// The `=` is missing, the key is unknown, or the value is empty or wrongly encoded.
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
    /// Writes the field for messages: the value without percent-encoding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.field, self.value)
    }
}

/// Decodes percent-encoding (RFC 3986, 2.1). Returns `None` if it is malformed or not UTF-8.
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
