//! pip's settings of index and network, wherever they are made: the evidence comes from where pip
//! gets the files, and no other index hears of them.

use crate::support::index::LoopbackIndex;
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    index_of_aa, installed, octo, pin, pips_requests, signed, trusted_root, wheel,
    world_with_lock_of_aa,
};

const PAGE: &str = "/simple/aa/";
const METADATA: &str = "/files/aa-1.0-py3-none-any.whl.metadata";
const DOCUMENT: &str = "/provenance/aa-1.0-py3-none-any.whl";
const FILE: &str = "/files/aa-1.0-py3-none-any.whl";

/// A world that knows no index.
fn nowhere() -> Sandbox {
    Sandbox::new().without_env("PIP_NO_INDEX").trusted_root(&trusted_root()).trust(&pin("aa"))
}

fn index_of(project: &str) -> LoopbackIndex {
    let file = wheel(project, "1.0");
    LoopbackIndex::builder().file(project, signed(&file, &octo(project))).start()
}

#[test]
fn index_may_be_named_anywhere_that_pip_reads() {
    let index = index_of("aa");
    let url = index.url();
    let global = format!("[global]\nindex-url = {url}\n");
    let install =
        format!("[install]\nindex-url = {url}\n[global]\nindex-url = http://127.0.0.1:1\n");
    let line = format!("--index-url {url}\naa\n");
    let nested = nowhere().file("requirements.txt", "-r more.txt\n").file("more.txt", &line);
    for (world, args) in [
        (nowhere(), vec!["install", "--index-url", &url, "aa"]),
        (nowhere(), vec!["install", "-i", &url, "aa"]),
        (nowhere().env("PIP_INDEX_URL", &url), vec!["install", "aa"]),
        (nowhere().pip_conf(&global), vec!["install", "aa"]),
        (nowhere().pip_conf(&install), vec!["install", "aa"]),
        (nowhere().file("requirements.txt", &line), vec!["install", "-r", "requirements.txt"]),
        (nested, vec!["install", "-r", "requirements.txt"]),
    ] {
        let before = index.requests().len();
        let outcome = world.pip(&args).run();
        outcome.exits(0).stderr_has("verified: aa 1.0, built by https://github.com/octo/aa");
        let mut asked: Vec<_> = index.paths().split_off(before);
        asked.sort();
        asked.dedup();
        assert_eq!(asked, [FILE, METADATA, DOCUMENT, PAGE], "{args:?}");
        assert_eq!(installed(&world), ["aa==1.0"]);
    }
}

#[test]
fn only_the_index_that_serves_a_file_is_asked_about_it() {
    let (one, other) = (index_of("aa"), index_of("bb"));
    let line = format!("--extra-index-url {}\naa\nbb\n", other.url());
    let conf = format!("[global]\nextra-index-url = {}\n", other.url());
    for world in [
        nowhere().file("requirements.txt", &line),
        nowhere().file("requirements.txt", "aa\nbb\n").env("PIP_EXTRA_INDEX_URL", other.url()),
        nowhere().file("requirements.txt", "aa\nbb\n").pip_conf(&conf),
    ] {
        let world = world.trust(&(pin("aa") + &pin("bb"))).index(&one.url());
        world.pip(["install", "-r", "requirements.txt"]).run().exits(0);
        assert_eq!(installed(&world), ["aa==1.0", "bb==1.0"]);
    }
    // The gateway asks everybody for every page, in place of pip; we ask nobody else.
    assert!(pips_requests(&other).is_empty());
    assert_eq!([one.count("/simple/bb/"), other.count(PAGE)], [3, 3]);
    assert_eq!([one.count(PAGE), other.count("/simple/bb/")], [3, 3]);
    let about = |index: &LoopbackIndex, name| {
        index.paths().iter().filter(|p| !p.starts_with("/simple/") && p.contains(name)).count()
    };
    assert_eq!([about(&one, "/bb-"), about(&other, "/aa-")], [0, 0]);
}

#[test]
fn index_that_does_not_serve_the_file_cannot_vouch_for_it() {
    let (aa, evil) = (wheel("aa", "1.0"), wheel("aa", "0.9"));
    let files = LoopbackIndex::builder().file("aa", signed(&evil, &octo("aa"))).start();
    let forged = signed(&aa, &octo("evil"));
    let index = LoopbackIndex::builder().file("aa", forged).start();
    let world = nowhere().index(&files.url()).env("PIP_EXTRA_INDEX_URL", index.url());
    world.pip(["install", "aa"]).run().exits(77).stderr_has("changed publisher");
    assert!(installed(&world).is_empty());
}

#[test]
fn credentials_come_from_the_url_or_from_netrc() {
    let aa = wheel("aa", "1.0");
    let guarded = LoopbackIndex::builder().basic_auth("me", "p@ss");
    let index = guarded.file("aa", signed(&aa, &octo("aa"))).start();
    let netrc = "machine 127.0.0.1 login me password p@ss\n";
    let with_netrc = nowhere().index(&index.url());
    std::fs::write(with_netrc.path("home/.netrc"), netrc).unwrap();
    let named = nowhere().index(&index.url()).file("netrc", netrc);
    let netrc_path = named.project().join("netrc");
    for world in [
        nowhere().index(&index.url_with_credentials("me", "p@ss")),
        with_netrc,
        named.env("NETRC", netrc_path),
    ] {
        let outcome = world.pip(["install", "aa"]).run();
        outcome.exits(0).lacks("p@ss").lacks("p%40ss");
        assert_eq!(installed(&world), ["aa==1.0"]);
    }
    let without = nowhere().index(&index.url());
    let outcome = without.pip(["install", "--no-input", "aa"]).run();
    assert_ne!(outcome.status, 0);
    assert!(installed(&without).is_empty());
}

#[test]
fn retries_and_timeout_are_pips() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    index.fault(PAGE, crate::support::index::Fault::retry_after(503, "0"));
    let conf = world_with_lock_of_aa(&index, &aa).pip_conf("[global]\nretries = 3\n");
    let tool = ["-L", "pylock.toml"];
    for (run, requests) in [
        (world.tool(["-L", "pylock.toml", "--retries", "0"]), 1),
        (world.tool(["-L", "pylock.toml", "--retries=2"]), 3),
        (world.tool(tool).env("PIP_RETRIES", "1"), 2),
        (conf.tool(tool), 4),
        (world.tool(tool), 6),
    ] {
        let before = index.count(PAGE);
        run.run().exits(69).stderr_has("status 503");
        assert_eq!(index.count(PAGE) - before, requests);
    }
    world.tool(["-L", "pylock.toml", "--timeout", "soon"]).run().exits(2).stderr_has("soon");
}
