//! The paths that no wheel may own: trust files, this program with its shims and settings, pip, and
//! the interpreter that runs pip.
//!
//! Also compares paths: two spellings are equal if a symbolic link, or a file system that ignores
//! case or Unicode normalisation, makes them the same file. Must not change the disk.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use icu_normalizer::ComposingNormalizer;

use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;
use crate::trust::location::FILE_NAME;

/// The owner of a protected path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guardian {
    /// A trust file, or a path at which a file would be a trust file.
    TrustFile,
    /// The user's or the system's settings of this program.
    Settings,
    /// This program, or a shim that leads to it.
    Program,
    /// The pip that installs, or a path that would be found instead of that pip.
    Pip,
    /// The configuration of pip.
    Configuration,
    /// The interpreter, its standard library and its environment.
    Interpreter,
    /// The metadata of another project, with which pip would consider that project installed.
    Metadata(PackageName),
}

impl std::fmt::Display for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TrustFile => f.write_str("a trust file"),
            Self::Settings => f.write_str("the settings of pypi-verify-now"),
            Self::Program => f.write_str("pypi-verify-now itself"),
            Self::Pip => f.write_str("a part of pip"),
            Self::Configuration => f.write_str("a configuration file of pip"),
            Self::Interpreter => f.write_str("a part of Python"),
            Self::Metadata(name) => write!(f, "the metadata of the project {name}"),
        }
    }
}

/// The protected paths of a run that do not depend on the scheme.
#[derive(Debug, Clone, Default)]
pub struct OutOfBounds {
    /// The paths of trust files, which need not exist, and directories of settings.
    pub trust: Vec<PathBuf>,
    /// This program's file, the name of its call, and the shims on PATH.
    pub programs: Vec<PathBuf>,
}

/// The protected paths under one scheme.
pub struct Ground {
    files: HashMap<String, Guardian>,
    trees: Vec<(String, Guardian)>,
    libraries: Vec<String>,
    scripts: String,
    paths: Paths,
}

impl Ground {
    /// Collects the protected paths for a scheme.
    #[must_use]
    pub fn new(out: &OutOfBounds, scheme: &Scheme) -> Self {
        let mut paths = Paths::default();
        let (mut files, mut trees) = (HashMap::new(), Vec::new());
        let lists = [
            (&out.trust, Guardian::TrustFile),
            (&out.programs, Guardian::Program),
            (&scheme.interpreters, Guardian::Interpreter),
            (&scheme.configuration, Guardian::Configuration),
            (&scheme.library, Guardian::Interpreter),
        ];
        for (list, guardian) in lists {
            for path in list {
                // Both a link and its target are protected, because replacing either one disables
                // the protection.
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                for path in [path, &real] {
                    files.insert(paths.key(&path.to_string_lossy()), guardian.clone());
                }
            }
        }
        files.insert(paths.key(&format!("{}/pyvenv.cfg", scheme.data)), Guardian::Interpreter);
        // That of the environment installed into, which need not be the one that pip runs in.
        files.insert(paths.key(&format!("{}/pip.conf", scheme.data)), Guardian::Configuration);
        let lists = [
            (out.trust.as_slice(), Guardian::Settings),
            (&scheme.library, Guardian::Interpreter),
            (scheme.pip.as_slice(), Guardian::Pip),
        ];
        for (list, guardian) in lists {
            let keys = list.iter().map(|path| paths.directory(&path.to_string_lossy()));
            trees.extend(keys.map(|key| (key, guardian.clone())));
        }
        let both: HashSet<&str> = [scheme.purelib.as_str(), &scheme.platlib].into();
        let libraries = both.into_iter().map(|library| paths.directory(library)).collect();
        let scripts = paths.directory(&scheme.scripts);
        Self { files, trees, libraries, scripts, paths }
    }

    /// Returns an absolute path in the form in which paths are compared.
    pub fn key(&mut self, path: &str) -> String {
        self.paths.key(path)
    }

    /// Returns the directories of packages, in the form in which paths are compared.
    #[must_use]
    pub fn libraries(&self) -> &[String] {
        &self.libraries
    }

    /// Returns the protected owner of a path, given as [`Self::key`] returns it. Returns `None` if
    /// a wheel of the project may own the path.
    #[must_use]
    pub fn guardian(&self, key: &str, project: &PackageName) -> Option<Guardian> {
        let base = key.rsplit('/').next().unwrap_or_default();
        if base == FILE_NAME {
            return Some(Guardian::TrustFile);
        }
        // The library that the interpreter is linked with, wherever it lies.
        if base.starts_with("libpython") && !self.is_in_library(key) {
            return Some(Guardian::Interpreter);
        }
        let guardian = self.files.get(key).cloned();
        let guardian = guardian
            .or_else(|| self.by_tree(key))
            .or_else(|| self.by_library(key, project))
            .or_else(|| self.by_script(key))?;
        (guardian != Guardian::Pip || project.as_str() != "pip").then_some(guardian)
    }

