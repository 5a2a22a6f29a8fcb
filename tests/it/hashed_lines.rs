//! Hashes of the user's own files, with a wheel and a source of one release on the index. A file is
//! installed only if every line and constraint that states hashes for its project allows it.

use pypi_verify_now::package::digest::Sha256;

use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

/// A world whose index has a wheel and a source of `aa`, both signed, with the digests of both.
fn worlds(pip: &str) -> (World, Sandbox, Sha256, Sha256) {
    let world = World::with_pip(pip);
    let (wheel, source) = (Wheel::new("aa", "1.0"), world.sdist("aa", "1.0"));
    let (of_wheel, of_source) = (wheel.clone().build().sha256, source.clone().build().sha256);
    let world = world.signed(wheel, &octo()).signed_source(source, &octo()).trust(PIN_AA);
    let twin = world.twin();
    (world, twin, of_wheel, of_source)
}

/// A line that allows these files.
fn line(requirement: &str, allowed: &[Sha256]) -> String {
    let hashes = allowed.iter().map(|sha256| format!(" --hash=sha256:{sha256}"));
    format!("{requirement}{}\n", hashes.collect::<String>())
}

/// Writes a file into both worlds.
fn write(world: &World, twin: &Sandbox, name: &str, text: &str) {
    world.write_file(name, text);
    twin.write_file(name, text);
}

fn uninstall(world: &World, twin: &Sandbox) {
    world.plain_pip(["uninstall", "-y", "aa"]).run().exits(0);
    twin.plain_pip(["uninstall", "-y", "aa"]).run().exits(0);
    let _ = std::fs::remove_file(world.marker());
}

#[test]
fn source_is_built_if_only_its_hash_is_stated() {
    for pip in ["26.3", "24.0"] {
        let (world, twin, _, source) = worlds(pip);
        write(&world, &twin, "r.txt", &line("aa==1.0", &[source]));
        let outcome = same(&world, &twin, &["install", "-r", "r.txt"], But::Requested);
        outcome.exits(0).stderr_has("verified: aa 1.0");
        assert!(world.something_ran(), "{pip}: the wheel was taken");
        uninstall(&world, &twin);
        // Its verdict comes before the build, as for every source.
        world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
        world.runs_nothing(world.pip(["install", "-r", "r.txt"]), 77);
    }
}

#[test]
fn every_line_must_allow_the_file() {
    for pip in ["26.3", "25.1", "24.0"] {
        let (world, twin, wheel, source) = worlds(pip);
        let (both, one) = (line("aa==1.0", &[wheel, source]), line("aa==1.0", &[source]));
        write(&world, &twin, "both.txt", &both);
        write(&world, &twin, "one.txt", &one);
        write(&world, &twin, "nested.txt", &format!("-r one.txt\n{both}"));
        let mut cases: Vec<(&str, &[&str])> = vec![
            ("both first", &["-r", "both.txt", "-r", "one.txt"]),
            ("both last", &["-r", "one.txt", "-r", "both.txt"]),
            ("nested", &["-r", "nested.txt"]),
        ];
        if pip == "26.3" {
            cases.push(("constraint", &["-r", "both.txt", "-c", "one.txt"]));
        }
        for (what, files) in cases {
            let install = [&["install", "--no-cache-dir"], files].concat();
            same(&world, &twin, &install, But::Requested).exits(0);
            assert!(world.something_ran(), "{pip}, {what}: the wheel was taken");
            uninstall(&world, &twin);
        }
    }
}

/// The wheel is allowed by one line and excluded by another, and so is the source.
#[test]
fn file_that_a_line_excludes_is_never_installed() {
    for pip in ["26.3", "24.0"] {
        let (world, _, wheel, source) = worlds(pip);
        let zeros = Sha256::parse(&"0".repeat(64)).unwrap();
        for (first, second) in [(wheel, source), (source, wheel), (wheel, zeros), (zeros, wheel)] {
            world.write_file("first.txt", line("aa==1.0", &[first]));
            world.write_file("r.txt", format!("-r first.txt\n{}", line("aa", &[second])));
            let outcome = world.pip(["install", "-r", "r.txt"]).run();
            assert_ne!(outcome.status, 0, "{pip}: {outcome}");
            assert!(world.installed().is_empty(), "{pip}: {outcome}");
            world.write_file("r.txt", format!("-c first.txt\n{}", line("aa", &[second])));
            let outcome = world.pip(["install", "-r", "r.txt"]).run();
            assert_ne!(outcome.status, 0, "{pip}: {outcome}");
            assert!(world.installed().is_empty(), "{pip}: {outcome}");
        }
    }
}

/// Files for several Pythons state one line for each. Only the lines for this Python count.
#[test]
fn lines_for_other_pythons_state_no_hashes() {
    let zeros = Sha256::parse(&"0".repeat(64)).unwrap();
    for pip in ["26.3", "24.0"] {
        let (world, twin, wheel, _) = worlds(pip);
        for (other, ours) in [
            ("python_version < '3'", "python_version >= '3'"),
            ("sys_platform == 'win32'", "sys_platform != 'win32'"),
            ("extra == 'x' or os_name == 'nt'", "'nux' in sys_platform and os_name != 'nt'"),
        ] {
            let other = line(&format!("aa==1.0 ; {other}"), &[zeros]);
            let ours = line(&format!("aa==1.0 ; {ours}"), &[wheel]);
            write(&world, &twin, "r.txt", &format!("{other}{ours}"));
            same(&world, &twin, &["install", "-r", "r.txt"], But::Requested).exits(0);
            uninstall(&world, &twin);
        }
        let excluded = line("aa==1.0 ; python_version > '3'", &[zeros]);
        world.write_file("r.txt", excluded + &line("aa==1.0", &[wheel]));
        assert_ne!(world.pip(["install", "-r", "r.txt"]).run().status, 0);
        assert!(world.installed().is_empty());
    }
}

#[test]
fn locked_file_fits_every_line() {
    let (world, twin, wheel, source) = worlds("26.3");
    let (both, one) = (line("aa==1.0", &[wheel, source]), line("aa==1.0", &[source]));
    write(&world, &twin, "r.txt", &format!("{both}{one}"));
    same(&world, &twin, &["lock", "-r", "r.txt"], But::Nothing).exits(0);
    let lock = world.read_file("pylock.toml");
    assert!(lock.contains("aa-1.0.tar.gz") && !lock.contains(".whl"), "{lock}");
}
