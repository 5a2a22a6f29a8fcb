//! METADATA beside a wheel (PEP 658) that is not that of the wheel. The set that pip resolved is
//! judged, told and installed, or pip's comparison ends the run.

use pypi_verify_now::package::core_metadata::inconsistency;
use serde_json::json;

use crate::support::index::DistFile;
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo, signed};

const AA: &str = "aa-1.0-py3-none-any.whl";

/// A world whose index serves METADATA beside `aa`, which needs `bb`, as `change` makes it.
fn world(pip: &str, change: impl Fn(&str) -> String) -> World {
    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    let beside = change(&aa.metadata);
    let file = signed(DistFile::new(&aa.filename, aa.bytes).metadata(&beside), &octo());
    let world = World::with_pip(pip).trust(PIN_AA).file_on_index(file);
    world.wheel(Wheel::new("bb", "1.0")).wheel(Wheel::new("more", "1.0"))
}

fn one_more(metadata: &str) -> String {
    format!("{metadata}Requires-Dist: more\n")
}

fn one_less(metadata: &str) -> String {
    metadata.replace("Requires-Dist: bb\n", "")
}

/// Asserts that both fail with exit code 1 and this text of pip, and that no file is installed.
fn both_fail(world: &World, twin: &Sandbox, args: &[&str], text: &str) {
    let plain = twin.plain_pip(args).run();
    plain.exits(1).stderr_has(text);
    let ours = world.leaves_all_as_it_was(world.pip(args), 1);
    ours.stderr_has(text);
    assert_eq!(errors(&ours.stderr), errors(&plain.stderr), "{ours}\n=== plain\n{plain}");
}

/// The lines of errors, without the user's files and options.
fn errors(text: &str) -> Vec<String> {
    let errors = text.lines().filter(|line| line.starts_with("ERROR: Requested"));
    errors.map(str::to_owned).collect()
}

#[test]
fn pip_that_compares_the_two_ends_in_its_own_words() {
    let changes: [fn(&str) -> String; 4] = [
        one_more,
        one_less,
        |metadata| metadata.replace("Requires-Dist: bb", "Requires-Dist: bb<2"),
        |metadata| format!("{metadata}Requires-Python: >=3\n"),
    ];
    for change in changes {
        let world = world("26.3", change);
        let twin = world.twin();
        both_fail(&world, &twin, &["install", "aa"], "has inconsistent Requires-");
    }
}

#[test]
fn older_pip_installs_the_set_that_it_resolved() {
    for pip in ["26.1", "25.3", "24.0"] {
        for (change, told) in [(one_more as fn(&str) -> String, true), (one_less, false)] {
            let world = world(pip, change);
            let twin = world.twin();
            let outcome = same(&world, &twin, &["install", "aa"], But::Requested);
            outcome.exits(0);
            assert_eq!(outcome.stderr.contains("more 1.0"), told, "{outcome}");
            assert_eq!(world.installed().contains(&"more 1.0".to_owned()), told, "{outcome}");
        }
    }
}

#[test]
fn other_name_or_version_ends_as_with_pip() {
    let changes: [fn(&str) -> String; 2] = [
        |metadata| metadata.replace("Name: aa", "Name: zz"),
        |metadata| metadata.replace("Version: 1.0", "Version: 9.0"),
    ];
    for pip in ["26.3", "24.0"] {
        for change in changes {
            let world = world(pip, change);
            let twin = world.twin();
            let plain = twin.plain_pip(["install", "aa"]).run();
            world.leaves_all_as_it_was(world.pip(["install", "aa"]), plain.exits(1).status);
        }
    }
}

#[test]
fn equal_metadata_in_another_spelling_is_installed() {
    let world = world("26.3", |metadata| {
        metadata.replace("Requires-Dist: bb\n", "Requires-Dist:   BB \nSummary: another\n")
    });
    let twin = world.twin();
    same(&world, &twin, &["install", "aa"], But::Nothing).exits(0).stderr_has("verified: aa 1.0");
}

#[test]
fn wrong_digest_of_metadata_is_pips_failure() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip, str::to_owned);
        let aa = Wheel::new("aa", "1.0").requires("bb").build();
        let other = one_more(&aa.metadata);
        world.index.serve(&format!("/files/{AA}.metadata"), "text/plain", other);
        let twin = world.twin();
        both_fail(&world, &twin, &["install", "aa"], "DO NOT MATCH THE HASHES");
        world.index.serve_anew(&format!("/files/{AA}.metadata"), "text/plain", aa.metadata);
        same(&world, &twin, &["install", "aa"], But::Requested).exits(0);
    }
}

/// More requirements beside a wheel bring no file past its verdict.
#[test]
fn requirement_beside_a_wheel_is_judged() {
    for pip in ["26.3", "26.1", "24.0"] {
        let world = world(pip, one_more);
        let strict = world.pip(["install", "aa"]).env("STRICT", "1");
        world.leaves_all_as_it_was(strict, 77).stderr_has("refused: more 1.0");
    }
}

#[test]
fn fields_that_pip_compares_are_compared() {
    let text = |lines: &[&str]| format!("Metadata-Version: 2.1\n{}\n\nText\n", lines.join("\n"));
    let base =
        ["Name: a-b", "Version: 1.0", "Requires-Dist: x[b,a] (>=1,<2) ; python_version > '3'"];
    let inside = text(&base);
    let with = |at: usize, line: &str| {
        let mut lines = base.to_vec();
        lines[at] = line;
        text(&lines)
    };
    for (beside, field) in [
        (inside.clone(), None),
        (inside.replace("Text", "Requires-Dist: y"), None),
        (inside.replace('\n', "\r\n"), None),
        (with(0, "Name: A_B\nSummary: x"), None),
        (with(1, "Version: 1"), None),
        (with(2, "Requires-Dist: X[A, b]<2,>=1; python_version>\"3\""), None),
        (with(0, "Name: other"), Some("Name")),
        (with(1, "Version: 1.1"), Some("Version")),
        (with(2, "Requires-Dist: x[b,a]>=1,<2"), Some("Requires-Dist")),
        (with(2, "Requires-Dist: x[b] (>=1,<2) ; python_version > '3'"), Some("Requires-Dist")),
        (with(2, "Requires-Dist: x @ http://h/x"), Some("Requires-Dist")),
        (with(1, "Version: 1.0\nRequires-Python: >=3"), Some("Requires-Python")),
        (with(1, "Version: 1.0\nProvides-Extra: x"), Some("Provides-Extra")),
    ] {
        let found = inconsistency(beside.as_bytes(), inside.as_bytes());
        assert_eq!(found.map(|it| it.field), field, "{}", json!(beside));
    }
}
