//! The pins of all trust files in force, added up.
//!
//! Owns how files come together: from the outermost to the nearest, each adds projects and
//! conditions, and none takes away or changes what is said further out. Pure: the files come from
//! `store`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::package::name::PackageName;
use crate::trust::file::TrustFile;
use crate::trust::pin::{Clash, Pin};

/// All that the trust files of a run say.
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

/// Two files that bind a project to different things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is bound to {} in {outer}, and to {} in {nearer}", .clash.first, .clash.second)]
pub struct Contradiction {
    /// The project.
    pub name: PackageName,
    /// In what they differ.
    pub clash: Clash,
    /// The line that is further out.
    pub outer: Place,
    /// The line that is nearer.
    pub nearer: Place,
}

impl Pins {
    /// Adds up the files, given from the outermost to the nearest. All that is said of a project
    /// holds together, a condition of a nearer file included.
    ///
    /// # Errors
    /// Two files bind a project to another publisher, or to another value of a field.
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

    /// The same, with the file in which trust on first use records.
    #[must_use]
    pub fn recorded_in(self, path: Option<&Path>) -> Self {
        Self { recorded_in: path.map(Path::to_owned), ..self }
    }

    /// The file in which trust on first use records. Returns `None` if there is no place for one.
    #[must_use]
    pub fn record(&self) -> Option<&Path> {
        self.recorded_in.as_deref()
    }

    /// Returns the pin of a project, all files together, or `None` if it has none.
    #[must_use]
    pub fn pin(&self, name: &PackageName) -> Option<&Pin> {
        self.bound.get(name)
    }

    /// All pins, sorted by name.
    pub fn pins(&self) -> impl Iterator<Item = (&PackageName, &Pin)> {
        self.bound.iter()
    }

    /// The files in force, from the outermost to the nearest.
    #[must_use]
    pub fn files(&self) -> &[InForce] {
        &self.files
    }

    /// Every line that pins the project, from the outermost file to the nearest.
    #[must_use]
    pub fn places(&self, name: &PackageName) -> Vec<Place> {
        self.files.iter().filter_map(|file| file.place(name)).collect()
    }
}

impl InForce {
    /// The line that pins the project.
    fn place(&self, name: &PackageName) -> Option<Place> {
        self.file.line_of(name).map(|line| Place { path: self.path.clone(), line })
    }
}

/// The two lines of a contradiction: it is with the first file further out that says otherwise.
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
