//! `pip lock` through us: the same verdicts as for an install, and pip's own lock, byte for byte,
//! where they are good.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::private_sigstore::Mutation;
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::twin;
use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::{OCTO, PIN_AA, World, mallory, octo};

/// The first with `pip lock`, the last that makes it so, the newest.
const PIPS: [&str; 3] = ["26.3", "26.1", "25.1"];

/// How many of the cases an older pip is given: `count`.
fn few(pip: &str, count: usize) -> usize {
    if pip == PIPS[0] { usize::MAX } else { count }
}

/// Of what was said, the lines that are not ours, and do not name this world.
fn plain(world: &Sandbox, text: &str) -> String {
    let root = world.path("").display().to_string();
    let is_ours = |line: &&str| line.starts_with("pypi-verify-now: ");
    let lines = text.split_inclusive('\n').filter(|line| !is_ours(line));
    let text: String = lines.collect();
    text.replace(root.trim_end_matches('/'), "{world}")
}

/// Of what was said while something was built, without what differs: wheels are read whole then,
/// METADATA beside them is not, and lines of copies are not those of the files.
fn built(world: &Sandbox, text: &str) -> String {
    let lines = plain(world, text);
    let known = |line: &&str| !line.trim_start().starts_with("Downloading ");
    let without_number = |line: &str| match line.split_once(" (line ") {
        Some((before, behind)) => before.to_owned() + behind.split_once(')').unwrap().1,
        None => line.to_owned(),
    };
    lines.lines().filter(known).map(|line| without_number(line) + "\n").collect()
}

/// A project of the user's own: a list, limits, a group, wheels, sources.
fn lay_out(world: &Sandbox) {
    world.write_file("list.txt", "aa[x]\n# why\nbb\n");
    world.write_file("limits.txt", "bb<2\n");
    let project = "[dependency-groups]\ndev = ['aa', {include-group = 'more'}]\nmore = ['cc']\n";
    world.write_file("pyproject.toml", project);
    let wheel = Wheel::new("dd", "1.0+local").build();
    world.write_file(&format!("wheels/{}", wheel.filename), &wheel.bytes);
    let local = Sdist::new("local", "1.0", "/dev/null".as_ref()).requires("bb").build();
    world.write_file(&local.filename, &local.bytes);
    world.sh("tar -xzf local-1.0.tar.gz && mkdir sub && mv local-1.0 sub/dir").run().exits(0);
}

fn twins(pip: &str) -> (World, Sandbox) {
    let world = twin::world(pip);
    let (src, signed) = (world.sdist("src", "1.0+l"), world.sdist("aa", "0.9"));
    let world = world
        .source(src.requires("bb").build_requires("cc"))
        .signed_source(signed, &octo())
        .wheel(Wheel::new("ee", "1.0+local"));
    let twin = Sandbox::with_pip(pip).index(&world.index.url()).trust(PIN_AA);
    lay_out(&world);
    lay_out(&twin);
    (world, twin)
}

/// Everything in the project but the list of what was there before.
fn files(world: &Sandbox) -> Vec<(String, String, u32)> {
    let root = world.project().display().to_string();
    let is_lock = |line: &String| line.contains("lock") || line.contains(".json");
    let lines = world.files().into_iter().filter(is_lock);
    let lines = lines.filter(|line| line.starts_with(&root));
    let read = lines.map(|line| {
        let path = line.rsplit_once(' ').unwrap().0.to_owned();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mode = Path::new(&path).symlink_metadata().unwrap().permissions().mode();
        let root = world.path("").display().to_string();
        let here = |text: &str| text.replace(root.trim_end_matches('/'), "{world}");
        (here(&path), here(&text), mode)
    });
    read.collect()
}

/// How an output is compared.
type Said = fn(&Sandbox, &str) -> String;

