//! The combined pins of all trust files in force.
//!
//! Combines the files from the outermost to the nearest: each can add projects and conditions, and
//! none can remove or change a pin of an outer file. Pure: `store` reads the files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::package::name::PackageName;
use crate::trust::file::TrustFile;
use crate::trust::pin::{Clash, Pin};

/// The pins of all trust files of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    files: Vec<InForce>,
    bound: BTreeMap<PackageName, Pin>,
    recorded_in: Option<PathBuf>,
}

/// One trust file that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub file: TrustFile,
}

/// A line of a trust file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path of the file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// Two files that bind one project to different publishers or values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is bound to {} in {outer}, and to {} in {nearer}", .clash.first, .clash.second)]
pub struct Contradiction {
    /// The project.
    pub name: PackageName,
    /// The two values.
    pub clash: Clash,
    /// The line in the outer file.
    pub outer: Place,
    /// The line in the nearer file.
    pub nearer: Place,
}

impl Pins {
    /// Combines the files, given from the outermost to the nearest. All pins of a project must be
    /// satisfied together, including the conditions of nearer files.
    ///
    /// # Errors
    /// Two files bind a project to different publishers, or to different values of a field.
    pub fn of(files: Vec<InForce>) -> Result<Self, Box<Contradiction>> {
        let mut bound = BTreeMap::<PackageName, Pin>::new();
        for (number, nearer) in files.iter().enumerate() {
            for (name, pin) in nearer.file.pins() {
                let together = match bound.get(name).map(|outer| outer.and(pin)) {
                    None => pin.clone(),
                    Some(Ok(together)) => together,
                    Some(Err(clash)) => {
                        let outer = files.get(..number).unwrap_or_default();
                        return Err(Box::new(contradiction(outer, nearer, name, pin, clash)));
                    }
                };
                bound.insert(name.clone(), together);
            }
        }
        Ok(Self { files, bound, recorded_in: None })
    }

    /// Returns these pins with the path of the file in which trust on first use records.
    #[must_use]
    pub fn recorded_in(self, path: Option<&Path>) -> Self {
        Self { recorded_in: path.map(Path::to_owned), ..self }
    }

    /// Returns the file in which trust on first use records. Returns `None` if there is no such
    /// path.
    #[must_use]
    pub fn record(&self) -> Option<&Path> {
        self.recorded_in.as_deref()
    }

    /// Returns the combined pin of a project. Returns `None` if no file has one.
    #[must_use]
    pub fn pin(&self, name: &PackageName) -> Option<&Pin> {
        self.bound.get(name)
    }

    /// Returns all pins, sorted by name.
    pub fn pins(&self) -> impl Iterator<Item = (&PackageName, &Pin)> {
        self.bound.iter()
    }

    /// Returns the files in force, from the outermost to the nearest.
    #[must_use]
    pub fn files(&self) -> &[InForce] {
        &self.files
    }

    /// Returns every line that pins the project, from the outermost file to the nearest.
    #[must_use]
    pub fn places(&self, name: &PackageName) -> Vec<Place> {
        self.files.iter().filter_map(|file| file.place(name)).collect()
    }
}

impl InForce {
    /// Returns the line that pins the project.
    fn place(&self, name: &PackageName) -> Option<Place> {
        self.file.line_of(name).map(|line| Place { path: self.path.clone(), line })
    }
}

/// Builds a contradiction between the nearer file and the first outer file that differs from it.
fn contradiction(
    outer: &[InForce],
    nearer: &InForce,
    name: &PackageName,
    pin: &Pin,
    clash: Clash,
) -> Contradiction {
    let says = |file: &InForce| Some((file.file.pin(name)?.and(pin).err()?, file.place(name)?));
    let here = || Place { path: nearer.path.clone(), line: 1 };
    let place = nearer.place(name).unwrap_or_else(here);
    let (clash, outer) = outer.iter().find_map(says).unwrap_or_else(|| (clash, here()));
    Contradiction { name: name.clone(), clash, outer, nearer: place }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.path.display(), self.line)
    }
}
