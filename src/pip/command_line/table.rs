//! The table of the options of `pip install` and `pip lock`.
//!
//! Owns the one table of options, the union over pip 22.2 to 26.3 (read from pip's own parsers; a
//! test compares the rows with them), and finds an option by its name as `optparse` does. Every
//! list of options in this program is derived from the rows: [`names`], [`variables`] and [`keys`]
//! select rows by their facts. Must not read argument lists, and must not guess the meaning of a
//! name that is not in the table.

pub use crate::pip::command_line::option::{Arity, Fact, Lock, PipOption, Position, Role};

use crate::pip::command_line::option::option;

use Arity::{Count, Each, Flag, Last, Parsed};
use Fact::{
    ChangesTarget, LimitsChoice, NamesCache, NamesFile, NamesLog, NamesPlace, NamesScript,
    NeedsNetwork, NotForNested, NotForPinned, SelectsPart,
};
use Lock::{Has, Lacks, Neither, Only};
use Position::{After, Anywhere};
use Role::{Behaviour, Build, Constraint, Input, Network, Placement, Resolver};

/// The option that a word with `--` names. By Python's `optparse` an exact name wins, else a prefix
/// of exactly one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The full name of an option. (In a pip that does not have the option, the word may be an
    /// abbreviation of another: `--python` before 22.3.)
    Exactly(&'static PipOption),
    /// The beginning of exactly one name.
    Abbreviated(&'static PipOption),
    /// No name in the table, or the beginning of several. The option that pip would choose depends
    /// on its version.
    Unknown,
}

/// Returns the option of `name` (`--...`, without `=value`) at `place`. `Position::Anywhere`
/// searches the general options only, as pip does before the subcommand.
#[must_use]
pub fn long(name: &[u8], place: Position) -> Named {
    let mut candidates = Vec::new();
    for option in at(place) {
        for known in option.names.iter().filter(|known| known.starts_with("--")) {
            if known.as_bytes() == name {
                return Named::Exactly(option);
            }
            if known.as_bytes().starts_with(name) {
                candidates.push(option);
            }
        }
    }
    match candidates.as_slice() {
        [option] => Named::Abbreviated(option),
        _ => Named::Unknown,
    }
}

/// Returns the option with the short name `-` and `letter` at `place`.
#[must_use]
pub fn short(letter: u8, place: Position) -> Option<&'static PipOption> {
    at(place).find(|option| option.names.iter().any(|name| name.as_bytes() == [b'-', letter]))
}

/// Returns the option that has the full name `name`.
#[must_use]
pub fn named(name: &str) -> Option<&'static PipOption> {
    OPTIONS.iter().find(|option| option.names.contains(&name))
}

fn at(place: Position) -> impl Iterator<Item = &'static PipOption> {
    OPTIONS
        .iter()
        .filter(move |option| place == Position::After || option.place == Position::Anywhere)
}

/// Returns the names of the options that `selects` selects.
#[must_use]
pub fn names(selects: impl Fn(&PipOption) -> bool) -> Vec<&'static str> {
    selected(selects).map(PipOption::name).collect()
}

/// Returns the keys of these options in configuration files, all spellings of each.
#[must_use]
pub fn keys(selects: impl Fn(&PipOption) -> bool) -> Vec<&'static str> {
    selected(selects).flat_map(PipOption::keys).collect()
}

/// Returns the environment variables of these options, all spellings of each.
#[must_use]
pub fn variables(selects: impl Fn(&PipOption) -> bool) -> Vec<String> {
    keys(selects).into_iter().map(variable).collect()
}

/// Returns the environment variable of a key of configuration files.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("PIP_{}", key.to_uppercase().replace('-', "_"))
}

fn selected(selects: impl Fn(&PipOption) -> bool) -> impl Iterator<Item = &'static PipOption> {
    OPTIONS.iter().filter(move |option| selects(option))
}

