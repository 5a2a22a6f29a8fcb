//! The arguments of one `pip install` (or `lock`, `download`, `wheel`), item by item, and the
//! questions asked of them.
//!
//! Owns the value that the reading of a command line results in, and the rewriting of it for a
//! second run of pip. Holds every argument byte for byte; decides nothing about installing.

use std::ffi::{OsStr, OsString};

use crate::pip::command_line::options::{self, Lock, PipOption};

/// The subcommands by which pip fetches code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcommand {
    /// `pip install`
    Install,
    /// `pip lock`
    Lock,
    /// `pip download`
    Download,
    /// `pip wheel`
    Wheel,
}

impl Subcommand {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Install, Self::Lock, Self::Download, Self::Wheel];

    /// The word on the command line: exact, never abbreviated.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Lock => "lock",
            Self::Download => "download",
            Self::Wheel => "wheel",
        }
    }

    /// The subcommand that the word is, if it is one of these.
    #[must_use]
    pub fn of(word: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|subcommand| word == subcommand.word())
    }
}

/// One `pip install`, `lock`, `download` or `wheel`: the items before the subcommand and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallArgs {
    subcommand: Subcommand,
    global: Vec<Item>,
    items: Vec<Item>,
}

/// A stretch of the command line that is read as one: an option with its value, or a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The arguments it is made of, as they were given.
    pub raw: Vec<OsString>,
    /// What they mean.
    pub kind: Kind,
}

/// What an item means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One long option, or one or more short ones (`-Uqr FILE`), in order.
    Options(Vec<Chosen>),
    /// A requirement, path or URL to install.
    Argument(OsString),
    /// A word that follows something unknown: its value, or an argument.
    Unclear(OsString),
    /// An option that is not in the table, is an abbreviation of several, lacks its value or has
    /// one it cannot have: what pip makes of it, and of what follows, is pip's to say.
    Unknown,
    /// `--`: what follows are arguments.
    EndOfOptions,
}

/// An option as it was given once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which option.
    pub option: &'static PipOption,
    /// How its name was written.
    pub spelling: Spelling,
    /// Its value; `None` exactly if the option takes none.
    pub value: Option<OsString>,
}

/// How the name of an option was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// A name from the table.
    InFull,
    /// The beginning of a long name; another version of pip may read it differently.
    Abbreviated,
}

/// What happens to the arguments (requirements, paths, URLs) when a command line is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positionals {
    /// They stay.
    Keep,
    /// They go; a word that may be the value of an unknown option stays.
    Drop,
}

impl InstallArgs {
    /// The arguments with these items before and after the subcommand.
    #[must_use]
    pub const fn new(subcommand: Subcommand, global: Vec<Item>, items: Vec<Item>) -> Self {
        Self { subcommand, global, items }
    }

    /// The subcommand.
    #[must_use]
    pub const fn subcommand(&self) -> Subcommand {
        self.subcommand
    }

    /// The items before the subcommand.
    #[must_use]
    pub fn global(&self) -> &[Item] {
        &self.global
    }

    /// The items after the subcommand.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Every option, in the order in which pip meets them.
    pub fn chosen(&self) -> impl DoubleEndedIterator<Item = &Chosen> {
        self.all().flat_map(|item| match &item.kind {
            Kind::Options(chosen) => chosen.as_slice(),
            _ => &[],
        })
    }

    /// Every value given to the option that has `name`, in order.
    pub fn values(&self, name: &str) -> Vec<&OsStr> {
        self.of(name).filter_map(|chosen| chosen.value.as_deref()).collect()
    }

    /// The last value given to the option that has `name`.
    #[must_use]
    pub fn last_value(&self, name: &str) -> Option<&OsStr> {
        self.of(name).filter_map(|chosen| chosen.value.as_deref()).last()
    }

