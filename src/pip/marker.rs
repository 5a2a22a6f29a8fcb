//! Evaluates environment markers (PEP 508) for the Python that pip runs on.
//!
//! Follows pip's `packaging.markers`. Pure. A marker that this module cannot decide is neither true
//! nor false. Grammar, in the order of precedence:
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

/// Maximum nesting of parentheses.
const DEPTH: u8 = 16;
/// Variables that hold versions (PEP 508, "Environment Markers").
const VERSIONS: [&str; 4] =
    ["python_version", "python_full_version", "implementation_version", "platform_release"];

/// Marker environment of the Python that pip runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Values of the variables (PEP 508).
    markers: BTreeMap<String, String>,
}

impl Environment {
    /// Returns the environment that pip evaluates markers in.
    #[must_use]
    pub fn of(target: &Target) -> Self {
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

/// Returns whether a marker holds with these extras. Returns `None` if it cannot be decided.
#[must_use]
pub fn holds(text: &str, environment: &Environment, extras: &BTreeSet<String>) -> Option<bool> {
    let words = words(text)?.into_iter().peekable();
    let mut marker = Marker { words, environment, extras };
    let holds = marker.any(DEPTH)?;
    marker.words.next().is_none().then_some(holds)
}

/// Normalises the name of an extra (PEP 685).
#[must_use]
pub fn extra(text: &str) -> Option<String> {
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
                self.compare(variable, operator, value, Side::Left)
            }
            (Word::Quoted(value), Word::Bare(variable)) => {
                self.compare(variable, operator, value, Side::Right)
            }
            _ => None,
        }
    }

    fn compare(&self, variable: &str, operator: &str, value: &str, side: Side) -> Option<bool> {
        if variable == "extra" {
            let asked = extra(value).is_some_and(|extra| self.extras.contains(&extra));
            return match operator {
                "==" => Some(asked),
                "!=" => Some(!asked),
                _ => None,
            };
        }
        let ours = self.environment.markers.get(variable)?;
        match (operator, side) {
            ("in", Side::Left) => Some(value.contains(ours)),
            ("in", Side::Right) => Some(ours.contains(value)),
            ("not in", Side::Left) => Some(!value.contains(ours)),
            ("not in", Side::Right) => Some(!ours.contains(value)),
            _ if VERSIONS.contains(&variable) => {
                let operator = if side == Side::Right { mirrored(operator) } else { operator };
                let specifiers = VersionSpecifiers::from_str(&format!("{operator}{value}")).ok()?;
                Some(specifiers.contains(&Version::from_str(ours).ok()?))
            }
            ("==" | "===", _) => Some(ours == value),
            ("!=", _) => Some(ours != value),
            _ => None,
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
