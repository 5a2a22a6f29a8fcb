//! The pip behind a wrapper that leads back to this program, as the guard notes it (`facts.py`).
//!
//! The wrapper was run once, by the first question to pip, which installs nothing. From then on the
//! pip behind it is run directly, with the arguments and variables that the wrapper adds: so a call
//! that comes from a wrapper is never an install which has to be let through. Pure.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use serde::Deserialize;

use crate::pip::run::{Behind, Environment, Pip};

/// The note of a pip that a wrapper's call of this program has started. Text is bytes, since it may
/// be no UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WrapperNote {
    /// The path of its file.
    program: Vec<u8>,
    /// Its arguments.
    words: Vec<Vec<u8>>,
    /// Its environment.
    environment: Vec<(Vec<u8>, Vec<u8>)>,
}

impl WrapperNote {
    /// Returns the pip that the note is of.
    ///
    /// `arguments` and `changes` are those of the question that the wrapper was started for,
    /// `inherited` are the names of this process's own variables. Returns `None` if the question's
    /// arguments are not among the noted ones.
    #[must_use]
    pub fn behind(
        &self,
        arguments: &[OsString],
        changes: &Environment,
        inherited: &[OsString],
    ) -> Option<Behind> {
        let words: Vec<_> = self.words.iter().map(|word| text(word)).collect();
        let mut starts = 0..=words.len().checked_sub(arguments.len())?;
        let at = starts.find(|at| words.get(*at..at + arguments.len()) == Some(arguments))?;
        let of_question = |name: &OsString| {
            changes.set.iter().any(|(set, _)| set == name)
                || changes.remove.iter().any(|removed| name == removed.as_str())
                || name.to_string_lossy().starts_with("PYPI_VERIFY_NOW_")
        };
        let set = self.environment.iter().map(|(name, value)| (text(name), text(value)));
        let set: Vec<_> = set.filter(|(name, _)| !of_question(name)).collect();
        let is_gone =
            |name: &&OsString| !of_question(name) && !set.iter().any(|(kept, _)| kept == *name);
        let remove = inherited.iter().filter(is_gone);
        let remove = remove.filter_map(|name| name.clone().into_string().ok()).collect();
        Some(Behind {
            program: text(&self.program).into(),
            before: words.get(..at)?.to_vec(),
            after: words.get(at + arguments.len()..)?.to_vec(),
            environment: Environment { set, remove },
        })
    }
}

/// Has a pip run the one behind its wrapper from now on, if the guard noted one. The first note
/// counts, since later ones are of the pip behind it.
pub fn learn(pip: &Pip, note: Option<&WrapperNote>, arguments: &[OsString], changes: &Environment) {
    if let Some(behind) = note.and_then(|note| note.behind(arguments, changes, &pip.inherited)) {
        let _ = pip.behind.set(behind);
    }
}

fn text(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_owned())
}
