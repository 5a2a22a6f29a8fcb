//! Private copies of the user's requirements and constraints files, for a pip that builds.
//!
//! Writes the copies and knows the option that each copy belongs to. The rules for lines that are
//! left out are in `requirements`.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::pip::options::Options;
use crate::pip::requirements::{self, Source};
use crate::pip::settings::Settings;
use crate::process::Process;
use crate::resolve::requirement_files::{named_files, reader};

/// Private copies of the user's requirements and constraints files, without options for indexes and
/// directories.
#[derive(Debug, Default)]
pub struct Copies {
    /// Copies of requirements files.
    pub requirements: Vec<PathBuf>,
    /// Copies of constraints files that hold for this pip alone.
    pub constraints: Vec<PathBuf>,
    /// Copies of constraints files that also hold for the pips that a build starts.
    pub inherited_constraints: Vec<PathBuf>,
    /// Copies of constraints files for builds.
    pub build_constraints: Vec<PathBuf>,
    /// The path of each copy, with the name of its original.
    pub names: Vec<(PathBuf, String)>,
    texts: Vec<String>,
}

impl Copies {
    /// Returns the text of every copy.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }
}

/// Copies the user's requirements and constraints files into `directory`, without the lines that
/// name indexes or directories.
///
/// # Errors
/// A file cannot be read, or contains a line that cannot be copied.
pub fn copies(
    process: &Process,
    options: &Options,
    settings: &Settings,
    directory: &Path,
) -> Result<Copies, Failure> {
    let [constraints, requirements] = named_files(options);
    let build_constraints = options.all("--build-constraint");
    let (count, build_count) = (constraints.len(), build_constraints.len());
    let inherited = options.inherited("--constraint").min(count);
    let texts = [constraints, build_constraints, requirements].concat();
    if texts.is_empty() {
        return Ok(Copies::default());
    }
    let sources: Vec<_> = texts.iter().map(|text| Source::parse(text)).collect();
    let client = Client::new(&settings.transport);
    let variable = |name: &str| process.text(name);
    let closed = requirements::closed(&sources, directory, reader(process, &client), variable)?;
    for (path, text) in &closed.copies {
        // Without a byte order mark, pip decodes text that is not ASCII by the locale.
        let mark = if text.is_ascii() { "" } else { "\u{feff}" };
        std::fs::write(path, format!("{mark}{text}")).map_err(|error| {
            let message = format!("cannot write {}: {error}", path.display());
            Failure::new(Status::CouldNotCheck, message)
        })?;
    }
    let mut roots = closed.roots.into_iter();
    Ok(Copies {
        inherited_constraints: roots.by_ref().take(inherited).collect(),
        constraints: roots.by_ref().take(count - inherited).collect(),
        build_constraints: roots.by_ref().take(build_count).collect(),
        requirements: roots.collect(),
        names: closed.names,
        texts: closed.copies.into_iter().map(|(_, text)| text).collect(),
    })
}