/// The command is said and done as by plain pip.
#[track_caller]
fn same(world: &World, twin: &Sandbox, args: &[&str], said: Said) -> Outcome {
    let (plain_run, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
    let context = format!("{}: {ours}\n=== plain\n{plain_run}", world.venv().pip);
    assert_eq!(ours.status, plain_run.status, "{context}");
    assert_eq!(files(world), files(twin), "{context}");
    assert_eq!(said(world, &ours.stdout), said(twin, &plain_run.stdout), "{context}");
    assert_eq!(said(world, &ours.stderr), said(twin, &plain_run.stderr), "{context}");
    assert!(world.leftovers().is_empty(), "{:?} of {context}", world.leftovers());
    ours
}

#[test]
fn lock_of_wheels_and_its_output_are_pips_own() {
    for pip in PIPS {
        let (world, twin) = twins(pip);
        let ours = same(&world, &twin, &["lock", "aa"], plain);
        ours.exits(0).stderr_has("pypi-verify-now: verified: aa 1.0").stderr_has("experimental");
        assert!(world.read_file("pylock.toml").contains("aa-1.0-py3-none-any.whl"));
        let others = [
            &["lock", "aa[x]", "-o", "pylock.more.toml"][..],
            &["lock", "-r", "list.txt", "-c", "limits.txt", "-qosub/lock.json"],
            &["lock", "--group", "dev", "ee"],
            &["lock", "./wheels/dd-1.0+local-py3-none-any.whl"],
            &["lock", "-f", "wheels", "dd", "--out=-"],
            &["-q", "lock", "-o", "-", "aa"],
            &["lock", "--", "cc"],
        ];
        for args in others.into_iter().take(few(pip, 1)) {
            same(&world, &twin, args, plain).exits(0);
        }
    }
}

#[test]
fn lock_of_sources_has_the_urls_of_the_user() {
    for pip in PIPS {
        let (world, twin) = twins(pip);
        let all = [
            &["lock", "src", "aa==0.9", "-f", "./wheels", "dd", "./sub/dir"][..],
            &["lock", "./sub/dir", "-o", "sub/pylock.toml", "-c", "limits.txt"],
            &["lock", "-e", "sub/dir", "-o", "-"],
            &["lock", "./local-1.0.tar.gz", "-r", "list.txt"],
        ];
        for args in all.into_iter().take(few(pip, 1)) {
            same(&world, &twin, args, built).exits(0).lacks("pypi-verify-now-");
        }
    }
}

/// `aa` is on record, and there is an unsigned source of it on the index and beside the list, whose
/// code leaves a marker. A wheel needs it.
fn tampered(pip: &str) -> World {
    let world = World::with_pip(pip).trust(PIN_AA);
    let sdist = world.sdist("aa", "1.0");
    let built = sdist.clone().build();
    world.write_file(&built.filename, &built.bytes);
    world.write_file("list.txt", "needs\n");
    world.write_file("pylock.toml", "the lock of yesterday\n");
    world.source(sdist).wheel(Wheel::new("needs", "1.0").requires("aa"))
}

#[test]
fn unsigned_source_of_a_pinned_project_is_not_locked() {
    for pip in ["26.3", "25.1"] {
        let world = tampered(pip);
        let all = [
            &["aa"][..],
            &["-r", "list.txt"],
            &["--no-binary", ":all:", "aa", "-o", "new.toml"],
            &["./aa-1.0.tar.gz", "-o", "-"],
            &["--use-feature=fast-deps", "needs"],
        ];
        for args in all.into_iter().take(few(pip, 2)) {
            let lock = world.pip([&["lock"], args].concat());
            let outcome = world.runs_nothing(lock, 77);
            outcome.stderr_has("refused: ").stderr_has("signature expected").stderr_has(OCTO);
            outcome.lacks("lock-version").lacks("Collecting");
            assert_eq!(world.read_file("pylock.toml"), "the lock of yesterday\n");
            assert!(!world.project().join("new.toml").exists(), "{outcome}");
        }
        world.runs_nothing(world.pip(["lock", "needs"]).env("STRICT", "1"), 77);
        assert_eq!(world.index.count("/files/aa-1.0.tar.gz"), 0, "it was fetched");
    }
}

#[test]
fn unpinned_source_is_locked_unless_strict() {
    for pip in ["26.3", "25.1"] {
        let world = World::with_pip(pip);
        let src = world.sdist("src", "1.0");
        let world = world.source(src);
        let strict = world.pip(["lock", "src"]).env("STRICT", "1");
        world.runs_nothing(strict, 77).stderr_has("refused: src 1.0").stderr_has("STRICT");
        let outcome = world.pip(["lock", "src"]).run();
        outcome.exits(0).stderr_has("unknown: src 1.0 (the index has no attestation for it)");
        assert!(world.something_ran() && world.read_file("pylock.toml").contains("src-1.0"));
    }
}

#[test]
fn lock_and_install_give_equal_verdicts() {
    for pip in ["26.3", "25.1"] {
        let wheel = || Wheel::new("aa", "1.0");
        let worlds: [fn(World, Wheel) -> World; 3] = [
            |world, wheel| world.signed(wheel, &mallory()),
            |world, wheel| world.wheel(wheel),
            |world, wheel| world.broken(wheel, &octo(), Mutation::Signature),
        ];
        for tamper in worlds.into_iter().take(few(pip, 1)) {
            let world = tamper(World::with_pip(pip), wheel());
            let world = world.trust(PIN_AA);
            let list = world.write_file("list.txt", "aa\n");
            for args in [&["aa"][..], &["-r", list.to_str().unwrap()], &["aa", "-o", "-"]] {
                let outcome = refuses(&world, args);
                outcome.stderr_has("refused: aa 1.0").stderr_has("no lock was written");
                outcome.lacks("lock-version");
            }
        }
    }
}

/// The lock is refused, and no file of the project has changed.
#[track_caller]
fn refuses(world: &World, args: &[&str]) -> Outcome {
    let files = world.files();
    let outcome = world.leaves_all_as_it_was(world.pip([&["lock"], args].concat()), 77);
    assert_eq!(world.files(), files, "{outcome}");
    outcome
}

#[test]
fn lock_records_publishers_on_first_use() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo());
    refuses(&world, &["aa"]).stderr_has("TOFU=1");
    world.pip(["lock", "aa"]).env("TOFU", "1").env("PIP_DRY_RUN", "1").run().exits(0);
    assert_eq!(world.trust_file().as_deref(), Some(PIN_AA));
    let sdist = World::new();
    let source = sdist.sdist("aa", "1.0");
    let sdist = sdist.signed_source(source, &octo());
    sdist.pip(["lock", "aa"]).env("TOFU", "1").run().exits(0);
    assert_eq!(sdist.trust_file().as_deref(), Some(PIN_AA));
}

