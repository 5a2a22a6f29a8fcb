//! `PYPI_VERIFY_NOW_PROVENANCE`: documents from elsewhere, for an index that drops them. It can
//! help a file and never another one.

use crate::support::index::LoopbackIndex;
use crate::support::private_sigstore::{Mutation, PrivateSigstore};
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    Before, installed, lock, octo, our_requests, pin, provenance, signed, wheel, world,
};
use crate::support::wheel::Distribution;

const VARIABLE: &str = "PYPI_VERIFY_NOW_PROVENANCE";

/// An index that drops provenance, and a world that has a directory `recorded` as second source.
fn dropped() -> (LoopbackIndex, Distribution, Sandbox) {
    let aa = wheel("aa", "1.0");
    let index = LoopbackIndex::builder().drops_provenance().file("aa", signed(&aa, &octo("aa")));
    let index = index.start();
    let world = world(&index)
        .trust(&pin("aa"))
        .file("pylock.toml", lock(&index, [("aa", vec![&aa])]))
        .file("recorded/README", "nothing yet")
        .env(VARIABLE, "recorded");
    (index, aa, world)
}

fn attestation(aa: &Distribution, mutation: Mutation) -> String {
    let minting = PrivateSigstore::shared().mint(&octo("aa"), &aa.filename, aa.sha256);
    minting.break_it(mutation).attestation().to_string()
}

#[test]
fn recorded_document_replaces_a_dropped_one() {
    let (_index, aa, world) = dropped();
    let before = Before::of(&world);
    let without = world.pip(["install", "aa"]).run();
    before.holds(&world, without.exits(77).stderr_has("signature expected"));
    let name = format!("recorded/{}.provenance", aa.filename);
    world.write_file(&name, provenance(&aa, &octo("aa")));
    world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
    world.pip(["install", "aa"]).run().exits(0).stderr_has("verified: aa 1.0");
    assert_eq!(installed(&world), ["aa==1.0"]);
}

#[test]
fn single_attestation_is_read_under_either_name() {
    for ending in ["attestation", "publish.attestation"] {
        let (_index, aa, world) = dropped();
        let name = format!("recorded/{}.{ending}", aa.filename);
        world.write_file(&name, attestation(&aa, Mutation::None));
        world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
        world.write_file(&name, attestation(&aa, Mutation::BadProof));
        world.tool(["-L", "pylock.toml"]).run().exits(77).stdout_has("is not in the log");
    }
}

#[test]
fn document_of_other_bytes_or_publisher_is_refused() {
    let (_index, aa, world) = dropped();
    let name = format!("recorded/{}.provenance", aa.filename);
    let other = crate::support::wheel::Wheel::new("aa", "1.0").file("x.py", "").build();
    for (document, reason) in [
        (provenance(&other, &octo("aa")), "with the sha256"),
        (provenance(&wheel("aa", "2.0"), &octo("aa")), "is about the file"),
        (provenance(&aa, &octo("evil")), "changed publisher"),
        (String::new(), "invalid attestation"),
        ("{\"version\": 1, \"attestation_bundles\": []}".to_owned(), "no attestation bundle"),
    ] {
        world.write_file(&name, document);
        let before = Before::of(&world);
        let outcome = world.pip(["install", "aa"]).run();
        before.holds(&world, outcome.exits(77).stderr_has(reason));
        world.tool(["-L", "pylock.toml"]).run().exits(77).stdout_has(reason);
    }
}

#[test]
fn document_of_the_index_comes_first() {
    let aa = wheel("aa", "1.0");
    let index = LoopbackIndex::builder().file("aa", signed(&aa, &octo("evil"))).start();
    let world = world(&index)
        .trust(&pin("aa"))
        .file("pylock.toml", lock(&index, [("aa", vec![&aa])]))
        .file(&format!("recorded/{}.provenance", aa.filename), provenance(&aa, &octo("aa")))
        .env(VARIABLE, "recorded");
    world.tool(["-L", "pylock.toml"]).run().exits(77).stdout_has("changed publisher");
}

#[test]
fn another_index_can_be_the_second_source() {
    let (index, aa, world) = dropped();
    let other = LoopbackIndex::builder().file("aa", signed(&aa, &octo("aa"))).start();
    let run = |url: &str| world.pip(["install", "-I", "--retries", "0", "aa"]).env(VARIABLE, url);
    run(&other.url()).run().exits(0).stderr_has("verified: aa 1.0");
    let document = format!("/provenance/{}", aa.filename);
    assert_eq!(our_requests(&other), ["/simple/aa/", document.as_str()]);
    assert_eq!(index.count(&document), 0);

    let evil = LoopbackIndex::builder().file("aa", signed(&aa, &octo("evil"))).start();
    run(&evil.url()).run().exits(77).stderr_has("changed publisher");
    let knows_nothing = LoopbackIndex::builder().start();
    run(&knows_nothing.url()).run().exits(77).stderr_has("signature expected");
    other.fault(&document, crate::support::index::Fault::status(500));
    run(&other.url()).run().exits(69).stderr_has("status 500");
    let url = other.url();
    drop(other);
    run(&url).run().exits(69).stderr_has("cannot reach");
}

#[test]
fn missing_second_source_is_bad_input() {
    let (index, _, world) = dropped();
    for wrong in ["nowhere", "pylock.toml", "ftp://index.example/simple/"] {
        let before = Before::of(&world);
        let outcome = world.pip(["install", "aa"]).env(VARIABLE, wrong).run();
        before.holds(&world, outcome.exits(65).stderr_has(VARIABLE).stderr_has(wrong));
        world.tool(["-L", "pylock.toml"]).env(VARIABLE, wrong).run().exits(65);
    }
    assert!(index.requests().is_empty());
}

#[test]
fn malformed_recorded_document_is_could_not_check() {
    let (_index, aa, world) = dropped();
    let path = world.project().join(format!("recorded/{}.provenance", aa.filename));
    std::fs::create_dir(&path).unwrap();
    world.tool(["-L", "pylock.toml"]).run().exits(69).stderr_has("it is not a regular file");
    std::fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    world.tool(["-L", "pylock.toml"]).run().exits(69).stderr_has("it is not a regular file");
    std::fs::remove_file(&path).unwrap();
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    world.tool(["-L", "pylock.toml"]).run().exits(69).stderr_has("more than 10485760 bytes");
}
