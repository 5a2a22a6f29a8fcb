//! Unusual surroundings of a call of pip: no home, directories that nobody can
//! write to, names that are no text, outputs that are closed, and others who do the same at once.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::support::run::Run;
use crate::support::sandbox::{BINARY, Sandbox};
use crate::support::venv::Venv;
use crate::support::wheel::Wheel;
use crate::support::world::{OCTO, PIN_AA, World, octo};

fn world() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA)
}

#[test]
fn missing_home_installs_as_pip_does() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
        let homeless = |run: Run| run.without_env("HOME").without_env("LANG");
        homeless(world.pip(["install", "aa"])).run().exits(0).stderr_has("verified: aa 1.0");
        assert_eq!(world.installed(), ["aa 1.0"]);
        let nowhere = world.path("nowhere");
        let world = world.env("HOME", nowhere.to_str().unwrap());
        world.pip(["install", "--force-reinstall", "aa"]).run().exits(0);
    }
}

/// The command in the project's directory, to which nothing can be written. Nothing where that
/// cannot be arranged: modes do not bind root.
fn in_a_read_only_directory(world: &Sandbox, command: &str) -> Option<Run> {
    let mount = "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\"";
    if rustix::process::geteuid().is_root() {
        let enter = ["-m", "sh", "-c"].map(OsString::from);
        let with = |script: String| world.run("unshare", [&enter[..], &[script.into()]].concat());
        if which::which("unshare").is_err() || with(mount.to_owned()).run().status != 0 {
            eprintln!("no mount of our own: left out");
            return None;
        }
        return Some(with(format!("{mount} && {command}")));
    }
    Some(world.sh(&format!("chmod a-w . && {command}; status=$?; chmod u+w .; exit $status")))
}

#[test]
fn unwritable_directory_does_not_prevent_an_install() {
    let world = world();
    let Some(run) = in_a_read_only_directory(&world, "pip install aa") else { return };
    run.run().exits(0).stderr_has("verified: aa 1.0");
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn unwritable_directory_prevents_trust_on_first_use() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    let command = "TOFU=1 pip install aa";
    let Some(run) = in_a_read_only_directory(&world, command) else { return };
    let outcome = run.run();
    outcome.exits(65).stderr_has("cannot record in the trust file").stderr_has(".provenance.txt");
    assert!(world.installed().is_empty() && world.leftovers().is_empty());
}

#[test]
fn non_unicode_filename_is_read_as_by_pip() {
    let name = OsStr::from_bytes(b"l\xffst.txt");
    let world = world();
    let twin = world.twin();
    for sandbox in [&*world, &twin] {
        fs::write(sandbox.project().join(name), "aa\n").unwrap();
    }
    for args in
        [&[OsStr::new("install"), OsStr::new("-r"), name][..], &[OsStr::new("install"), name]]
    {
        let (ours, plain) = (world.pip(args).run(), twin.plain_pip(args).run());
        assert_eq!(ours.status, plain.status, "{ours}\n{plain}");
        assert_eq!(world.inspect(), twin.inspect());
    }
}

#[test]
fn non_unicode_working_directory_is_supported() {
    let name = OsString::from_vec(b"pr\xffject".to_vec());
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    let directory = world.project().join(&name);
    fs::create_dir_all(directory.join(".git")).unwrap();
    let mut install = world.pip(["install", "aa"]).env("TOFU", "1").command();
    assert!(install.current_dir(&directory).output().unwrap().status.success());
    let recorded = fs::read_to_string(directory.join(".provenance.txt")).unwrap();
    assert!(recorded.contains(OCTO), "{recorded}");
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn deleted_working_directory_prevents_an_install() {
    let world = world();
    let gone = |command: &str| {
        let away = "mkdir gone && cd gone && rmdir ../gone";
        world.sh(&format!("{away} && {command}"))
    };
    gone("pip --version").run().exits(0).stdout_has("pip 26.3");
    gone("pip install --help").run().exits(0);
    gone(&format!("{BINARY} shellenv bash --shims {}", world.shims().display())).run().exits(0);
    gone(&format!("{BINARY} -r list.txt")).run().exits(69).stderr_has("where this process runs");
    let install = world.leaves_all_as_it_was(gone("pip install aa"), 69);
    install.stderr_has("where this process runs").stderr_has("hint: change to a directory");
}

#[test]
fn blanks_in_paths_are_supported() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo());
        let (temporary, home) = (world.path("tmp/a b (#) %"), world.path("home/a b"));
        fs::create_dir_all(&temporary).unwrap();
        fs::create_dir_all(&home).unwrap();
        world.write_file("a b (#) %/list of all.txt", "aa\n");
        world.write_file("a b (#) %/.provenance.txt", PIN_AA);
        let install = world.pip(["install", "-r", "list of all.txt"]).cwd("a b (#) %");
        install.env("TMPDIR", &temporary).env("HOME", &home).run().exits(0);
        assert_eq!(world.installed(), ["aa 1.0"]);
        assert!(world.leftovers().is_empty());
    }
}

