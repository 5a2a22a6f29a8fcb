//! The options that the user gave pip, wherever pip lets them be set.
//!
//! Merges the command line with the environment and the configuration files, in pip's order
//! (`cli/parser.py`): `[global]` < `[install]` < `PIP_*` < command line.
//!
//! - Of an option with one value, the highest source counts.
//! - Of an option with several values, the highest source of the configuration counts, and the
//!   command line adds to it. An option that pip parses itself takes the values of all sources.
//! - A counted option (`-q`) adds the command line to the configured number.
//!
//! An empty value in the configuration counts as absent. Must not interpret a value.

use std::ffi::{OsStr, OsString};

use crate::pip::command_line::arguments::{InstallArgs, Subcommand};
use crate::pip::command_line::table::{self, Arity, PipOption};
use crate::pip::configuration::Configuration;
use crate::process::switch;

/// The merged options of one run. Options are named as in the table, such as `--requirement`.
#[derive(Debug, Clone)]
pub struct Options {
    subcommand: Subcommand,
    given: Vec<(&'static PipOption, Option<OsString>)>,
    configuration: Configuration,
}

impl Options {
    /// Merges the user's arguments with pip's configuration.
    #[must_use]
    pub fn new(arguments: &InstallArgs, configuration: Configuration) -> Self {
        let subcommand = arguments.subcommand();
        let given = arguments.chosen().map(|chosen| (chosen.option, chosen.value.clone()));
        let configuration = configuration.read_by(subcommand.word());
        Self { subcommand, given: given.collect(), configuration }
    }

    /// Returns the subcommand that the options are for.
    #[must_use]
    pub const fn subcommand(&self) -> Subcommand {
        self.subcommand
    }

    /// Returns pip's configuration, as the subcommand reads it.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Returns whether a flag is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        let configured = || self.configured(name).and_then(switch::read) == Some(true);
        self.values(name).next().is_some() || configured()
    }

    /// Returns whether an option is set at all, with any value.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.values(name).next().is_some() || self.configured(name).is_some()
    }

    /// Returns whether an option with any of the given names is set.
    #[must_use]
    pub fn any_is_set(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is_set(name))
    }

    /// Returns the last use on the command line of any of these options: its name and its value.
    #[must_use]
    pub fn last_of(&self, names: &[&str]) -> Option<(&'static str, Option<&OsStr>)> {
        let (option, value) =
            self.given.iter().rev().find(|(option, _)| names.contains(&option.name()))?;
        Some((option.name(), value.as_deref()))
    }

    /// Returns the value that counts of an option with one value.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&OsStr> {
        let given = self.values(name).flatten().last();
        given.or_else(|| self.configured(name).map(OsStr::new))
    }

    /// Returns all values of an option with several values, in pip's order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        let option = named(name);
        let configured: Vec<&str> = match option.map(|option| option.arity) {
            Some(Arity::Each) => {
                self.configured(name).into_iter().flat_map(str::split_whitespace).collect()
            }
            _ => option.into_iter().flat_map(|option| self.configuration.all(option)).collect(),
        };
        let given = self.values(name).flatten().map(|value| value.to_string_lossy().into_owned());
        configured.into_iter().map(str::to_owned).chain(given).collect()
    }

    /// Returns how many of the values of [`Self::all`] also hold for a `pip install` that pip
    /// starts by itself, to set up a build. Those are the first ones: that pip reads the variables,
    /// the global section and `[install]`, and not this command line.
    #[must_use]
    pub fn inherited(&self, name: &str) -> usize {
        let of_own_section = self.subcommand != Subcommand::Install
            && named(name).is_some_and(|option| self.configuration.is_of_section(option));
        let count = self.all(name).len() - self.values(name).count();
        // An isolated pip ignores its variables, but not those of its command line.
        let is_isolated = self.values("--isolated").next().is_some();
        if of_own_section || is_isolated { 0 } else { count }
    }

    /// Returns the number of a counted option.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let number = |value: &str| match switch::read(value) {
            Some(on) => usize::from(on),
            None => value.parse().unwrap_or_default(),
        };
        self.configured(name).map(number).unwrap_or_default() + self.values(name).count()
    }

    /// Returns the value of an option in the configuration alone.
    #[must_use]
    pub fn configured(&self, name: &str) -> Option<&str> {
        self.configuration.last(named(name)?)
    }

    /// Returns each use of an option on the command line, with its value.
    fn values(&self, name: &str) -> impl Iterator<Item = Option<&OsStr>> {
        let option = named(name);
        let uses = self.given.iter().filter(move |(given, _)| Some(*given) == option);
        uses.map(|(_, value)| value.as_deref())
    }
}

fn named(name: &str) -> Option<&'static PipOption> {
    let option = table::named(name);
    debug_assert!(option.is_some(), "pip has no {name}");
    option
}
