//! The texts of `--help` and `--version`, byte for byte as in `tests/data/help`.
//!
//! After a change that is meant: `UPDATE=1 cargo test --test it help::`, and look at the diff.

use std::path::Path;

use crate::support::sandbox::Sandbox;

/// The file of the text, and what prints it.
const TEXTS: [(&str, &[&str]); 5] = [
    ("tool.txt", &["--help"]),
    ("check.txt", &["check", "--help"]),
    ("shellenv.txt", &["shellenv", "--help"]),
    ("cache.txt", &["cache", "--help"]),
    ("version.txt", &["--version"]),
];

#[test]
fn help_texts_match_their_snapshots() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/help");
    let world = Sandbox::new();
    for (name, args) in TEXTS {
        let printed = world.tool(args).run();
        assert_eq!(printed.exits(0).stderr, "");
        let path = directory.join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&path, &printed.stdout).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            printed.stdout == written,
            "{} is not what `pypi-verify-now {}` prints; if the change is meant: \
             UPDATE=1 cargo test --test it help::\n--- printed\n{}--- written\n{written}",
            path.display(),
            args.join(" "),
            printed.stdout
        );
    }
}

#[test]
fn version_and_short_options_print_alike() {
    let world = Sandbox::new();
    let version = format!("pypi-verify-now {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(world.tool(["--version"]).run().stdout, version);
    assert_eq!(world.tool(["-V"]).run().stdout, version);
    assert_eq!(world.tool(["-h"]).run().stdout, world.tool(["--help"]).run().stdout);
}

#[test]
fn help_needs_no_pip_and_no_home() {
    let world = Sandbox::new().without_env("PATH").without_env("HOME");
    world.tool(["--help"]).run().exits(0);
}
