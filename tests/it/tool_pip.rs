//! The tool over what pip would lock: any requirement, any pip, whatever is installed.

use crate::support::index::LoopbackIndex;
use crate::support::sandbox::Sandbox;
use crate::support::served::{Before, octo, pin, signed, unsigned, wheel, world, world_with_pip};
use crate::support::wheel::{Sdist, Wheel};

/// `aa` needs `bb`, which has two versions; its extra `x` needs `cc`. All are signed but `cc`.
fn index() -> LoopbackIndex {
    let aa = Wheel::new("aa", "1.0").requires("bb>=1").extra("x", "cc").build();
    LoopbackIndex::builder()
        .file("aa", signed(&aa, &octo("aa")))
        .file("bb", signed(&wheel("bb", "1.0"), &octo("bb")))
        .file("bb", signed(&wheel("bb", "2.0"), &octo("bb")))
        .file("cc", unsigned(&wheel("cc", "1.0")))
        .start()
}

fn trust() -> String {
    pin("aa") + &pin("bb")
}

/// The lines of an answer, sorted, without what comes after the version.
fn verdicts(stdout: &str) -> Vec<String> {
    let short = |line: &str| line.split([',', '(']).next().unwrap().trim().to_owned();
    let mut lines: Vec<_> = stdout.lines().map(short).collect();
    lines.sort();
    lines
}

#[test]
fn dependencies_of_names_and_files_are_verified() {
    let index = index();
    let world = world(&index).trust(&trust()).file("requirements.txt", "aa[x]\n");
    let before = Before::of(&world);
    for args in [&["aa[x]"][..], &["-r", "requirements.txt"], &["aa", "cc"]] {
        let outcome = world.tool(args).run();
        let lines = verdicts(&outcome.exits(0).stdout);
        assert_eq!(lines, ["OK: aa 1.0", "OK: bb 2.0", "UNKNOWN: cc 1.0"]);
        before.holds(&world, &outcome);
    }
    assert!(!world.project().join("pylock.toml").exists());
}

#[test]
fn installed_packages_do_not_count_for_any_pip() {
    for pip in ["26.3", "25.1", "24.0"] {
        let index = index();
        let world = world_with_pip(pip, &index).trust(&trust());
        world.plain_pip(["install", "bb==1.0"]).run().exits(0);
        let before = Before::of(&world);
        let outcome = world.tool(["aa"]).run();
        assert_eq!(verdicts(&outcome.exits(0).stdout), ["OK: aa 1.0", "OK: bb 2.0"], "pip {pip}");
        before.holds(&world, &outcome);
        world.tool(["bb==1.0"]).run().exits(0).stdout_has("OK: bb 1.0");
    }
}

#[test]
fn dependency_of_another_publisher_fails() {
    let index = index();
    let world = world(&index).trust(&(pin("aa") + "bb https://github.com/x/y\n"));
    let outcome = world.tool(["aa"]).run();
    assert_eq!(verdicts(&outcome.exits(77).stdout), ["FAIL: bb 2.0", "OK: aa 1.0"]);
}

#[test]
fn our_options_may_follow_pips_and_a_separator_ends_them() {
    let index = index();
    let world = world(&index).file("requirements.txt", "bb==1.0\n").file("t.txt", trust());
    let ok = ["OK: aa 1.0", "OK: bb 1.0"];
    for args in [
        "aa -r requirements.txt --strict --config-path t.txt",
        "--config-path t.txt --strict -- aa -r requirements.txt",
        "--config-path t.txt aa --strict -- -r requirements.txt",
        "-r requirements.txt --config-path=t.txt -- aa",
    ] {
        let outcome = world.tool(args.split(' ')).run();
        assert_eq!(verdicts(&outcome.exits(0).stdout), ok, "{outcome}");
    }
    world.tool(["aa[x]", "--config-path", "t.txt", "--strict"]).run().exits(77);
}

#[test]
fn dependency_group_is_locked() {
    let index = index();
    let project = "[dependency-groups]\ntest = [\"aa\"]\n";
    let world = world(&index).trust(&trust()).file("pyproject.toml", project);
    let outcome = world.tool(["--group", "test"]).run();
    assert_eq!(verdicts(&outcome.exits(0).stdout), ["OK: aa 1.0", "OK: bb 2.0"]);
}

#[test]
fn pip_that_fails_says_so_itself() {
    let index = index();
    let world = world(&index);
    let before = Before::of(&world);
    let unknown = world.tool(["nowhere"]).run();
    unknown.exits(1).stderr_has("No matching distribution found for nowhere");
    before.holds(&world, &unknown);
    world.tool(["--no-such-option", "aa"]).run().exits(2).stderr_has("no such option");
    world.tool(["-r", "missing.txt"]).run().exits(1).stderr_has("missing.txt");
}

#[test]
fn no_lock_is_written() {
    let world = Sandbox::new().index(&index().url());
    for words in [&["--output", "x"][..], &["-ox"], &["--out=x"]] {
        let words = [words, &["aa"]].concat();
        world.tool(words).run().exits(2).stderr_has("`--output`").stderr_has("hint: ");
        assert!(!world.project().join("x").exists());
    }
}

#[test]
fn no_code_of_a_source_runs() {
    let world = Sandbox::new();
    let marker = world.path("ran");
    let source = Sdist::new("src-only", "1.0", &marker).build();
    let index = LoopbackIndex::builder().file("src-only", unsigned(&source)).start();
    let world = world.index(&index.url()).file(&source.filename, &source.bytes);
    world.sh("tar --strip-components=1 -xzf src*.tar.gz").run().exits(0);
    let path = format!("./{}", source.filename);
    for (args, status) in [
        (vec!["src-only"], 1),
        (vec!["--no-binary", ":all:", "src-only"], 1),
        (vec![path.as_str()], 77),
        (vec!["--no-build-isolation", "--use-feature=inprocess-build-deps", path.as_str()], 77),
        (vec!["-e", "."], 77),
    ] {
        let outcome = world.tool(&args).run();
        assert_eq!(outcome.status, status, "{outcome}");
        assert!(!marker.exists(), "{outcome}");
    }
}