#[test]
fn refusals_of_pip_keep_its_words() {
    for pip in ["26.3", "24.0"] {
        let (world, twin) = twins(pip);
        for args in [
            &["lock"][..],
            &["lock", "aa", "--upgrade"],
            &["lock", "aa", "--no-such-option"],
            &["lock", "--help"],
        ] {
            same(&world, &twin, args, plain);
        }
    }
    let (world, twin) = twins("26.3");
    for args in [
        &["lock", "nowhere-to-be-found"][..],
        &["lock", "bb<2", "bb>=2"],
        &["lock", "-r", "nowhere.txt"],
        &["install", "-o", "x", "bb"],
        &["install", "--output=x", "bb"],
    ] {
        same(&world, &twin, args, built);
    }
    assert!(!world.project().join("x").exists());
}

#[test]
fn configured_output_is_written_as_by_pip() {
    let (world, twin) = twins("26.3");
    let (world, twin) =
        (world.env("PIP_OUTPUT", "~/pylock.toml"), twin.env("PIP_OUTPUT", "~/pylock.toml"));
    same(&world, &twin, &["lock", "bb"], plain).exits(0);
    let of = |world: &Sandbox| std::fs::read(world.path("home/pylock.toml")).unwrap();
    assert_eq!(of(&world), of(&twin));
    let (world, twin) = (world.env("PIP_OUTPUT", "-"), twin.env("PIP_OUTPUT", "-"));
    same(&world, &twin, &["lock", "bb"], plain).exits(0).stdout_has("lock-version");
    // A file that is there keeps its permissions, a link leads to its file, a pipe is written to.
    for world in [&*world, &twin] {
        let old = world.write_file("pylock.old.toml", "old");
        std::fs::set_permissions(old, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("pylock.old.toml", world.project().join("pylock.a.toml"))
            .unwrap();
        std::os::unix::fs::symlink("pylock.new.toml", world.project().join("pylock.b.toml"))
            .unwrap();
    }
    for place in ["pylock.a.toml", "pylock.b.toml", "/dev/stdout"] {
        same(&world, &twin, &["lock", "bb", "-o", place], plain).exits(0);
    }
    assert!(world.project().join("pylock.a.toml").is_symlink());
    let nowhere = world.pip(["lock", "bb", "-o", "nowhere/pylock.toml"]);
    world
        .leaves_all_as_it_was(nowhere, 2)
        .stderr_has("cannot write the lock ")
        .stderr_has("hint: ");
}

#[test]
fn switched_off_lock_is_announced() {
    let world = tampered("26.3");
    let outcome = world.pip(["lock", "aa"]).env("PYPI_VERIFY_NOW", "off").run();
    outcome.exits(0).stderr_has("warning: ").stderr_has("this lock is not verified");
    assert!(world.something_ran() && world.read_file("pylock.toml").contains("aa-1.0.tar.gz"));
}

#[test]
fn files_without_stated_sha256_are_compared_before_the_lock() {
    let wheel = |code: &str| Wheel::new("aa", "1.0").file("more.py", code);
    let sha512 = |wheel: Wheel| {
        use sha2::Digest as _;
        let digest = sha2::Sha512::digest(wheel.build().bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    for (stated, status) in [(wheel("good"), 0), (wheel("evil"), 1)] {
        let world = World::new().signed(wheel("good"), &octo()).trust(PIN_AA);
        let (filename, stated) = (wheel("good").build().filename, sha512(stated));
        let url = world.index.file_url(&filename);
        let page = format!(
            "<a href='{url}#sha512={stated}' data-core-metadata='true' data-provenance='{}'>{filename}</a>",
            world.index.at(&format!("/provenance/{filename}")),
        );
        world.index.serve("/simple/aa/", "text/html", page);
        let outcome = world.pip(["lock", "aa"]).run();
        outcome.exits(status);
        let lock = std::fs::read_to_string(world.project().join("pylock.toml")).ok();
        assert_eq!(lock.is_some_and(|lock| lock.contains(&stated)), status == 0, "{outcome}");
    }
}
