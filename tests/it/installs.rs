//! An install that nothing speaks against: afterwards the environment is what plain pip with the
//! same arguments would have made of it, and so is the exit code.

use std::collections::BTreeMap;

use crate::support::index::{Hash, LoopbackIndex};
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::venv::PIPS;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

/// What may differ between us and plain pip.
#[derive(Clone, Copy, PartialEq)]
enum But {
    Nothing,
    /// Up to pip 26.0 the hashed file names everything, so that everything counts as requested.
    Requested,
}

/// The usual packages: `aa` is signed and needs `bb`; its extra `x` needs `cc`.
fn world(pip: &str) -> World {
    filled(World::with_pip(pip))
}

fn filled(world: World) -> World {
    world
        .signed(aa(), &octo())
        .wheel(Wheel::new("bb", "1.0"))
        .wheel(Wheel::new("bb", "2.0"))
        .wheel(Wheel::new("cc", "1.0"))
        .trust(PIN_AA)
}

fn aa() -> Wheel {
    Wheel::new("aa", "1.0").requires("bb>=1").extra("x", "cc").script("aa = aa:main")
}

/// Runs the command in both worlds, and compares.
#[track_caller]
fn same(world: &World, twin: &Sandbox, args: &[&str], but: But) -> Outcome {
    let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
    assert_eq!(ours.status, plain.status, "{ours}\n=== plain\n{plain}");
    assert_eq!(said(&ours), said(&plain), "{ours}\n=== plain\n{plain}");
    assert_eq!(state(world, but), state(twin, but), "{ours}");
    assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
    ours
}

/// What pip says that it did.
fn said(outcome: &Outcome) -> Vec<String> {
    let tells = |line: &&str| line.starts_with("Successfully");
    outcome.stdout.lines().filter(tells).map(str::to_owned).collect()
}

/// Every file of environment and project with its content, where that does not name the world.
fn state(world: &Sandbox, but: But) -> BTreeMap<String, String> {
    let root = world.path("").display().to_string();
    let mut all = BTreeMap::new();
    for line in world.files() {
        let (path, content) = line.rsplit_once(' ').unwrap();
        let path = path.strip_prefix(&root).unwrap().to_owned();
        let local = path.contains("/bin/") || path.ends_with("/RECORD");
        if but == But::Nothing || !path.ends_with("/REQUESTED") {
            all.insert(path, if local { String::new() } else { content.to_owned() });
        }
    }
    all
}

#[test]
fn a_requirements_file_gives_the_environment_that_plain_pip_gives() {
    for pip in PIPS {
        let world = world(pip).file("requirements.txt", "aa\n");
        let twin = world.twin();
        let but = if pip < "26.1" { But::Requested } else { But::Nothing };
        same(&world, &twin, &["install", "-r", "requirements.txt"], but);
        assert_eq!(world.freeze(), ["aa==1.0", "bb==2.0"]);
        assert_eq!(twin.freeze(), world.freeze());
        for installed in world.inspect().values() {
            assert_eq!(installed.installer, "pip");
            assert_eq!(installed.direct_url, None);
        }
    }
}

#[test]
fn extras_and_markers_mean_what_they_mean_to_pip() {
    let world = world("26.3");
    let twin = world.twin();
    let (there, gone) = ("bb<2; python_version > '3'", "dd; python_version < '3'");
    same(&world, &twin, &["install", "aa[x]", there, gone], But::Nothing);
    assert_eq!(world.installed(), ["aa 1.0", "bb 1.0", "cc 1.0"]);
}

#[test]
fn files_within_files_and_constraints_count() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip)
            .file("requirements.txt", "-r more/base.txt\n-c limits.txt\n")
            .file("more/base.txt", "aa[x]  # comment\n")
            .file("limits.txt", "bb<2\n");
        let twin = world.twin();
        same(&world, &twin, &["install", "-rrequirements.txt", "-c", "limits.txt"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0", "cc 1.0"]);
    }
}

#[test]
fn without_dependencies_only_what_is_named_is_installed() {
    for (pip, but) in [("26.3", But::Nothing), ("25.1", But::Requested)] {
        let world = world(pip);
        let twin = world.twin();
        same(&world, &twin, &["install", "--no-deps", "aa"], but);
        assert_eq!(world.installed(), ["aa 1.0"]);
    }
}

