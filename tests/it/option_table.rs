//! The table of options and the list of subcommands, compared with the parsers of real pips.
//!
//! A new release of pip comes here first: an option without a row fails, and so does a subcommand
//! that is neither passed through nor guarded.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use pypi_verify_now::pip::command_line::invocation::{Invocation, classify};
use pypi_verify_now::pip::command_line::table::{
    self, Arity, Fact, Lock, Named, OPTIONS, PipOption, Position, Role,
};
use pypi_verify_now::pip::version::PipVersion;

use crate::support::sandbox::Sandbox;
use crate::support::venv::{NEWEST, PIPS};

/// Prints pip's version, its subcommands, and each option: its parser, position, action, arity, the
/// kind of its value, and its names.
const ASK: &str = r#"
import pip
from pip._internal.cli.main_parser import create_main_parser
from pip._internal.commands import commands_dict, create_command

print("version", pip.__version__)
print("commands", *commands_dict)
parsers = {name: create_command(name).parser
           for name in ("install", "lock", "download", "wheel") if name in commands_dict}
for name, parser in [("main", create_main_parser()), *parsers.items()]:
    general = [option for group in parser.option_groups for option in group.option_list
               if group.title == "General Options"]
    for option in parser.option_list_all:
        place = "general" if name == "main" or option in general else "own"
        arity = "value" if option.takes_value() else "flag"
        kind = "path" if option.type == "path" else option.metavar or "-"
        names = option._long_opts + option._short_opts
        print("option", name, place, option.action, arity, kind.replace(" ", "_"), *names)
"#;

/// An option as a pip describes it.
struct Described<'a> {
    parser: &'a str,
    place: &'a str,
    action: &'a str,
    arity: &'a str,
    kind: &'a str,
    names: Vec<&'a str>,
}

/// The answer of one pip.
struct Pip<'a> {
    version: PipVersion,
    commands: Vec<&'a str>,
    options: Vec<Described<'a>>,
}

fn answer(pip: &str) -> String {
    let sandbox = Sandbox::with_pip(pip);
    sandbox.run(sandbox.venv().python(), ["-c", ASK]).run().exits(0).stdout.clone()
}

fn every_pip() -> impl Iterator<Item = String> {
    PIPS.into_iter().chain([NEWEST, "22.3"]).map(answer)
}

fn parse(answer: &str) -> Pip<'_> {
    let mut pip = Pip { version: PipVersion(0, 0), commands: Vec::new(), options: Vec::new() };
    for line in answer.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["version", version] => pip.version = PipVersion::parse(version).unwrap(),
            ["commands", commands @ ..] => pip.commands = commands.to_vec(),
            ["option", parser, place, action, arity, kind, names @ ..] => {
                let names = names.to_vec();
                pip.options.push(Described { parser, place, action, arity, kind, names });
            }
            _ => panic!("{line}"),
        }
    }
    assert!(pip.commands.contains(&"install") && pip.options.len() > 100, "{answer}");
    pip
}

