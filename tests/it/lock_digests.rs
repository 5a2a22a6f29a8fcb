//! Digests that a lock states for its files: pip takes a file for which any one of them is right,
//! so every one of them is held against the bytes before anything is called OK.

use pypi_verify_now::package::lock::Lock;
use sha2::Digest as _;

use crate::support::index::{DistFile, Hash, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    Before, index_of_aa, installed, lock, octo, our_requests, pin, provenance, signed, unsigned,
    wheel, world, world_with_pip,
};
use crate::support::wheel::{Distribution, Wheel};

const FILENAME: &str = "aa-1.0-py3-none-any.whl";
const ALGORITHMS: [&str; 5] = ["md5", "sha1", "sha224", "sha384", "sha512"];

/// `ALGORITHM = "DIGITS"` of these bytes.
fn stated(algorithm: &str, bytes: &[u8]) -> String {
    format!("{algorithm} = \"{}\"", digits(algorithm, bytes))
}

fn digits(algorithm: &str, bytes: &[u8]) -> String {
    match algorithm {
        "md5" => hex::encode(md5::Md5::digest(bytes)),
        "sha1" => hex::encode(sha1::Sha1::digest(bytes)),
        "sha224" => hex::encode(sha2::Sha224::digest(bytes)),
        "sha256" => hex::encode(sha2::Sha256::digest(bytes)),
        "sha384" => hex::encode(sha2::Sha384::digest(bytes)),
        _ => hex::encode(sha2::Sha512::digest(bytes)),
    }
}

/// A lock of `aa` at this place, with these members and hashes.
fn locked(place: &str, hashes: &str) -> String {
    format!(
        "lock-version = \"1.0\"\ncreated-by = \"tests\"\n[[packages]]\nname = \"aa\"\n\
         version = \"1.0\"\nwheels = [{{name = \"{FILENAME}\", {place}, hashes = {{{hashes}}}}}]\n"
    )
}

/// An index whose `aa` is signed, and a wheel of the same name that is not there.
fn two() -> (LoopbackIndex, Distribution, Vec<u8>, Sandbox) {
    let (index, aa) = index_of_aa();
    let other = Wheel::new("aa", "1.0").file("evil.py", "").build().bytes;
    let world = world(&index).trust(&pin("aa"));
    (index, aa, other, world)
}

fn files_fetched(index: &LoopbackIndex) -> usize {
    our_requests(index).iter().filter(|path| path.starts_with("/files/")).count()
}

#[test]
fn plain_pip_accepts_bytes_that_the_tool_refuses() {
    let (index, aa, other, world) = two();
    let url = format!("url = \"{}\"", index.file_url(FILENAME));
    let text = locked(&url, &[stated("sha256", &aa.bytes), stated("md5", &other)].join(", "));
    world.write_file("pylock.toml", text);
    let before = Before::of(&world);
    let outcome = world.tool(["-L", "pylock.toml"]).run();
    outcome.exits(77).stderr_has(FILENAME).stderr_has("expected md5").lacks("OK: ");
    before.holds(&world, &outcome);
    index.serve(&format!("/files/{FILENAME}"), "application/zip", other);
    world.plain_pip(["install", "--no-cache-dir", "-r", "pylock.toml"]).run().exits(0);
    assert_eq!(installed(&world), ["aa==1.0"]);
}

#[test]
fn each_digest_beside_a_sha256_must_be_that_of_the_bytes() {
    let (index, aa, other, world) = two();
    let url = format!("url = \"{}\"", index.file_url(FILENAME));
    let sha256 = stated("sha256", &aa.bytes);
    let run = |hashes: &[String]| {
        world.write_file("pylock.toml", locked(&url, &hashes.join(", ")));
        world.tool(["-L", "pylock.toml"]).run()
    };
    let all = ALGORITHMS.map(|algorithm| stated(algorithm, &aa.bytes));
    run(&[std::slice::from_ref(&sha256), &all[..]].concat()).exits(0).stdout_has("OK: aa 1.0");
    let shouted = all[4].to_uppercase().replace("SHA512", "sha512");
    run(&[sha256.clone(), shouted]).exits(0).stdout_has("OK: aa 1.0");
    for algorithm in ALGORITHMS {
        let outcome = run(&[sha256.clone(), stated(algorithm, &other)]);
        let says = format!("expected {algorithm} {}", digits(algorithm, &other));
        outcome.exits(77).stderr_has(FILENAME).stderr_has(&says).lacks("OK: ");
        outcome.stderr_has("hint: ");
    }
    let outcome = run(&[stated("sha256", &other), stated("sha512", &aa.bytes)]);
    outcome.exits(77).stderr_has("expected sha256").lacks("OK: ");
}

