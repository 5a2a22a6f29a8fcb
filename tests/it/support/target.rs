//! Targets as real pips report them under the guard.

use std::fs;
use std::sync::OnceLock;

use pypi_verify_now::pip::guard::SOURCE;
use pypi_verify_now::pip::target::Target;

use super::sandbox::Sandbox;

/// The target that the pip of a sandbox reports for a subcommand with these options.
pub fn reported(sandbox: &Sandbox, words: &[&str]) -> Option<Target> {
    sandbox.write_file("guard/sitecustomize.py", SOURCE);
    let notes = sandbox.project().join("notes");
    fs::create_dir_all(&notes).unwrap();
    let run = sandbox.plain_pip(["config", "list"]);
    run.env("PYTHONPATH", sandbox.project().join("guard"))
        .env("PYPI_VERIFY_NOW_GUARD", &notes)
        .env("PYPI_VERIFY_NOW_GUARD_TARGET", serde_json::to_string(words).unwrap())
        .run()
        .exits(0);
    let note = fs::read_dir(&notes).unwrap().next().unwrap().unwrap().path();
    let mut facts: serde_json::Value = serde_json::from_slice(&fs::read(&note).unwrap()).unwrap();
    fs::remove_file(note).unwrap();
    serde_json::from_value(facts["target"].take()).unwrap()
}

/// The target of a Python 3.11 on this system; asked for once.
pub fn python_3_11() -> Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    let ask = || {
        let words = ["install", "--python-version=3.11"];
        let mut target = reported(&Sandbox::new(), &words).unwrap();
        // Markers are those of the Python that runs the tests.
        let markers = [("python_version", "3.11"), ("python_full_version", "3.11.7")];
        target.markers.extend(markers.map(|(name, value)| (name.into(), value.into())));
        target
    };
    TARGET.get_or_init(ask).clone()
}
