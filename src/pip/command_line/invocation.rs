//! Parses pip's command line as pip does, and decides if it installs.
//!
//! Owns the grammar of Python's `optparse` as pip uses it (`cli/main_parser.py`,
//! `cli/base_command.py`), and the list of harmless subcommands:
//!
//! ```text
//! pip [GENERAL OPTION]… SUBCOMMAND [OPTION | ARGUMENT]… [-- ARGUMENT…]
//! ```
//!
//! This is a security boundary: if it is not certain that pip would *not* install, the result must
//! not be [`Invocation::PassThrough`]. Must not drop, reorder or correct an argument, and must not
//! guess the meaning of an option that is not in the table.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::pip::command_line::arguments::{Chosen, Kind, Spelling, Subcommand};
use crate::pip::command_line::table::{self, Named, PipOption, Position};

pub use crate::pip::command_line::arguments::{InstallArgs, Item, Positionals};

/// The class of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// pip installs no code. The real pip gets the command line unchanged.
    PassThrough,
    /// pip would install, or may install.
    Install(InstallArgs),
    /// The words of which one is the subcommand, and none is known to this program. pip does not
    /// know it either, or pip is newer than this program.
    UnknownCommand(Vec<OsString>),
}

/// Subcommands that fetch and run no code, with any option and any `--python`, in every pip from
/// 22.2 to 26.3. None of them has a resolver or a preparer of requirements (`cli/req_command.py`),
/// the only code in pip that reads a file's content or calls a build backend.
///
/// - `list`, `freeze`, `show`, `check`, `inspect`, `uninstall` read installed metadata. `list
///   --outdated` and `index versions` read index pages, but no file that the pages list. `uninstall
///   -r URL` and `freeze -r` read names from a file; a path in it is not a name, and is not built.
///   `freeze` runs git in the directories of editable projects.
/// - `search` reads an answer of the index, `hash` a file of the user's, and `cache`, `debug`,
///   `help` and `completion` read pip's own data. `config edit` starts the user's editor, and
///   network access starts the user's keyring.
/// - `--python X` makes X run the same pip with the same arguments.
const HARMLESS: [&str; 14] = [
    "cache",
    "check",
    "completion",
    "config",
    "debug",
    "freeze",
    "hash",
    "help",
    "index",
    "inspect",
    "list",
    "search",
    "show",
    "uninstall",
];

/// Classifies the arguments of pip, without `argv[0]`.
///
/// General options and their values come first. The first other word is the subcommand: exact,
/// case-sensitive, never abbreviated. With `--help` anywhere before a `--`, or `--version` before
/// the subcommand, pip only prints.
#[must_use]
pub fn classify(args: &[OsString]) -> Invocation {
    let mut global = Vec::new();
    let mut rest = args;
    while let Some((item, after)) = next_item(Position::Anywhere, rest) {
        match &item.kind {
            Kind::Argument(word) => return subcommand(word, args, global, after, Options::Follow),
            Kind::EndOfOptions => {
                global.push(item);
                return match after.split_first() {
                    Some((word, after)) => subcommand(word, args, global, after, Options::Ended),
                    None => Invocation::PassThrough,
                };
            }
            Kind::Options(chosen) if chosen.iter().any(|c| prints(c, &["--help", "--version"])) => {
                return Invocation::PassThrough;
            }
            Kind::Options(_) => global.push(item),
            Kind::Unknown | Kind::Unclear(_) => return first_install(rest, global),
        }
        rest = after;
    }
    Invocation::PassThrough
}

/// Whether the next words may be options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Options {
    Follow,
    Ended,
}

fn subcommand(
    word: &OsStr,
    args: &[OsString],
    mut global: Vec<Item>,
    after: &[OsString],
    options: Options,
) -> Invocation {
    let Some(subcommand) = Subcommand::of(word) else {
        return if is_harmless(word) {
            Invocation::PassThrough
        } else {
            Invocation::UnknownCommand(vec![word.to_owned()])
        };
    };
    mark_misplaced(subcommand, args, after, &mut global);
    let items = tail(after, options);
    let certain = global
        .iter()
        .chain(&items)
        .take_while(|item| !matches!(item.kind, Kind::Unknown | Kind::Unclear(_)));
    for item in certain {
        if let Kind::Options(chosen) = &item.kind
            && chosen.iter().any(|c| prints(c, &["--help"]))
        {
            return Invocation::PassThrough;
        }
    }
    Invocation::Install(InstallArgs::new(subcommand, global, items))
}

fn is_harmless(word: &OsStr) -> bool {
    HARMLESS.iter().any(|harmless| word == *harmless)
}

