//! Rules of language that a test can hold: first sentences of docs, two words that riddles need,
//! and names of tests. The rules themselves stand in CONTRIBUTING.md.
//!
//! Reads text, line by line; does not parse Rust.

use std::fs;
use std::path::Path;

/// Words that no first sentence of a doc begins with.
const BAD_BEGINNINGS: [&str; 9] =
    ["It", "Nothing", "The same", "What", "Where", "Who", "Whoever", "Whom", "Whose"];

/// Words that few doc lines of `src` may have, with the number of lines in a thousand.
const RARE_WORDS: [(&str, usize); 2] = [("what", 10), ("nothing", 5)];

/// Beginnings of the names of riddles. A name states a condition and an outcome.
const BAD_NAMES: [&str; 10] = [
    "how_",
    "it_",
    "nobody_",
    "nothing_",
    "so_",
    "that_",
    "the_same_",
    "what_",
    "who_",
    "whoever_",
];

/// Maximum length of the name in the middle, if all names of tests are sorted by length.
const MEDIAN: usize = 45;

#[test]
fn first_sentences_of_docs_begin_plainly() {
    for folder in ["src", "tests/it", "benches"] {
        for (path, text) in rust_files(folder) {
            let bad = bad_beginnings(&text);
            assert!(bad.is_empty(), "{path}: {}", bad.join("\n"));
        }
    }
}

#[test]
fn words_of_riddles_are_rare_in_docs() {
    let texts: Vec<String> = rust_files("src").into_iter().map(|(_, text)| text).collect();
    let docs: Vec<&str> = texts.iter().flat_map(|text| text.lines().filter_map(doc)).collect();
    assert!(docs.len() > 1000, "only {} lines of docs were found", docs.len());
    for (word, most) in RARE_WORDS {
        assert!(is_rare(&docs, word, most), "more than {most} of 1000 lines have `{word}`");
    }
}

#[test]
fn test_names_are_short_and_no_riddles() {
    let files = rust_files("tests/it");
    let mut names: Vec<&str> = files.iter().flat_map(|(_, text)| test_names(text)).collect();
    let bad: Vec<_> = names.iter().filter(|name| is_riddle(name)).collect();
    assert!(bad.is_empty(), "{bad:?}");
    names.sort_by_key(|name| name.len());
    assert!(names.len() > 100, "only {} tests were found", names.len());
    assert!(names[names.len() / 2].len() <= MEDIAN, "{}", names[names.len() / 2]);
}

/// The tampered twin: each rule finds its fault in a sample text, and accepts the honest line
/// beside that fault.
#[test]
fn language_rules_find_their_faults() {
    let text = [
        "//! What a file has.",
        "/// Whole items, behind the doc of a file.",
        "",
        "/// Returns the bytes.",
        "/// It is fine here.",
        "fn a() {}",
        "    /// The same bytes.",
        "fn b() {}",
        "/// Items of b.",
    ];
    let text = &text.join("\n");
    assert_eq!(bad_beginnings(text), ["What a file has.", "The same bytes."]);
    let docs: Vec<&str> = text.lines().filter_map(doc).collect();
    assert_eq!(docs.len(), 6);
    assert!(is_rare(&docs, "nothing", 0) && !is_rare(&docs, "what", 10));
    assert!(is_rare(&docs, "what", 167) && !is_rare(&["say nothing."], "nothing", 5));
    let text = "#[test]\nfn it_works() {}\nfn so_what() {}\n#[test]\n#[cfg(unix)]\nfn file_is_read() \
                {}\nproptest! {\n    #[test]\n    // Why.\n    fn no_bytes_panic(x in 0..9) {} }";
    let names: Vec<&str> = test_names(text).collect();
    assert_eq!(names, ["it_works", "file_is_read", "no_bytes_panic"]);
    assert!(names.iter().map(|name| is_riddle(name)).eq([true, false, false]));
}

/// Returns the text of a doc line, or `None` if the line is not one.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim_start)
}

/// Returns the first lines of docs that begin with a word of [`BAD_BEGINNINGS`].
fn bad_beginnings(text: &str) -> Vec<&str> {
    let begins_badly = |line: &&str| {
        BAD_BEGINNINGS.iter().filter_map(|bad| line.strip_prefix(bad)).any(|rest| {
            !rest.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '_' | '\''))
        })
    };
    let before = std::iter::once("").chain(text.lines());
    let firsts = before.zip(text.lines()).filter(|(before, _)| doc(before).is_none());
    firsts.filter_map(|(_, line)| doc(line)).filter(begins_badly).collect()
}

/// Returns whether at most `most` of 1000 lines have this word, in either case.
fn is_rare(lines: &[&str], word: &str, most: usize) -> bool {
    let has_word = |line: &&&str| {
        line.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
    };
    lines.iter().filter(has_word).count() * 1000 <= most * lines.len()
}

/// Returns whether the name of a test begins as a riddle does.
fn is_riddle(name: &str) -> bool {
    BAD_NAMES.iter().any(|bad| name.starts_with(bad))
}

/// Returns the names of the functions behind `#[test]`.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[test]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().find_map(|line| line.trim_start().strip_prefix("fn "))?;
        line.split('(').next()
    })
}

/// Returns path and text of all Rust files below a folder of the repository.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}