    /// Whether the option that has `name` is given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    /// How often the option that has `name` is given.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.of(name).count()
    }

    /// The requirements, paths and URLs given as arguments, in order. What may be the value of an
    /// unknown option is not among them; see [`InstallArgs::unknown`].
    pub fn requirement_arguments(&self) -> Vec<&OsStr> {
        let argument = |item: &'_ Item| matches!(item.kind, Kind::Argument(_));
        self.items
            .iter()
            .filter(|item| argument(item))
            .filter_map(|item| item.raw.first())
            .map(OsString::as_os_str)
            .collect()
    }

    /// Whether an option is abbreviated.
    #[must_use]
    pub fn abbreviated(&self) -> bool {
        self.chosen().any(|chosen| chosen.spelling == Spelling::Abbreviated)
    }

    /// Whether anything could not be read for certain. Then only pip knows what is asked for.
    #[must_use]
    pub fn unknown(&self) -> bool {
        self.uncertain().is_some()
    }

    /// The first item that could not be read for certain.
    #[must_use]
    pub fn uncertain(&self) -> Option<&Item> {
        self.all().find(|item| matches!(item.kind, Kind::Unknown | Kind::Unclear(_)))
    }

    /// Whether `pip lock` takes every option given, with the same meaning.
    #[must_use]
    pub fn every_option_known_to_lock(&self) -> bool {
        !self.unknown()
            && !self.abbreviated()
            && self.chosen().all(|chosen| chosen.option.lock == Lock::Has)
    }

    /// The arguments before the subcommand, but for the options in `names`.
    #[must_use]
    pub fn global_without(&self, names: &[&str]) -> Vec<OsString> {
        let items = self.global.iter().filter(|item| item.kind != Kind::EndOfOptions);
        rewritten(items, names, Positionals::Keep)
    }

    /// The arguments after the subcommand, but for the options in `names`, and for the arguments
    /// if they are to go. Other options go in front of them: at the end they could be taken for
    /// arguments, or for a value. A `--` that stood before the subcommand (`pip -- install x`)
    /// is put first, which means the same.
    #[must_use]
    pub fn without(&self, names: &[&str], positionals: Positionals) -> Vec<OsString> {
        let ended = self.global.iter().filter(|item| item.kind == Kind::EndOfOptions);
        rewritten(ended.chain(&self.items), names, positionals)
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.global.iter().chain(&self.items)
    }

    fn of<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Chosen> + use<'a> {
        let option = options::named(name);
        debug_assert!(option.is_some(), "pip install has no {name}");
        self.chosen().filter(move |chosen| Some(chosen.option) == option)
    }
}

fn rewritten<'a>(
    items: impl Iterator<Item = &'a Item>,
    names: &[&str],
    positionals: Positionals,
) -> Vec<OsString> {
    let mut argv = Vec::new();
    for item in items {
        match &item.kind {
            Kind::Options(chosen) => argv.extend(remaining(item, chosen, names)),
            Kind::Argument(_) if positionals == Positionals::Drop => {}
            _ => argv.extend(item.raw.iter().cloned()),
        }
    }
    argv
}

/// What is left of an option, or of a cluster of short ones, without those in `names`.
fn remaining(item: &Item, chosen: &[Chosen], names: &[&str]) -> Vec<OsString> {
    let stays = |c: &&Chosen| !c.option.names.iter().any(|name| names.contains(name));
    let left: Vec<&Chosen> = chosen.iter().filter(stays).collect();
    if left.len() == chosen.len() {
        return item.raw.clone();
    }
    // Only a cluster can lose a part of itself, and every option in it has a short name.
    let letters: String = left
        .iter()
        .flat_map(|c| c.option.names.iter().filter(|name| name.len() == 2))
        .filter_map(|name| name.chars().nth(1))
        .collect();
    let cluster = (!letters.is_empty()).then(|| OsString::from(format!("-{letters}")));
    let value = left.iter().find_map(|c| c.value.clone());
    cluster.into_iter().chain(value).collect()
}
