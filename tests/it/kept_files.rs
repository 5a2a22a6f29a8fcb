//! Files that an install keeps below pip's cache directory: the next one downloads no file again
//! and verifies all of them, and `--no-cache-dir` keeps none.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::index::LoopbackIndex;
use crate::support::sandbox::Sandbox;
use crate::support::served::{Before, index_of_aa, installed, pin, world};
use crate::support::wheel::{Distribution, Wheel};

const FILE: &str = "/files/aa-1.0-py3-none-any.whl";

/// An index, and two worlds that share a cache; in the first of them `aa` was installed.
fn two() -> (LoopbackIndex, Distribution, Sandbox, Sandbox) {
    let (index, aa) = index_of_aa();
    let first = world(&index).trust(&pin("aa"));
    let cache = first.path("home/.cache/pip");
    let second = world(&index).trust(&pin("aa")).env("PIP_CACHE_DIR", cache);
    first.pip(["install", "aa"]).run().exits(0);
    (index, aa, first, second)
}

/// The one entry of a cache.
fn entry(cache: &Path) -> PathBuf {
    let below = |path: &Path| std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path());
    let shard = below(&cache.join("pypi-verify-now/files/sha256")).next().unwrap();
    let mut entries: Vec<_> = below(&shard).collect();
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn second_environment_downloads_nothing() {
    let (index, aa, first, second) = two();
    assert_eq!(index.count(FILE), 1);
    let kept = entry(&first.path("home/.cache/pip"));
    assert_eq!(kept.file_name().unwrap().to_str().unwrap(), aa.sha256.to_string());
    assert_eq!(std::fs::read(&kept).unwrap(), aa.bytes);
    let outcome = second.pip(["install", "aa"]).run();
    outcome.exits(0).stderr_has("verified: aa 1.0");
    assert_eq!((index.count(FILE), installed(&second)), (1, vec!["aa==1.0".to_owned()]));
    // The evidence is asked for each time.
    assert_eq!(index.count("/provenance/aa-1.0-py3-none-any.whl"), 2);
}

#[test]
fn downloaded_files_have_the_mode_that_pip_gives() {
    let (index, _, _first, world) = two();
    let local = Wheel::new("bb", "1.0").build();
    let path = world.write_file(&format!("wheels/{}", local.filename), &local.bytes);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // From the cache, and past it; each umask after another one.
    for (umask, cached, expected) in [
        ("022", "", 0o644),
        ("077", "", 0o600),
        ("027", "--no-cache-dir", 0o640),
        ("022", "", 0o644),
    ] {
        for (given, mine) in [(0o604, 0o604), (0o440, 0o440)] {
            std::fs::set_permissions(&path, Permissions::from_mode(given)).unwrap();
            let script =
                format!("umask {umask} && rm -rf d && PIP download {cached} -d d -f wheels aa bb");
            for pip in ["pip", world.venv().bin().join("pip").to_str().unwrap()] {
                world.sh(&script.replace("PIP", pip)).run().exits(0);
                let got = world.project().join("d");
                let seen =
                    ["aa", "bb"].map(|n| mode(&got.join(format!("{n}-1.0-py3-none-any.whl"))));
                assert_eq!(seen, [expected, mine], "{pip} {umask} {cached}");
            }
        }
    }
    assert!(index.count(FILE) > 1);
}

#[test]
fn cached_files_are_verified_again() {
    let (index, _, _first, second) = two();
    second.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    let before = Before::of(&second);
    let outcome = second.pip(["install", "aa"]).run();
    before.holds(&second, outcome.exits(77));
    assert_eq!(index.count(FILE), 1);
}

#[test]
fn tampered_cached_file_is_fetched_again() {
    let (index, aa, first, second) = two();
    let kept = entry(&first.path("home/.cache/pip"));
    let evil = Wheel::new("aa", "1.0").file("evil.py", "").build();
    std::fs::write(&kept, &evil.bytes).unwrap();
    second.pip(["install", "aa"]).run().exits(0);
    assert_eq!(index.count(FILE), 2);
    assert!(!second.venv().site_packages().join("evil.py").exists());
    assert_eq!(std::fs::read(&kept).unwrap(), aa.bytes);

    std::fs::remove_file(&kept).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &kept).unwrap();
    second.pip(["install", "-I", "aa"]).run().exits(0);
    assert_eq!(index.count(FILE), 3);
}

#[test]
fn no_cache_dir_keeps_no_files() {
    let (index, _) = index_of_aa();
    for (args, variable) in [
        (&["install", "--no-cache-dir", "aa"][..], ("X", "")),
        (&["install", "aa"], ("PIP_NO_CACHE_DIR", "1")),
        (&["install", "aa"], ("PIP_CACHE_DIR", "/dev/null/nowhere")),
    ] {
        let world = world(&index).trust(&pin("aa")).env(variable.0, variable.1);
        let outcome = world.pip(args).run();
        outcome.exits(0);
        assert!(!world.path("home/.cache").exists(), "{outcome}");
        assert!(world.leftovers().is_empty());
    }
    assert_eq!(index.count(FILE), 3);
}

#[test]
fn cache_is_where_pip_is_told_to_keep_its_own() {
    let (index, _) = index_of_aa();
    let world = world(&index).trust(&pin("aa"));
    let place = world.path("kept");
    world.pip(["install", "--cache-dir", place.to_str().unwrap(), "aa"]).run().exits(0);
    entry(&place);
    let xdg = world.path("xdg");
    world.pip(["install", "-I", "aa"]).env("XDG_CACHE_HOME", &xdg).run().exits(0);
    entry(&xdg.join("pip"));
}
