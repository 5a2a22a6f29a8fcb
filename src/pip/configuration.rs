//! pip's configuration: the values of its files and of the `PIP_*` variables.
//!
//! Reads the output of `pip config list`:
//!
//! ```text
//! global.index-url='https://index.example/simple'
//! :env:.timeout='5'
//! ```
//!
//! Must not read configuration files, because only pip knows their paths.

use std::collections::{BTreeMap, BTreeSet};

use crate::pip::command_line::table::{self, PipOption};

/// The values of one source, by the option's long name without dashes.
pub type Values = BTreeMap<String, String>;

/// The sources that `pip install` reads, the highest last.
const SOURCES: [&str; 3] = ["global", "install", ":env:"];

/// pip's configuration from its files and the `PIP_*` variables, by section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    sections: BTreeMap<String, Values>,
}

impl Configuration {
    /// Parses the output of `pip config list`: lines `SECTION.KEY='VALUE'` with values as Python
    /// writes them. Other lines are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut sections = BTreeMap::<String, Values>::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let Some((section, name)) = key.rsplit_once('.') else { continue };
            let Some(value) = python_string(value) else { continue };
            if !value.is_empty() {
                let name = name.to_lowercase().replace('_', "-");
                sections.entry(section.to_owned()).or_default().insert(name, value);
            }
        }
        Self { sections }
    }

    /// Returns the configuration as another subcommand of pip reads it: with its own section
    /// instead of `[install]`.
    #[must_use]
    pub fn read_by(mut self, subcommand: &str) -> Self {
        if subcommand != "install" {
            self.sections.remove("install");
            let own = self.sections.remove(subcommand);
            self.sections.extend(own.map(|values| ("install".to_owned(), values)));
        }
        self
    }

    /// Returns the configuration without the values that this pip ignores, because its subcommand
    /// lacks the option. `knows` tells whether it has an option; keys that are no option of any pip
    /// are kept.
    #[must_use]
    pub fn known_to(mut self, knows: impl Fn(&PipOption) -> bool) -> Self {
        for values in self.sections.values_mut() {
            values.retain(|key, _| table::named(&format!("--{key}")).is_none_or(&knows));
        }
        self
    }

    /// Returns the values of a section (`install`, `:env:`).
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Values> {
        self.sections.get(name)
    }

    /// Returns the values that `pip install` reads from files, without those that a variable
    /// overrides: the `[install]` section before the global one.
    pub fn effective_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = ["global", "install"].map(|name| self.sections.get(name));
        let keys: BTreeSet<&str> = sections
            .iter()
            .flatten()
            .flat_map(|values| values.keys().map(String::as_str))
            .collect();
        let by_variable = |key: &str| match table::named(&format!("--{key}")) {
            Some(option) => self.spelled(":env:", option).next().is_some(),
            None => self.sections.get(":env:").is_some_and(|values| values.contains_key(key)),
        };
        keys.into_iter()
            .filter(move |key| !by_variable(key))
            .filter_map(|k| Some((k, self.get(k)?)))
    }

    /// Returns the value of an option in the highest source that has it, in any spelling of its
    /// name.
    #[must_use]
    pub fn last(&self, option: &PipOption) -> Option<&str> {
        SOURCES.iter().rev().find_map(|source| self.spelled(source, option).next())
    }

    /// Returns whether the value that counts of an option is in the subcommand's own section.
    #[must_use]
    pub fn is_of_section(&self, option: &PipOption) -> bool {
        let source = SOURCES.iter().rev().find(|it| self.spelled(it, option).next().is_some());
        source == Some(&"install")
    }

    /// Returns the values of an option in all sources, the highest source last.
    pub fn all(&self, option: &PipOption) -> impl Iterator<Item = &str> {
        SOURCES.iter().flat_map(|source| self.spelled(source, option))
    }

    /// Returns the values of an option in one source, by each spelling of its name.
    fn spelled(&self, source: &str, option: &PipOption) -> impl Iterator<Item = &str> + use<'_> {
        let values = self.sections.get(source);
        option.keys().filter_map(move |key| values?.get(key)).map(String::as_str)
    }

    /// Returns the value of a key in the highest source that has it.
    fn get(&self, key: &str) -> Option<&str> {
        SOURCES
            .iter()
            .rev()
            .find_map(|source| self.sections.get(*source)?.get(key))
            .map(String::as_str)
    }
}

/// Parses a Python string literal as `repr` writes it.
fn python_string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let (mut value, mut chars) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next()? {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            digits @ ('x' | 'u' | 'U') => {
                let length = match digits {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let hex: String = chars.by_ref().take(length).collect();
                value.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
            }
            other => value.push(other),
        }
    }
    Some(value)
}
