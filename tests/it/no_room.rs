//! A disk that is full: a clear error, nothing installed, nothing left behind.

use std::fmt::Write as _;

use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

/// 512 KiB that cannot be made smaller.
fn large() -> Wheel {
    let mut text = String::new();
    let mut state = 1_u64;
    while text.len() < 1024 * 1024 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{state:016x}").unwrap();
    }
    Wheel::new("aa", "1.0").file("data.txt", &text)
}

fn world() -> World {
    World::new().signed(large(), &octo()).trust(PIN_AA).env("PIP_NO_CACHE_DIR", "1")
}

#[test]
fn file_size_limit_fails_without_an_install() {
    let world = world();
    let run = world.sh("ulimit -f 256 && exec pip install aa");
    let outcome = world.leaves_all_as_it_was(run, 69);
    outcome.stderr_has("File too large").stderr_has("make room on the disk");
}

/// A script with a directory for temporary files of this size, where one can be had.
fn with_room(world: &Sandbox, kib: u32, command: &str) -> Option<crate::support::run::Run> {
    let mount = format!("mount -t tmpfs -o size={kib}k none \"$TMPDIR\"");
    let with = |script: String| world.run("unshare", ["-m", "sh", "-c", &script]);
    if which::which("unshare").is_err() || with(mount.clone()).run().status != 0 {
        eprintln!("no mount of our own: left out");
        return None;
    }
    Some(with(format!("{mount} && {command}; status=$?; ls -A \"$TMPDIR\"; exit $status")))
}

#[test]
fn full_disk_while_downloading_fails_without_an_install() {
    let world = world();
    let Some(run) = with_room(&world, 320, "pip install aa") else { return };
    let outcome = world.leaves_all_as_it_was(run, 69);
    outcome.stderr_has("No space left on device").stderr_has("make room on the disk");
    assert_eq!(outcome.stdout, "");
}

#[test]
fn no_file_is_prefetched_without_free_space() {
    // pip considers aa by its METADATA before it finds out that no release fits, so that only a
    // guess would fetch the file.
    let world = World::new().wheel(large()).trust(PIN_AA).env("PIP_NO_CACHE_DIR", "1");
    let Some(run) = with_room(&world, 320, "pip install aa 'aa<1'") else { return };
    world.leaves_all_as_it_was(run, 1);
    assert_eq!(world.index.count("/files/aa-1.0-py3-none-any.whl"), 0);
}

#[test]
fn full_temporary_directory_is_skipped() {
    let world = world();
    let fill = "dd if=/dev/zero of=\"$TMPDIR/fill\" bs=1k count=999 2>/dev/null; pip install aa; \
        status=$?; rm \"$TMPDIR/fill\"; (exit $status)";
    let Some(run) = with_room(&world, 128, fill) else { return };
    run.run().exits(0).stderr_has("verified: aa 1.0");
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn unwritable_directories_prevent_the_install() {
    let world = world();
    // Wherever Python would look for a place, and this world, which may lie on another disk.
    let read_only = "for place in / /tmp /var/tmp /usr/tmp \"${HOME%/home}\"; do \
        if [ -d \"$place\" ]; then mount --bind \"$place\" \"$place\" && \
            mount -o remount,bind,ro \"$place\" || exit 1; fi; done";
    let script = format!("{read_only}; cd \"$PWD\" && pip install aa");
    if with_room(&world, 128, "true").is_none() {
        return;
    }
    let run = world.run("unshare", ["-m", "sh", "-c", &script]);
    let outcome = world.leaves_all_as_it_was(run, 69);
    outcome.stderr_has("private temporary directory").stderr_has("check TMPDIR");
}
