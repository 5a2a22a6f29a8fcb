//! Splits the bytes of a requirements file into logical lines.
//!
//! Handles encodings, line ends, continuations, comments and `${NAME}` as pip's `preprocess` does.
//! Must not know options.

/// The text of a file.
pub(super) struct Decoded {
    pub(super) text: String,
    /// The encoding that the file declares, if this program does not know it. The text is then
    /// decoded as Latin-1, which is right for ASCII characters in most encodings, but not in all.
    pub(super) unknown_encoding: Option<String>,
}

/// Decodes a file: by a byte order mark, else by a PEP 263 comment in the first two lines, else as
/// UTF-8. Text that is not UTF-8 is decoded as Latin-1. pip would use the locale's encoding, but
/// the relevant lines are ASCII.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let known = |text| Decoded { text, unknown_encoding: None };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => known(utf8_or_latin1(rest)),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            Decoded { text: latin1(bytes), unknown_encoding: Some("utf-32".to_owned()) }
        }
        [0xff, 0xfe, rest @ ..] => known(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => known(utf16(rest, u16::from_be_bytes)),
        _ => match declared_encoding(bytes) {
            None => known(utf8_or_latin1(bytes)),
            Some(name) => match name.to_ascii_lowercase().replace('_', "-").as_str() {
                "utf-8" | "utf8" | "ascii" | "us-ascii" => known(utf8_or_latin1(bytes)),
                "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => known(latin1(bytes)),
                _ => Decoded { text: latin1(bytes), unknown_encoding: Some(name) },
            },
        },
    }
}

fn utf8_or_latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
    String::from_utf16_lossy(&units)
}

/// Returns the encoding in `coding[:=]\s*([-\w.]+)` in one of the first two lines, if that line
/// begins with `#`.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let comments = bytes.split(|b| *b == b'\n').take(2).filter(|line| line.starts_with(b"#"));
    comments.map(latin1).find_map(|line| {
        line.match_indices("coding").find_map(|(at, word)| {
            let rest = line.get(at + word.len()..)?.strip_prefix([':', '='])?.trim_start();
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let name = rest.get(..end.unwrap_or(rest.len()))?;
            (!name.is_empty()).then(|| name.to_owned())
        })
    })
}

/// Returns the lines with continuations joined, comments and blank lines removed, and variables
/// expanded.
pub(super) fn logical_lines(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Vec<String> {
    numbered_lines(text, variable).into_iter().map(|(_, line)| line).collect()
}

/// Returns the lines of [`logical_lines`] with the number of the line that each begins at, from 1.
pub(super) fn numbered_lines(
    text: &str,
    variable: &impl Fn(&str) -> Option<String>,
) -> Vec<(usize, String)> {
    let lines = joined(text).into_iter().filter_map(|(number, line)| {
        let line = without_comment(&line).trim_matches(is_blank);
        (!line.is_empty()).then(|| (number, expanded(line, variable)))
    });
    lines.collect()
}

/// Joins a line that ends in `\` with the next line. A comment ends the continued line.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(physical_lines(text)) {
        let comment = line.trim_start_matches(is_blank).starts_with('#');
        if line.ends_with('\\') && !comment {
            let (_, whole) = open.get_or_insert_with(|| (number, String::new()));
            whole.push_str(line.trim_matches('\\'));
            continue;
        }
        let (number, mut whole) = open.take().unwrap_or((number, String::new()));
        if comment {
            // The blank makes `#` a comment also behind a continued line.
            whole.push(' ');
        }
        whole.push_str(line);
        lines.push((number, whole));
    }
    lines.extend(open);
    lines
}

/// Splits a text as Python's `str.splitlines`.
fn physical_lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    // `\r\n` adds an empty line, which has no effect unless a line is continued.
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(ends) else {
            rest = None;
            return (!text.is_empty()).then_some(text);
        };
        let (line, tail) = text.split_at(at);
        let tail = tail.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut characters = tail.chars();
            characters.next();
            characters.as_str()
        });
        rest = Some(tail);
        Some(line)
    })
}

/// Returns the line up to the first `#` that begins it or follows a blank.
fn without_comment(line: &str) -> &str {
    let mut before = None;
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_none_or(is_blank) {
            return line.get(..at).unwrap_or_default();
        }
        before = Some(c);
    }
    line
}

/// Expands `${NAME}` of upper-case letters, digits and `_`, if the variable is set and not empty.
fn expanded(line: &str, variable: &impl Fn(&str) -> Option<String>) -> String {
    let mut result = line.to_owned();
    for (at, _) in line.match_indices("${") {
        let name = line.get(at + 2..).and_then(|rest| rest.split_once('}')).map(|(name, _)| name);
        let Some(name) = name.filter(|name| is_variable_name(name)) else { continue };
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            result = result.replace(&format!("${{{name}}}"), &value);
        }
    }
    result
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(allowed)
}

/// Returns whether a character is a blank for Python: Unicode's blanks, and the four ASCII
/// separators.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}
