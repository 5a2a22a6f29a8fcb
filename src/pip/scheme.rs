//! The directories that a run of pip installs into, as that pip states them.
//!
//! Owns the value that the guard reports (`guard/scheme.py`). Derives nothing: an option, a
//! configuration file or a patched Python may move each of the directories, so pip is asked.

use std::path::PathBuf;

use serde::Deserialize;

/// The installation scheme of one run (`pip._internal.locations.get_scheme`), and the places of the
/// interpreter and pip that it belongs to. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scheme {
    /// Where the members of a pure wheel go.
    pub purelib: String,
    /// Where the members of other wheels go.
    pub platlib: String,
    /// Where `.data/headers` goes; `{name}` stands for the project.
    pub headers: String,
    /// Where `.data/scripts` and the commands of entry points go.
    pub scripts: String,
    /// Where `.data/data` goes.
    pub data: String,
    /// The path below `data` that ends up in `purelib`. Empty but for `--target`: pip then installs
    /// into a directory of its own and moves `lib/python` apart from the rest.
    pub library_in_data: String,
    /// Whether pip replaces whole directories there (`--target` with `--upgrade`).
    pub replaces: bool,
    /// The standard library of the interpreter that pip runs on, and archives on its path.
    pub library: Vec<PathBuf>,
    /// The interpreter itself, and the one that it was made from.
    pub interpreters: Vec<PathBuf>,
    /// The configuration files of pip, whether or not they exist.
    pub configuration: Vec<PathBuf>,
    /// The package of the pip that runs.
    pub pip: Option<PathBuf>,
}
