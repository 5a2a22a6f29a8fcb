//! The installation scheme: the directories that a run of pip installs into.
//!
//! Owns the value that the guard reports (`guard/scheme.py`). Must not compute a directory itself:
//! an option, a configuration file or a patched Python may move each of them, so pip is asked.

use std::path::PathBuf;

use serde::Deserialize;

/// The installation scheme of one run (`pip._internal.locations.get_scheme`), with the paths of its
/// interpreter and pip. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scheme {
    /// The directory for the members of a pure wheel.
    pub purelib: String,
    /// The directory for the members of other wheels.
    pub platlib: String,
    /// The directory for `.data/headers`; `{name}` is replaced by the project's name.
    pub headers: String,
    /// The directory for `.data/scripts` and the commands of entry points.
    pub scripts: String,
    /// The directory for `.data/data`.
    pub data: String,
    /// The path below `data` that ends up in `purelib`. Empty but for `--target`: pip then installs
    /// into a directory of its own and moves `lib/python` apart from the rest.
    pub library_in_data: String,
    /// Whether pip replaces whole directories there (`--target` with `--upgrade`).
    pub replaces: bool,
    /// The standard library of the interpreter that pip runs on, and archives on its path.
    pub library: Vec<PathBuf>,
    /// The interpreter itself, and the one from which its virtual environment was made.
    pub interpreters: Vec<PathBuf>,
    /// The configuration files of pip, whether or not they exist.
    pub configuration: Vec<PathBuf>,
    /// The package directory of the running pip.
    pub pip: Option<PathBuf>,
}
