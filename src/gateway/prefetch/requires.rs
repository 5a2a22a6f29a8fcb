//! Reads the requirements in a wheel's METADATA.
//!
//! Owns a loose reader of `Requires-Dist` (PEP 508) and its markers for prefetching: an unreadable
//! requirement, and one whose marker cannot be decided, is skipped. Pure. No verdict and no install
//! may rest on its result. Grammar of markers, in the order of precedence:
//!
//! ```text
//! any  = all ("or" all)*
//! all  = one ("and" one)*
//! one  = "(" any ")" | variable operator quoted | quoted operator variable
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::package::name::PackageName;
use crate::pip::target::Target;

/// Maximum number of requirements that are read from one METADATA.
const MOST: usize = 512;
/// Maximum nesting of parentheses in a marker.
const DEPTH: u8 = 16;
/// Marker variables that hold versions (PEP 508, "Environment Markers").
const VERSIONS: [&str; 4] =
    ["python_version", "python_full_version", "implementation_version", "platform_release"];

/// A requirement for a project, with its extras and admitted versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) name: PackageName,
    /// Requested extras, normalised.
    pub(super) extras: BTreeSet<String>,
    /// Admitted versions; `None` for any.
    pub(super) versions: Option<VersionSpecifiers>,
}

/// Marker environment of the Python that pip runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// Values of the variables (PEP 508).
    markers: BTreeMap<String, String>,
}

impl Requirement {
    /// Makes a requirement for any release, without extras.
    pub(super) const fn any(name: PackageName) -> Self {
        Self { name, extras: BTreeSet::new(), versions: None }
    }

    /// Parses a requirement (PEP 508). Returns `None` if its marker does not hold in this
    /// environment with these extras, if it names a URL, or if it cannot be parsed.
    pub(super) fn read(
        text: &str,
        environment: &Environment,
        extras: &BTreeSet<String>,
    ) -> Option<Self> {
        let (requirement, marker) = text.split_once(';').unwrap_or((text, ""));
        if requirement.contains('@') {
            return None;
        }
        if !marker.trim().is_empty() && !Marker::holds(marker, environment, extras) {
            return None;
        }
        let (name, rest) = PackageName::split(requirement.trim());
        let name = PackageName::parse(name).ok()?;
        let rest = rest.trim();
        let (extras, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let extras = extras.split(',').filter_map(extra).collect();
        let versions = rest.trim().trim_start_matches('(').trim_end_matches(')');
        let versions = VersionSpecifiers::from_str(versions).ok().filter(|v| !v.is_empty());
        Some(Self { name, extras, versions })
    }
}

/// Returns the requirements of a METADATA that hold in this environment with these extras.
pub(super) fn requires(
    metadata: &[u8],
    environment: &Environment,
    extras: &BTreeSet<String>,
) -> Vec<Requirement> {
    let text = String::from_utf8_lossy(metadata);
    text.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case("Requires-Dist"))
        .take(MOST)
        .filter_map(|(_, value)| Requirement::read(value, environment, extras))
        .collect()
}

/// Normalises the name of an extra (PEP 685).
fn extra(text: &str) -> Option<String> {
    PackageName::parse(text.trim()).ok().map(|name| name.as_str().to_owned())
}

/// A marker that is being evaluated.
struct Marker<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<Word<'a>>>,
    environment: &'a Environment,
    extras: &'a BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    Open,
    Close,
    /// A variable, `and`, `or`, `in`, `not`, or a comparison.
    Bare(&'a str),
    Quoted(&'a str),
}

impl<'a> Marker<'a> {
    /// Whether the marker certainly holds.
    fn holds(text: &'a str, environment: &'a Environment, extras: &'a BTreeSet<String>) -> bool {
        let Some(words) = words(text) else { return false };
        let mut marker = Self { words: words.into_iter().peekable(), environment, extras };
        marker.any(DEPTH) == Some(true) && marker.words.next().is_none()
    }

    /// Evaluates `a or b or …`.
    fn any(&mut self, depth: u8) -> Option<bool> {
        let mut holds = self.all(depth)?;
        while self.words.next_if_eq(&Word::Bare("or")).is_some() {
            holds |= self.all(depth)?;
        }
        Some(holds)
    }

    /// Evaluates `a and b and …`.
    fn all(&mut self, depth: u8) -> Option<bool> {
        let mut holds = self.one(depth)?;
        while self.words.next_if_eq(&Word::Bare("and")).is_some() {
            holds &= self.one(depth)?;
        }
        Some(holds)
    }

    fn one(&mut self, depth: u8) -> Option<bool> {
        if self.words.next_if_eq(&Word::Open).is_some() {
            let holds = self.any(depth.checked_sub(1)?)?;
            return (self.words.next()? == Word::Close).then_some(holds);
        }
        let left = self.words.next()?;
        let Word::Bare(operator) = self.words.next()? else { return None };
        let operator = match operator {
            "not" => (self.words.next()? == Word::Bare("in")).then_some("not in")?,
            operator => operator,
        };
        match (left, self.words.next()?) {
            (Word::Bare(variable), Word::Quoted(value)) => {
                Some(self.compare(variable, operator, value, Side::Left))
            }
            (Word::Quoted(value), Word::Bare(variable)) => {
                Some(self.compare(variable, operator, value, Side::Right))
            }
            _ => None,
        }
    }

    fn compare(&self, variable: &str, operator: &str, value: &str, side: Side) -> bool {
        if variable == "extra" {
            let asked = extra(value).is_some_and(|extra| self.extras.contains(&extra));
            return if operator == "!=" { !asked } else { operator == "==" && asked };
        }
        let Some(ours) = self.environment.markers.get(variable) else { return false };
        match (operator, side) {
            ("in", Side::Left) => value.contains(ours),
            ("in", Side::Right) => ours.contains(value),
            ("not in", Side::Left) => !value.contains(ours),
            ("not in", Side::Right) => !ours.contains(value),
            _ if VERSIONS.contains(&variable) => {
                let operator = if side == Side::Right { mirrored(operator) } else { operator };
                let specifiers = VersionSpecifiers::from_str(&format!("{operator}{value}"));
                let version = Version::from_str(ours);
                matches!((specifiers, version), (Ok(s), Ok(v)) if s.contains(&v))
            }
            ("==" | "===", _) => ours == value,
            ("!=", _) => ours != value,
            _ => false,
        }
    }
}

/// Side of a comparison on which the variable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

impl Environment {
    /// Returns the environment that pip evaluates markers in.
    pub(super) fn of(target: &Target) -> Self {
        let mut markers = target.markers.clone();
        // A Python that was built from an untagged commit, `3.13.0+`: `packaging` adds this word.
        if let Some(version) = markers.get_mut("python_full_version").filter(|v| v.ends_with('+')) {
            version.push_str("local");
        }
        Self { markers }
    }
}

/// Splits a marker into tokens. Returns `None` if a quotation does not end.
fn words(text: &str) -> Option<Vec<Word<'_>>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, rest.get(1..)?),
            ')' => (Word::Close, rest.get(1..)?),
            '\'' | '"' => {
                let (quoted, after) = rest.get(1..)?.split_once(first)?;
                (Word::Quoted(quoted), after)
            }
            _ => {
                let compares = |c: char| "<>=!~".contains(c);
                let ends = |c: char| {
                    c.is_whitespace() || "()'\"".contains(c) || compares(c) != compares(first)
                };
                let end = rest.find(ends).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end).filter(|(w, _)| !w.is_empty())?;
                (Word::Bare(word), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}
