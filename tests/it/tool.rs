//! The tool over a lock: a line for every package, every file of it verified, an exit code, and
//! nothing installed.

use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::private_sigstore::Mutation;
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    Before, broken, index_of_aa, lock, octo, our_requests, pin, provenance, signed, unsigned,
    wheel, world, world_with_lock_of_aa,
};
use crate::support::wheel::{Distribution, Wheel};

/// A lock of five projects, each with another verdict.
fn five() -> (LoopbackIndex, Sandbox) {
    let names = ["good", "changed", "bad", "silent", "new"];
    let [good, changed, bad, silent, new] = names.map(|name| wheel(name, "1.0"));
    let index = LoopbackIndex::builder()
        .file("good", signed(&good, &octo("good")))
        .file("changed", signed(&changed, &octo("evil")))
        .file("bad", broken(&bad, &octo("bad"), Mutation::Signature))
        .file("silent", unsigned(&silent))
        .file("new", signed(&new, &octo("new")))
        .start();
    let files = [&good, &changed, &bad, &silent, &new];
    let text = lock(&index, names.into_iter().zip(files.map(|file| vec![file])));
    let trust = ["good", "changed", "bad"].map(pin).concat();
    let world = world(&index).trust(&trust).file("pylock.toml", text);
    (index, world)
}

#[test]
fn each_package_of_a_lock_gets_a_line_without_an_install() {
    let (index, world) = five();
    let before = Before::of(&world);
    let outcome = world.tool(["-L", "pylock.toml"]).run();
    outcome.exits(77).stderr_has("error: 3 of 5 files refused");
    let lines: Vec<_> = outcome.stdout.lines().collect();
    let file = |name: &str| format!("({name}-1.0-py3-none-any.whl: ");
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0], "OK: good 1.0, built by https://github.com/octo/good");
    assert!(lines[1].starts_with(&format!("FAIL: changed 1.0 {}", file("changed"))));
    assert!(lines[1].contains("https://github.com/octo/evil"), "{}", lines[1]);
    assert!(lines[2].starts_with(&format!("FAIL: bad 1.0 {}", file("bad"))));
    assert!(lines[2].contains("its signature does not belong"), "{}", lines[2]);
    assert!(lines[3].starts_with("UNKNOWN: silent 1.0"), "{}", lines[3]);
    assert!(lines[4].starts_with(&format!("FAIL: new 1.0 {}", file("new"))));
    before.holds(&world, &outcome);
    assert!(our_requests(&index).iter().all(|path| !path.starts_with("/files/")));
}

/// A lock of one project with three wheels, of which the last is as given.
fn three(last: impl Fn(&Distribution) -> DistFile) -> (LoopbackIndex, Sandbox) {
    let tags = ["py3-none-any", "py2-none-any", "cp311-cp311-manylinux_2_17_x86_64"];
    let wheels = tags.map(|tag| Wheel::new("aa", "1.0").tag(tag).build());
    let index = LoopbackIndex::builder()
        .file("aa", signed(&wheels[0], &octo("aa")))
        .file("aa", signed(&wheels[1], &octo("aa")))
        .file("aa", last(&wheels[2]))
        .start();
    let text = lock(&index, [("aa", wheels.iter().collect())]);
    let world = world(&index).trust(&pin("aa")).file("pylock.toml", text);
    (index, world)
}

#[test]
fn every_file_of_an_entry_is_verified_and_not_the_first() {
    let (_index, world) = three(|last| signed(last, &octo("aa")));
    let honest = world.tool(["-L", "pylock.toml"]).run();
    assert_eq!(honest.exits(0).stdout, "OK: aa 1.0, built by https://github.com/octo/aa\n");
    for (reason, last) in [
        ("its signature does not belong", broken as fn(&_, &_, _) -> DistFile),
        ("signature expected", |last, _, _| unsigned(last)),
        ("changed publisher", |last, _, _| signed(last, &octo("evil"))),
    ] {
        let (_index, world) = three(|wheel| last(wheel, &octo("aa"), Mutation::Signature));
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        outcome
            .exits(77)
            .stdout_has("FAIL: aa 1.0 (aa-1.0-cp311-cp311-manylinux_2_17_x86_64.whl: ");
        outcome.stdout_has(reason).lacks("OK: ");
    }
}