/// Searches for a subcommand behind an unknown option. Any word may be the value of that option, so
/// the first word that installs is used.
fn first_install(rest: &[OsString], mut global: Vec<Item>) -> Invocation {
    let found = rest.iter().enumerate();
    let mut found = found.filter_map(|(at, word)| Some((at, Subcommand::of(word)?)));
    let Some((at, subcommand)) = found.next() else {
        let is_word = |word: &&OsString| !word.as_bytes().starts_with(b"-") && !is_harmless(word);
        let words: Vec<OsString> = rest.iter().filter(is_word).cloned().collect();
        return if words.is_empty() {
            Invocation::PassThrough
        } else {
            Invocation::UnknownCommand(words)
        };
    };
    let (before, after) = rest.split_at(at);
    global.extend(before.iter().map(|word| Item { raw: vec![word.clone()], kind: Kind::Unknown }));
    let items = tail(after.get(1..).unwrap_or_default(), Options::Follow);
    Invocation::Install(InstallArgs::new(subcommand, global, items))
}

/// Marks a value that equals the subcommand as unknown. pip removes the *first* word that equals
/// the subcommand before it parses the subcommand's options. In `--log install --proxy p install x`
/// that word is the value of `--log`, so pip reads the other words differently than here.
fn mark_misplaced(
    subcommand: Subcommand,
    args: &[OsString],
    after: &[OsString],
    global: &mut [Item],
) {
    let is_subcommand = |word: &&OsString| *word == subcommand.word();
    let before = args.len().saturating_sub(after.len() + 1);
    let mut words = args.iter().take(before).skip_while(|word| !is_subcommand(word));
    if words.all(|word| is_subcommand(&word)) {
        return;
    }
    for item in global.iter_mut().filter(|item| item.raw.iter().any(|word| is_subcommand(&word))) {
        item.kind = Kind::Unknown;
    }
}

fn tail(words: &[OsString], mut options: Options) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut rest = words;
    loop {
        let next = match options {
            Options::Follow => next_item(Position::After, rest),
            Options::Ended => rest.split_first().map(|(word, after)| (argument(word), after)),
        };
        let Some((mut item, after)) = next else { return items };
        if item.kind == Kind::EndOfOptions {
            options = Options::Ended;
        }
        if let (Kind::Argument(word), Some(Kind::Unknown)) =
            (&item.kind, items.last().map(|last| &last.kind))
        {
            item.kind = Kind::Unclear(word.clone());
        }
        items.push(item);
        rest = after;
    }
}

/// Returns the first item of `words`, and the words behind it.
fn next_item(place: Position, words: &[OsString]) -> Option<(Item, &[OsString])> {
    let (word, rest) = words.split_first()?;
    let taken = match word.as_bytes() {
        b"--" => Some((Kind::EndOfOptions, rest)),
        [b'-', b'-', name @ ..] => long(place, name, rest),
        [b'-', letters @ ..] if !letters.is_empty() => cluster(place, letters, rest),
        _ => return Some((argument(word), rest)),
    };
    let (kind, after) = taken.unwrap_or((Kind::Unknown, rest));
    let raw = words.get(..words.len() - after.len()).unwrap_or_default().to_vec();
    Some((Item { raw, kind }, after))
}

/// Reads a long option: `--name`, `--name VALUE` or `--name=VALUE`, with the name in full or
/// abbreviated.
fn long<'a>(place: Position, text: &[u8], rest: &'a [OsString]) -> Option<(Kind, &'a [OsString])> {
    let mut parts = text.splitn(2, |byte| *byte == b'=');
    let name = [b"--", parts.next()?].concat();
    let attached = parts.next().map(<[u8]>::to_vec).map(OsString::from_vec);
    let (option, spelling) = match table::long(&name, place) {
        Named::Exactly(option) => (option, Spelling::InFull),
        Named::Abbreviated(option) => (option, Spelling::Abbreviated),
        Named::Unknown => return None,
    };
    let (value, after) = match (option.takes_value(), attached) {
        (true, Some(value)) => (Some(value), rest),
        (true, None) => rest.split_first().map(|(word, after)| (Some(word.clone()), after))?,
        (false, None) => (None, rest),
        (false, Some(_)) => return None,
    };
    Some((Kind::Options(vec![Chosen { option, spelling, value }]), after))
}

/// Reads short options: `-Uq`, `-r VALUE`, `-rVALUE`, `-Uqr VALUE`.
fn cluster<'a>(
    place: Position,
    mut letters: &[u8],
    rest: &'a [OsString],
) -> Option<(Kind, &'a [OsString])> {
    let mut chosen = Vec::new();
    while let Some((letter, glued)) = letters.split_first() {
        let option: &'static PipOption = table::short(*letter, place)?;
        let (value, after) = match (option.takes_value(), glued) {
            (false, _) => (None, rest),
            (true, []) => rest.split_first().map(|(word, after)| (Some(word.clone()), after))?,
            (true, glued) => (Some(OsString::from_vec(glued.to_vec())), rest),
        };
        letters = if option.takes_value() { &[] } else { glued };
        chosen.push(Chosen { option, spelling: Spelling::InFull, value });
        if letters.is_empty() {
            return Some((Kind::Options(chosen), after));
        }
    }
    None
}

fn argument(word: &OsString) -> Item {
    Item { raw: vec![word.clone()], kind: Kind::Argument(word.clone()) }
}

/// Returns whether this option, written in full, makes pip print and exit.
fn prints(chosen: &Chosen, names: &[&str]) -> bool {
    chosen.spelling == Spelling::InFull && names.contains(&chosen.option.name())
}
