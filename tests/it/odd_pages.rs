//! Pages as servers really write them: a member is missing or has another type, one entry is
//! broken, a file has an unusual ending. Files that pip installs from such a page are installed and
//! judged.

use pypi_verify_now::package::digest::Sha256;
use serde_json::{Value, json};

use crate::support::index::DistFile;
use crate::support::private_sigstore::{PrivateSigstore, bundle, document};
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::{Distribution, Wheel};
use crate::support::world::{PIN_AA, World, octo};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "text/html";

/// A description of a page, and the change that makes it from an ordinary page.
type Change = (&'static str, fn(&mut Value));

/// A world whose index has the unsigned wheel `aa`, and its twin.
fn worlds(pip: &str) -> (World, Sandbox, Distribution) {
    let world = World::with_pip(pip);
    let aa = Wheel::new("aa", "1.0").build();
    let world = world.file_on_index(DistFile::new(&aa.filename, aa.bytes.clone()));
    let twin = world.twin();
    (world, twin, aa)
}

/// A page of JSON with `aa`, changed by `change`: the page, and the entry of the file.
fn page(aa: &Distribution, url: &str, change: impl FnOnce(&mut Value)) -> String {
    let file = json!({"filename": aa.filename, "url": url,
        "hashes": {"sha256": aa.sha256.to_string()}});
    let mut page = json!({"meta": {"api-version": "1.1"}, "name": "aa", "files": [file]});
    change(&mut page);
    page.to_string()
}

#[test]
fn pages_that_pip_can_use_are_used() {
    for pip in ["26.3", "24.0"] {
        let (world, twin, aa) = worlds(pip);
        let url = world.index.file_url(&aa.filename);
        let changes: [Change; 3] = [
            ("no meta, odd types, entries that name no file or cannot be read", |page| {
                page.as_object_mut().unwrap().remove("meta");
                page["files"][0]["size"] = json!("1024");
                page["files"][0]["yanked"] = Value::Null;
                page["files"].as_array_mut().unwrap().extend([
                    json!({"filename": "aa-2.0.tar.gz"}),
                    json!({"filename": "aa-0.5.tar.gz", "url": "aa-0.5.tar.gz", "provenance": 7}),
                ]);
            }),
            ("no hashes, no file name, a version that is a number", |page| {
                page["meta"]["api-version"] = json!(1.0);
                page["files"][0] = json!({"url": page["files"][0]["url"]});
            }),
            ("a name that is not the URL's", |page| {
                page["files"][0]["filename"] = json!("aa-9.0-py3-none-any.whl");
            }),
        ];
        for (what, change) in changes {
            world.index.serve_anew("/simple/aa/", JSON, page(&aa, &url, change));
            let outcome = same(&world, &twin, &["install", "-I", "aa"], But::Nothing);
            assert_eq!(outcome.status, 0, "{what}: {outcome}");
            outcome.stderr_has("unknown: aa 1.0");
        }
    }
}

#[test]
fn empty_digest_counts_as_absent() {
    let (world, twin, aa) = worlds("25.3");
    let url = world.index.file_url(&aa.filename);
    let empty = page(&aa, &url, |page| page["files"][0]["hashes"]["sha256"] = json!(""));
    let html = format!("<a href='{url}#sha256='>aa</a>");
    for (kind, page) in [(JSON, empty), (HTML, html)] {
        world.index.serve_anew("/simple/aa/", kind, page);
        same(&world, &twin, &["install", "-I", "aa"], But::Requested).exits(0);
    }
}

/// An odd page whose provenance cannot be read never gets a lighter verdict.
#[test]
fn broken_statement_of_provenance_is_not_an_absent_one() {
    let (world, _, aa) = worlds("26.3");
    let url = world.index.file_url(&aa.filename);
    for provenance in [json!(false), json!({"url": "x"}), json!(7)] {
        let page = page(&aa, &url, |page| page["files"][0]["provenance"] = provenance);
        world.index.serve_anew("/simple/aa/", JSON, page);
        let outcome = world.pip(["install", "-I", "aa"]).run();
        outcome.exits(69).stderr_has(&aa.filename).stderr_has("repeated or has a wrong type");
        assert!(world.installed().is_empty());
    }
    world.write_file(".provenance.txt", PIN_AA);
    let without_meta = page(&aa, &url, |page| drop(page.as_object_mut().unwrap().remove("meta")));
    world.index.serve_anew("/simple/aa/", JSON, without_meta);
    world.pip(["install", "aa"]).run().exits(77).stderr_has("signature expected");
}

/// Nexus and others list a file once for each of their stores. pip takes the last entry.
#[test]
fn file_that_is_listed_at_two_urls_is_taken_from_the_last() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let src = world.sdist("src", "1.0").build();
        let world = world.file_on_index(DistFile::new(&src.filename, src.bytes.clone()));
        let twin = world.twin();
        let (gone, there) =
            (world.index.at("/files/gone/src-1.0.tar.gz"), world.index.file_url(&src.filename));
        let page = format!("<a href='{gone}'>src</a><a href='{there}'>src</a>");
        world.index.serve_anew("/simple/src/", HTML, page);
        same(&world, &twin, &["install", "src"], But::Requested).exits(0);
        assert_eq!(world.index.count("/files/gone/src-1.0.tar.gz"), 0);
        let page = format!("<a href='{there}'>src</a><a href='{gone}'>src</a>");
        world.index.serve_anew("/simple/src/", HTML, page);
        for world in [&*world, &twin] {
            world.plain_pip(["uninstall", "-y", "src"]).run().exits(0);
        }
        let (plain, ours) =
            (twin.plain_pip(["install", "src"]).run(), world.pip(["install", "src"]).run());
        assert_eq!((plain.status, ours.status), (1, 1), "{plain}\n{ours}");
    }
}