#[test]
fn exit_code_tells_the_outcome() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let run = |args: &[&str]| world.tool(args).run();
    run(&["-L", "pylock.toml"]).exits(0);
    let piped = world.tool(["-L", "/dev/stdin"]).stdin(&world.read_file("pylock.toml"));
    piped.run().exits(0);
    run(&["-L", "nowhere.toml"]).exits(65).stderr_has("nowhere.toml");
    run(&["-L"]).exits(2);
    run(&[]).exits(2).stderr_has("no lock and no requirements are named");
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    run(&["-L", "pylock.toml"]).exits(77);
    drop(index);
    run(&["-L", "pylock.toml", "--retries", "0"]).exits(69);
}

#[test]
fn entries_that_would_be_skipped_are_errors() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa).file("requirements.txt", "bb\n");
    let run = |args: &[&str]| world.tool([&["-L", "pylock.toml"], args].concat()).run();
    run(&["--stirct"]).exits(2).stderr_has("unknown argument `--stirct`");
    run(&["--stirct", "aa"]).exits(2).stderr_has("unknown argument `--stirct`");
    run(&["bb"]).exits(2).stderr_has("`bb` asks pip for a lock");
    run(&["-r", "requirements.txt"]).exits(2).stderr_has("`--requirement` asks pip for a lock");
    run(&["--", "bb"]).exits(2).stderr_has("`bb` asks pip for a lock");
    assert!(index.requests().is_empty());
}

#[test]
fn tofu_records_and_then_enforces_publishers() {
    let (index, aa) = index_of_aa();
    let world = world(&index).file("pylock.toml", lock(&index, [("aa", vec![&aa])]));
    world.tool(["-L", "pylock.toml"]).run().exits(77).stdout_has("publisher not recorded");
    assert_eq!(world.trust_file(), None);
    let first = world.tool(["-L", "pylock.toml", "--tofu"]).run();
    first.exits(0).stdout_has("OK: aa 1.0, built by https://github.com/octo/aa");
    first.stderr_has("recorded: aa https://github.com/octo/aa");
    assert_eq!(world.trust_file().unwrap(), pin("aa"));
    world.tool(["-L", "pylock.toml"]).run().exits(0).lacks("recorded");

    let forged = provenance(&aa, &octo("evil"));
    index.serve("/provenance/aa-1.0-py3-none-any.whl", "application/json", forged);
    world.tool(["-L", "pylock.toml", "--tofu"]).run().exits(77).stdout_has("changed publisher");
    assert_eq!(world.trust_file().unwrap(), pin("aa"));
}

#[test]
fn tofu_records_no_publisher_after_a_refusal() {
    let (_index, world) = five();
    let before = Before::of(&world);
    let outcome = world.tool(["-L", "pylock.toml", "--tofu"]).run();
    outcome.exits(77).stdout_has("OK: new 1.0").stderr_has("2 of 5 files refused");
    before.holds(&world, &outcome);
}

#[test]
fn strict_refuses_unsigned_files() {
    let silent = wheel("silent", "1.0");
    let index = LoopbackIndex::builder().file("silent", unsigned(&silent)).start();
    let world = world(&index).file("pylock.toml", lock(&index, [("silent", vec![&silent])]));
    world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("UNKNOWN: silent 1.0");
    let strict = world.tool(["-L", "pylock.toml", "--strict"]).run();
    strict.exits(77).stdout_has("FAIL: silent 1.0").lacks("UNKNOWN");
    world.tool(["-L", "pylock.toml"]).env("STRICT", "1").run().exits(77);
    let ours_wins = world.tool(["-L", "pylock.toml"]).env("STRICT", "1");
    ours_wins.env("PYPI_VERIFY_NOW_STRICT", "0").run().exits(0);
}

