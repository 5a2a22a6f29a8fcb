//! The twin suite: each command line is given to plain pip in one environment and to us in its
//! twin, before the same index; afterwards both must be the same, and so must be what was said on
//! standard output and the exit code. Where a difference remains, the row says so, and
//! `docs/differences.md` says why.
//!
//! The tables are meant to be read: `table.rs` and `more.rs`, over the index and project of
//! `project.rs`. A run of the tests takes the rows of `table.rs` on the newest pip, and on older
//! ones those that say `everywhere`. `TWINS=all` takes all rows of both tables on every pip and
//! Python of [`MATRIX`], `TWINS=24.0@3.8,26.1` on these, and `TWINS=everywhere` those that say so
//! on all. `TWINS_ROWS` names parts of command lines, separated by commas: only rows that have one
//! of them are run.

mod more;
mod project;
mod row;
mod seen;
mod table;

use row::{But, Row, number};
use seen::Seen;

use crate::support::venv::Python;
use crate::support::wheel::Wheel;
use crate::support::world::World;

/// Every pip, and the oldest and newest Pythons with a pip of their time.
const MATRIX: [&str; 12] = [
    "26.3",
    "26.2",
    "26.1",
    "25.3",
    "25.1",
    "24.0",
    "23.0.1",
    "22.3",
    "26.3@3.13",
    "25.3@3.9",
    "24.0@3.8",
    "22.3@3.8",
];

/// The pips of each run: the first has all rows of the first table. 26.1 is the first that installs
/// with the user's own arguments, 24.0 one of those that install from a hashed file.
const ALWAYS: [&str; 3] = ["26.3", "26.1", "24.0"];

macro_rules! groups {
    ($($test:ident: $rows:ident, $more:expr;)*) => { $(
        #[test]
        fn $test() {
            twins(table::$rows, $more);
        }
    )* };
}

groups! {
    requirements_by_name: NAMES, more::NAMES;
    spellings_of_options: SPELLINGS, more::SPELLINGS;
    options_before_the_subcommand: GENERAL, more::GENERAL;
    variables: VARIABLES, more::VARIABLES;
    configuration_files: CONFIGURATION, more::CONFIGURATION;
    requirements_files: FILES, more::FILES;
    other_lists_of_requirements: LISTS, &[];
    target_directories: PLACES, more::PLACES;
    installed_packages: INSTALLED, more::INSTALLED;
    links_and_files: LINKS, more::LINKS;
    sources: SOURCES, more::SOURCES;
    failures: FAILURES, more::FAILURES;
    downloads_and_wheels: DOWNLOADS, more::DOWNLOADS;
}

/// Runs these rows, and tells all that differ at once.
#[track_caller]
fn twins(rows: &[Row], more: &[Row]) {
    let (chosen, mut wrong) = (chosen(rows, more), Vec::new());
    for (pip, row) in &chosen {
        wrong.extend(differs(pip, row).map(|how| format!("pip {pip}: {}\n{how}", row.line)));
    }
    println!("{} of {} rows differ", wrong.len(), chosen.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The rows that are run, each with a pip.
fn chosen<'a>(rows: &'a [Row], more: &'a [Row]) -> Vec<(String, &'a Row)> {
    let asked = std::env::var("TWINS").unwrap_or_default();
    let pips: Vec<&str> = match asked.as_str() {
        "" => ALWAYS.to_vec(),
        "all" | "everywhere" => MATRIX.into_iter().filter(|pip| has_python(pip)).collect(),
        some => some.split(',').collect(),
    };
    let named = std::env::var("TWINS_ROWS").unwrap_or_default();
    let is_named = |row: &Row| named.split(',').any(|part| row.line.contains(part));
    let is_chosen = |pip: &str, row: &Row, at_first: bool| match asked.as_str() {
        "" => at_first && (pip == ALWAYS[0] || row.everywhere),
        "everywhere" => row.everywhere,
        _ => true,
    };
    let first = rows.iter().map(|row| (row, true));
    let both: Vec<_> = first.chain(more.iter().map(|row| (row, false))).collect();
    let pairs = pips.into_iter().flat_map(|pip| both.iter().map(move |row| (pip, row)));
    pairs
        .filter(|(pip, (row, first))| {
            row.is_for(pip) && is_named(row) && is_chosen(pip, row, *first)
        })
        .map(|(pip, (row, _))| (pip.to_owned(), *row))
        .collect()
}

/// Whether the Python of a pair is there.
fn has_python(pip: &str) -> bool {
    pip.split_once('@').is_none_or(|(_, minor)| Python::of(minor).is_some())
}

/// Runs one row with both, and tells what differs from what it should be.
fn differs(pip: &str, row: &Row) -> Option<String> {
    let (world, twin) = project::twins(pip, row.given);
    let there = project::place(&twin, &world.index);
    let plain = twin.plain_pip(row.args(&there)).run();
    let here = project::place(&world, &world.index);
    let ours = world.pip(row.args(&here)).run();
    let (seen, plain_seen) = (Seen::of(&world, &ours), Seen::of(&twin, &plain));
    let mut said = match row.but {
        But::Older => {
            let versions = (seen.version("both"), plain_seen.version("both"));
            (versions != (Some("1.0"), Some("2.0"))).then(|| format!("{versions:?}"))
        }
        But::Refused(status) => (ours.status != status || plain.status != 0)
            .then(|| format!("not refused with {status}\n")),
        but => seen.differs(&plain_seen, pip, but),
    };
    // What older pips are forgiven covers some of these.
    let told = row.but != But::Nothing && number(pip) >= number("26.1");
    if told && seen.differs(&plain_seen, pip, But::Nothing).is_none() {
        said.get_or_insert_default().push_str("there is no such difference any more\n");
    }
    if !world.leftovers().is_empty() {
        said.get_or_insert_default().push_str("something is left in the temporary directory\n");
    }
    said.map(|said| format!("{said}=== ours: {ours}\n=== plain: {plain}\n"))
}

#[test]
fn comparison_finds_differences() {
    let (world, twin) = project::twins("26.3", &[]);
    let outcome = world.pip(["install", "aa"]).run();
    let seen = Seen::of(&world, &outcome);
    for (args, difference) in [
        (&["install", "--dry-run", "aa"][..], "installed: only ours:      aa Installed"),
        (
            &["install", "--no-deps", "aa"],
            "stdout: only plain pip: Successfully installed aa-1.0\n",
        ),
        (&["install", "aa", "bb"], "bb-2.0.dist-info/REQUESTED"),
        (&["install", "--force-reinstall", "aa", "cc==9"], "exit code 0 instead of 1"),
    ] {
        let plain = Seen::of(&twin, &twin.plain_pip(args).run());
        let said = seen.differs(&plain, "26.3", But::Nothing).expect(difference);
        assert!(said.contains(difference), "{said}");
    }
}

#[test]
fn old_pip_is_refused_with_an_upgrade_command() {
    let world = World::with_pip("22.0.4").wheel(Wheel::new("pip", "22.3"));
    let refused = world.pip(["install", "-U", "pip"]).run();
    refused.exits(69).stderr_has("too old to be verified: 22.0.4");
    let command = refused.stderr.split("22.2 or newer: ").nth(1).unwrap();
    world.sh(command).run().exits(0).stdout_has("Successfully installed pip-22.3");
}
