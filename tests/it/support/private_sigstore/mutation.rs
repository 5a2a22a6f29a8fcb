//! The ways in which one part of an attestation, and nothing else, can be wrong.

/// One tampering. What stands before the broken part in the making is made anew to fit it, so that
/// only the check of that very part can notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mutation {
    /// No mutation: the honest twin.
    #[default]
    None,

    /// One bit of the envelope's signature.
    Signature,
    /// Signed with another key than the certificate's; the log recorded that signature.
    SignatureOfAnotherKey,
    /// The statement is another one than what was signed: one more blank.
    Payload,
    /// Signed as a DSSE envelope of another payload type.
    PayloadType,

    /// The statement is signed as it stands here, word for word.
    Statement(String),
    /// The statement names another file.
    SubjectName(String),
    /// The statement names another digest.
    SubjectDigest,
    /// The statement has no subject.
    NoSubject,
    /// The statement names this file and one more.
    TwoSubjects,
    /// The subject has a sha512 and no sha256.
    Sha512Only,
    /// The subject has a sha512 and a wrong sha256.
    WrongSha256BesideSha512,
    /// The subject has no digest at all.
    NoDigest,
    /// The statement is an in-toto statement of version 0.1.
    OldStatementType,
    /// The statement has its subject twice, as one JSON key given twice.
    DuplicateStatementKey,

    /// The certificate is of another authority with the same names.
    ForeignAuthority,
    /// The certificate has no extended key usage.
    NoCodeSigning,
    /// The certificate is for servers.
    OtherKeyUsage,
    /// The certificate has no signed certificate timestamp.
    MissingSct,
    /// One bit of the certificate timestamp's signature.
    BadSct,
    /// A good certificate timestamp, over another certificate.
    SctOfAnotherCertificate,
    /// A good certificate timestamp, of a log that is not in the trusted root.
    SctOfUnknownLog,
    /// One bit of the certificate, past its issuer's signature.
    BadCertificate,

    /// The log entry has no signed entry timestamp.
    MissingSet,
    /// One bit of the signed entry timestamp.
    BadSet,
    /// The integrated time is one second later than what the log signed.
    ChangedTime,
    /// There is no integrated time.
    MissingTime,
    /// The log signed a time after the certificate ended.
    TimeAfterCertificate,
    /// The log signed a time before the certificate began.
    TimeBeforeCertificate,
    /// The log signed a time that is yet to come.
    TimeInFuture,
    /// The log entry has no inclusion proof.
    MissingProof,
    /// One bit of a hash in the inclusion proof.
    BadProof,
    /// The inclusion proof is for another place in the tree.
    ProofIndex,
    /// The inclusion proof has another tree size than the checkpoint.
    ProofTreeSize,
    /// There is no checkpoint.
    MissingCheckpoint,
    /// One bit of the checkpoint's signature.
    CheckpointSignature,
    /// The checkpoint, well signed, is of another root than the proof.
    CheckpointRoot,
    /// Proof and checkpoint agree on a root that the log never signed.
    ForgedTree,
    /// The entry, well logged, is of another envelope.
    EntryOfAnotherEnvelope,
    /// The entry, well logged, is of the same envelope under another certificate.
    EntryOfAnotherCertificate,
    /// The entry is in a log that is not in the trusted root.
    UnknownLog,
    /// The entry is in the manner of Rekor v2.
    RekorV2,
    /// This kind and version, one blank between them, stand beside the body, which is that of a
    /// dsse 0.0.1 entry.
    StatedKind(String),
    /// The body, well logged, begins with these members instead of its kind and version.
    BodyHead(String),
    /// The entry is in the trusted root's second log, and all of it is that log's: another honest
    /// twin.
    EntryInSecondLog,
    /// The checkpoint, of the right tree, is signed by the trusted root's second log.
    CheckpointOfSecondLog,
    /// The signed entry timestamp is the trusted root's second log's.
    SetOfSecondLog,
    /// A second entry, of another envelope, beside the good one.
    SecondEntryOfAnotherEnvelope,
    /// A second entry without a signed entry timestamp beside the good one.
    SecondEntryWithoutSet,
    /// There is no log entry.
    NoEntries,
    /// More log entries than any honest document has.
    ManyEntries,

    /// The attestation is of version 2.
    Version2,
    /// The verification material is null, as in key-signed attestations.
    MaterialNull,
    /// The certificate is null.
    CertificateNull,
    /// The statement is base64 with newlines.
    StatementWithNewlines,
    /// The signature is base64 with newlines.
    SignatureWithNewlines,
    /// The certificate is base64 with newlines.
    CertificateWithNewlines,
    /// The log entry's body is base64 with newlines.
    BodyWithNewlines,
}
