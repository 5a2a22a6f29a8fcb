//! An index that misbehaves while it is asked for evidence: "could not check" is 69, a document
//! that fails is 77, and whatever it is, nothing is installed, recorded or left behind.

use crate::support::index::{DistFile, Fault, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    Before, index_of_aa, octo, pin, signed, unsigned, wheel, world, world_with_lock_of_aa,
};

const PAGE: &str = "/simple/aa/";
const DOCUMENT: &str = "/provenance/aa-1.0-py3-none-any.whl";
const LOGIN: &str = "<!DOCTYPE html><html><body><form action=/login>Log in</form></body></html>";

/// A lock of `aa`, and an index that has it.
fn served() -> (LoopbackIndex, Sandbox) {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    (index, world)
}

/// The tool over the lock ends so, and changes nothing.
#[track_caller]
fn ends(path: &str, fault: Fault, status: i32, says: &str) {
    let (index, world) = served();
    let before = Before::of(&world);
    index.fault(path, fault.clone());
    let args = ["-L", "pylock.toml", "--retries", "0", "--timeout", "2", "--tofu"];
    let outcome = world.tool(args).run();
    assert_eq!(outcome.status, status, "{path} {fault:?}: {outcome}");
    assert!(format!("{outcome}").contains(says), "{fault:?}: expected {says:?} of {outcome}");
    before.holds(&world, &outcome);
    if status == 69 {
        assert_eq!(outcome.stdout, "", "{fault:?}");
    }
}

fn body(content_type: &str, text: impl Into<Vec<u8>>) -> Fault {
    Fault::Body { content_type: content_type.to_owned(), bytes: text.into() }
}

#[test]
fn unavailable_or_malformed_page_is_could_not_check() {
    let json = "application/vnd.pypi.simple.v1+json";
    for (fault, says) in [
        (Fault::status(401), "answered with status 401"),
        (Fault::status(403), "answered with status 403"),
        (Fault::status(410), "answered with status 410"),
        (Fault::status(500), "answered with status 500"),
        (Fault::status(503), "answered with status 503"),
        (Fault::retry_after(429, "0"), "answered with status 429"),
        (Fault::html(LOGIN), "no configured index lists aa-1.0-py3-none-any.whl"),
        (body("text/plain", "hello"), "not an index page (content type `text/plain`)"),
        (body(json, LOGIN), "not the JSON of an index page"),
        (body(json, "{\"meta\": {\"api-version\": \"2.0\"}, \"files\": []}"), "version 2.0"),
        (
            body(json, "{\"meta\": {\"api-version\": \"1.0\"}, \"files\": []}"),
            "no configured index",
        ),
        (body(json, ""), "not the JSON of an index page"),
        (Fault::deep_json(200_000), "not the JSON of an index page"),
        (Fault::Truncate, "arrived only in part"),
        (Fault::Disconnect, "cannot reach"),
        (Fault::redirect("file:///etc/passwd"), "redirect"),
    ] {
        ends(PAGE, fault, 69, says);
    }
}

#[test]
fn unavailable_document_is_could_not_check_not_refused() {
    let json = "application/vnd.pypi.integrity.v1+json";
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    for (fault, status, says) in [
        (Fault::status(404), 77, "signature expected"),
        (Fault::status(401), 69, "answered with status 401"),
        (Fault::status(403), 69, "answered with status 403"),
        (Fault::status(410), 69, "answered with status 410"),
        (Fault::status(500), 69, "answered with status 500"),
        (Fault::retry_after(429, "0"), 69, "answered with status 429"),
        (Fault::Truncate, 69, "arrived only in part"),
        (Fault::Disconnect, 69, "cannot reach"),
        (Fault::html(LOGIN), 69, "is a web page"),
        (body(json, LOGIN), 77, "invalid attestation"),
        (body(json, ""), 77, "invalid attestation"),
        (body(json, deep), 77, "invalid attestation"),
        (body(json, vec![b' '; 5 << 20]), 77, "invalid attestation"),
    ] {
        ends(DOCUMENT, fault, status, says);
    }
}

