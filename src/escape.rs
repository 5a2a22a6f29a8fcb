//! Making text from elsewhere safe to show on a terminal.
//!
//! Owns which characters may reach it. Names of packages, publishers and files come from indexes
//! and attestations: what moves the cursor, hides text or reorders it is written out instead.

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