#[test]
fn every_archive_that_pip_builds_is_built() {
    let world = World::with_pip("26.3");
    let built = world.sdist("src", "1.0").build();
    world.write_file("src.tar.gz", &built.bytes);
    let convert = "import gzip, bz2, lzma; tar = gzip.open('src.tar.gz').read()
for end, data in [('tar', tar), ('tgz', gzip.compress(tar)), ('tar.bz2', bz2.compress(tar)),
                  ('tar.xz', lzma.compress(tar))]:
    open('src-1.0.' + end, 'wb').write(data)";
    world.run(world.venv().bin().join("python"), ["-c", convert]).run().exits(0);
    let twin = world.twin();
    for ending in ["tar", "tgz", "tar.bz2", "tar.xz"] {
        let name = format!("src-1.0.{ending}");
        let bytes = std::fs::read(world.project().join(&name)).unwrap();
        world.index.serve(&format!("/files/{name}"), "application/octet-stream", bytes);
        let link = format!("<a href='{}'>{name}</a>", world.index.file_url(&name));
        world.index.serve_anew("/simple/src/", HTML, link);
        let install = ["install", "--no-cache-dir", "-I", "src"];
        same(&world, &twin, &install, But::Nothing).exits(0).stderr_has("unknown: src 1.0");
        let outcome = world.pip(["install", "-I", &name]).run();
        outcome.exits(0).stderr_has("unknown: src 1.0");
        world.plain_pip(["uninstall", "-y", "src"]).run().exits(0);
        world.write_file(".provenance.txt", "src https://github.com/octo/src\n");
        world.pip(["install", "-I", "src"]).run().exits(77).stderr_has("signature expected");
        std::fs::remove_file(world.project().join(".provenance.txt")).unwrap();
    }
}

/// An attestation counts for the very ending that it names.
#[test]
fn attestation_of_an_archive_names_its_very_ending() {
    for (named, status) in [("aa-1.0.tgz", 0), ("aa-1.0.tar.gz", 77)] {
        let world = World::with_pip("26.3").trust(PIN_AA);
        let bytes = world.sdist("aa", "1.0").build().bytes;
        let attestation =
            PrivateSigstore::shared().mint(&octo(), named, Sha256::of(&bytes)).attestation();
        let provenance = document([bundle(octo().publisher(), [attestation])]);
        let world = world.file_on_index(DistFile::new("aa-1.0.tgz", bytes).provenance(provenance));
        let outcome = world.pip(["install", "aa"]).run();
        outcome.exits(status);
        assert_eq!(world.installed().is_empty(), status != 0, "{outcome}");
        assert_eq!(world.something_ran(), status == 0, "{outcome}");
    }
}