#[test]
fn endless_answers_are_bounded() {
    ends(PAGE, Fault::Endless, 69, "sends more than 67108864 bytes");
    ends(DOCUMENT, Fault::Endless, 69, "sends more than 10485760 bytes");
}

#[test]
fn silent_index_times_out() {
    for path in [PAGE, DOCUMENT] {
        let (index, world) = served();
        index.fault(path, Fault::Hang);
        let before = Before::of(&world);
        let args = ["-L", "pylock.toml", "--retries", "0", "--timeout", "0.3"];
        let outcome = world.tool(args).run();
        outcome.exits(69).stderr_has("took too long to answer").stderr_has("--timeout");
        before.holds(&world, &outcome);
    }
}

#[test]
fn transient_index_faults_are_retried() {
    for path in [PAGE, DOCUMENT] {
        let (index, world) = served();
        index.fault_times(path, 1, Fault::status(503));
        index.fault_times(path, 1, Fault::retry_after(429, "0"));
        index.fault_times(path, 1, Fault::Disconnect);
        world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
        assert_eq!(index.count(path), 4);
    }
}

#[test]
fn html_index_gives_equal_verdicts() {
    let aa = wheel("aa", "1.0");
    let index = LoopbackIndex::builder().html_only().file("aa", signed(&aa, &octo("aa"))).start();
    let world = world_with_lock_of_aa(&index, &aa);
    world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    world.tool(["-L", "pylock.toml"]).run().exits(77);
}

#[test]
fn index_fault_ends_an_install_without_changes() {
    let aa = wheel("aa", "1.0");
    for (fault, status) in [
        (Fault::status(403), 69),
        (Fault::Truncate, 69),
        (body("application/json", "[".repeat(200_000)), 77),
        (Fault::status(404), 77),
    ] {
        let index = LoopbackIndex::builder().file("aa", signed(&aa, &octo("aa"))).start();
        let world = world(&index).trust(&pin("aa"));
        let before = Before::of(&world);
        index.fault(DOCUMENT, fault);
        let outcome = world.pip(["install", "--retries", "0", "aa"]).run();
        before.holds(&world, outcome.exits(status));
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn missing_file_ends_an_install_without_changes() {
    let (index, _) = index_of_aa();
    let world = world(&index).env("TOFU", "1");
    // A guess that was answered so is asked for once more when it is wanted.
    for (fault, times) in [
        (Fault::status(403), 2),
        (Fault::status(404), 2),
        (Fault::Truncate, 1),
        (Fault::Disconnect, 1),
    ] {
        index.fault_times("/files/aa-1.0-py3-none-any.whl", times, fault);
        let before = Before::of(&world);
        let outcome = world.pip(["install", "--retries", "0", "aa"]).run();
        before.holds(&world, outcome.exits(69));
        outcome.stderr_has("/files/aa-1.0-py3-none-any.whl");
    }
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn dead_provenance_link_of_an_unpinned_file_is_unsigned() {
    let aa = wheel("aa", "1.0");
    let nowhere = unsigned(&aa).provenance_link("/nowhere");
    let index = LoopbackIndex::builder().file("aa", nowhere).start();
    let world = world(&index);
    world.pip(["install", "aa"]).run().exits(0).stderr_has("unknown: aa 1.0");
    world.pip(["install", "-I", "aa"]).env("STRICT", "1").run().exits(77);
}

#[test]
fn invalid_provenance_link_is_could_not_check() {
    for link in ["", "file:///etc/passwd", "http://", "ftp://index.example/x", "data:,x"] {
        let aa = wheel("aa", "1.0");
        let file: DistFile = unsigned(&aa).provenance_link(link);
        let index = LoopbackIndex::builder().file("aa", file).start();
        let world = world_with_lock_of_aa(&index, &aa);
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        outcome.exits(69).stderr_has("the entry of aa-1.0-py3-none-any.whl cannot be read");
    }
}
