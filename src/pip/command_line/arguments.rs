//! The arguments of one `pip install` (or `lock`, `download`, `wheel`), parsed into items.
//!
//! Owns the parsed value of a command line, and rewrites it for a second run of pip. Each argument
//! is kept byte for byte. Must not make decisions about an install.

use std::ffi::{OsStr, OsString};

use crate::pip::command_line::table::{self, Lock, PipOption};

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
    /// All subcommands.
    pub const ALL: [Self; 4] = [Self::Install, Self::Lock, Self::Download, Self::Wheel];

    /// Returns the word on the command line. pip accepts no abbreviation of it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Lock => "lock",
            Self::Download => "download",
            Self::Wheel => "wheel",
        }
    }

    /// Returns the subcommand of a word, or `None` if it is another word.
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

/// A part of the command line: an option with its value, or a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The original arguments of this item.
    pub raw: Vec<OsString>,
    /// The meaning of the item.
    pub kind: Kind,
}

/// The meaning of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One long option, or one or more short ones (`-Uqr FILE`), in order.
    Options(Vec<Chosen>),
    /// A requirement, path or URL to install.
    Argument(OsString),
    /// A word behind an unknown option: the value of that option, or an argument.
    Unclear(OsString),
    /// An option that is not in the table, is an abbreviation of several, lacks its value or has a
    /// value that it cannot have. Only pip knows the meaning of this option and of the words behind
    /// it.
    Unknown,
    /// `--`: all words behind it are arguments.
    EndOfOptions,
}

/// One use of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The option.
    pub option: &'static PipOption,
    /// The spelling of its name.
    pub spelling: Spelling,
    /// The value. `None` if and only if the option takes none.
    pub value: Option<OsString>,
}

/// The spelling of an option's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// A name from the table.
    InFull,
    /// The beginning of a long name. Another version of pip may read it as another option.
    Abbreviated,
}

/// The treatment of arguments (requirements, paths, URLs) when a command line is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positionals {
    /// Arguments are kept.
    Keep,
    /// Arguments are removed. A word that may be the value of an unknown option is kept.
    Drop,
}

impl InstallArgs {
    /// Creates the arguments from the items before and after the subcommand.
    #[must_use]
    pub const fn new(subcommand: Subcommand, global: Vec<Item>, items: Vec<Item>) -> Self {
        Self { subcommand, global, items }
    }

    /// Returns the subcommand.
    #[must_use]
    pub const fn subcommand(&self) -> Subcommand {
        self.subcommand
    }

    /// Returns the items before the subcommand.
    #[must_use]
    pub fn global(&self) -> &[Item] {
        &self.global
    }

    /// Returns the items after the subcommand.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Returns every option, in the order in which pip reads them.
    pub fn chosen(&self) -> impl DoubleEndedIterator<Item = &Chosen> {
        self.all().flat_map(|item| match &item.kind {
            Kind::Options(chosen) => chosen.as_slice(),
            _ => &[],
        })
    }

    /// Returns every value of the option `name`, in order.
    pub fn values(&self, name: &str) -> Vec<&OsStr> {
        self.of(name).filter_map(|chosen| chosen.value.as_deref()).collect()
    }

    /// Returns whether the option `name` is given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    /// Returns how often the option `name` is given.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.of(name).count()
    }

    /// Returns the requirements, paths and URLs that are given as arguments, in order. A word that
    /// may be the value of an unknown option is not among them; see [`InstallArgs::unknown`].
    pub fn requirement_arguments(&self) -> Vec<&OsStr> {
        let argument = |item: &'_ Item| matches!(item.kind, Kind::Argument(_));
        self.items
            .iter()
            .filter(|item| argument(item))
            .filter_map(|item| item.raw.first())
            .map(OsString::as_os_str)
            .collect()
    }

    /// Returns whether an option is abbreviated.
    #[must_use]
    pub fn abbreviated(&self) -> bool {
        self.chosen().any(|chosen| chosen.spelling == Spelling::Abbreviated)
    }

    /// Returns whether an item could not be read with certainty. Then only pip knows the meaning of
    /// the command line.
    #[must_use]
    pub fn unknown(&self) -> bool {
        self.uncertain().is_some()
    }

    /// Returns the first item that could not be read with certainty.
    #[must_use]
    pub fn uncertain(&self) -> Option<&Item> {
        self.all().find(|item| matches!(item.kind, Kind::Unknown | Kind::Unclear(_)))
    }

    /// Returns whether `pip lock` accepts every given option, with the same meaning.
    #[must_use]
    pub fn every_option_known_to_lock(&self) -> bool {
        !self.unknown()
            && !self.abbreviated()
            && self.chosen().all(|chosen| chosen.option.lock == Lock::Has)
    }

    /// Returns the arguments before the subcommand, without the options that `removes` selects.
    #[must_use]
    pub fn global_without(&self, removes: impl Fn(&PipOption) -> bool) -> Vec<OsString> {
        let items = self.global.iter().filter(|item| item.kind != Kind::EndOfOptions);
        rewritten(items, &removes, Positionals::Keep)
    }

    /// Returns the arguments after the subcommand, without the options that `removes` selects;
    /// `positionals` says if requirements, paths and URLs stay. Other options move in front of
    /// them, because behind them pip could read an option as an argument or as a value. A `--` that
    /// stood before the subcommand (`pip -- install x`) is put first, with the same meaning.
    #[must_use]
    pub fn without(
        &self,
        removes: impl Fn(&PipOption) -> bool,
        positionals: Positionals,
    ) -> Vec<OsString> {
        let ended = self.global.iter().filter(|item| item.kind == Kind::EndOfOptions);
        rewritten(ended.chain(&self.items), &removes, positionals)
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.global.iter().chain(&self.items)
    }

    fn of<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Chosen> + use<'a> {
        let option = table::named(name);
        debug_assert!(option.is_some(), "pip install has no {name}");
        self.chosen().filter(move |chosen| Some(chosen.option) == option)
    }
}

fn rewritten<'a>(
    items: impl Iterator<Item = &'a Item>,
    removes: &impl Fn(&PipOption) -> bool,
    positionals: Positionals,
) -> Vec<OsString> {
    let mut argv = Vec::new();
    for item in items {
        match &item.kind {
            Kind::Options(chosen) => argv.extend(remaining(item, chosen, removes)),
            Kind::Argument(_) if positionals == Positionals::Drop => {}
            _ => argv.extend(item.raw.iter().cloned()),
        }
    }
    argv
}

/// Returns the rest of an option, or of a cluster of short ones, without those that
/// `removes` selects.
fn remaining(
    item: &Item,
    chosen: &[Chosen],
    removes: &impl Fn(&PipOption) -> bool,
) -> Vec<OsString> {
    let stays = |c: &&Chosen| !removes(c.option);
    let left: Vec<&Chosen> = chosen.iter().filter(stays).collect();
    if left.len() == chosen.len() {
        return item.raw.clone();
    }
    // A part can be removed only from a cluster, and every option in a cluster has a short name.
    let letters: String = left
        .iter()
        .flat_map(|c| c.option.names.iter().filter(|name| name.len() == 2))
        .filter_map(|name| name.chars().nth(1))
        .collect();
    let cluster = (!letters.is_empty()).then(|| OsString::from(format!("-{letters}")));
    let value = left.iter().find_map(|c| c.value.clone());
    cluster.into_iter().chain(value).collect()
}
