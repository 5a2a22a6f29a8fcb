//! The options of `pip install` and `pip lock`: their names, arity and purpose.
//!
//! Owns the one table of options, the union over pip 22.2 to 26.3 (read from pip's own parsers),
//! and finds an option by its name as `optparse` does. Must not read argument lists, and must not
//! guess the meaning of a name that is not in the table.

use Arity::{Count, Each, Flag, Last};
use Lock::{Has, Lacks, Only};
use Place::{After, Anywhere};
use Role::{Behaviour, Build, Input, Network, Placement, Resolver};

/// Whether an option takes a value, and the meaning of a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// No value. A repetition has no effect.
    Flag,
    /// No value. Each repetition counts (`-vv`).
    Count,
    /// A value. The last one counts.
    Last,
    /// A value. All of them count together.
    Each,
}

/// The positions where an option is allowed.
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

/// The purpose of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Requirements to install.
    Input,
    /// The choice of files for the requirements.
    Resolver,
    /// The build of a source into a wheel.
    Build,
    /// The destination of files.
    Placement,
    /// The network and the cache.
    Network,
    /// The behaviour of pip: its output, its questions, and the Python that it works for.
    Behaviour,
}

/// One option of `pip install` or `pip lock`.
#[derive(Debug, PartialEq, Eq)]
pub struct PipOption {
    /// Its names: first the long one that identifies it, then other long ones, then the short one.
    pub names: &'static [&'static str],
    /// Whether it takes a value.
    pub arity: Arity,
    /// The positions where it is allowed.
    pub place: Place,
    /// Whether `pip lock` has it.
    pub lock: Lock,
    /// Its purpose.
    pub role: Role,
}

impl PipOption {
    /// Returns the long name that identifies the option, such as `--requirement` for `-r`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Returns whether the option takes a value.
    #[must_use]
    pub const fn takes_value(&self) -> bool {
        matches!(self.arity, Last | Each)
    }
}

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

/// Returns the option of `name` (`--...`, without `=value`) at `place`. `Place::Anywhere` searches
/// the general options only, as pip does before the subcommand.
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

/// Returns the option with the short name `-` and `letter` at `place`.
#[must_use]
pub fn short(letter: u8, place: Place) -> Option<&'static PipOption> {
    at(place).find(|option| option.names.iter().any(|name| name.as_bytes() == [b'-', letter]))
}

/// Returns the option that has the full name `name`.
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

/// Every option of any `pip install` from 22.2 to 26.3, and those that only `pip lock`, `pip
/// download` or `pip wheel` has.
#[rustfmt::skip]
pub const OPTIONS: &[PipOption] = &[
    // Requirements to install.
    option(&["--requirement", "-r"], Each, After, Has, Input),
    option(&["--constraint", "-c"], Each, After, Has, Input),
    option(&["--requirements-from-script"], Each, After, Has, Input), // since pip 26.0
    option(&["--editable", "-e"], Each, After, Has, Input),
    option(&["--group"], Each, After, Has, Input), // since pip 25.1
    // The choice of files.
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
    // The destination of `pip download` and `pip wheel`, and options of `pip wheel` alone.
    option(&["--dest", "--destination-dir", "--destination-directory", "-d"], Last, After, Lacks, Placement),
    option(&["--wheel-dir", "-w"], Last, After, Lacks, Placement),
    option(&["--no-verify"], Flag, After, Lacks, Build),
    option(&["--build-option"], Each, After, Lacks, Build),
    // The destination of the lock.
    option(&["--output", "-o"], Last, After, Only, Placement),
    // The build of a source into a wheel.
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
    // The destination of files.
    option(&["--root"], Last, After, Lacks, Placement),
    option(&["--prefix"], Last, After, Lacks, Placement),
    option(&["--break-system-packages"], Flag, After, Lacks, Placement),
    option(&["--compile"], Flag, After, Lacks, Placement),
    option(&["--no-compile"], Flag, After, Lacks, Placement),
    option(&["--no-warn-script-location"], Flag, After, Lacks, Placement),
    option(&["--no-warn-conflicts"], Flag, After, Lacks, Placement),
    option(&["--root-user-action"], Last, After, Lacks, Placement),
    option(&["--report"], Last, After, Lacks, Placement),
    // The network and the cache.
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
    // The behaviour of pip.
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
