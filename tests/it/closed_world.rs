//! After the lock is made, nothing but its bytes reaches the environment, whatever the index, the
//! environment's variables, the disk or the cache do. The changes happen on the order of requests.

use std::fs;

use pypi_verify_now::package::digest::Sha256;

use crate::support::index::{DistFile, Hash, Projects};
use crate::support::run::{Outcome, Run};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, dist, octo, signed};

const AA: &str = "aa-1.0-py3-none-any.whl";
const AA_PAGE: &str = "/simple/aa/";
/// The last path that pip 26.3 asks for before the lock is made.
const AA_METADATA: &str = "/files/aa-1.0-py3-none-any.whl.metadata";
const AA_FILE: &str = "/files/aa-1.0-py3-none-any.whl";

fn aa() -> Wheel {
    Wheel::new("aa", "1.0")
}

/// The projects that must not be installed: `aa` and `evil`, of any version.
fn evil(name: &str, version: &str) -> Wheel {
    Wheel::new(name, version).file("evil.py", "import os\n")
}

/// pip resolves through the gateway, which asks for each thing once.
const LED: &[&str] = &["install", "-U", "aa"];
/// A requirements file from a URL names the index, so that pip asks it by itself, and we do again.
const DIRECT: &[&str] = &["install", "-U", "-r", REMOTE];
/// The agent of our requests, behind that of pip.
const OURS: &str = " pypi-verify-now/";
/// Stands for the URL of that file.
const REMOTE: &str = "index.txt";

/// The command line, with the URL of [`REMOTE`].
fn command(world: &World, args: &[&str]) -> Run {
    let url = world.index.at("/files/index.txt");
    world.pip(args.iter().map(|arg| if *arg == REMOTE { &url } else { *arg }))
}

fn world(pip: &str) -> World {
    let world = World::with_pip(pip).signed(aa(), &octo()).trust(PIN_AA);
    let index = world.index.url();
    world.index.serve("/files/index.txt", "text/plain", format!("--index-url {index}\naa\n"));
    world
}

/// The only file of `aa`.
fn file(projects: &mut Projects) -> &mut DistFile {
    &mut projects.get_mut("aa").unwrap()[0]
}

/// The install fails with this code, and nothing is installed.
#[track_caller]
fn fails(world: &World, args: &[&str], status: i32) -> Outcome {
    let outcome = world.leaves_all_as_it_was(command(world, args), status);
    assert!(world.installed().is_empty(), "{outcome}");
    outcome
}

/// The install brings the locked bytes and nothing else.
#[track_caller]
fn brings_the_locked_bytes(world: &World, args: &[&str]) -> Outcome {
    let outcome = command(world, args).run();
    outcome.exits(0);
    assert_eq!(world.installed(), ["aa 1.0"], "{outcome}");
    assert!(!world.venv().site_packages().join("evil.py").exists(), "{outcome}");
    assert!(world.leftovers().is_empty(), "{outcome}");
    outcome
}

#[test]
fn bytes_swapped_behind_an_unchanged_page_are_refused() {
    // pip 24.0 fetches the file too while it resolves.
    for (pip, args, last) in [
        ("26.3", LED, AA_METADATA),
        ("24.0", LED, AA_METADATA),
        ("26.3", DIRECT, AA_METADATA),
        ("24.0", DIRECT, AA_FILE),
    ] {
        let world = world(pip);
        world.index.after(last, 1, |projects| {
            let (right, file) = (aa().build().sha256.to_string(), file(projects));
            file.bytes = evil("aa", "1.0").build().bytes;
            file.hashes = vec![Hash::Given("sha256", right)];
        });
        fails(&world, args, 77).stderr_has("is another file than stated");
    }
}

#[test]
fn bytes_swapped_with_the_hash_of_the_page_are_refused() {
    for args in [LED, DIRECT] {
        let world = world("26.3");
        world.index.after(AA_METADATA, 1, |projects| {
            *file(projects) = signed(dist(evil("aa", "1.0")), &octo());
        });
        // Even under an attestation of the right publisher: it is not the file that pip chose.
        fails(&world, args, 77);
    }
}

#[test]
fn hash_rewritten_on_the_page_changes_nothing() {
    for args in [LED, DIRECT] {
        let world = world("26.3");
        world.index.after(AA_METADATA, 1, |projects| {
            file(projects).hashes = vec![Hash::Given("sha256", "0".repeat(64))];
        });
        brings_the_locked_bytes(&world, args);
    }
}

#[test]
fn version_added_after_the_lock_is_not_seen() {
    for (pip, args) in [("26.3", LED), ("24.0", LED), ("26.3", DIRECT), ("24.0", DIRECT)] {
        let world = world(pip);
        world.index.after(AA_PAGE, 1, |projects| {
            projects.get_mut("aa").unwrap().push(signed(dist(evil("aa", "2.0")), &octo()));
        });
        brings_the_locked_bytes(&world, args);
    }
}

