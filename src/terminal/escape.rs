//! Makes untrusted text safe to show on a terminal.
//!
//! Owns the list of unsafe characters. Names of packages, publishers and files come from indexes
//! and attestations; characters that move the cursor, hide text or reorder it are written out. Also
//! marks pip's output, so that none of its lines can pass for one of this program's (a package
//! could print a false verdict).

use std::fmt::Write as _;

/// Returns the text with every control, invisible and direction-changing character written as
/// `\u{…}`. That includes line feeds: the caller prints each line of its own.
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

/// Returns the text with a space for every such character, for a program that shows it unescaped.
#[must_use]
pub fn blanked(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect()
}

/// Whether a terminal does not show the character, or shows its neighbours differently (Unicode
/// general category Cf and the line separators).
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

/// Prefixes of our lines about verdicts, recognised after leading whitespace.
const VERDICTS: [&str; 2] = ["pypi-verify-now", "refused:"];

/// Prefixes of our other lines, recognised at the start of a line only. pip's own prefixes are
/// `ERROR:` and `Hint:`; a line of pip's with one of ours is marked with [`WHOSE`].
const OTHERS: [&str; 5] = ["error:", "hint:", "OK:", "UNKNOWN:", "FAIL:"];

/// Mark in front of a line of pip's that would read as one of ours.
const WHOSE: &str = "pip: ";

/// Returns pip's output in a form that is safe to show, since indexes and packages influence it.
///
/// 1. A carriage return ends a line, since the text after it would be shown at the start of the
///    line.
/// 2. Sequences that colour text or move the cursor (ECMA-48, `CSI`) are removed.
/// 3. Every other control character is written out as by [`escape`].
/// 4. A line that begins as one of ours gets `pip: ` in front.
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

/// Removes `CSI` sequences and writes out control characters except tabs.
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

/// Whether a reader would take the line for one of ours.
fn reads_as_ours(line: &str) -> bool {
    let start = line.trim_start().to_lowercase();
    VERDICTS.iter().any(|mark| start.starts_with(mark))
        || OTHERS.iter().any(|mark| line.starts_with(mark))
}
