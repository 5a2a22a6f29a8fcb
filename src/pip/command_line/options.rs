//! The options of `pip install` and `pip lock`: names, arity, and what each one has a say in.
//!
//! Owns the one table of them, the union over pip 22.2 to 26.3 (read from pip's own parsers), and
//! the look-up of a name as `optparse` does it. Knows nothing of argument lists, and guesses
//! nothing about a name that is not in the table.

use Arity::{Count, Each, Flag, Last};
use Lock::{Has, Lacks, Only};
use Place::{After, Anywhere};
use Role::{Behaviour, Build, Input, Network, Placement, Resolver};

/// Whether an option takes a value, and what a repetition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// No value; said twice is said once.
    Flag,
    /// No value; each time counts (`-vv`).
    Count,
    /// A value; the last one wins.
    Last,
    /// A value; all of them together.
    Each,
}

/// Where on the command line an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A general option: before the subcommand and after it.
    Anywhere,
    /// After the subcommand only.
    After,
}

/// Whether `pip lock` has the option too, in every pip that has both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// `pip lock` has it, with the same meaning.
    Has,
    /// Only `pip install` has it.
    Lacks,
    /// Only `pip lock` has it.
    Only,
}

/// What an option has a say in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What to install.
    Input,
    /// Which files are chosen for it.
    Resolver,
    /// How a source becomes a wheel.
    Build,
    /// Where and how the chosen files are laid down.
    Placement,
    /// How the network and the cache are reached.
    Network,
    /// How pip itself behaves: what it prints, asks, and which Python it works for.
    Behaviour,
}

/// One option of `pip install` or `pip lock`.
#[derive(Debug, PartialEq, Eq)]
pub struct PipOption {
    /// Its names: the long one that stands for it first, then other long ones, then the short one.
    pub names: &'static [&'static str],
    /// Whether it takes a value.
    pub arity: Arity,
    /// Where it may stand.
    pub place: Place,
    /// Whether `pip lock` has it.
    pub lock: Lock,
    /// What it has a say in.
    pub role: Role,
}

impl PipOption {
    /// The long name that stands for the option, `--requirement` for `-r`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether the option takes a value.
    #[must_use]
    pub const fn takes_value(&self) -> bool {
        matches!(self.arity, Last | Each)
    }
}

/// What a word beginning with `--` names (Python's `optparse`: an exact name wins, else a prefix
/// that fits one name alone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The name of an option, in full. (To a pip older than the option it may still be the
    /// beginning of another one's: `--python` before 22.3.)
    Exactly(&'static PipOption),
    /// The beginning of one name and no other.
    Abbreviated(&'static PipOption),
    /// No name in the table, or the beginning of several: which one pip takes, if any, depends on
    /// its version.
    Unknown,
}

/// The option that `name` (`--...`, without `=value`) means at `place`: `Place::Anywhere` looks
/// through the general options alone, as pip does before the subcommand.
#[must_use]
pub fn long(name: &[u8], place: Place) -> Named {
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

/// The option whose short name is `-` and `letter`, at `place`.
#[must_use]
pub fn short(letter: u8, place: Place) -> Option<&'static PipOption> {
    at(place).find(|option| option.names.iter().any(|name| name.as_bytes() == [b'-', letter]))
}

/// The option that has `name`, written in full, among its names.
#[must_use]
pub fn named(name: &str) -> Option<&'static PipOption> {
    OPTIONS.iter().find(|option| option.names.contains(&name))
}

fn at(place: Place) -> impl Iterator<Item = &'static PipOption> {
    OPTIONS.iter().filter(move |option| place == After || option.place == Anywhere)
}

const fn option(
    names: &'static [&'static str],
    arity: Arity,
    place: Place,
    lock: Lock,
    role: Role,
) -> PipOption {
    PipOption { names, arity, place, lock, role }
}

