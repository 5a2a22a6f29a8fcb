//! Making text from elsewhere safe to show on a terminal.
//!
//! Owns which characters may reach it. Names of packages, publishers and files come from indexes
//! and attestations: what moves the cursor, hides text or reorders it is written out instead. Owns
//! too how a line of another program is kept from reading as one of ours.

use std::fmt::Write as _;

/// The text with every control, invisible and direction-changing character written as `\u{…}`.
/// Line feeds are written out too: whoever wants several lines prints several.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a text has no such character.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// The text with a blank in place of every such character: for a program that reads the text and
/// shows it as it is.
#[must_use]
pub fn blanked(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect()
}

/// Format characters that a terminal does not show, or that change what it shows around them
/// (Unicode general category Cf and the line separators).
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// How a line of ours begins that speaks of a verdict, wherever on its line a reader finds it.
const VERDICTS: [&str; 2] = ["pypi-verify-now", "refused:"];

/// How other lines of ours begin, at the very beginning of the line. pip's own are `ERROR:` and
/// `Hint:`; where it begins a line as we do, it gets its name in front.
const OTHERS: [&str; 5] = ["error:", "hint:", "OK:", "UNKNOWN:", "FAIL:"];

/// What stands before a line of pip's that would read as one of ours.
const WHOSE: &str = "pip: ";

/// The output of pip as it may be shown: indexes and packages have a say in it.
///
/// A line that begins as one of ours does gets `pip: ` in front. A carriage return ends a line, as
/// what follows it would stand at the beginning of one. Sequences that colour text or move the
/// cursor (ECMA-48, `CSI`) are left out, every other control is written out as by [`escape`].
#[must_use]
pub fn as_of_pip(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let parts = || line.split('\r').map(shown).filter(|part| !part.is_empty());
        let count = parts().count();
        for (at, part) in parts().enumerate() {
            safe.push_str(if reads_as_ours(&part) { WHOSE } else { "" });
            safe.push_str(&part);
            safe.push_str(if at + 1 < count { "\n" } else { "" });
        }
        safe.push_str(end);
    }
    safe
}

/// A part of a line without `CSI` sequences, other controls but the tabulator written out.
fn shown(part: &str) -> String {
    let mut pieces = part.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let parameters = |c: char| matches!(c, ' '..='?');
        let rest = piece.trim_start_matches(parameters);
        let has_end = rest.starts_with(|c| matches!(c, '@'..='~'));
        plain.push_str(rest.get(usize::from(has_end)..).unwrap_or_default());
    }
    plain.split('\t').map(escape).collect::<Vec<_>>().join("\t")
}

/// Whether a reader would take a line for one of ours.
fn reads_as_ours(line: &str) -> bool {
    let start = line.trim_start().to_lowercase();
    VERDICTS.iter().any(|mark| start.starts_with(mark))
        || OTHERS.iter().any(|mark| line.starts_with(mark))
}
