//! `pypi-verify-now cache`: it says what an install has kept, and removes that and nothing else.

use std::path::Path;

use crate::support::index::LoopbackIndex;
use crate::support::sandbox::Sandbox;
use crate::support::served::{index_of_aa, octo, pin, signed, wheel, world};

/// A world in which `aa` was installed from an index whose answers may be kept.
fn used() -> Sandbox {
    let aa = wheel("aa", "1.0");
    let index = LoopbackIndex::builder().etags().file("aa", signed(&aa, &octo("aa"))).start();
    let world = world(&index).trust(&pin("aa"));
    world.pip(["install", "aa"]).run().exits(0);
    world.without_env("PIP_INDEX_URL").env("PIP_NO_INDEX", "1")
}

/// The lines of an answer, with every number of bytes as N.
fn lines(world: &Sandbox, args: &[&str]) -> Vec<String> {
    let answer = world.tool(args).run();
    answer.exits(0);
    assert_eq!(answer.stderr, "");
    let number = |word: &str| match word.trim_end_matches(',').parse::<u64>() {
        Ok(many) if many > 9 => "N".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(number).collect::<Vec<_>>().join(" ");
    answer.stdout.lines().map(line).collect()
}

#[test]
fn info_prints_directory_and_size_of_each_kind() {
    let world = used();
    let mut lines = lines(&world, &["cache", "info"]);
    let place = world.path("home/.cache/pip/pypi-verify-now");
    assert_eq!(lines.remove(0), format!("location: {}", place.display()));
    assert_eq!(lines[0], "files: 1 entries, N bytes, at most N");
    assert_eq!(lines[1], "pages: 1 entries, N bytes, at most N");
    assert_eq!(lines[2], "documents: 1 entries, N bytes, at most N");
    assert!(lines[3].starts_with("metadata: ") && lines.len() == 4, "{lines:?}");
}

#[test]
fn purge_keeps_the_cache_of_pip() {
    let world = used();
    let cache = world.path("home/.cache/pip");
    std::fs::create_dir_all(cache.join("wheels")).unwrap();
    std::fs::write(cache.join("wheels/kept"), "").unwrap();
    let said = lines(&world, &["cache", "purge"]);
    assert_eq!(said[0], "removed files: 1 entries, N bytes");
    assert_eq!(said.last().unwrap(), "freed: N bytes");
    assert!(cache.join("wheels/kept").exists() && !cache.join("pypi-verify-now").exists());
    assert_eq!(lines(&world, &["cache", "purge"]).last().unwrap(), "freed: 0 bytes");
    assert_eq!(lines(&world, &["cache", "info"])[1], "files: 0 entries, 0 bytes, at most N");
}

#[test]
fn cache_is_the_one_that_pip_is_configured_with() {
    let (index, _) = index_of_aa();
    let world = world(&index);
    let named = |place: &Path| format!("location: {}", place.join("pypi-verify-now").display());
    let place = world.path("elsewhere");
    let info = world.tool(["cache", "info"]).env("PIP_CACHE_DIR", &place).run();
    info.exits(0).stdout_has(&named(&place));
    let world = world.pip_conf(&format!("[global]\ncache-dir = {}\n", place.display()));
    world.tool(["cache", "info"]).run().exits(0).stdout_has(&named(&place));
    for command in ["info", "purge"] {
        let off = world.tool(["cache", command]).env("PIP_NO_CACHE_DIR", "1").run();
        off.exits(0).lacks("elsewhere");
    }
    let off = world.tool(["cache", "info"]).env("PIP_NO_CACHE_DIR", "1").run();
    off.stdout_has("location: none");
    assert!(!place.exists() && world.leftovers().is_empty());
}

#[test]
fn unknown_subcommands_are_usage_errors() {
    let world = Sandbox::new();
    world.tool(["cache"]).run().exits(2).stderr_has("info").stderr_has("purge");
    world.tool(["cache", "empty"]).run().exits(2);
}
