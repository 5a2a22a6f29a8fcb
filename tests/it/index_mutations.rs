//! Every mutilation of an attestation, served by an index: the whole way from the page to the
//! verdict, beside an honest twin of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::index::{Fault, LoopbackIndex};
use crate::support::private_sigstore::{Mutation, PrivateSigstore, bundle, document};
use crate::support::served::{Before, broken, lock, octo, pin, signed, wheel, world};
use crate::support::wheel::Distribution;

/// A list of mutations that does not compile when one is missing.
macro_rules! every_mutation {
    ($($name:ident $(($text:expr))?),* $(,)?) => {{
        let _none_is_missing = |mutation: &Mutation| match mutation {
            Mutation::None | Mutation::EntryInSecondLog => {}
            $(Mutation::$name { .. } => {})*
        };
        vec![$((stringify!($name), Mutation::$name $(($text.to_owned()))?)),*]
    }};
}

fn every_mutation() -> Vec<(&'static str, Mutation)> {
    every_mutation![
        Signature,
        SignatureOfAnotherKey,
        Payload,
        PayloadType,
        Statement("[]"),
        SubjectName("another-1.0-py3-none-any.whl"),
        SubjectDigest,
        NoSubject,
        TwoSubjects,
        Sha512Only,
        WrongSha256BesideSha512,
        NoDigest,
        OldStatementType,
        DuplicateStatementKey,
        ForeignAuthority,
        NoCodeSigning,
        OtherKeyUsage,
        MissingSct,
        BadSct,
        SctOfAnotherCertificate,
        SctOfUnknownLog,
        BadCertificate,
        MissingSet,
        BadSet,
        ChangedTime,
        MissingTime,
        TimeAfterCertificate,
        TimeBeforeCertificate,
        TimeInFuture,
        MissingProof,
        BadProof,
        ProofIndex,
        ProofTreeSize,
        MissingCheckpoint,
        CheckpointSignature,
        CheckpointRoot,
        ForgedTree,
        EntryOfAnotherEnvelope,
        EntryOfAnotherCertificate,
        UnknownLog,
        RekorV2,
        StatedKind("tuf 0.0.1"),
        BodyHead(r#""apiVersion":"0.0.1","kind":"intoto""#),
        CheckpointOfSecondLog,
        SetOfSecondLog,
        SecondEntryOfAnotherEnvelope,
        SecondEntryWithoutSet,
        NoEntries,
        ManyEntries,
        Version2,
        MaterialNull,
        CertificateNull,
        StatementWithNewlines,
        SignatureWithNewlines,
        CertificateWithNewlines,
        BodyWithNewlines,
    ]
}

#[test]
fn mutated_attestation_fails_and_its_honest_twin_passes() {
    let projects: BTreeMap<String, (Distribution, Mutation)> = every_mutation()
        .into_iter()
        .flat_map(|(name, mutation)| [(name, mutation), (name, Mutation::None)])
        .map(|(name, mutation)| {
            let twin = if mutation == Mutation::None { "honest" } else { "broken" };
            let project = format!("{}-{twin}", name.to_lowercase());
            (project.clone(), (wheel(&project, "1.0"), mutation))
        })
        .collect();
    let mut index = LoopbackIndex::builder();
    for (project, (file, mutation)) in &projects {
        let file = match mutation {
            Mutation::None => signed(file, &octo("all")),
            mutation => broken(file, &octo("all"), mutation.clone()),
        };
        index = index.file(project, file);
    }
    let index = index.start();
    let text = lock(&index, projects.iter().map(|(name, (file, _))| (name.as_str(), vec![file])));
    let trust: String =
        projects.keys().map(|name| format!("{name} https://github.com/octo/all\n")).collect();
    let world = world(&index).trust(&trust).file("pylock.toml", text);
    let before = Before::of(&world);

    let outcome = world.tool(["-L", "pylock.toml"]).run();
    outcome.exits(77).stderr_has("error: 56 of 112 files refused");
    before.holds(&world, &outcome);
    for (line, (project, (_, mutation))) in outcome.stdout.lines().zip(&projects) {
        let start = match mutation {
            Mutation::None => format!("OK: {project} 1.0, built by https://github.com/octo/all"),
            mutation => {
                let too_new = matches!(
                    mutation,
                    Mutation::SctOfUnknownLog
                        | Mutation::UnknownLog
                        | Mutation::RekorV2
                        | Mutation::StatedKind(_)
                        | Mutation::Version2
                );
                let word =
                    if too_new { "cannot judge its attestation" } else { "invalid attestation" };
                let file = project.replace('-', "_");
                format!("FAIL: {project} 1.0 ({file}-1.0-py3-none-any.whl: {word}: ")
            }
        };
        assert!(line.starts_with(&start), "{line} does not begin with {start}");
    }
    assert_eq!(outcome.stdout.lines().count(), projects.len());
}

#[test]
fn false_document_of_an_honest_attestation_fails() {
    let aa = wheel("aa", "1.0");
    let signer = octo("aa");
    let honest = || PrivateSigstore::shared().mint(&signer, &aa.filename, aa.sha256).attestation();
    let of = |publisher: Value| document([bundle(publisher, [honest()])]);
    let whole = of(signer.publisher());
    let index = LoopbackIndex::builder().file("aa", signed(&aa, &signer)).start();
    let text = lock(&index, [("aa", vec![&aa])]);
    let world = world(&index).trust(&pin("aa")).file("pylock.toml", text);
    for (served, reason) in [
        (document([]), "no attestation bundle"),
        (document([bundle(signer.publisher(), [])]), "no attestation"),
        (of(octo("evil").publisher()), "as its repository, its certificate says"),
        (of(json!({"kind": "Nobody", "repository": "octo/aa"})), "Nobody"),
        (of(json!({"kind": "GitHub", "repository": "octo/aa"})), "without its workflow"),
        (format!("{{\"version\":1,{}", &whole[1..]), "given twice"),
        (whole.replace("\"version\":1", "\"version\":2"), "version 2"),
        (whole[..whole.len() - 1].to_owned(), "EOF"),
        (whole.clone() + "{}", "trailing"),
    ] {
        index.fault_times(&format!("/provenance/{}", aa.filename), 1, json_body(&served));
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        let (status, word) = match reason {
            "Nobody" => (77, "unknown identity: "),
            "version 2" => (69, "cannot judge its attestation: "),
            _ => (77, "invalid attestation: "),
        };
        outcome.exits(status).stdout_has("FAIL: aa 1.0 (").stdout_has(word).stdout_has(reason);
    }
    world.tool(["-L", "pylock.toml"]).run().exits(0);
}

fn json_body(text: &str) -> Fault {
    Fault::Body { content_type: "application/json".to_owned(), bytes: text.into() }
}