#[test]
fn lock_with_a_strong_digest_is_judged_by_the_bytes() {
    let (index, aa, other, world) = two();
    let url = format!("url = \"{}\"", index.file_url(FILENAME));
    for algorithm in ["sha384", "sha512"] {
        let run = |bytes| {
            world.write_file("pylock.toml", locked(&url, &stated(algorithm, bytes)));
            world.tool(["-L", "pylock.toml", "--no-cache-dir"]).run()
        };
        run(&aa.bytes).exits(0).stdout_has("OK: aa 1.0");
        let says = format!("expected {algorithm}");
        run(&other).exits(77).stderr_has(FILENAME).stderr_has(&says).lacks("OK: ");
    }
    // The page goes on to state the sha256 of the attested bytes.
    let aside = provenance(&aa, &octo("aa"));
    index.serve(&format!("/provenance/{FILENAME}"), "application/json", aside);
    index.serve(&format!("/files/{FILENAME}"), "application/zip", other.clone());
    world.write_file("pylock.toml", locked(&url, &stated("sha512", &other)));
    let outcome = world.tool(["-L", "pylock.toml", "--no-cache-dir"]).run();
    outcome.exits(77).stdout_has("with the sha256").lacks("OK: ");
}

#[test]
fn lock_with_weak_digests_alone_is_bad_input() {
    let (index, aa, _, world) = two();
    let url = format!("url = \"{}\"", index.file_url(FILENAME));
    let sha256 = stated("sha256", &aa.bytes);
    let weak = [0, 1, 2].map(|at| stated(ALGORITHMS[at], &aa.bytes)).join(", ");
    for (hashes, reason) in [
        (String::new(), "has no sha256, sha384 or sha512"),
        (weak, "has no sha256, sha384 or sha512; state its sha256"),
        (format!("blake2b = \"00\", {sha256}"), "its digest of `blake2b` cannot be compared"),
        (sha256.replace("sha256", "SHA256"), "its digest of `SHA256` cannot be compared"),
        (format!("sha512 = \"00\", {sha256}"), "`00` is not a sha512 (128 hexadecimal digits)"),
        (format!("md5 = \"{}\", {sha256}", "g".repeat(32)), "is not a md5"),
    ] {
        world.write_file("pylock.toml", locked(&url, &hashes));
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        outcome.exits(65).stderr_has(FILENAME).stderr_has(reason).lacks("OK: ");
    }
    assert!(index.requests().is_empty());
}

#[test]
fn digest_in_the_url_must_be_that_of_the_bytes() {
    let (index, aa, other, world) = two();
    let run = |place: String, bytes: &[u8]| {
        world.write_file("pylock.toml", locked(&place, &stated("sha256", bytes)));
        world.tool(["-L", "pylock.toml"]).run()
    };
    let url = index.file_url(FILENAME);
    let at = |fragment: &str| format!("url = \"{url}#{fragment}\"");
    for algorithm in ["md5", "sha1", "sha224", "sha512"] {
        let (right, wrong) = (digits(algorithm, &aa.bytes), digits(algorithm, &other));
        run(at(&format!("{algorithm}={right}")), &aa.bytes).exits(0).stdout_has("OK: aa 1.0");
        for (name, start) in [(algorithm.to_owned(), ""), (algorithm.to_uppercase(), "egg=aa&")] {
            let outcome = run(at(&format!("{start}{name}={wrong}")), &aa.bytes);
            outcome.exits(77).stderr_has(&format!("expected {algorithm}")).lacks("OK: ");
        }
    }
    let (right, wrong) = (digits("sha256", &aa.bytes), digits("sha256", &other));
    run(at(&format!("sha256={right}")), &aa.bytes).exits(0);
    let two = "two different sha256 are stated";
    run(at(&format!("sha256={wrong}")), &aa.bytes).exits(65).stderr_has(two);
    // pip prefers the path, and would make a URL of it.
    let path = format!("path = \"x&sha256={wrong}\", url = \"{url}\"");
    run(path, &aa.bytes).exits(65).stderr_has(two);
}

