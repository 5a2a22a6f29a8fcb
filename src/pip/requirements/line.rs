//! Parses one logical line of a requirements file.
//!
//! A line has one of these forms:
//!
//! ```text
//! REQUIREMENT [--hash=ALGORITHM:DIGITS]…
//! -r FILE  or  -c FILE
//! OPTION…
//! ```
//!
//! Owns the options of such a line (the union over pip 22.2 to 26.3), and reads them as pip does:
//! from the first word that begins with `-`, split as a shell does, then parsed by `optparse`.

/// The meaning of a line.
pub(super) enum Line {
    /// A requirement, with or without options, or a line that pip refuses.
    Other,
    /// `-r` or `-c` with its file. Other options on the line have no effect.
    Include(Inclusion, String),
    /// Options that change where packages come from.
    Options(Options),
}

/// The way in which a file is included, on the command line or in another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inclusion {
    /// `-r`: pip installs the requirements of the file.
    Requirements,
    /// `-c`: the file restricts versions only.
    Constraints,
}

/// The options of one line that change where packages come from.
#[derive(Default)]
pub(super) struct Options {
    pub(super) index_url: Option<String>,
    pub(super) extra_index_urls: Vec<String>,
    pub(super) no_index: bool,
    /// The first one on the line; pip ignores others.
    pub(super) find_links: Option<String>,
    pub(super) trusted_hosts: Vec<String>,
}

/// The purpose of an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Requirement,
    Constraint,
    Editable,
    IndexUrl,
    ExtraIndexUrl,
    FindLinks,
    TrustedHost,
    NoIndex,
    OtherValue(&'static str),
    OtherFlag(&'static str),
}

const NAMES: &[(&str, Use)] = &[
    ("-r", Use::Requirement),
    ("--requirement", Use::Requirement),
    ("-c", Use::Constraint),
    ("--constraint", Use::Constraint),
    ("-e", Use::Editable),
    ("--editable", Use::Editable),
    ("-i", Use::IndexUrl),
    ("--index-url", Use::IndexUrl),
    ("--pypi-url", Use::IndexUrl),
    ("--extra-index-url", Use::ExtraIndexUrl),
    ("-f", Use::FindLinks),
    ("--find-links", Use::FindLinks),
    ("--trusted-host", Use::TrustedHost),
    ("--no-index", Use::NoIndex),
    ("-C", Use::OtherValue("-C")),
    ("--config-settings", Use::OtherValue("--config-settings")),
    ("--hash", Use::OtherValue("--hash")),
    ("--no-binary", Use::OtherValue("--no-binary")),
    ("--only-binary", Use::OtherValue("--only-binary")),
    ("--all-releases", Use::OtherValue("--all-releases")),
    ("--only-final", Use::OtherValue("--only-final")),
    ("--use-feature", Use::OtherValue("--use-feature")),
    ("--global-option", Use::OtherValue("--global-option")),
    ("--prefer-binary", Use::OtherFlag("--prefer-binary")),
    ("--require-hashes", Use::OtherFlag("--require-hashes")),
    ("--no-require-hashes", Use::OtherFlag("--no-require-hashes")),
    ("--pre", Use::OtherFlag("--pre")),
];

/// Parses a logical line. A line that pip refuses is [`Line::Other`], since pip then installs no
/// package.
pub(super) fn read(line: &str) -> Line {
    options_of(line).map_or(Line::Other, meaning)
}

/// Returns the requirement of a line: the value of `-e`, or a requirement without its options.
pub(super) fn required(line: &str) -> Option<crate::pip::requirements::Required> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
    let requirement = words.get(..at).unwrap_or_default().join(" ");
    if !requirement.is_empty() {
        return Some(super::Required::Requirement(requirement));
    }
    let given = options_of(line)?.into_iter();
    let mut editables = given.filter(|(what, _)| *what == Use::Editable);
    editables.next().map(|(_, value)| crate::pip::requirements::Required::Editable(value))
}

/// Returns the hashes behind a requirement, each as `ALGORITHM:DIGITS`.
pub(super) fn hashes(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
    let options = words.get(at..).unwrap_or_default().join(" ");
    let given = split(&options).and_then(parse).unwrap_or_default().into_iter();
    let hashes = given.filter(|(what, _)| *what == Use::OtherValue("--hash"));
    hashes.map(|(_, value)| value).collect()
}

/// Returns whether a line allows source archives with a `--no-binary`.
pub(super) fn asks_for_sources(line: &str) -> bool {
    let given = options_of(line).unwrap_or_default();
    let no_binary = |what: &Use| *what == Use::OtherValue("--no-binary");
    given.iter().any(|(what, value)| no_binary(what) && names_any(value))
}

/// Returns whether a value of `--no-binary` names a project or all projects. `:none:` cancels
/// earlier values.
#[must_use]
pub fn names_any(value: &str) -> bool {
    value.split(',').any(|name| !matches!(name.trim(), "" | ":none:"))
}

/// Returns whether a line consists of options and cannot be parsed here. pip refuses it, or knows
/// more options.
pub(super) fn is_unreadable(line: &str) -> bool {
    line.starts_with('-') && options_of(line).is_none()
}

