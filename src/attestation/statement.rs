//! What an attestation states: the in-toto statement inside it (PEP 740, "Attestation statement and
//! signature generation").
//!
//! Owns the binding of a statement to one file. The Sigstore verifier alone accepts two subjects, a
//! subject with a sha512 only, and a wrong sha256 beside a right sha512. Says nothing of who
//! signed.

use serde::Deserialize;

use crate::attestation::document::MAX_DOCUMENT;
use crate::package::digest::Sha256;
use crate::package::filename::{DistFilename, NotADistFilename};
use crate::package::json::{self, JsonError};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PUBLISH: &str = "https://docs.pypi.org/attestations/publish/v1";
const SLSA_PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// The file that is to be attested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub filename: DistFilename,
    /// The sha256 of its bytes.
    pub sha256: Sha256,
}

/// What is stated about the file. PEP 740 has these two types and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicate {
    /// That its builder published it.
    Publish,
    /// How it was built (SLSA provenance).
    SlsaProvenance,
}

/// Why a statement says nothing about the file.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not JSON, a key given twice, or another shape.
    #[error("its statement is {0}")]
    Json(#[from] JsonError),
    /// Not an in-toto statement of version 1.
    #[error("its statement is of type `{0}`, not an in-toto statement of version 1")]
    Type(String),
    /// Another predicate type than PEP 740 knows.
    #[error("its statement is of the unknown predicate type `{0}`")]
    Predicate(String),
    /// None or several.
    #[error("its statement has {0} subjects, not one")]
    Subjects(usize),
    /// The subject's name is no file name of a distribution.
    #[error("its statement's subject {0}")]
    SubjectName(#[from] NotADistFilename),
    /// It is about another file.
    #[error("its statement is about the file `{0}`")]
    OtherFile(String),
    /// The subject's digests do not include a sha256.
    #[error("its statement has no sha256 of the file")]
    NoSha256,
    /// The sha256 is not hexadecimal, or another one.
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

/// The one digest that counts; the others are passed over.
#[derive(Deserialize)]
struct WireDigest {
    sha256: Option<String>,
}

impl Subject {
    /// Checks that a statement is about this file and no other.
    ///
    /// # Errors
    /// The statement is not strict JSON or no in-toto statement of version 1, its predicate type is
    /// unknown, it has not exactly one subject, or that one's name (compared by parsing) or sha256
    /// is not this file's.
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
