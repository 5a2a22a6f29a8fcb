//! Requests as pip makes them: how many, by which agent, with which credentials.

use crate::support::index::{Fault, LoopbackIndex};
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

const AA: &str = "/files/aa-1.0-py3-none-any.whl";

/// An index with three projects, of which `aa` is signed.
fn world(pip: &str, index: crate::support::index::Builder) -> World {
    World::before(pip, index)
        .signed(Wheel::new("aa", "1.0"), &octo())
        .wheel(Wheel::new("bb", "1.0"))
        .wheel(Wheel::new("cc", "1.0"))
        .trust(PIN_AA)
}

/// An index of the old kind: pip fetches each wheel to read its requirements.
fn without_metadata(world: World) -> World {
    world.index.edit(|projects| {
        projects.values_mut().flatten().for_each(|file| file.metadata = None);
    });
    world
}

/// Runs a command in both worlds, and returns the numbers of requests: pip's, and ours.
#[track_caller]
fn counted(world: &World, twin: &Sandbox, args: &[&str]) -> (usize, usize, Outcome) {
    let start = world.index.requests().len();
    let plain = twin.plain_pip(args).run();
    let middle = world.index.requests().len();
    let ours = world.pip(args).run();
    let end = world.index.requests().len();
    assert_eq!(plain.status == 0, ours.status == 0, "{plain}\n{ours}");
    (middle - start, end - middle, ours)
}

#[test]
fn refused_password_is_sent_as_rarely_as_by_pip() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip, LoopbackIndex::builder().basic_auth("me", "sekret"));
        let twin = world.twin();
        let wrong = world.index.url_with_credentials("me", "wrong");
        let install = ["install", "--no-input", "-i", &wrong, "aa", "bb", "cc"];
        let (pips, ours, _) = counted(&world, &twin, &install);
        assert!(ours <= pips + 1, "{ours} requests with a wrong password, pip {pips}");
    }
}

#[test]
fn failing_files_are_requested_about_as_often_as_by_pip() {
    for (code, metadata, words) in [
        (502, true, &["aa"][..]),
        (500, false, &["aa"]),
        (503, true, &["aa", "bb", "cc"]),
        (520, false, &["aa", "bb", "cc"]),
    ] {
        let mut world = world("26.3", LoopbackIndex::builder());
        if !metadata {
            world = without_metadata(world);
        }
        let twin = world.twin();
        for file in ["aa", "bb", "cc"] {
            let path = format!("/files/{file}-1.0-py3-none-any.whl");
            world.index.fault(&path, Fault::status(code));
        }
        let (pips, ours, outcome) = counted(&world, &twin, &[&["install"], words].concat());
        outcome.stderr_has(&format!("answered with status {code}"));
        // Fetching ahead asks for the page and the file of each further project, once.
        let ahead = 2 * (words.len() - 1);
        assert!(10 * (ours - ahead) <= 13 * pips, "{ours} requests, pip {pips}");
    }
}

#[test]
fn index_in_a_requirements_file_is_asked_once_for_everything() {
    for (pip, line) in [
        ("26.3", "--index-url INDEX"),
        ("26.3", "-c lines.txt"),
        ("25.1", "--extra-index-url INDEX\n-r lines.txt"),
        ("24.0", "-i INDEX\n--trusted-host x"),
    ] {
        let world = without_metadata(world(pip, LoopbackIndex::builder()));
        let index = world.index.url();
        let lines = line.replace("INDEX", &index);
        world.write_file("lines.txt", format!("-i {index}\n"));
        world.write_file("requirements.txt", format!("{lines}\naa\nbb\n"));
        let twin = world.twin();
        let nowhere = LoopbackIndex::builder().start();
        let install = ["install", "-i", &nowhere.url(), "-r", "requirements.txt"];
        let (pips, ours, outcome) = counted(&world, &twin, &install);
        outcome.exits(0).stderr_has("verified: aa 1.0");
        assert_eq!(ours, pips + 1, "{line}: and the provenance: {:?}", world.index.paths());
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    }
}

#[test]
fn credentials_are_learned_from_every_url() {
    for pip in ["26.3", "24.0"] {
        for case in 0..6 {
            let world = World::before(pip, LoopbackIndex::builder().basic_auth("me", "sekret"));
            let world = world.wheel(Wheel::new("aa", "1.0"));
            let file = world.index.url_with_credentials("me", "sekret").replace("/simple/", AA);
            let page = world.index.url_with_credentials("me", "sekret") + "aa/";
            let index = world.index.url_with_credentials("me", "sekret");
            let bare = world.index.file_url("aa-1.0-py3-none-any.whl");
            let other = LoopbackIndex::builder().start();
            let direct = format!("aa @ {file}");
            world.write_file("requirements.txt", format!("{direct}\n"));
            world.write_file("bare.txt", format!("-i {index}\naa @ {bare}\n"));
            let words: Vec<&str> = match case {
                0 => vec![&file],
                1 => vec!["-f", &page, "aa"],
                2 => vec!["-i", &index, &bare],
                3 => vec!["-r", "requirements.txt"],
                4 => vec!["-r", "bare.txt"],
                _ => vec!["-f", &page, &bare],
            };
            let twin = world.twin();
            let nowhere = other.url();
            let args = [&["install", "--no-input", "-i", &nowhere], &words[..]].concat();
            let outcome = same(&world, &twin, &args, But::Requested);
            // pip learns the credentials of a page when it reads the page, which is too late here.
            assert_eq!(outcome.status, i32::from(case == 5), "{pip} {words:?}: {outcome}");
            outcome.lacks("sekret");
        }
    }
}

#[test]
fn agent_begins_with_pips() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip, LoopbackIndex::builder());
        world.pip(["install", "aa"]).run().exits(0);
        for request in world.index.requests() {
            let agent = request.header("user-agent").unwrap().to_owned();
            assert!(agent.starts_with(&format!("pip/{pip}")), "{agent}");
        }
    }
}
