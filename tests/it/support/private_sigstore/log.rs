//! The transparency log (Rekor v1): entries with a Merkle proof, a checkpoint and a signed
//! entry timestamp.

use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};

use super::encoding::{base64, flipped, flipped_base64, sha256};
use super::mutation::Mutation;
use super::p256;

const NAME: &str = "rekor.example";
const ORIGIN: &str = "rekor.example - 4242";
/// The index of the entry in its tree of four, and in the log as a whole.
const LEAF_INDEX: u64 = 2;
const TREE_SIZE: u64 = 4;
const LOG_INDEX: u64 = 1_000_002;

pub(super) struct Rekor {
    key: KeyPair,
}

/// The logged parts: the DSSE envelope's payload and signature, and the certificate (DER).
pub(super) struct Logged<'a> {
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) certificate: &'a [u8],
}

impl Rekor {
    pub(super) fn new() -> Self {
        Self { key: p256() }
    }

    pub(super) fn key(&self) -> &KeyPair {
        &self.key
    }

    fn id(&self) -> [u8; 32] {
        sha256(&self.key.subject_public_key_info())
    }

    /// A whole entry as a document carries it (`TransparencyLogEntry` of Sigstore's protobuf).
    /// `second` signs where a mutation has another log of the same root sign.
    pub(super) fn entry(
        &self,
        second: &Self,
        logged: &Logged<'_>,
        time: i64,
        mutation: &Mutation,
    ) -> Value {
        let (kind, version) = match mutation {
            Mutation::RekorV2 => ("hashedrekord", "0.0.2"),
            Mutation::StatedKind(stated) => stated.split_once(' ').unwrap(),
            _ => ("dsse", "0.0.1"),
        };
        let body = match mutation {
            Mutation::RekorV2 => v2_body(logged),
            Mutation::BodyHead(head) => body(head, logged),
            _ => body(r#""apiVersion":"0.0.1","kind":"dsse""#, logged),
        };
        let promises = if *mutation == Mutation::SetOfSecondLog { second } else { self };
        let vouches = if *mutation == Mutation::CheckpointOfSecondLog { second } else { self };
        let mut entry = json!({
            "logIndex": LOG_INDEX.to_string(),
            "logId": {"keyId": base64(self.id())},
            "kindVersion": {"kind": kind, "version": version},
            "integratedTime": time.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": base64(promises.set(&body, time))},
            "inclusionProof": vouches.proof(&body, mutation),
            "canonicalizedBody": base64(&body),
        });
        match mutation {
            Mutation::MissingSet => remove(&mut entry, "inclusionPromise"),
            Mutation::MissingProof => remove(&mut entry, "inclusionProof"),
            Mutation::MissingTime => remove(&mut entry, "integratedTime"),
            Mutation::ChangedTime => entry["integratedTime"] = json!((time + 1).to_string()),
            Mutation::BadSet => {
                let set = &mut entry["inclusionPromise"]["signedEntryTimestamp"];
                *set = json!(flipped_base64(set.as_str().unwrap()));
            }
            Mutation::BodyWithNewlines => {
                let body = &mut entry["canonicalizedBody"];
                *body = json!(super::minting::with_newlines(body.as_str().unwrap()));
            }
            _ => {}
        }
        entry
    }

    /// The signature over the canonical form of body, time, log and index.
    fn set(&self, body: &[u8], time: i64) -> Vec<u8> {
        let signed = format!(
            r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{LOG_INDEX}}}"#,
            base64(body),
            hex::encode(self.id()),
        );
        self.key.sign(signed.as_bytes()).unwrap()
    }

    fn proof(&self, body: &[u8], mutation: &Mutation) -> Value {
        // Four leaves: ours is the third, beside one neighbour and under one node.
        let neighbour = leaf(b"the fourth entry");
        let left = node(&leaf(b"the first entry"), &leaf(b"the second entry"));
        let root = node(&left, &node(&leaf(body), &neighbour));
        let mut hashes = [neighbour, left];
        let (mut index, mut size) = (LEAF_INDEX, TREE_SIZE);
        let mut proof_root = root;
        let mut checkpoint_root = root;
        match mutation {
            Mutation::BadProof => hashes[0][7] ^= 1,
            Mutation::ProofIndex => index -= 1,
            Mutation::ProofTreeSize => size -= 1,
            Mutation::CheckpointRoot => checkpoint_root[7] ^= 1,
            Mutation::ForgedTree => {
                hashes[1][7] ^= 1;
                proof_root = node(&hashes[1], &node(&leaf(body), &neighbour));
            }
            _ => {}
        }
        let mut note = format!("{ORIGIN}\n{TREE_SIZE}\n{}\n", base64(checkpoint_root));
        let mut signature = self.key.sign(note.as_bytes()).unwrap();
        match mutation {
            Mutation::CheckpointSignature => signature = flipped(signature),
            // The signature stays that of the log's own root.
            Mutation::ForgedTree => {
                note = format!("{ORIGIN}\n{TREE_SIZE}\n{}\n", base64(proof_root))
            }
            _ => {}
        }
        let hinted = [&self.id()[..4], &signature].concat();
        let mut proof = json!({
            "logIndex": index.to_string(),
            "rootHash": base64(proof_root),
            "treeSize": size.to_string(),
            "hashes": hashes.map(base64),
            "checkpoint": {"envelope": format!("{note}\n— {NAME} {}\n", base64(hinted))},
        });
        if *mutation == Mutation::MissingCheckpoint {
            remove(&mut proof, "checkpoint");
        }
        proof
    }
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().unwrap().remove(key);
}

fn pem(certificate: &[u8]) -> String {
    let text = base64(certificate);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// The body of a `dsse` 0.0.1 entry, canonical if it begins with the head of one.
fn body(head: &str, logged: &Logged<'_>) -> Vec<u8> {
    let envelope = format!(
        r#"{{"payload":"{}","payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"{}"}}]}}"#,
        base64(logged.payload),
        base64(logged.signature),
    );
    format!(
        concat!(
            r#"{{{head},"spec":{{"#,
            r#""envelopeHash":{{"algorithm":"sha256","value":"{}"}},"#,
            r#""payloadHash":{{"algorithm":"sha256","value":"{}"}},"#,
            r#""signatures":[{{"signature":"{}","verifier":"{}"}}]}}}}"#,
        ),
        hex::encode(sha256(envelope.as_bytes())),
        hex::encode(sha256(logged.payload)),
        base64(logged.signature),
        base64(pem(logged.certificate)),
        head = head,
    )
    .into_bytes()
}

/// The body of a `hashedrekord` 0.0.2 entry, which Rekor v2 makes of a DSSE envelope.
fn v2_body(logged: &Logged<'_>) -> Vec<u8> {
    let pae = super::minting::pae(super::minting::PAYLOAD_TYPE, logged.payload);
    json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
        "data": {"algorithm": "SHA2_256", "digest": base64(sha256(&pae))},
        "signature": {
            "content": base64(logged.signature),
            "verifier": {
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "x509Certificate": {"rawBytes": base64(logged.certificate)},
            },
        },
    }}})
    .to_string()
    .into_bytes()
}

fn leaf(body: &[u8]) -> [u8; 32] {
    sha256(&[&[0], body].concat())
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[1][..], left, right].concat())
}