#[test]
fn config_path_names_the_only_trust_file_that_counts() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa).file("other.txt", "aa https://github.com/x/y\n");
    let run = |args: &[&str]| world.tool([&["-L", "pylock.toml"], args].concat()).run();
    run(&["--config-path", "other.txt"]).exits(77).stderr_has("other.txt, line 1");
    run(&["--config-path=new.txt", "--tofu"]).exits(0);
    let words: Vec<_> = world.read_file("new.txt").split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["aa", "https://github.com/octo/aa"]);
    assert_eq!(world.read_file("other.txt"), "aa https://github.com/x/y\n");
    assert_eq!(world.trust_file().unwrap(), pin("aa"));
    let variable = world.tool(["-L", "pylock.toml"]).env("FILENAME", "other.txt").run();
    variable.exits(77).stderr_has("other.txt, line 1");
}

#[test]
fn our_options_may_stand_anywhere() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa).file("none.txt", "");
    for args in [
        "--retries 0 -L pylock.toml --tofu --config-path none.txt",
        "--tofu --retries=0 --config-path=none.txt --lock-path=pylock.toml",
        "--config-path none.txt --retries 0 --lock-path pylock.toml --strict --tofu",
        "-Lpylock.toml --retries 0 --tofu --config-path none.txt",
        "--retries 0 --tofu --config-path none.txt -Lpylock.toml",
    ] {
        let outcome = world.tool(args.split(' ')).run();
        assert_eq!(outcome.exits(0).stdout.lines().count(), 1);
        assert!(world.read_file("none.txt").starts_with("aa "), "{outcome}");
        world.write_file("none.txt", "");
    }
}

#[test]
fn file_of_no_index_is_unknown_and_fails_if_pinned() {
    let (index, aa) = index_of_aa();
    let files = wheel("local", "1.0");
    let text = lock(&index, [])
        + "[[packages]]\nname = \"repo\"\nvcs = {type = \"git\", url = \"https://u:sekret@git.example/r\", commit-id = \"0\"}\n\
           [[packages]]\nname = \"tree\"\ndirectory = {path = \"tree\"}\n"
        + &format!(
            "[[packages]]\nname = \"aa\"\narchive = {{url = \"{}\", hashes = {{sha256 = \"{}\"}}}}\n",
            index.file_url(&aa.filename),
            aa.sha256
        )
        + &format!(
            "[[packages]]\nname = \"local\"\nwheels = [{{path = \"./{}\", hashes = {{sha256 = \"{}\"}}}}]\n",
            files.filename, files.sha256
        );
    let world = world(&index).file("pylock.toml", text);
    let outcome = world.tool(["-L", "pylock.toml"]).run();
    let lines: Vec<_> = outcome.exits(0).lacks("sekret").stdout.lines().collect();
    assert_eq!(lines.len(), 4);
    for (line, name) in lines.iter().zip(["repo", "tree", "aa 1.0", "local 1.0"]) {
        assert!(line.starts_with(&format!("UNKNOWN: {name}, ")), "{line}");
    }
    // The configured index has the very bytes of `aa`, with a document of this publisher.
    world.write_file(".provenance.txt", pin("aa"));
    world.tool(["-L", "pylock.toml"]).run().exits(0).stdout_has("OK: aa 1.0");
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    world.tool(["-L", "pylock.toml"]).run().exits(77).stdout_has("FAIL: aa ");
    for name in ["repo", "tree", "local"] {
        world.write_file(".provenance.txt", pin(name));
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        outcome.exits(77).stdout_has(&format!("FAIL: {name} ")).lacks("sekret");
    }
    world.tool(["-L", "pylock.toml", "--strict"]).run().exits(77).stderr_has("4 of 4 files");
}

#[test]
fn missing_pip_is_an_error_with_a_hint() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let outcome = world.tool(["-L", "pylock.toml"]).env("PATH", world.path("nowhere")).run();
    outcome.exits(69).stderr_has("pip").stderr_has("hint: ");
}