#[test]
fn a_target_directory_gets_the_same_files() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip);
        let twin = world.twin();
        // What is in the environment does not count for a target.
        for each in [&*world, &twin] {
            each.plain_pip(["install", "bb==1.0"]).run().exits(0);
        }
        same(&world, &twin, &["install", "--target", "there", "aa"], but);
        assert!(world.project().join("there/bb-2.0.dist-info").exists());
        same(&world, &twin, &["install", "--target=there", "--upgrade", "bb<2"], but);
        assert!(world.project().join("there/bb-1.0.dist-info").exists());
    }
}

#[test]
fn what_is_installed_is_treated_as_pip_treats_it() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip);
        let twin = world.twin();
        for each in [&*world, &twin] {
            each.plain_pip(["install", "bb==1.0"]).run().exits(0);
        }
        same(&world, &twin, &["install", "aa"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
        same(&world, &twin, &["install", "aa", "bb"], But::Nothing)
            .stdout_has("Requirement already satisfied: bb in");
        same(&world, &twin, &["install", "-U", "aa"], But::Nothing);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
        same(&world, &twin, &["install", "-U", "--upgrade-strategy=eager", "aa"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
        same(&world, &twin, &["install", "--force-reinstall", "--no-deps", "bb==1.0"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    }
}

#[test]
fn a_conflict_with_what_is_installed_is_told_as_pip_tells_it() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip).wheel(Wheel::new("old", "1.0").requires("bb<2"));
        world.plain_pip(["install", "old"]).run().exits(0);
        let run = world.pip(["install", "bb==2.0"]).run();
        run.exits(0).stderr_has("old 1.0 requires bb<2, but you have bb 2.0");
    }
}

#[test]
fn the_kind_of_index_makes_no_difference() {
    let hashes = [vec![Hash::Md5], vec![Hash::Sha512], vec![Hash::Md5, Hash::Sha256], vec![]];
    for (nth, hashes) in hashes.into_iter().enumerate() {
        let builder = LoopbackIndex::builder();
        let builder = if nth % 2 == 0 { builder } else { builder.html_only() };
        let world = filled(World::before("26.3", builder));
        world.index.edit(|projects| {
            for file in projects.values_mut().flatten() {
                file.hashes.clone_from(&hashes);
            }
        });
        let twin = world.twin();
        same(&world, &twin, &["install", "aa"], But::Nothing);
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
    }
}

#[test]
fn an_index_without_metadata_makes_no_difference() {
    for (pip, but) in [("26.3", But::Nothing), ("25.3", But::Requested)] {
        let world = world(pip);
        world.index.edit(|projects| {
            projects.values_mut().flatten().for_each(|file| file.metadata = None);
        });
        let twin = world.twin();
        same(&world, &twin, &["install", "aa"], but);
    }
}

#[test]
fn hashes_of_the_users_own_stay_in_force() {
    let (aa, bb) = (aa().build().sha256, Wheel::new("bb", "2.0").build().sha256);
    let requirements = format!("aa==1.0 --hash=sha256:{aa}\nbb==2.0 --hash=sha256:{bb}\n");
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip).file("requirements.txt", &requirements);
        let twin = world.twin();
        same(&world, &twin, &["install", "-r", "requirements.txt"], but);
        let wrong = requirements.replace(&bb.to_string(), &"0".repeat(64));
        let world = self::world(pip).file("requirements.txt", wrong);
        world.refuses(["install", "-r", "requirements.txt"], 1).stderr_has("DO NOT MATCH");
    }
}

#[test]
fn an_index_named_in_the_requirements_file_is_the_one_that_is_asked() {
    for line in ["-i", "--index-url", "--extra-index-url"] {
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
fn a_requirements_file_may_be_at_a_url() {
    let world = world("26.3");
    world.index.serve("/requirements.txt", "text/plain", "aa[x]\n");
    let (twin, url) = (world.twin(), world.index.at("/requirements.txt"));
    same(&world, &twin, &["install", "-r", &url], But::Requested);
    assert_eq!(world.installed(), ["aa 1.0", "bb 2.0", "cc 1.0"]);
}

#[test]
fn the_codes_of_pips_own_failures_are_pips_own() {
    let world = world("26.3");
    let twin = world.twin();
    for args in [
        &["install"][..],
        &["install", "--no-such-option", "aa"],
        &["install", "nosuch"],
        &["install", "aa", "bb==7"],
        &["install", "-r", "missing.txt"],
        &["install", "bb==="],
        &["install", "--user", "--target", "t", "aa"],
    ] {
        let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
        assert_eq!(ours.status, plain.status, "{ours}\n=== plain\n{plain}");
        let last = plain.stderr.lines().last().unwrap_or_default();
        ours.stderr_has(last);
        assert!(world.installed().is_empty() && world.leftovers().is_empty());
    }
}