/// Every option that some `pip install` from 22.2 to 26.3 has, and the one that `pip lock` has
/// besides.
#[rustfmt::skip]
pub const OPTIONS: &[PipOption] = &[
    // What to install.
    option(&["--requirement", "-r"], Each, After, Has, Input),
    option(&["--constraint", "-c"], Each, After, Has, Input),
    option(&["--requirements-from-script"], Each, After, Has, Input), // since pip 26.0
    option(&["--editable", "-e"], Each, After, Has, Input),
    option(&["--group"], Each, After, Has, Input), // since pip 25.1
    // Which files are chosen for it.
    option(&["--no-deps", "--no-dependencies"], Flag, After, Has, Resolver),
    option(&["--only-deps", "--only-dependencies"], Flag, After, Has, Resolver), // since pip 26.2
    option(&["--dry-run"], Flag, After, Lacks, Resolver),
    option(&["--target", "-t"], Last, After, Lacks, Resolver),
    option(&["--platform"], Each, After, Lacks, Resolver),
    option(&["--python-version"], Last, After, Lacks, Resolver),
    option(&["--implementation"], Last, After, Lacks, Resolver),
    option(&["--abi"], Each, After, Lacks, Resolver),
    option(&["--user"], Flag, After, Lacks, Resolver),
    option(&["--no-user"], Flag, After, Lacks, Resolver),
    option(&["--upgrade", "-U"], Flag, After, Lacks, Resolver),
    option(&["--upgrade-strategy"], Last, After, Lacks, Resolver),
    option(&["--force-reinstall"], Flag, After, Lacks, Resolver),
    option(&["--ignore-installed", "-I"], Flag, After, Lacks, Resolver),
    option(&["--ignore-requires-python"], Flag, After, Has, Resolver),
    option(&["--require-hashes"], Flag, After, Has, Resolver),
    option(&["--no-require-hashes"], Flag, After, Has, Resolver), // since pip 26.2
    option(&["--pre"], Flag, After, Has, Resolver),
    option(&["--all-releases"], Each, After, Has, Resolver), // since pip 26.0
    option(&["--only-final"], Each, After, Has, Resolver), // since pip 26.0
    option(&["--no-binary"], Each, After, Has, Resolver),
    option(&["--only-binary"], Each, After, Has, Resolver),
    option(&["--prefer-binary"], Flag, After, Has, Resolver),
    option(&["--index-url", "--pypi-url", "-i"], Last, After, Has, Resolver),
    option(&["--extra-index-url"], Each, After, Has, Resolver),
    option(&["--no-index"], Flag, After, Has, Resolver),
    option(&["--refresh-package"], Each, After, Has, Resolver), // since pip 26.2
    option(&["--find-links", "-f"], Each, After, Has, Resolver),
    option(&["--uploaded-prior-to"], Last, After, Has, Resolver), // since pip 26.0
    option(&["--use-feature"], Each, Anywhere, Has, Resolver),
    option(&["--use-deprecated"], Each, Anywhere, Has, Resolver),
    // Where `pip download` and `pip wheel` put what they fetch, and what `pip wheel` alone has.
    option(&["--dest", "--destination-dir", "--destination-directory", "-d"], Last, After, Lacks, Placement),
    option(&["--wheel-dir", "-w"], Last, After, Lacks, Placement),
    option(&["--no-verify"], Flag, After, Lacks, Build),
    option(&["--build-option"], Each, After, Lacks, Build),
    // The place of the lock.
    option(&["--output", "-o"], Last, After, Only, Placement),
    // How a source becomes a wheel.
    option(&["--build-constraint"], Each, After, Has, Build), // since pip 25.3
    option(&["--src", "--source", "--source-dir", "--source-directory"], Last, After, Has, Build),
    option(&["--no-build-isolation"], Flag, After, Has, Build),
    option(&["--use-pep517"], Flag, After, Has, Build),
    option(&["--check-build-dependencies"], Flag, After, Has, Build),
    option(&["--config-settings", "-C"], Each, After, Has, Build),
    option(&["--no-clean"], Flag, After, Has, Build),
    option(&["--no-use-pep517"], Flag, After, Has, Build), // until pip 25.2
    option(&["--global-option"], Each, After, Lacks, Build), // until pip 25.2
    option(&["--install-option"], Each, After, Lacks, Build), // until pip 23.0
    // Where and how the chosen files are laid down.
    option(&["--root"], Last, After, Lacks, Placement),
    option(&["--prefix"], Last, After, Lacks, Placement),
    option(&["--break-system-packages"], Flag, After, Lacks, Placement),
    option(&["--compile"], Flag, After, Lacks, Placement),
    option(&["--no-compile"], Flag, After, Lacks, Placement),
    option(&["--no-warn-script-location"], Flag, After, Lacks, Placement),
    option(&["--no-warn-conflicts"], Flag, After, Lacks, Placement),
    option(&["--root-user-action"], Last, After, Lacks, Placement),
    option(&["--report"], Last, After, Lacks, Placement),
    // How the network and the cache are reached.
    option(&["--keyring-provider"], Last, Anywhere, Has, Network),
    option(&["--proxy"], Last, Anywhere, Has, Network),
    option(&["--no-proxy-env"], Flag, Anywhere, Has, Network), // since pip 26.2
    option(&["--retries"], Last, Anywhere, Has, Network),
    option(&["--timeout", "--default-timeout"], Last, Anywhere, Has, Network),
    option(&["--trusted-host"], Each, Anywhere, Has, Network),
    option(&["--cert"], Last, Anywhere, Has, Network),
    option(&["--client-cert"], Last, Anywhere, Has, Network),
    option(&["--cache-dir"], Last, Anywhere, Has, Network),
    option(&["--no-cache-dir"], Flag, Anywhere, Has, Network),
    option(&["--resume-retries"], Last, Anywhere, Has, Network), // since pip 25.1
    // How pip itself behaves.
    option(&["--progress-bar"], Last, After, Has, Behaviour),
    option(&["--help", "-h"], Flag, Anywhere, Has, Behaviour),
    option(&["--debug"], Flag, Anywhere, Has, Behaviour),
    option(&["--isolated"], Flag, Anywhere, Has, Behaviour),
    option(&["--require-virtualenv", "--require-venv"], Flag, Anywhere, Has, Behaviour),
    option(&["--python"], Last, Anywhere, Has, Behaviour),
    option(&["--verbose", "-v"], Count, Anywhere, Has, Behaviour),
    option(&["--quiet", "-q"], Count, Anywhere, Has, Behaviour),
    option(&["--log", "--log-file", "--local-log"], Last, Anywhere, Has, Behaviour),
    option(&["--no-input"], Flag, Anywhere, Has, Behaviour),
    option(&["--exists-action"], Each, Anywhere, Has, Behaviour),
    option(&["--disable-pip-version-check"], Flag, Anywhere, Has, Behaviour),
    option(&["--no-color"], Flag, Anywhere, Has, Behaviour),
    option(&["--no-python-version-warning"], Flag, Anywhere, Has, Behaviour),
    option(&["--version", "-V"], Flag, Anywhere, Has, Behaviour), // after the subcommand until pip 26.2.1, without effect there
];
