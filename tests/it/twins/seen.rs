//! The outcome of a command line, in words that do not name the world it ran in.
//!
//! Owns which lines of standard output are documented as different, and what of an environment is
//! compared: every file of it and of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::support::run::Outcome;
use crate::support::sandbox::{Installed, Sandbox};

use super::row::{But, number};

/// The files and output that a command line left behind.
#[derive(Debug)]
pub struct Seen {
    status: i32,
    stdout: Vec<String>,
    packages: BTreeMap<String, Installed>,
    files: BTreeMap<String, String>,
}

/// The beginnings of lines that name places: where pip looks, and where a file comes from. Behind
/// us that is a private directory.
const PLACES: [&str; 10] = [
    "Looking in ",
    "Obtaining file:",
    "Collecting ",
    "Processing ",
    "Downloading ",
    "Using cached ",
    "Obtaining dependency information ",
    "File was already downloaded ",
    "Link requires ",
    "Stored in directory: ",
];

impl Seen {
    /// After the command has run in this world.
    pub fn of(sandbox: &Sandbox, outcome: &Outcome) -> Self {
        let root = sandbox.path("").display().to_string();
        let here = |text: &str| text.replace(root.trim_end_matches('/'), "{world}");
        let places = |line: &&str| {
            let line = line.trim_start();
            // The last is said once a minute, on a machine with more work than cores.
            !line.is_empty()
                && !line.starts_with('━')
                && !line.ends_with(": still running...")
                && !PLACES.iter().any(|p| line.starts_with(p))
        };
        let packages = sandbox.inspect().into_iter().map(|(name, installed)| {
            let direct_url = installed.direct_url.map(|text| here(&text));
            (name, Installed { direct_url, ..installed })
        });
        let files = sandbox.files().into_iter().map(|line| {
            let (path, content) = line.rsplit_once(' ').unwrap();
            let mode = Path::new(path).symlink_metadata().unwrap().mode();
            let content = content_of(Path::new(path), content, &here);
            (here(path), format!("{mode:o} {content}"))
        });
        Self {
            status: outcome.status,
            stdout: here(&outcome.stdout).lines().filter(places).map(plain).collect(),
            packages: packages.collect(),
            files: files.collect(),
        }
    }

    /// Returns the differences from plain pip that are not allowed, or `None`.
    pub fn differs(&self, plain: &Self, pip: &str, but: But) -> Option<String> {
        let mut said = String::new();
        // Up to pip 26.0 a hashed file stands in place of what the user named.
        let replaced = number(pip) < number("26.1");
        if self.status != plain.status {
            writeln!(said, "exit code {} instead of {}", self.status, plain.status).unwrap();
        }
        let lines = |seen: &Self| {
            let satisfied = replaced || but == But::Satisfied;
            let told = |line: &&String| {
                !(satisfied && is_satisfied(line) || replaced && line.starts_with("Ignoring "))
            };
            let mut lines: Vec<String> = seen.stdout.iter().filter(told).cloned().collect();
            if replaced {
                lines.iter_mut().for_each(|line| *line = line.to_lowercase().replace('_', "-"));
                lines.sort();
            }
            lines
        };
        sets("stdout", &lines(self), &lines(plain), &mut said);
        let requested = but == But::Requested || replaced;
        let packages = |seen: &Self| {
            let told = |(name, it): (&String, &Installed)| {
                let it = Installed { requested: it.requested || requested, ..it.clone() };
                format!("{name} {it:?}")
            };
            seen.packages.iter().map(told).collect::<Vec<_>>()
        };
        sets("installed", &packages(self), &packages(plain), &mut said);
        let files = |seen: &Self| {
            let counts =
                |(path, _): &(&String, &String)| !(requested && path.ends_with("/REQUESTED"));
            let files = seen.files.iter().filter(counts);
            files.map(|(path, content)| format!("{path} {content}")).collect::<Vec<_>>()
        };
        sets("files", &files(self), &files(plain), &mut said);
        (!said.is_empty()).then_some(said)
    }

    /// The version of a package, if it is there.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.packages.get(name).map(|it| it.version.as_str())
    }
}

/// Returns the content of a file unless it names the world or the moment.
fn content_of(path: &Path, digest: &str, here: &impl Fn(&str) -> String) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let beside = path.parent().is_some_and(|parent| parent.ends_with("bin"));
    if beside || matches!(name, "RECORD" | "pip.log") || path.iter().any(|part| part == ".git") {
        return String::new();
    }
    match std::fs::read_to_string(path) {
        Ok(text) if text.len() < 100_000 && !path.components().any(|c| c.as_os_str() == "pip") => {
            here(&text)
        }
        _ => digest.to_owned(),
    }
}

/// A line without the directories that pip names by chance, and without our private files. What
/// is satisfied is said to be so for `aa` or for `aa==1.0`, as pip has seen the file or not.
fn plain(line: &str) -> String {
    let by_chance = ["pip-req-build-", "pip-install-", "pip-ephem-wheel-cache-", "pip-wheel-"];
    let word = |word: &str| match by_chance.iter().find_map(|part| word.find(part)) {
        Some(at) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    };
    let mut line = line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    while let Some(at) = line.find(" (from -r {world}/tmp/") {
        let end = line[at..].find("))").map_or(line.len(), |end| at + end + 2);
        line.replace_range(at..end, "");
    }
    if let (true, Some((what, by))) = (is_satisfied(&line), line.split_once(" (from "))
        && let Some((name, rest)) = by.split_once("==")
        && let Some((_, rest)) = rest.split_once(')')
    {
        line = format!("{what} (from {name}){rest}");
    }
    line
}

fn is_satisfied(line: &str) -> bool {
    line.starts_with("Requirement already satisfied: ")
}

/// The lines that only one of the two has.
fn sets(what: &str, ours: &[String], plain: &[String], said: &mut String) {
    if ours == plain {
        return;
    }
    let (of_ours, of_plain) = (BTreeSet::from_iter(ours), BTreeSet::from_iter(plain));
    let before = said.len();
    for line in of_plain.difference(&of_ours) {
        writeln!(said, "{what}: only plain pip: {line}").unwrap();
    }
    for line in of_ours.difference(&of_plain) {
        writeln!(said, "{what}: only ours:      {line}").unwrap();
    }
    if said.len() == before {
        writeln!(said, "{what}: in another order or number:\n{plain:#?}\n{ours:#?}").unwrap();
    }
}