/// Returns the options of a line without a requirement, in order.
fn options_of(line: &str) -> Option<Vec<(Use, String)>> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| word.starts_with('-'))?;
    let (requirement, options) = words.split_at(at);
    // A variable may have put one blank before the options. pip ignores it, so it must be ignored
    // here.
    if !requirement.join(" ").is_empty() {
        return None;
    }
    split(&options.join(" ")).and_then(parse)
}

/// Returns a line of options without those for indexes and directories. Returns `None` if no option
/// is left.
pub(super) fn without_places(line: &str) -> Option<String> {
    let places =
        [Use::IndexUrl, Use::ExtraIndexUrl, Use::FindLinks, Use::TrustedHost, Use::NoIndex];
    let given = options_of(line)?;
    let left = given.iter().filter(|(what, _)| !places.contains(what));
    let left: Vec<String> = left.map(|(what, value)| written(*what, value)).collect();
    (!left.is_empty()).then(|| left.join(" "))
}

/// Returns a line that includes a file.
pub(super) fn including(inclusion: Inclusion, path: &str) -> String {
    let option = match inclusion {
        Inclusion::Requirements => Use::Requirement,
        Inclusion::Constraints => Use::Constraint,
    };
    written(option, path)
}

fn meaning(given: Vec<(Use, String)>) -> Line {
    let first = |wanted| given.iter().find(|(what, _)| *what == wanted).map(|(_, v)| v.clone());
    if first(Use::Editable).is_some() {
        return Line::Other;
    }
    if let Some(path) = first(Use::Requirement) {
        return Line::Include(Inclusion::Requirements, path);
    }
    if let Some(path) = first(Use::Constraint) {
        return Line::Include(Inclusion::Constraints, path);
    }
    let mut options = Options { find_links: first(Use::FindLinks), ..Options::default() };
    for (what, value) in given {
        match what {
            // An empty URL has no effect: pip tests `if opts.index_url`.
            Use::IndexUrl => options.index_url = (!value.is_empty()).then_some(value),
            Use::ExtraIndexUrl => options.extra_index_urls.push(value),
            Use::TrustedHost => options.trusted_hosts.push(value),
            Use::NoIndex => options.no_index = true,
            _ => {}
        }
    }
    Line::Options(options)
}

/// Returns an option as written in a requirements file, with its value quoted for `shlex`.
fn written(what: Use, value: &str) -> String {
    let quoted = format!("'{}'", value.replace('\'', "'\"'\"'"));
    match what {
        Use::Requirement => format!("-r {quoted}"),
        Use::Constraint => format!("-c {quoted}"),
        Use::Editable => format!("-e {quoted}"),
        Use::IndexUrl => format!("--index-url {quoted}"),
        Use::ExtraIndexUrl => format!("--extra-index-url {quoted}"),
        Use::FindLinks => format!("--find-links {quoted}"),
        Use::TrustedHost => format!("--trusted-host {quoted}"),
        Use::NoIndex => "--no-index".to_owned(),
        Use::OtherValue(name) => format!("{name} {quoted}"),
        Use::OtherFlag(name) => name.to_owned(),
    }
}

/// Parses words with [`NAMES`] as Python's `optparse` does. Returns `None` if it would report an
/// error.
fn parse(words: Vec<String>) -> Option<Vec<(Use, String)>> {
    let mut given = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        } else if word.starts_with("--") {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            given.push(match (long(name)?, attached) {
                (flag @ (Use::NoIndex | Use::OtherFlag(_)), None) => (flag, String::new()),
                (Use::NoIndex | Use::OtherFlag(_), Some(_)) => return None,
                (what, Some(value)) => (what, value),
                (what, None) => (what, words.next()?),
            });
        } else if word.len() > 1 && word.starts_with('-') {
            // Every short option of these files takes a value.
            let name = word.get(..2)?;
            let (_, what) = NAMES.iter().find(|(known, _)| *known == name)?;
            let glued = word.get(2..).filter(|glued| !glued.is_empty()).map(str::to_owned);
            given.push((*what, glued.or_else(|| words.next())?));
        }
    }
    Some(given)
}

/// Finds an option by its full name, or by the beginning of names that all have one meaning here.
/// pip accepts only an abbreviation of a single name, and the names depend on its version. If pip
/// reports an error instead, it installs no package, so accepting more here is safe.
fn long(name: &str) -> Option<Use> {
    if let Some((_, what)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*what);
    }
    let mut fitting = NAMES.iter().filter(|(known, _)| known.starts_with(name)).map(|(_, u)| *u);
    let first = fitting.next()?;
    fitting.all(|other| other == first).then_some(first)
}

/// Splits a line as Python's `shlex.split`: quotes, and `\` outside single quotes. Returns `None`
/// if a quotation or an escape has no end.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => double_quoted(&mut characters, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(characters.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Reads up to the closing `"`; `\` escapes only itself and `"`.
fn double_quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            '"' => return Some(()),
            '\\' => match characters.next()? {
                c @ ('"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}
