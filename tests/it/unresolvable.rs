//! Sets that cannot be resolved. The failure is that of pip, in its words and with the names of the
//! user. A file that would not be installed gets no verdict, and nothing is recorded.

use crate::support::answers::at_a_terminal;
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;
use crate::support::world::{World, octo};

/// A world and its twin. `aa` and the source `ss` are signed and nobody recorded them; the source
/// `src` is unsigned; `bb` needs an old `cc`.
fn worlds(pip: &str) -> (World, Sandbox) {
    let world = World::with_pip(pip);
    let (ss, src) = (world.sdist("ss", "1.0"), world.sdist("src", "1.0"));
    let world = world
        .signed(Wheel::new("aa", "1.0"), &octo())
        .signed(Wheel::new("bb", "1.0").requires("cc<2"), &octo())
        .wheel(Wheel::new("cc", "1.0"))
        .wheel(Wheel::new("cc", "2.0"))
        .signed_source(ss, &octo())
        .source(src)
        .file("typo.txt", "# a comment\n\naa\ntypo==1.0 # nobody has it\n")
        .file("nested.txt", "-r typo.txt\nss\n")
        .file("conflict.txt", "aa\n\nbb \\\n  >= 1\ncc>=2\n")
        .file("hashed.txt", format!("aa==1.0 --hash=sha256:{}\n", "0".repeat(64)))
        .file("old.txt", "cc<2\n");
    let twin = world.twin();
    (world, twin)
}

/// Returns the lines of pip about the failure: all but those about single files.
fn words(outcome: &Outcome) -> Vec<String> {
    let about_files = ["Collecting ", "  ", "Processing ", "Looking in ", "Obtaining "];
    let lines = outcome.stdout.lines().chain(outcome.stderr.lines());
    let lines = lines.filter(|line| !about_files.iter().any(|start| line.starts_with(start)));
    lines.map(str::to_owned).collect()
}

const CASES: [&[&str]; 10] = [
    &["aa", "typo"],
    &["typo", "aa"],
    &["aa", "cc==9"],
    &["ss", "typo"],
    &["ss", "src", "aa", "cc>2"],
    &["-r", "typo.txt"],
    &["-r", "nested.txt"],
    &["-r", "hashed.txt"],
    &["-r", "conflict.txt", "ss"],
    &["aa", "ss", "cc>=2", "-c", "old.txt"],
];

#[test]
fn failure_of_pip_comes_before_a_verdict() {
    for (pip, cases) in [("26.3", &CASES[..]), ("24.0", &CASES[3..8])] {
        let (world, twin) = worlds(pip);
        for case in cases {
            let install = [&["install"], *case].concat();
            let plain = twin.plain_pip(&install).run();
            plain.exits(1);
            for (name, value) in [("CI", ""), ("TOFU", "1")] {
                let _ = std::fs::remove_file(world.marker());
                let run = world.pip(&install).env(name, value);
                // With `TOFU` a signed source may run, after its verdict.
                let ours = match name {
                    "TOFU" => world.leaves_all_as_it_was(run, 1),
                    _ => world.runs_nothing(run, 1),
                };
                assert_eq!(words(&ours), words(&plain), "{pip}: {ours}\n=== plain\n{plain}");
                ours.lacks("pypi-verify-now");
            }
        }
    }
}

#[test]
fn unresolvable_set_is_told_without_a_question() {
    let (world, _) = worlds("26.3");
    for case in CASES {
        let install = [&["pip", "install"], case].concat();
        let outcome = at_a_terminal(&world, &[("[y/N]", "yes")], &install).run();
        outcome.exits(1).lacks("Trust this publisher");
    }
    assert_eq!(world.trust_file(), None);
}

/// These projects in sets that can be resolved are refused, and no source runs.
#[test]
fn resolvable_sets_are_judged_as_before() {
    for pip in ["26.3", "24.0"] {
        let (world, _) = worlds(pip);
        for case in
            [&["aa"][..], &["ss"], &["aa", "ss", "cc"], &["ss", "cc>=2", "bb; os_name=='nt'"]]
        {
            let install = [&["install"], case].concat();
            let outcome = world.runs_nothing(world.pip(&install), 77);
            outcome.stderr_has("publisher not recorded");
        }
        let strict = world.pip(["install", "src"]).env("STRICT", "1");
        world.runs_nothing(strict, 77).stderr_has("refused: src 1.0");
    }
}