/// Returns the row of an option, or the reason why there is none.
fn row(option: &Described<'_>) -> Result<&'static PipOption, String> {
    let rows: BTreeSet<_> = option
        .names
        .iter()
        .map(|name| table::named(name).map(PipOption::name).ok_or(format!("{name} has no row")))
        .collect::<Result<_, _>>()?;
    match rows.into_iter().collect::<Vec<_>>().as_slice() {
        [name] => Ok(table::named(name).unwrap()),
        rows => Err(format!("{:?} has rows {rows:?}", option.names)),
    }
}

/// Returns the contradictions between an option and its row.
fn contradictions(option: &Described<'_>) -> Vec<String> {
    let row = match row(option) {
        Ok(row) => row,
        Err(reason) => return vec![reason],
    };
    let arity = match (option.action, option.arity) {
        ("append", "value") => row.arity == Arity::Each,
        ("callback", "value") => matches!(row.arity, Arity::Last | Arity::Parsed),
        (_, "value") => row.arity == Arity::Last,
        ("count", _) => row.arity == Arity::Count,
        _ => row.arity == Arity::Flag,
    };
    let place = (option.place == "general") == (row.place == Position::Anywhere);
    let names_place = ["path", "dir", "file", "url", "path/url", "URL", "hostname", "script"];
    let role = !names_place.contains(&option.kind)
        || !row.facts.is_empty()
        || matches!(row.role, Role::Input | Role::Constraint | Role::Placement | Role::Network);
    let checks = [(arity, "another arity"), (place, "another position"), (role, "no fact or role")];
    let wrong = checks.iter().filter(|(holds, _)| !holds);
    wrong.map(|(_, why)| format!("{} ({}) has {why}", row.name(), option.kind)).collect()
}

/// Returns the contradictions between the rows and a pip.
fn differences(pip: &Pip<'_>) -> Vec<String> {
    let mut found: Vec<String> = pip.options.iter().flat_map(contradictions).collect();
    let mut parsers = BTreeMap::<&str, BTreeSet<&str>>::new();
    for option in &pip.options {
        let row = row(option).map_or("", PipOption::name);
        parsers.entry(row).or_default().insert(option.parser);
    }
    let locks = pip.commands.contains(&"lock");
    for row in OPTIONS {
        let is_in = |parser| parsers.get(row.name()).is_some_and(|it| it.contains(parser));
        let expected = row.since <= pip.version && row.until.is_none_or(|it| pip.version <= it);
        if parsers.contains_key(row.name()) != expected {
            found.push(format!("{} is not in the stated releases", row.name()));
        }
        // Behind the subcommand it has no effect, and the newest pip does not have it there.
        if !expected || row.name() == "--version" {
            continue;
        }
        if is_in("install") != matches!(row.lock, Lock::Has | Lock::Lacks) {
            found.push(format!("{} and `install`: not as stated", row.name()));
        }
        // Options that were removed with a release stay as stated for the older ones.
        if locks && is_in("lock") != matches!(row.lock, Lock::Has | Lock::Only) {
            found.push(format!("{} and `lock`: not as stated", row.name()));
        }
    }
    found
}

#[test]
fn every_option_of_every_pip_has_a_row_that_agrees() {
    for answer in every_pip() {
        let pip = parse(&answer);
        assert_eq!(differences(&pip), [""; 0], "pip {:?}", pip.version);
    }
}

#[test]
fn option_that_disagrees_with_the_table_is_found() {
    let honest = answer(PIPS[0]);
    let line = |line: &str| format!("{honest}option {line}\n");
    for (tampered, reason) in [
        (line("install own store value x --brand-new"), "--brand-new has no row"),
        (line("install own store value x --pre -r"), "has rows"),
        (
            line("install own store_true flag - --requirement"),
            "--requirement (-) has another arity",
        ),
        (line("install general store_true flag - --pre"), "--pre (-) has another position"),
        (line("install own store value path --python-version"), ""),
        (line("install own store value path --upgrade-strategy"), "has no fact or role"),
        (line("install own store value x --output"), "--output and `install`: not as stated"),
        (line("lock own store value x --report"), "--report and `lock`: not as stated"),
        (honest.replace("version 26.", "version 25."), "--only-deps is not in the stated releases"),
        (honest.replace("--brand-new", ""), ""),
    ] {
        let found = differences(&parse(&tampered));
        let is_found = found.iter().any(|it| it.contains(reason));
        assert_eq!(is_found, !reason.is_empty(), "{reason}: {found:?}");
    }
}

#[test]
fn every_subcommand_of_every_pip_is_classified() {
    for answer in every_pip() {
        for command in parse(&answer).commands {
            let class = classify(&[OsString::from(command)]);
            let is_known = !matches!(class, Invocation::UnknownCommand(_));
            assert!(is_known, "pip has a command `{command}` that nobody has looked at");
        }
    }
    assert!(matches!(classify(&["sync".into()]), Invocation::UnknownCommand(_)));
}

#[test]
fn every_name_of_a_row_finds_the_row() {
    for row in OPTIONS {
        for name in row.names.iter().filter(|name| name.starts_with("--")) {
            assert_eq!(table::long(name.as_bytes(), row.place), Named::Exactly(row));
        }
    }
}

/// A build behind the gateway drops each option that names a file of requirements or constraints,
/// and gives pip copies of the files. It knows these three lists of copies.
#[test]
fn every_option_that_names_a_file_has_copies_behind_the_gateway() {
    let naming: BTreeSet<_> =
        OPTIONS.iter().filter(|row| row.is(Fact::NamesFile)).map(PipOption::name).collect();
    assert_eq!(naming, BTreeSet::from(["--build-constraint", "--constraint", "--requirement"]));
}
