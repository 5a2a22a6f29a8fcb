//! One attestation in the making: statement, envelope, certificate, log entry, in that order, with
//! at most one of them broken.

use rcgen::SigningKey;
use serde_json::{Value, json};

use super::authority::{Authority, LIFE};
use super::encoding::{base64, flipped};
use super::log::{Logged, Rekor};
use super::mutation::Mutation;
use super::signer::Signer;
use super::{PUBLISH, PrivateSigstore, SIGNED_AT, p256};

pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The year 2100, for a log that lives ahead of its time.
const FAR_FUTURE: i64 = 4_102_444_800;

/// Builds one attestation.
pub struct Minting<'a> {
    sigstore: &'a PrivateSigstore,
    signer: Signer,
    filename: String,
    sha256: String,
    predicate_type: String,
    predicate: Value,
    mutation: Mutation,
}

impl<'a> Minting<'a> {
    pub(super) fn new(
        sigstore: &'a PrivateSigstore,
        signer: Signer,
        filename: &str,
        sha256: String,
    ) -> Self {
        Self {
            sigstore,
            signer,
            filename: filename.to_owned(),
            sha256,
            predicate_type: PUBLISH.to_owned(),
            predicate: Value::Null,
            mutation: Mutation::None,
        }
    }

    /// Breaks one part.
    pub fn break_it(mut self, mutation: Mutation) -> Self {
        self.mutation = mutation;
        self
    }

    /// Attests something else than that the file was published.
    pub fn predicate(mut self, predicate_type: &str, predicate: Value) -> Self {
        predicate_type.clone_into(&mut self.predicate_type);
        self.predicate = predicate;
        self
    }

    /// The attestation object (PEP 740).
    pub fn attestation(self) -> Value {
        let statement = self.statement().into_bytes();
        let key = p256();
        let foreign = (self.mutation == Mutation::ForeignAuthority).then(Authority::new);
        let authority = foreign.as_ref().unwrap_or(&self.sigstore.authority);
        let issue = || authority.issue(&self.signer, &key, &self.sigstore.ct, &self.mutation);
        let mut certificate = issue();
        let signature = match self.mutation {
            Mutation::SignatureOfAnotherKey => p256().sign(&pae(PAYLOAD_TYPE, &statement)),
            Mutation::PayloadType => key.sign(&pae("application/json", &statement)),
            _ => key.sign(&pae(PAYLOAD_TYPE, &statement)),
        }
        .unwrap();
        let logged = match self.mutation {
            Mutation::EntryOfAnotherCertificate => issue(),
            _ => certificate.clone(),
        };
        let entries = self.entries(&statement, &signature, &logged);

        if self.mutation == Mutation::BadCertificate {
            *certificate.last_mut().unwrap() ^= 1;
        }
        let statement = match self.mutation {
            Mutation::Payload => [statement, b" ".to_vec()].concat(),
            _ => statement,
        };
        let signature = match self.mutation {
            Mutation::Signature => flipped(signature),
            _ => signature,
        };
        self.assemble(&certificate, entries, &statement, &signature)
    }

    fn assemble(
        &self,
        certificate: &[u8],
        entries: Vec<Value>,
        statement: &[u8],
        signature: &[u8],
    ) -> Value {
        let lines = |text: String, on: Mutation| {
            if self.mutation == on { with_newlines(&text) } else { text }
        };
        let certificate = lines(base64(certificate), Mutation::CertificateWithNewlines);
        let mut attestation = json!({
            "version": 1,
            "verification_material": {
                "certificate": certificate,
                "transparency_entries": entries,
            },
            "envelope": {
                "statement": lines(base64(statement), Mutation::StatementWithNewlines),
                "signature": lines(base64(signature), Mutation::SignatureWithNewlines),
            },
        });
        match self.mutation {
            Mutation::Version2 => attestation["version"] = json!(2),
            Mutation::MaterialNull => attestation["verification_material"] = Value::Null,
            Mutation::CertificateNull => {
                attestation["verification_material"]["certificate"] = Value::Null;
            }
            _ => {}
        }
        attestation
    }

    fn entries(&self, statement: &[u8], signature: &[u8], certificate: &[u8]) -> Vec<Value> {
        let time = match self.mutation {
            Mutation::TimeAfterCertificate => SIGNED_AT + LIFE.as_secs() as i64,
            Mutation::TimeBeforeCertificate => SIGNED_AT - LIFE.as_secs() as i64,
            Mutation::TimeInFuture => FAR_FUTURE,
            _ => SIGNED_AT,
        };
        let other = Rekor::new();
        let rekor = match self.mutation {
            Mutation::UnknownLog => &other,
            Mutation::EntryInSecondLog => &self.sigstore.second_rekor,
            _ => &self.sigstore.rekor,
        };
        let good = Logged { payload: statement, signature, certificate };
        let elsewhere = Logged { payload: b"{\"another\":\"envelope\"}", signature, certificate };
        let entry = |logged: &Logged<'_>, mutation| {
            rekor.entry(&self.sigstore.second_rekor, logged, time, mutation)
        };
        match &self.mutation {
            Mutation::NoEntries => vec![],
            Mutation::ManyEntries => vec![entry(&good, &Mutation::None); 9],
            Mutation::EntryOfAnotherEnvelope => vec![entry(&elsewhere, &Mutation::None)],
            Mutation::SecondEntryOfAnotherEnvelope => {
                vec![entry(&good, &Mutation::None), entry(&elsewhere, &Mutation::None)]
            }
            Mutation::SecondEntryWithoutSet => {
                vec![entry(&good, &Mutation::None), entry(&good, &Mutation::MissingSet)]
            }
            mutation => vec![entry(&good, mutation)],
        }
    }

    /// The in-toto statement, in the form that PyPI's own tools write.
    fn statement(&self) -> String {
        let one =
            |name: &str, digest: &str| format!(r#"{{"name":"{name}","digest":{{{digest}}}}}"#);
        let name = self.filename.as_str();
        let right = format!(r#""sha256":"{}""#, self.sha256);
        let wrong = format!(r#""sha256":"{}""#, "0".repeat(64));
        let sha512 = format!(r#""sha512":"{}""#, "5".repeat(128));
        let subjects = match &self.mutation {
            Mutation::Statement(statement) => return statement.clone(),
            Mutation::SubjectName(other) => one(other, &right),
            Mutation::SubjectDigest => one(name, &wrong),
            Mutation::NoSubject => String::new(),
            Mutation::TwoSubjects => {
                format!("{},{}", one(name, &right), one("other-1.0.tar.gz", &wrong))
            }
            Mutation::Sha512Only => one(name, &sha512),
            Mutation::WrongSha256BesideSha512 => one(name, &format!("{wrong},{sha512}")),
            Mutation::NoDigest => one(name, ""),
            _ => one(name, &right),
        };
        let kind = match self.mutation {
            Mutation::OldStatementType => "https://in-toto.io/Statement/v0.1",
            _ => "https://in-toto.io/Statement/v1",
        };
        let twice = match self.mutation {
            Mutation::DuplicateStatementKey => {
                format!(r#""subject":[{}],"#, one("other-1.0.tar.gz", &wrong))
            }
            _ => String::new(),
        };
        format!(
            r#"{{"_type":"{kind}",{twice}"subject":[{subjects}],"predicateType":"{}","predicate":{}}}"#,
            self.predicate_type, self.predicate,
        )
    }
}

/// Returns the bytes that a DSSE signature is over.
pub(super) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// base64 as MIME wraps it.
pub(super) fn with_newlines(text: &str) -> String {
    text.as_bytes().chunks(76).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}