#[test]
fn blank_in_tmpdir_does_not_split_find_links() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).wheel(Wheel::new("bb", "2.0"));
        let local = world.sdist("local", "1.0").requires("bb").build();
        let world = world.file(&local.filename, &local.bytes);
        world.sh("tar -xzf local-1.0.tar.gz").run().exits(0);
        let temporary = world.path("tmp/shared space");
        fs::create_dir_all(&temporary).unwrap();
        // A build tag makes it better than the wheel that was verified.
        let evil = Wheel::new("bb", "2.0").file("evil.py", "import os\n").build();
        fs::create_dir(world.path("tmp/shared")).unwrap();
        fs::write(world.path("tmp/shared/bb-2.0-9-py3-none-any.whl"), &evil.bytes).unwrap();
        world.pip(["install", "./local-1.0"]).env("TMPDIR", &temporary).run().exits(0);
        assert_eq!(world.installed(), ["bb 2.0", "local 1.0"]);
        assert!(!world.venv().site_packages().join("evil.py").exists(), "pip {pip}");
    }
}

#[test]
fn unusable_temporary_directory_is_named() {
    for (name, why) in [(&b"a:b"[..], "has a `:` in it"), (b"a\xff", "is not UTF-8")] {
        let world = world();
        let temporary = world.path("tmp").join(OsStr::from_bytes(name));
        fs::create_dir(&temporary).unwrap();
        let install = world.pip(["install", "aa"]).env("TMPDIR", &temporary);
        world.leaves_all_as_it_was(install, 69).stderr_has(why).stderr_has("TMPDIR");
    }
}

#[test]
fn missing_temporary_directory_is_skipped_as_by_pip() {
    for (wrong, right) in [(&["TMPDIR"][..], "TEMP"), (&["TMPDIR", "TEMP"], "TMP")] {
        for pip in ["26.3", "24.0"] {
            let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
            let install = world.pip(["install", "aa"]).env(right, world.path("tmp"));
            let nowhere = world.path("nowhere");
            let install = wrong.iter().fold(install, |run, name| run.env(name, &nowhere)).run();
            let place = world.path("tmp/pypi-verify-now-");
            install.exits(0).stdout_has(&place.display().to_string());
            assert_eq!(world.installed(), ["aa 1.0"]);
            assert!(world.leftovers().is_empty());
        }
    }
}

#[test]
fn closed_outputs_end_the_run_as_they_end_pip() {
    let endings =
        ["| head -0; exit ${PIPESTATUS[0]}", ">&-", ">&- 2>&-", "<&- >&- 2>&-", "</dev/null"];
    for ending in endings {
        let world = world();
        let twin = world.twin();
        let search = std::env::join_paths([twin.venv().bin(), "/usr/bin".into(), "/bin".into()]);
        let script = format!("pip install aa {ending}");
        let ours = world.run("bash", ["-c", &script]).run();
        let plain = twin.run("bash", ["-c", &script]).env("PATH", search.unwrap()).run();
        assert_eq!(ours.status, plain.status, "{script}: {ours}\n{plain}");
        assert_eq!(world.inspect(), twin.inspect(), "{script}");
        assert!(world.leftovers().is_empty());
    }
}

#[test]
fn concurrent_runs_share_cache_and_trust_file() {
    let names = ["aa", "bb", "cc", "dd", "ee", "ff"];
    let world = names
        .iter()
        .fold(World::new(), |world, name| world.signed(Wheel::new(name, "1.0"), &octo()));
    let environments =
        names.map(|name| Venv::create(&world.path(&format!("env-{name}")), &world.venv().pip));
    std::thread::scope(|scope| {
        for (name, environment) in names.iter().zip(&environments) {
            let search = [world.shims(), environment.bin(), "/usr/bin".into(), "/bin".into()];
            // One of its own and one that all of them want.
            let install = world.pip(["install", name, "aa"]);
            let search = std::env::join_paths(search).unwrap();
            let install = install.env("TOFU", "1").env("PATH", search);
            scope.spawn(move || {
                install.run().exits(0).stderr_has("recorded: ");
            });
        }
    });
    for (name, environment) in names.iter().zip(&environments) {
        for name in [name, "aa"] {
            let info = environment.site_packages().join(format!("{name}-1.0.dist-info"));
            assert!(info.exists(), "{}", info.display());
        }
    }
    let recorded = names.map(|name| format!("{name} {OCTO}\n")).concat();
    assert_eq!(world.trust_file().unwrap(), recorded);
}