    /// Returns a protected path below a directory that pip would replace as a whole.
    #[must_use]
    pub fn below(&self, directory: &str) -> Option<(&str, &Guardian)> {
        let files = self.files.iter().map(|(path, guardian)| (path.as_str(), guardian));
        let trees = self.trees.iter().map(|(path, guardian)| (path.as_str(), guardian));
        files.chain(trees).find(|(path, _)| within(path, directory).is_some())
    }

    fn by_tree(&self, key: &str) -> Option<Guardian> {
        // The directory of packages is inside the standard library, but is not part of it.
        let is_package = |rest: &str| {
            let top = rest.split('/').next().unwrap_or_default();
            matches!(top, "site-packages" | "dist-packages")
        };
        let found = self.trees.iter().find(|(tree, guardian)| match within(key, tree) {
            Some(rest) => *guardian != Guardian::Interpreter || !is_package(rest),
            None => false,
        });
        found.map(|(_, guardian)| guardian.clone())
    }

    /// Returns the owner of a path in a directory of packages: pip's own package and metadata, or
    /// the metadata of another project.
    fn by_library(&self, key: &str, project: &PackageName) -> Option<Guardian> {
        let rest = self.libraries.iter().find_map(|library| within(key, library))?;
        let top = rest.split('/').next().unwrap_or_default();
        if top == "pip" {
            return Some(Guardian::Pip);
        }
        let name = project_of_metadata(top)?;
        match name.as_str() {
            "pip" => Some(Guardian::Pip),
            _ => (name != *project).then_some(Guardian::Metadata(name)),
        }
    }

    fn by_script(&self, key: &str) -> Option<Guardian> {
        let name = within(key, &self.scripts)?;
        let is_version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
        let begins = |start: &str| name.strip_prefix(start).is_some_and(is_version);
        if begins("pip") {
            return Some(Guardian::Pip);
        }
        // Sourced by whoever works in the environment: `activate`, `activate.fish`, `Activate.ps1`.
        let activates = name.split('.').next() == Some("activate") || name == "activate_this.py";
        (begins("python") || activates).then_some(Guardian::Interpreter)
    }

    fn is_in_library(&self, key: &str) -> bool {
        self.libraries.iter().any(|library| within(key, library).is_some())
    }
}

/// Returns the project of a metadata entry in a directory of packages: `NAME-VERSION.dist-info`,
/// `NAME-VERSION-py3.N.egg-info`, `NAME.egg-info`, `NAME.egg-link`. Returns `None` for other
/// entries.
pub(super) fn project_of_metadata(entry: &str) -> Option<PackageName> {
    let (stem, ending) = entry.rsplit_once('.')?;
    let name = match ending {
        // A version has no dash in it, and an unusual name may.
        "dist-info" => stem.rsplit_once('-').map_or(stem, |(name, _)| name),
        "egg-info" | "egg-link" => stem.split('-').next().unwrap_or_default(),
        _ => return None,
    };
    PackageName::parse(name).ok()
}

/// Returns the rest of a path below a directory. Returns `None` if the path is not below it.
fn within<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    path.strip_prefix(directory.trim_end_matches('/'))?.strip_prefix('/')
}

/// Absolute paths in the form in which they are compared, with a cache of directories.
#[derive(Default)]
struct Paths {
    /// For each directory as written: its path without symbolic links, and whether it exists.
    directories: HashMap<String, (String, bool)>,
}

impl Paths {
    /// Returns the form of a file's path. Symbolic links are resolved in its directory only,
    /// because pip replaces a link and not the target.
    fn key(&mut self, path: &str) -> String {
        let (parent, base) = path.rsplit_once('/').unwrap_or(("", path));
        folded(&format!("{}/{base}", self.real(parent).0))
    }

    fn directory(&mut self, path: &str) -> String {
        folded(&self.real(path.trim_end_matches('/')).0)
    }

    fn real(&mut self, path: &str) -> (String, bool) {
        if let Some(known) = self.directories.get(path) {
            return known.clone();
        }
        let Some((parent, base)) = path.rsplit_once('/') else {
            return (path.to_owned(), true);
        };
        let (parent, parent_is_there) = self.real(parent);
        let path_here = format!("{parent}/{base}");
        // A missing directory contains no files, so the disk is not asked.
        let metadata = parent_is_there.then(|| Path::new(&path_here).symlink_metadata().ok());
        let real = match metadata.flatten() {
            None => (path_here, false),
            Some(metadata) if metadata.is_symlink() => match std::fs::canonicalize(&path_here) {
                Ok(real) => (real.to_string_lossy().into_owned(), true),
                Err(_) => (path_here, false),
            },
            Some(_) => (path_here, true),
        };
        self.directories.insert(path.to_owned(), real.clone());
        real
    }
}

/// Returns a path as the most lenient file system compares it: ignoring case, and composed (Unicode
/// Standard Annex 15, NFC).
fn folded(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    // Converted to upper case first: some letters have the lower case of another letter (U+017F).
    let lower = path.to_uppercase().to_lowercase();
    ComposingNormalizer::new_nfc().normalize(&lower).into_owned()
}
