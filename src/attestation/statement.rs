//! The in-toto statement of an attestation (PEP 740, "Attestation statement and signature
//! generation").
//!
//! Checks that a statement is about one file, with its sha256. The Sigstore crate does not: it
//! accepts two subjects, a subject with a sha512 only, and a wrong sha256 beside a right sha512.
//! Must not check signatures.

use serde::Deserialize;

use crate::attestation::document::MAX_DOCUMENT;
use crate::package::digest::Sha256;
use crate::package::filename::{DistFilename, NotADistFilename};
use crate::package::json::{self, JsonError};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PUBLISH: &str = "https://docs.pypi.org/attestations/publish/v1";
const SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// The file that the attestation must be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub filename: DistFilename,
    /// The sha256 of its bytes.
    pub sha256: Sha256,
}

/// The type of a statement. PEP 740 has these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicate {
    /// The publisher published the file.
    Publish,
    /// SLSA provenance: the way in which the file was built.
    SlsaProvenance,
}

/// Reasons why a statement is not about the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON, an object with a repeated key, or another shape.
    #[error("its statement is {0}")]
    Json(#[from] JsonError),
    /// Not an in-toto statement of version 1.
    #[error("its statement is of type `{0}`, not an in-toto statement of version 1")]
    Type(String),
    /// PEP 740 has no such predicate type.
    #[error("its statement is of the unknown predicate type `{0}`")]
    Predicate(String),
    /// The number of subjects is not one.
    #[error("its statement has {0} subjects, not one")]
    Subjects(usize),
    /// The subject's name is not a distribution's file name.
    #[error("its statement's subject {0}")]
    SubjectName(#[from] NotADistFilename),
    /// The subject is another file.
    #[error("its statement is about the file `{0}`")]
    OtherFile(String),
    /// The subject's digests do not include a sha256.
    #[error("its statement has no sha256 of the file")]
    NoSha256,
    /// The sha256 is not hexadecimal, or differs from the file's.
    #[error("its statement is about a file of the same name with the sha256 `{0}`")]
    OtherSha256(String),
}

#[derive(Deserialize)]
struct WireStatement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WireSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct WireSubject {
    name: String,
    #[serde(deserialize_with = "json::object")]
    digest: WireDigest,
}

/// The one digest that counts; other digests are ignored.
#[derive(Deserialize)]
struct WireDigest {
    sha256: Option<String>,
}

impl Subject {
    /// Checks that a statement is about this file alone, and returns its type.
    ///
    /// # Errors
    /// The statement is not strict JSON or not an in-toto statement of version 1, its predicate
    /// type is unknown, it does not have exactly one subject, or the subject's name (compared by
    /// its parts) or sha256 differs from this file's.
    pub fn stated_by(&self, statement: &[u8]) -> Result<Predicate, StatementError> {
        let statement: WireStatement = json::parse(statement, MAX_DOCUMENT)?;
        if statement.kind != STATEMENT_TYPE {
            return Err(StatementError::Type(statement.kind));
        }
        let predicate = match statement.predicate_type.as_str() {
            PUBLISH => Predicate::Publish,
            SLSA_PROVENANCE => Predicate::SlsaProvenance,
            _ => return Err(StatementError::Predicate(statement.predicate_type)),
        };
        let [subject] = statement.subject.as_slice() else {
            return Err(StatementError::Subjects(statement.subject.len()));
        };
        if DistFilename::parse(&subject.name)? != self.filename {
            return Err(StatementError::OtherFile(subject.name.clone()));
        }
        let stated = subject.digest.sha256.as_ref().ok_or(StatementError::NoSha256)?;
        match Sha256::parse(stated) {
            Ok(sha256) if sha256 == self.sha256 => Ok(predicate),
            _ => Err(StatementError::OtherSha256(stated.clone())),
        }
    }
}
