//! One row of the tables: a command line, what it finds, and what may differ.
//!
//! Owns how a row is written and how its words are read; knows nothing of what it should do.

use super::project::Place;

/// A command line that plain pip and we are both given.
#[derive(Clone, Copy)]
pub struct Row {
    /// As typed; quotes and blanks as in a shell. `{…}` stands for places, see [`Place`].
    pub line: &'static str,
    /// The world that the command line finds.
    pub given: &'static [Given],
    /// The difference that remains, documented in `docs/differences.md`.
    pub but: But,
    /// The first pip that can do this.
    pub since: &'static str,
    /// Whether it is run on older pips too.
    pub everywhere: bool,
}

/// Additions to the usual project of a command line.
#[derive(Clone, Copy)]
pub enum Given {
    /// A package of the index, name and version, that the user has installed before.
    Installed(&'static str, &'static str),
    /// A file of the project, with its text.
    File(&'static str, &'static str),
    /// A file that the index's server has, with its text.
    Served(&'static str, &'static str),
    /// A variable.
    Env(&'static str, &'static str),
    /// The user's `pip.conf`.
    Conf(&'static str),
    /// The repository `repo`, of what is in `local`.
    Repository,
}

/// The differences from plain pip that are allowed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum But {
    /// The lines of standard output that name places, and nothing else.
    Nothing,
    /// All installed packages count as requested.
    Requested,
    /// We refuse with this exit code what pip takes.
    Refused(i32),
    /// A package that is replaced is not called satisfied before.
    Satisfied,
    /// A release with a wheel is taken where a newer one has only sources.
    Older,
}

/// A row that is only a command line.
pub const fn row(line: &'static str) -> Row {
    Row { line, given: &[], but: But::Nothing, since: "22.2", everywhere: false }
}

impl Row {
    /// With this.
    pub const fn given(self, given: &'static [Given]) -> Self {
        Self { given, ..self }
    }

    /// With this difference.
    pub const fn but(self, but: But) -> Self {
        Self { but, ..self }
    }

    /// From this pip on.
    pub const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// On older pips too, each time.
    pub const fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }

    /// Whether this pip can do it.
    pub fn is_for(&self, pip: &str) -> bool {
        number(pip) >= number(self.since)
    }

    /// The arguments, at this place.
    pub fn args(&self, place: &Place) -> Vec<String> {
        let words = words(self.line);
        assert_eq!(words[0], "pip");
        words[1..].iter().map(|word| place.fill(word)).collect()
    }
}

/// `22.3` and `9.0.1`, in their order.
pub fn number(version: &str) -> Vec<u32> {
    let version = version.split('@').next().unwrap();
    version.split('.').map(|part| part.parse().unwrap()).collect()
}

/// The words of a command line; single quotes hold what is in them together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![None::<String>], false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                words.last_mut().unwrap().get_or_insert_default();
            }
            ' ' if !quoted => words.push(None),
            c => words.last_mut().unwrap().get_or_insert_default().push(c),
        }
    }
    words.into_iter().flatten().collect()
}
