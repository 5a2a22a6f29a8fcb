//! Parses the two files of a wheel that make pip write or delete paths other than the members:
//! `RECORD`, whose rows pip deletes when it uninstalls, and `entry_points.txt`, from which pip
//! creates commands.
//!
//! ```text
//! RECORD            widget/core.py,sha256=DIGEST,SIZE
//! entry_points.txt  [console_scripts]
//!                   widget = widget.core:main
//! ```
//!
//! Strict: a text that pip's parsers (`csv` over `str.splitlines()`, `importlib.metadata`,
//! `pkg_resources`) could read differently is an error. Pure.

/// One row of RECORD (binary distribution format, "The .dist-info directory").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line, counted from 1.
    pub line: usize,
    /// The path in the first column, unchanged.
    pub path: String,
}

/// One command that pip creates from an entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The command's name.
    pub name: String,
    /// The object reference, unchanged.
    pub reference: String,
}

/// The position of an ambiguous line in RECORD or `entry_points.txt`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {reason}")]
pub struct NotPlain {
    /// The line, counted from 1.
    pub line: usize,
    /// The reason.
    pub reason: &'static str,
}

/// Parses the rows of a RECORD. Blank lines are skipped.
///
/// # Errors
/// A line contains a control character, or a quotation that does not end on the line.
pub fn rows(text: &str) -> Result<Vec<Row>, NotPlain> {
    let mut rows = Vec::new();
    for (line, content) in lines(text)? {
        let reason = "has a quoted path that does not end where it should";
        let path = match content.strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or(NotPlain { line, reason })?,
            None => content.split(',').next().unwrap_or_default().to_owned(),
        };
        if !path.is_empty() {
            rows.push(Row { line, path });
        }
    }
    Ok(rows)
}

/// Returns the text behind an opening quotation mark if the closing one ends the column (RFC 4180,
/// 2), else `None`.
fn unquoted(text: &str) -> Option<String> {
    let (mut path, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"')?;
        path.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                path.push('"');
                rest = after;
            }
            None => return (after.is_empty() || after.starts_with(',')).then_some(path),
        }
    }
}

/// Parses the commands of an `entry_points.txt` (entry points specification, "File format"): the
/// groups `console_scripts` and `gui_scripts`.
///
/// ```text
/// [console_scripts]
/// name = module.submodule:object [extra]
/// ```
///
/// # Errors
/// A line that begins with a bracket is not the header of a group, a line of one of the two groups
/// does not have the form above, or a line contains a control character. pip's parsers read the
/// lines behind such a line differently.
pub fn scripts(text: &str) -> Result<Vec<Script>, NotPlain> {
    let (mut makes_commands, mut scripts) = (false, Vec::new());
    for (line, content) in lines(text)? {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Some(header) = content.strip_prefix('[') {
            let group = header.strip_suffix(']').filter(|it| !it.contains(['[', ']']));
            let reason = "begins with a bracket and is not the header of a group";
            let group = group.ok_or(NotPlain { line, reason })?;
            makes_commands = matches!(group.trim(), "console_scripts" | "gui_scripts");
        } else if makes_commands {
            let reason = "is not of the form `name = module:object`";
            scripts.push(script(content).ok_or(NotPlain { line, reason })?);
        }
    }
    Ok(scripts)
}

/// One command: a name without brackets, and a reference of dotted names with optional extras.
fn script(content: &str) -> Option<Script> {
    let (name, reference) = content.split_once('=')?;
    let (name, reference) = (name.trim(), reference.trim());
    let (object, extras) = reference.split_once('[').unwrap_or((reference, "]"));
    let dotted = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let is_plain = !name.is_empty()
        && !name.contains(['[', ']'])
        && !object.trim().is_empty()
        && object.trim_end().chars().all(dotted)
        && extras.strip_suffix(']').is_some_and(|it| !it.contains(['[', ']']));
    is_plain.then(|| Script { name: name.to_owned(), reference: reference.to_owned() })
}

/// Returns the lines of a text, numbered from 1.
///
/// # Errors
/// A line contains a control character: `str.splitlines()` ends lines at more of them than other
/// parsers do.
fn lines(text: &str) -> Result<Vec<(usize, &str)>, NotPlain> {
    let mut lines = Vec::new();
    for (line, content) in (1..).zip(text.split('\n')) {
        let content = content.strip_suffix('\r').unwrap_or(content);
        let ends_a_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if content.chars().any(|c| ends_a_line(c) && c != '\t') {
            return Err(NotPlain { line, reason: "holds a control character" });
        }
        lines.push((line, content));
    }
    Ok(lines)
}
