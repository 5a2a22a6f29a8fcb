//! The input of the rules: the modules of `src` and the paths they name, and all files of
//! the repository. Reads text, not Rust: good enough for code that rustfmt has laid out.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of `src`, without its comments.
pub struct Source {
    /// As in `trust::store`; `lib` and `main` for the roots.
    pub module: String,
    pub code: String,
}

impl Source {
    /// Every path the code names, grouped imports taken apart, as in `crate::trust::file`.
    /// `super` of a module directly below the root is the root.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let mut paths = BTreeSet::new();
        let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let mut rest = self.code.as_str();
        while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
            rest = &rest[start..];
            let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
            let (path, after) = rest.split_at(end);
            rest = match path.strip_suffix("::") {
                Some(prefix) if after.starts_with('{') => group(prefix, &after[1..], &mut paths),
                _ => {
                    paths.insert(path.to_owned());
                    after
                }
            };
        }
        let top = !self.module.contains("::");
        paths.into_iter().map(move |path| match path.strip_prefix("super::") {
            Some(rest) if top => format!("crate::{rest}"),
            _ => path,
        })
    }

    /// Whether the code has this word, not as part of a longer one.
    pub fn words(&self, word: &str) -> bool {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let mut at = self.code.match_indices(word);
        at.any(|(at, _)| {
            let after = &self.code[at + word.len()..];
            !self.code[..at].ends_with(part) && !after.starts_with(part)
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.module.fmt(f)
    }
}

/// Takes `a, b::{c, d}}` behind `prefix::{` apart; returns what follows the brace.
fn group<'a>(prefix: &str, mut rest: &'a str, paths: &mut BTreeSet<String>) -> &'a str {
    loop {
        rest = rest.trim_start_matches([' ', '\n', ',']);
        let end = rest.find([',', '{', '}', '\n']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.split(" as ").next().unwrap().trim();
        let path = format!("{prefix}::{}", name.trim_end_matches("::"));
        rest = after;
        if let Some(inner) = after.strip_prefix('{') {
            rest = group(&path, inner, paths);
        } else if !name.is_empty() {
            paths.insert(if name == "self" { prefix.to_owned() } else { path });
        }
        if rest.is_empty() || rest.starts_with('}') {
            return rest.get(1..).unwrap_or_default();
        }
    }
}

/// Whether a path names a thing; a single word is no path.
pub fn names(path: &str, thing: &str) -> bool {
    path.contains("::") && is_below(path, thing)
}

pub fn is_below(path: &str, parent: &str) -> bool {
    path == parent || path.strip_prefix(parent).is_some_and(|rest| rest.starts_with("::"))
}

pub fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

pub fn sources() -> Vec<Source> {
    let source = |(path, text): (PathBuf, String)| {
        let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).collect();
        let module = parts.join("::").trim_end_matches("::mod").to_owned();
        let comment = |line: &&str| !line.trim_start().starts_with("//");
        let code = text.lines().filter(comment).collect::<Vec<_>>().join("\n");
        Source { module, code }
    };
    rust_files("src").into_iter().map(source).collect()
}

pub fn rust_files(directory: &str) -> Vec<(PathBuf, String)> {
    let files = files(&root().join(directory)).into_iter();
    let rust = files.filter(|(path, _)| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// All files below a directory but what is built and what is git's.
pub fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && !matches!(entry.file_name().to_str(), Some("target" | ".git")) {
            found.append(&mut files(&path));
        } else if kind.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// Every path from the root that the string literals of a file name: at the beginning, after a
/// blank or a sign that no path has, or in a `file` URL. Comments name none, and a name of one
/// letter stands for any.
pub fn absolute_paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for literal in literals(text) {
        for (at, _) in literal.match_indices('/') {
            let (before, rest) = literal.split_at(at);
            let begins = before.is_empty()
                || before.ends_with("file://")
                || before.ends_with(|c: char| c.is_whitespace() || "'\"=:(>,".contains(c));
            let part = |c: char| c.is_alphanumeric() || c == '/' || "._-".contains(c);
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            let is_name = |c: char| c.is_alphanumeric() || "._".contains(c);
            let is_long = rest[1..].chars().take_while(|c| is_name(*c)).nth(1).is_some();
            if begins && is_long {
                found.push(rest[..end].to_owned());
            }
        }
    }
    found
}

/// The texts between double quotes, as they are written.
fn literals(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| match line.trim_start().starts_with("//") {
        true => "",
        false => line.split(" // ").next().unwrap_or_default(),
    });
    let code = code.collect::<Vec<_>>().join("\n").replace("'\"'", "").replace("'\\\"'", "");
    let (mut found, mut current) = (Vec::new(), None::<String>);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match (character, &mut current) {
            ('"', None) => current = Some(String::new()),
            ('"', Some(_)) => found.extend(current.take()),
            ('\\', Some(literal)) => {
                // What an escape stands for is no part of a path, but for a quote.
                let escaped = characters.next();
                literal.push(if escaped == Some('"') { '"' } else { ' ' });
            }
            (character, Some(literal)) => literal.push(character),
            _ => {}
        }
    }
    found
}

/// Folders of the repository: a word of a document that begins with one of them is a path.
const FOLDERS: [&str; 5] = ["benches/", "docs/", "shim/", "src/", "tests/"];

/// The files that a document names: words that begin with a folder of the repository, names of Rust
/// files, and the targets of links that lead out of the document's folder.
pub fn named_paths(document: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let words = document.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.'));
    let is_path = |word: &&str| {
        FOLDERS.iter().any(|folder| word.starts_with(folder))
            || word.starts_with("../")
            || word.strip_suffix(".rs").is_some_and(|name| !name.contains('/') && !name.is_empty())
    };
    words.filter(is_path).map(str::to_owned).collect()
}