/// Every option of any `pip install` from 22.2 to 26.3, and those that only `pip lock`, `pip
/// download` or `pip wheel` has.
#[rustfmt::skip]
pub const OPTIONS: &[PipOption] = &[
    // Requirements to install.
    option(&["--requirement", "-r"], Each, After, Has, Input).with(&[NamesFile]),
    option(&["--constraint", "-c"], Each, After, Has, Constraint).with(&[NamesFile]),
    option(&["--requirements-from-script"], Each, After, Has, Input).with(&[NamesScript]).since(26, 0),
    option(&["--editable", "-e"], Each, After, Has, Input),
    option(&["--group"], Parsed, After, Has, Input).since(25, 1),
    // The choice of files.
    option(&["--no-deps", "--no-dependencies"], Flag, After, Has, Resolver),
    option(&["--only-deps", "--only-dependencies"], Flag, After, Has, Resolver).with(&[SelectsPart, LimitsChoice]).since(26, 2),
    option(&["--dry-run"], Flag, After, Lacks, Resolver).with(&[NotForNested]),
    option(&["--target", "-t"], Last, After, Lacks, Placement),
    option(&["--platform"], Each, After, Lacks, Resolver).with(&[ChangesTarget]),
    option(&["--python-version"], Last, After, Lacks, Resolver).with(&[ChangesTarget]),
    option(&["--implementation"], Last, After, Lacks, Resolver).with(&[ChangesTarget]),
    option(&["--abi"], Each, After, Lacks, Resolver).with(&[ChangesTarget]),
    option(&["--user"], Flag, After, Lacks, Resolver),
    option(&["--no-user"], Flag, After, Lacks, Resolver),
    option(&["--upgrade", "-U"], Flag, After, Lacks, Resolver),
    option(&["--upgrade-strategy"], Last, After, Lacks, Resolver),
    option(&["--force-reinstall"], Flag, After, Lacks, Resolver),
    option(&["--ignore-installed", "-I"], Flag, After, Lacks, Resolver),
    option(&["--ignore-requires-python"], Flag, After, Has, Resolver),
    option(&["--require-hashes"], Flag, After, Has, Resolver).with(&[LimitsChoice]),
    option(&["--no-require-hashes"], Flag, After, Has, Resolver).with(&[NotForPinned, NotForNested]).since(26, 2),
    option(&["--pre"], Flag, After, Has, Resolver),
    option(&["--all-releases"], Parsed, After, Has, Resolver).since(26, 0),
    option(&["--only-final"], Parsed, After, Has, Resolver).since(26, 0),
    option(&["--no-binary"], Parsed, After, Has, Resolver).with(&[LimitsChoice]),
    option(&["--only-binary"], Parsed, After, Has, Resolver),
    option(&["--prefer-binary"], Flag, After, Has, Resolver),
    option(&["--index-url", "--pypi-url", "-i"], Last, After, Has, Resolver).with(&[NamesPlace, NeedsNetwork]),
    option(&["--extra-index-url"], Each, After, Has, Resolver).with(&[NamesPlace, NeedsNetwork]),
    option(&["--no-index"], Flag, After, Has, Resolver).with(&[NamesPlace]),
    option(&["--refresh-package"], Parsed, After, Has, Resolver).since(26, 2),
    option(&["--find-links", "-f"], Each, After, Has, Resolver).with(&[NamesPlace]),
    option(&["--uploaded-prior-to"], Last, After, Has, Resolver).with(&[NotForPinned]).since(26, 0),
    option(&["--use-feature"], Each, Anywhere, Has, Resolver),
    option(&["--use-deprecated"], Each, Anywhere, Has, Resolver),
    // The destination of `pip download` and `pip wheel`, and options of `pip wheel` alone.
    option(&["--dest", "--destination-dir", "--destination-directory", "-d"], Last, After, Neither, Placement),
    option(&["--wheel-dir", "-w"], Last, After, Neither, Placement),
    option(&["--no-verify"], Flag, After, Neither, Build),
    option(&["--build-option"], Each, After, Neither, Build).until(25, 2),
    // The destination of the lock.
    option(&["--output", "-o"], Last, After, Only, Placement).since(25, 1),
    // The build of a source into a wheel.
    option(&["--build-constraint"], Each, After, Has, Build).with(&[NamesFile]).since(25, 3),
    option(&["--src", "--source", "--source-dir", "--source-directory"], Last, After, Has, Build).with(&[NamesLog]),
    option(&["--no-build-isolation"], Flag, After, Has, Build),
    option(&["--use-pep517"], Flag, After, Has, Build),
    option(&["--check-build-dependencies"], Flag, After, Has, Build),
    option(&["--config-settings", "-C"], Parsed, After, Has, Build),
    option(&["--no-clean"], Flag, After, Has, Build),
    option(&["--no-use-pep517"], Flag, After, Has, Build).until(25, 2),
    option(&["--global-option"], Each, After, Lacks, Build).until(25, 2),
    option(&["--install-option"], Each, After, Lacks, Build).until(23, 0),
    // The destination of files.
    option(&["--root"], Last, After, Lacks, Placement),
    option(&["--prefix"], Last, After, Lacks, Placement),
    option(&["--break-system-packages"], Flag, After, Lacks, Placement).since(23, 0),
    option(&["--compile"], Flag, After, Lacks, Placement),
    option(&["--no-compile"], Flag, After, Lacks, Placement),
    option(&["--no-warn-script-location"], Flag, After, Lacks, Placement),
    option(&["--no-warn-conflicts"], Flag, After, Lacks, Placement),
    option(&["--root-user-action"], Last, After, Lacks, Placement),
    option(&["--report"], Last, After, Lacks, Placement).with(&[NotForNested]),
    // The network and the cache.
    option(&["--keyring-provider"], Last, Anywhere, Has, Network).since(23, 1),
    option(&["--proxy"], Last, Anywhere, Has, Network).with(&[NeedsNetwork]),
    option(&["--no-proxy-env"], Flag, Anywhere, Has, Network).since(26, 2),
    option(&["--retries"], Last, Anywhere, Has, Network),
    option(&["--timeout", "--default-timeout"], Last, Anywhere, Has, Network),
    option(&["--trusted-host"], Each, Anywhere, Has, Network),
    option(&["--cert"], Last, Anywhere, Has, Network),
    option(&["--client-cert"], Last, Anywhere, Has, Network),
    option(&["--cache-dir"], Last, Anywhere, Has, Network).with(&[NamesCache]),
    option(&["--no-cache-dir"], Flag, Anywhere, Has, Network).with(&[NamesCache]),
    option(&["--resume-retries"], Last, Anywhere, Has, Network).since(25, 1),
    // The behaviour of pip.
    option(&["--progress-bar"], Last, After, Has, Behaviour),
    option(&["--help", "-h"], Flag, Anywhere, Has, Behaviour),
    option(&["--debug"], Flag, Anywhere, Has, Behaviour),
    option(&["--isolated"], Flag, Anywhere, Has, Behaviour),
    option(&["--require-virtualenv", "--require-venv"], Flag, Anywhere, Has, Behaviour),
    option(&["--python"], Last, Anywhere, Has, Behaviour).since(22, 3),
    option(&["--verbose", "-v"], Count, Anywhere, Has, Behaviour),
    option(&["--quiet", "-q"], Count, Anywhere, Has, Behaviour),
    option(&["--log", "--log-file", "--local-log"], Last, Anywhere, Has, Behaviour).with(&[NamesLog]),
    option(&["--no-input"], Flag, Anywhere, Has, Behaviour),
    option(&["--exists-action"], Each, Anywhere, Has, Behaviour),
    option(&["--disable-pip-version-check"], Flag, Anywhere, Has, Behaviour),
    option(&["--no-color"], Flag, Anywhere, Has, Behaviour),
    option(&["--no-python-version-warning"], Flag, Anywhere, Has, Behaviour),
    // After the subcommand until pip 26.2.1, without effect there.
    option(&["--version", "-V"], Flag, Anywhere, Has, Behaviour),
];
