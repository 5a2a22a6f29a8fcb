//! One option of pip: its names, arity, purpose and facts.
//!
//! Owns the type of a row of the table of options. Must not know a particular option.

use crate::pip::version::{OLDEST, PipVersion};

/// Whether an option takes a value, and the meaning of a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// No value. A repetition has no effect.
    Flag,
    /// No value. Each repetition counts (`-vv`).
    Count,
    /// A value. The last one counts.
    Last,
    /// A value. All of them count together. pip splits a configured value at blanks.
    Each,
    /// A value. All of them count together. pip gives each to a function of its own, and does not
    /// split a configured value at blanks.
    Parsed,
}

/// The positions where an option is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// A general option: before the subcommand and after it.
    Anywhere,
    /// After the subcommand only.
    After,
}

/// The subcommands that have an option, in every pip that has the option and the subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// `pip install` and `pip lock` have it, with the same meaning.
    Has,
    /// `pip install` has it, `pip lock` does not.
    Lacks,
    /// Only `pip lock` has it.
    Only,
    /// Neither has it, but `pip download` or `pip wheel`.
    Neither,
}

/// The purpose of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Requirements to install.
    Input,
    /// Limits on the versions of requirements.
    Constraint,
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

/// A fact about an option, on which the treatment of the option depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Its value is a file of requirements or constraints. A build reads a copy of it.
    NamesFile,
    /// Its value is a script that contains requirements (PEP 723).
    NamesScript,
    /// Says where packages come from: an index, a directory, or no index.
    NamesPlace,
    /// Its value is a server that pip connects to: an index or a proxy.
    NeedsNetwork,
    /// Says where pip keeps its cache.
    NamesCache,
    /// pip writes logs or clones to its value, even if pip only answers a question.
    NamesLog,
    /// Selects files for another platform than the running one.
    ChangesTarget,
    /// May exclude the wheels of a project that has wheels.
    LimitsChoice,
    /// Contradicts a set of files that are all given, with their hashes.
    NotForPinned,
    /// Says which part of the named requirements is installed. Must not be applied to the complete
    /// set in a generated file.
    SelectsPart,
    /// Must not apply to a pip that a build starts.
    NotForNested,
}

/// One option of `pip install` or `pip lock`.
#[derive(Debug, PartialEq, Eq)]
pub struct PipOption {
    /// Its names: first the long one that identifies it, then other long ones, then the short one.
    pub names: &'static [&'static str],
    /// Whether it takes a value.
    pub arity: Arity,
    /// The positions where it is allowed.
    pub place: Position,
    /// Whether `pip lock` has it.
    pub lock: Lock,
    /// Its purpose.
    pub role: Role,
    /// The facts about it.
    pub facts: &'static [Fact],
    /// The first release that has it, or the oldest one that this program supports.
    pub since: PipVersion,
    /// The last release that has it. `None` if the newest release has it.
    pub until: Option<PipVersion>,
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
        matches!(self.arity, Arity::Last | Arity::Each | Arity::Parsed)
    }

    /// Returns whether a release of pip has the option.
    #[must_use]
    pub fn is_of(&self, version: PipVersion) -> bool {
        self.since <= version && self.until.is_none_or(|last| version <= last)
    }

    /// Returns whether the fact is true of the option.
    #[must_use]
    pub fn is(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    /// Returns whether the option names requirements or constraints.
    #[must_use]
    pub const fn names_requirements(&self) -> bool {
        matches!(self.role, Role::Input | Role::Constraint)
    }

    /// Returns the keys of the option in configuration files: its long names without dashes.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.names.iter().filter_map(|name| name.strip_prefix("--"))
    }

    /// Returns the row with these facts.
    pub(super) const fn with(self, facts: &'static [Fact]) -> Self {
        Self { facts, ..self }
    }

    /// Returns the row of an option that came with a release.
    pub(super) const fn since(self, major: u32, minor: u32) -> Self {
        Self { since: PipVersion(major, minor), ..self }
    }

    /// Returns the row of an option that a release was the last to have.
    pub(super) const fn until(self, major: u32, minor: u32) -> Self {
        Self { until: Some(PipVersion(major, minor)), ..self }
    }
}

/// Returns a row without facts, for every supported release.
pub(super) const fn option(
    names: &'static [&'static str],
    arity: Arity,
    place: Position,
    lock: Lock,
    role: Role,
) -> PipOption {
    PipOption { names, arity, place, lock, role, facts: &[], since: OLDEST, until: None }
}