#[test]
fn dependency_added_after_the_lock_is_not_installed() {
    for args in [LED, DIRECT] {
        let world = world("26.3").wheel(evil("evil", "1.0"));
        world.index.after(AA_METADATA, 1, |projects| {
            *file(projects) = signed(dist(aa().requires("evil")), &octo());
        });
        fails(&world, args, 77);
    }
}

#[test]
fn dependency_hidden_by_metadata_file_is_not_installed() {
    for pip in ["26.3", "25.3"] {
        let lying = dist(aa().requires("evil")).metadata(&aa().build().metadata);
        let world = World::with_pip(pip).file_on_index(signed(lying, &octo()));
        let world = world.wheel(evil("evil", "1.0")).trust(PIN_AA);
        // pip 26.2 and later compare the two; an older one installs the set that it resolved.
        if pip == "26.3" {
            fails(&world, &["install", "aa"], 1).stderr_has("evil");
        } else {
            brings_the_locked_bytes(&world, &["install", "aa"]);
        }
    }
}

#[test]
fn url_with_hash_hidden_by_metadata_file_is_not_installed() {
    for pip in ["26.3", "25.3"] {
        let world = World::with_pip(pip);
        let requirement = evil_line(&world, "evil");
        let lying = dist(aa().requires(requirement.trim())).metadata(&aa().build().metadata);
        let world = world.file_on_index(signed(lying, &octo())).trust(PIN_AA);
        // pip 26.2 and later compare the two; an older one installs the set that it resolved.
        if pip == "26.3" {
            fails(&world, &["install", "aa"], 1).stderr_has("evil");
        } else {
            brings_the_locked_bytes(&world, &["install", "aa"]);
        }
    }
}

#[test]
fn hashes_cannot_be_switched_off() {
    // The other file of the same name turns up in a place that pip looks at, after the lock.
    for (pip, variable, flag) in [
        ("26.3", "PIP_NO_REQUIRE_HASHES", "--no-deps"),
        ("26.3", "NOTHING", "--no-require-hashes"),
        ("25.1", "NOTHING", "--no-deps"),
    ] {
        let world = world(pip).env(variable, "1").file("links/README", "");
        let links = world.project().join("links");
        let world = world.env("PIP_FIND_LINKS", links.to_str().unwrap());
        world.index.after(AA_PAGE, 1, move |_| {
            fs::write(links.join(AA), evil("aa", "1.0").build().bytes).unwrap();
        });
        brings_the_locked_bytes(&world, &["install", flag, "aa"]);
    }
}

#[test]
fn place_in_a_requirements_file_adds_no_late_file() {
    let world = world("26.3").file("links/README", "").file("r.txt", "-f links\naa\n");
    let links = world.project().join("links");
    world.index.after(AA_METADATA, 1, move |_| {
        fs::write(links.join(AA), evil("aa", "1.0").build().bytes).unwrap();
        fs::write(links.join("aa-2.0-py3-none-any.whl"), evil("aa", "2.0").build().bytes).unwrap();
    });
    brings_the_locked_bytes(&world, &["install", "-r", "r.txt"]);
}

#[test]
fn file_of_a_local_place_is_judged_like_any_other() {
    let world = World::new().trust(PIN_AA).env("PIP_FIND_LINKS", "links");
    let world = world.file(&format!("links/{AA}"), evil("aa", "1.0").build().bytes);
    fails(&world, &["install", "aa"], 77).stderr_has("signature expected");
}

#[test]
fn requirements_from_variables_are_judged() {
    let world = World::new().signed(aa(), &octo()).wheel(evil("bb", "1.0"));
    let world = world.trust("aa https://github.com/octo/example\nbb https://github.com/o/bb\n");
    let world = world.file("more.txt", "bb\n").env("PIP_REQUIREMENT", "more.txt");
    fails(&world, &["install", "aa"], 77).stderr_has("bb 1.0");
}

#[test]
fn late_line_of_a_requirements_file_is_ignored() {
    let world = world("26.3").wheel(evil("evil", "1.0")).file("r.txt", "aa\n");
    let path = world.project().join("r.txt");
    world.index.after(AA_METADATA, 1, move |_| fs::write(path, "aa\nevil\n").unwrap());
    let outcome = world.pip(["install", "-r", "r.txt"]).run();
    assert!(outcome.status != 0 && world.installed().is_empty(), "{outcome}");
}

#[test]
fn late_line_of_a_remote_requirements_file_is_ignored() {
    let world = world("26.3").wheel(evil("evil", "1.0"));
    world.index.fault_times("/r.txt", 2, text("aa\n"));
    world.index.fault("/r.txt", text("aa\nevil\n"));
    let url = world.index.at("/r.txt");
    brings_the_locked_bytes(&world, &["install", "-r", &url]);
    assert_eq!(world.index.count("/r.txt"), 2);
}

/// `evil` at a place of its own, as a line that states its hash.
fn evil_line(world: &World, name: &str) -> String {
    let evil = evil(name, "9.0").build();
    let path = format!("/elsewhere/{}", evil.filename);
    world.index.serve(&path, "application/zip", evil.bytes.clone());
    format!("{name} @ {}#sha256={}\n", world.index.at(&path), Sha256::of(&evil.bytes))
}

