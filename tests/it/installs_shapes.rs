//! Packages, versions and options of less common shapes, as plain pip treats them.

use crate::support::twin::{But, same, world};
use crate::support::wheel::Wheel;
use crate::support::world::World;

#[test]
fn local_version_and_epoch_are_installed() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let (cuda, epoch) = (Wheel::new("cuda", "1.0+cu121"), Wheel::new("e.Poch", "1!2.0"));
        let world = World::with_pip(pip).wheel(cuda).wheel(epoch);
        // As indexes write a plus sign in a URL.
        let url = world.index.file_url("cuda-1.0%2Bcu121-py3-none-any.whl");
        world.index.edit(|projects| projects.get_mut("cuda").unwrap()[0].url = Some(url));
        let twin = world.twin();
        same(&world, &twin, &["install", "cuda", "E_poch>=1!2"], but).exits(0);
        assert_eq!(world.installed(), ["cuda 1.0+cu121", "e_poch 1!2.0"]);
    }
}

#[test]
fn yanked_version_is_reported_once() {
    for (pip, but) in [("26.3", But::Nothing), ("24.0", But::Requested)] {
        let world = world(pip);
        world.index.edit(|projects| {
            projects.get_mut("bb").unwrap()[0].yanked = Some("it is bad".to_owned());
        });
        let twin = world.twin();
        let run = same(&world, &twin, &["install", "bb==1.0"], but);
        run.stderr_has("warning: bb 1.0 is yanked: it is bad\n").lacks("a yanked version");
    }
}

#[test]
fn dependency_group_is_installed() {
    for (pip, but) in [("26.3", But::Nothing), ("25.1", But::Requested)] {
        let group = "[dependency-groups]\ndev = ['aa[x]']\n";
        let world = world(pip).file("pyproject.toml", group);
        let twin = world.twin();
        same(&world, &twin, &["install", "--group", "dev"], but);
        assert_eq!(world.installed(), ["aa 1.0", "bb 2.0", "cc 1.0"]);
    }
}

#[test]
fn only_deps_installs_dependencies_alone() {
    let world = world("26.3");
    let twin = world.twin();
    same(&world, &twin, &["install", "--only-deps", "aa"], But::Requested);
    assert_eq!(world.installed(), ["bb 2.0"]);
}

#[test]
fn other_environment_with_python_option_is_installed_into() {
    let world = world("26.3");
    let there = world.path("there");
    let venv = crate::support::venv::Venv::create(&there, "26.3");
    let python = venv.python().display().to_string();
    world.pip(["--python", &python, "install", "aa"]).run().exits(0);
    assert!(venv.site_packages().join("bb-2.0.dist-info").exists());
    assert!(world.installed().is_empty() && world.leftovers().is_empty());
}

#[test]
fn no_cache_dir_keeps_no_files() {
    let world = world("26.3");
    let twin = world.twin();
    same(&world, &twin, &["install", "--no-cache-dir", "aa"], But::Nothing);
    assert!(!world.path("home/.cache").exists());
}

#[test]
fn isolation_is_read_where_pip_reads_it() {
    let world = world("26.3").env("PIP_ISOLATED", "1");
    world.pip(["install", "bb"]).run().exits(0);
    let world = self::world("26.3");
    let url = world.index.url();
    let world = world.env("PIP_INDEX_URL", "http://127.0.0.1:1/simple/");
    world.pip(["install", "--isolated", "-i", &url, "bb"]).run().exits(0);
    world.pip(["--isolated", "install", "--index-url", &url, "aa"]).run().exits(0);
    assert_eq!(world.installed(), ["aa 1.0", "bb 2.0"]);
}