#[test]
fn wrong_stated_size_is_refused_without_a_download() {
    let (index, aa, _, world) = two();
    let (url, size) = (index.file_url(FILENAME), aa.bytes.len());
    let run = |size: usize, hashes: &[String]| {
        let place = format!("url = \"{url}\", size = {size}");
        world.write_file("pylock.toml", locked(&place, &hashes.join(", ")));
        world.tool(["-L", "pylock.toml", "--no-cache-dir"]).run()
    };
    let sha256 = [stated("sha256", &aa.bytes)];
    run(size, &sha256).exits(0).stdout_has("OK: aa 1.0");
    let says =
        format!("{FILENAME} has size {size} on its index, and size {} in the lock", size + 1);
    run(size + 1, &sha256).exits(77).stderr_has(&says).lacks("OK: ");
    assert_eq!(files_fetched(&index), 0);
    index.edit(|projects| projects.get_mut("aa").unwrap()[0].size = Some(1));
    let sha512 = [stated("sha512", &aa.bytes)];
    run(size, &sha512).exits(77).stderr_has("has size 1 on its index");
    index.edit(|projects| projects.get_mut("aa").unwrap()[0].size = Some(2 + size as u64));
    run(size + 2, &sha512).exits(77).stderr_has(&format!("expected size {}", size + 2));
}

#[test]
fn lock_with_sha256_alone_downloads_no_file() {
    let names = ["aa", "bb", "cc"];
    let wheels = names.map(|name| wheel(name, "1.0"));
    let index = names.iter().zip(&wheels).fold(LoopbackIndex::builder(), |index, (name, wheel)| {
        index.file(name, signed(wheel, &octo(name)))
    });
    let index = index.start();
    let text = lock(&index, names.into_iter().zip(wheels.iter().map(|wheel| vec![wheel])));
    let world = world(&index).trust(&names.map(pin).concat()).file("pylock.toml", &text);
    world.tool(["-L", "pylock.toml"]).run().exits(0);
    assert_eq!(files_fetched(&index), 0);
    let sha256 = wheels[1].sha256.to_string();
    let both = format!("{sha256}\", {}}}", stated("sha512", &wheels[1].bytes));
    world.write_file("pylock.toml", text.replace(&format!("{sha256}\"}}"), &both));
    world.tool(["-L", "pylock.toml"]).run().exits(0);
    assert_eq!(files_fetched(&index), 1);
}

#[test]
fn one_url_with_two_digests_is_not_taken_for_one_file() {
    let (index, aa, other, world) = two();
    let url = index.file_url(FILENAME);
    let file = |hashes: &str| {
        format!(
            "[[packages.wheels]]\nname = \"{FILENAME}\"\nurl = \"{url}\"\nhashes = {{{hashes}}}\n"
        )
    };
    let text = |second: &[u8]| {
        lock(&index, [])
            + "[[packages]]\nname = \"aa\"\nversion = \"1.0\"\n"
            + &file(&[stated("sha256", &aa.bytes), stated("sha512", &aa.bytes)].join(", "))
            + &file(&[stated("sha256", &aa.bytes), stated("sha512", second)].join(", "))
    };
    world.write_file("pylock.toml", text(&other));
    world.tool(["-L", "pylock.toml"]).run().exits(77).lacks("OK: ");
}

#[test]
fn file_beside_the_lock_is_held_to_its_digest() {
    let (_index, aa, other, world) = two();
    let world = world.trust("");
    world.write_file("locks/w/aa-1.0-py3-none-any.whl", &aa.bytes);
    let run = |bytes| {
        let text = locked(&format!("path = \"./w/{FILENAME}\""), &stated("sha512", bytes));
        world.write_file("locks/pylock.toml", text);
        world.tool(["-L", "locks/pylock.toml"]).run()
    };
    run(&aa.bytes).exits(0).stdout_has("UNKNOWN: aa 1.0");
    run(&other).exits(77).stderr_has("expected sha512").lacks("UNKNOWN");
}

#[test]
fn install_compares_the_md5_of_the_index() {
    for pip in ["26.3", "24.0"] {
        let (aa, bb) = (wheel("aa", "1.0"), wheel("bb", "1.0"));
        let wrong = Hash::Given("md5", digits("md5", b"other bytes"));
        let of = |file: &Distribution, hash| -> DistFile { unsigned(file).hashes([hash]) };
        let index = LoopbackIndex::builder()
            .file("aa", of(&aa, Hash::Md5))
            .file("bb", of(&bb, wrong))
            .start();
        let world = world_with_pip(pip, &index);
        world.pip(["install", "aa"]).run().exits(0).stderr_has("unknown: aa 1.0");
        let outcome = world.pip(["install", "bb"]).run();
        assert_ne!(outcome.stderr_has("md5").status, 0, "{outcome}");
        assert_eq!(installed(&world), ["aa==1.0"]);
    }
}

#[test]
fn lock_made_by_pip_may_state_md5_alone() {
    let text = locked("url = \"https://h.example/x.whl\"", &stated("md5", b""));
    let lock = Lock::from_pylock(&text).unwrap();
    assert_eq!(lock.entries[0].files()[0].sha256, None);
    assert!(lock.requiring_digests().is_err());
}