#[test]
fn remote_requirements_file_is_read_once() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        world.pip(["install", "aa"]).run().exits(0);
        world.index.fault_times("/r.txt", 2, text("aa\n"));
        world.index.fault("/r.txt", text(&evil_line(&world, "evil")));
        let url = world.index.at("/r.txt");
        let outcome = brings_the_locked_bytes(&world, &["install", "-r", &url]);
        outcome.stdout_has("Requirement already satisfied: aa");
        assert_eq!(world.index.count("/r.txt"), 2);
    }
}

#[test]
fn remote_file_of_the_configuration_is_read_once() {
    for pip in ["26.3", "24.0"] {
        for key in ["constraint", "requirement"] {
            let world = world(pip);
            let url = world.index.at("/r.txt");
            let world = world.pip_conf(&format!("[install]\n{key} = {url}\nno-color = yes\n"));
            world.index.fault_times("/r.txt", 2, text("aa\n"));
            world.index.serve("/r.txt", "text/plain", evil_line(&world, "aa"));
            brings_the_locked_bytes(&world, &["install", "aa"]);
            assert_eq!(world.index.count("/r.txt"), 2);
        }
    }
}

fn text(text: &str) -> crate::support::index::Fault {
    let content_type = "text/plain".to_owned();
    crate::support::index::Fault::Body { content_type, bytes: text.into() }
}

#[test]
fn tampered_cache_entry_is_not_used() {
    let world = world("26.3");
    let digits = aa().build().sha256.to_string();
    let entry = format!("home/.cache/pip/pypi-verify-now/files/sha256/{}/{digits}", &digits[..2]);
    let entry = world.path(&entry);
    fs::create_dir_all(entry.parent().unwrap()).unwrap();
    fs::write(&entry, evil("aa", "1.0").build().bytes).unwrap();
    brings_the_locked_bytes(&world, &["install", "aa"]);
    assert_eq!(fs::read(&entry).unwrap(), aa().build().bytes);
}

#[test]
fn files_of_the_working_directory_are_not_taken() {
    let world = world("26.3").file(AA, evil("aa", "1.0").build().bytes);
    let world = world.file("aa/setup.py", "open('ran', 'w')\n").file("pip.py", "open('ran', 'w')");
    brings_the_locked_bytes(&world, &["install", "aa"]);
    assert!(!world.project().join("ran").exists());
}

#[test]
fn no_index_is_asked_after_the_downloads() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        brings_the_locked_bytes(&world, DIRECT);
        let is_pip = |agent: Option<&str>| agent.is_some_and(|agent| !agent.contains(OURS));
        let requests =
            world.index.requests().into_iter().filter(|it| it.path != "/files/index.txt");
        let requests: Vec<_> = requests.collect();
        let by_pip: Vec<_> =
            requests.iter().map(|request| is_pip(request.header("user-agent"))).collect();
        // First pip asks, then we do, then nobody.
        let resolved = by_pip.iter().take_while(|by_pip| **by_pip).count();
        assert!(resolved > 0 && !by_pip[resolved..].contains(&true), "{by_pip:?}");
        let by_us = requests[resolved..].iter().filter(|request| request.path == AA_FILE);
        assert_eq!(by_us.count(), 1);
    }
}

#[test]
fn gateway_asks_the_index_once_and_pip_never() {
    let document = format!("/provenance/{AA}");
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        brings_the_locked_bytes(&world, LED);
        let mut paths = world.index.paths();
        paths.sort();
        assert_eq!(paths, [AA_FILE, AA_METADATA, &document, AA_PAGE]);
        let agents = world.index.requests();
        let mut agents = agents.iter().filter_map(|request| request.header("user-agent"));
        assert!(agents.all(|agent| agent.contains(OURS)));
    }
}

#[test]
fn files_are_downloaded_while_evidence_is_fetched() {
    let document = format!("/provenance/{AA}");
    for args in [LED, DIRECT] {
        let world = world("26.3");
        world.index.hold(&document);
        std::thread::scope(|scope| {
            let install = scope.spawn(|| command(&world, args).run());
            while [AA_FILE, &document].iter().any(|path| world.index.count(path) == 0) {
                assert!(!install.is_finished(), "{}", install.join().unwrap());
                std::thread::yield_now();
            }
            world.index.release();
            install.join().unwrap().exits(0);
        });
        assert_eq!(world.installed(), ["aa 1.0"]);
        assert_eq!(world.index.count(AA_FILE), 1);
    }
}

#[test]
fn refused_file_is_removed_after_the_run() {
    for args in [LED, DIRECT] {
        let world = World::with_pip("26.3").wheel(evil("aa", "1.0")).trust(PIN_AA);
        let index = format!("--index-url {}\naa\n", world.index.url());
        world.index.serve("/files/index.txt", "text/plain", index);
        fails(&world, args, 77).stderr_has("signature expected");
        assert!(world.leftovers().is_empty());
    }
}
