//! An install that nothing speaks against, from every kind of index and by every way to name one.

use crate::support::index::{Hash, LoopbackIndex};
use crate::support::twin::{But, aa, bb, filled, same, world};
use crate::support::world::World;

#[test]
fn index_may_state_weak_hashes_or_none() {
    let html = LoopbackIndex::builder().html_only();
    for (index, hashes) in [
        (LoopbackIndex::builder(), vec![Hash::Md5, Hash::Sha256]),
        (LoopbackIndex::builder(), vec![]),
        (LoopbackIndex::builder(), vec![Hash::Md5]),
        (html, vec![Hash::Sha512]),
    ] {
        let world = filled(World::before("26.3", index));
        world.index.edit(|projects| {
            let files = projects.values_mut().flatten();
            files.for_each(|file| file.hashes.clone_from(&hashes));
        });
        let run = world.pip(["install", "aa"]).run();
        run.exits(0).stderr_has("verified: aa 1.0, built by https://github.com/octo/example");
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
    }
}

#[test]
fn index_without_metadata_files_gives_equal_installs() {
    let world = world("26.3");
    world.index.edit(|projects| {
        projects.values_mut().flatten().for_each(|file| file.metadata = None);
    });
    let twin = world.twin();
    same(&world, &twin, &["install", "aa"], But::Nothing);
}

#[test]
fn hashes_of_the_users_own_stay_in_force() {
    let right = format!("aa==1.0 --hash=sha256:{}\n", aa().build().sha256);
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let hashed = format!("bb==2.0 --hash=sha256:{}\n", bb("2.0").build().sha256);
        let world = world(pip).file("requirements.txt", right.clone() + &hashed);
        let twin = world.twin();
        same(&world, &twin, &["install", "-r", "requirements.txt"], but);
    }
    let wrong = format!("bb==2.0 --hash=sha256:{}\n", "0".repeat(64));
    let world = world("26.3").file("requirements.txt", right + &wrong);
    world.refuses(["install", "-r", "requirements.txt"], 1).stderr_has("DO NOT MATCH");
}

#[test]
fn index_named_in_the_requirements_file_is_the_one_that_is_asked() {
    for line in ["-i", "--extra-index-url"] {
        let empty = LoopbackIndex::builder().start();
        let world = world("26.3");
        let requirements = format!("{line} {}\naa\n", world.index.url());
        let world = world.file("requirements.txt", requirements).env("PIP_INDEX_URL", &empty.url());
        let twin = world.twin();
        same(&world, &twin, &["install", "-r", "requirements.txt"], But::Nothing);
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
    }
}

#[test]
fn requirements_file_may_be_at_a_url() {
    let world = world("26.3");
    world.index.serve("/requirements.txt", "text/plain", "aa[x]\n");
    let (twin, url) = (world.twin(), world.index.at("/requirements.txt"));
    same(&world, &twin, &["install", "-r", &url], But::Nothing);
    assert_eq!(world.installed(), ["aa 1.0", "bb 2.0", "cc 1.0"]);
}

#[test]
fn exit_codes_of_pip_are_passed_on() {
    let world = world("26.3");
    let twin = world.twin();
    for args in [
        &["install"][..],
        &["install", "--no-such-option", "aa"],
        &["install", "nosuch"],
        &["install", "-r", "missing.txt"],
    ] {
        let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
        assert_eq!(ours.status, plain.status, "{ours}\n=== plain\n{plain}");
        let last = plain.stderr.lines().last().unwrap_or_default();
        ours.stderr_has(last);
        assert!(world.installed().is_empty() && world.leftovers().is_empty());
    }
}
