//! Invalid input of the user is named by file and line with exit code 65, before pip is
//! started, and nothing is changed.

use crate::support::index::LoopbackIndex;
use crate::support::run::{Outcome, Run};
use crate::support::sandbox::Sandbox;
use crate::support::served::{Before, index_of_aa, pin, wheel, world_with_lock_of_aa};

/// A world with a good lock and a good trust file, in which a pip that is started says so.
fn good() -> (LoopbackIndex, Sandbox) {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa).file("requirements.txt", "aa\n");
    let pip = format!("#!/bin/sh\ntouch {}\nexit 99\n", world.path("started").display());
    std::fs::write(world.venv().bin().join("pip"), pip).unwrap();
    (index, world)
}

/// Runs it: it must end with 65 before anything else happens.
fn refused(index: &LoopbackIndex, world: &Sandbox, run: Run) -> Outcome {
    let before = Before::of(world);
    let outcome = run.run();
    outcome.exits(65);
    before.holds(world, &outcome);
    assert!(!world.path("started").exists(), "pip was started by {outcome}");
    assert!(index.requests().is_empty(), "{:?} by {outcome}", index.requests());
    let lines = outcome.stderr.lines().map(|line| line.split(':').next().unwrap());
    assert!(lines.into_iter().all(|start| ["error", "hint"].contains(&start)), "{outcome}");
    assert_eq!(outcome.stdout, "");
    outcome
}

#[test]
fn malformed_trust_file_ends_the_run() {
    let (index, world) = good();
    let aa = pin("aa");
    let conflict = format!("{aa}<<<<<<< HEAD\nbb https://github.com/x/y\n=======\n>>>>>>> other\n");
    for (text, line, reason) in [
        (conflict, 2, "a merge conflict is left in the file"),
        (format!("{aa}bb https://github.com/x/y\0\n"), 2, "control character"),
        (format!("{aa}bb https://github.com/x/y owner=z\n"), 2, "owner"),
        (format!("# mine\n{aa}\nAA https://github.com/x/y\n"), 4, "`aa` is already on line 2"),
        (format!("{aa}bb\n"), 2, "`bb` has no publisher URL"),
        (format!("{aa}bb https://example.com/x/y\n"), 2, "https://example.com/x/y"),
        (format!("{aa}-bb https://github.com/x/y\n"), 2, "`-bb` is not a project name"),
        ("<!DOCTYPE html>\n".to_owned(), 1, "<!DOCTYPE"),
    ] {
        world.write_file(".provenance.txt", &text);
        for run in [
            world.tool(["-L", "pylock.toml"]),
            world.tool(["--tofu", "-r", "requirements.txt"]),
            world.pip(["install", "aa"]).env("TOFU", "1"),
        ] {
            let outcome = refused(&index, &world, run);
            outcome.stderr_has(".provenance.txt").stderr_has(&format!("line {line}: "));
            outcome.stderr_has(reason);
        }
    }
    world.write_file(".provenance.txt", b"aa \xff\n");
    refused(&index, &world, world.pip(["install", "aa"])).stderr_has("line 1: not UTF-8 text");
}

#[test]
fn invalid_lock_ends_the_run() {
    let (index, world) = good();
    let whole = world.read_file("pylock.toml");
    let other = wheel("aa", "1.0").sha256.to_string();
    for (text, line, reason) in [
        ("<!DOCTYPE html>\n<p>Not found".to_owned(), Some(1), ""),
        ("{\"version\": \"1\", \"install\": []}".to_owned(), Some(1), ""),
        (String::new(), None, "lock-version"),
        (
            whole.replace("\"1.0\"\ncreated", "\"2.0\"\ncreated"),
            None,
            "lock-version version \"2.0\"",
        ),
        (whole[..whole.len() - 20].to_owned(), Some(9), ""),
        (whole.replace(&other, &other[..63]), None, "sha256"),
        (whole.replace(&other, "rubbish"), None, "package `aa`"),
        (whole.replace("name = \"aa\"", "name = \"bb\""), None, "is of project `aa`"),
        (whole.replace("name = \"aa\"", "name = \"../aa\""), None, "`../aa` is not a project name"),
        (whole.replace("version = \"1.0\"\n[", "version = \"2.0\"\n["), None, "not of version 2.0"),
        (whole.replace("name = \"aa-1.0", "name = \"../aa-1.0"), None, "package `aa`"),
        (whole.replace("url = ", "uri = "), None, "neither url nor path"),
        (format!("{whole}{}", &whole[whole.find("[[").unwrap()..]), None, "listed twice"),
        (whole.clone() + "\0", Some(10), ""),
    ] {
        world.write_file("pylock.toml", &text);
        let outcome = refused(&index, &world, world.tool(["-L", "pylock.toml"]));
        outcome.stderr_has("cannot read lock pylock.toml: ").stderr_has(reason);
        if let Some(line) = line {
            outcome.stderr_has(&format!("line {line}"));
        }
        outcome.lacks("\\u{a}");
    }
    world.write_file("pylock.toml", b"lock-version = \"\xff\"");
    refused(&index, &world, world.tool(["-L", "pylock.toml"])).stderr_has("utf-8");
    refused(&index, &world, world.tool(["-L", "."])).stderr_has("cannot read lock .: ");
}

#[test]
fn size_of_a_lock_is_bounded() {
    let (index, world) = good();
    let file = std::fs::File::create(world.project().join("pylock.toml")).unwrap();
    file.set_len(100 << 20).unwrap();
    refused(&index, &world, world.tool(["-L", "pylock.toml"])).stderr_has("line 1");
    file.set_len(1 << 40).unwrap();
    refused(&index, &world, world.tool(["-L", "pylock.toml"])).stderr_has("larger than");
    world.write_file("pylock.toml", "a = ".to_owned() + &"[".repeat(200_000));
    refused(&index, &world, world.tool(["-L", "pylock.toml"])).stderr_has("pylock.toml");
}

#[test]
fn invalid_trusted_root_ends_the_run() {
    let (index, world) = good();
    let root = world.path("trusted_root.json");
    for text in [
        "",
        "<html>\n",
        "{\"mediaType\": \"application/json\"}",
        "{\"mediaType\": \"application/vnd.dev.sigstore.trustedroot+json;version=0.1\"}",
    ] {
        std::fs::write(&root, text).unwrap();
        for run in [world.tool(["-L", "pylock.toml"]), world.pip(["install", "aa"])] {
            refused(&index, &world, run)
                .stderr_has("cannot read trusted root ")
                .stderr_has("_root.json");
        }
    }
    std::fs::remove_file(&root).unwrap();
    refused(&index, &world, world.pip(["install", "aa"])).stderr_has("trusted_root.json");
}

#[test]
fn rewritten_hash_of_a_lock_fails_the_attestation() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let (right, wrong) = (aa.sha256.to_string(), "0".repeat(64));
    world.write_file("pylock.toml", world.read_file("pylock.toml").replace(&right, &wrong));
    let before = Before::of(&world);
    let outcome = world.tool(["-L", "pylock.toml"]).run();
    outcome.exits(77).stdout_has("FAIL: aa 1.0").stdout_has("with the sha256");
    before.holds(&world, &outcome);
}

#[test]
fn lock_without_hashes_ends_the_run() {
    let (index, world) = good();
    let text = world.read_file("pylock.toml");
    world.write_file("pylock.toml", &text[..text.find("hashes").unwrap()]);
    let outcome = refused(&index, &world, world.tool(["-L", "pylock.toml"]));
    outcome.stderr_has("file `aa-1.0-py3-none-any.whl` has no sha256, sha384 or sha512");
}
