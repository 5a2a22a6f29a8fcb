//! Which trust file counts for a run.
//!
//! Owns the order of the places that are looked at. Takes the directories as values and asks the
//! disk only what exists and whose it is; reads no file's content.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The name of a project's trust file.
pub const FILE_NAME: &str = ".provenance.txt";

/// The user's own file, below the directory of the user's configuration
/// (`$XDG_CONFIG_HOME`, else `~/.config`).
pub const USER_FILE: &str = "pypi-verify-now/provenance.txt";

/// What marks the root of a repository: a directory, or a file in a linked worktree.
const REPOSITORY_MARK: &str = ".git";

/// What the user said and where the run happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// `FILENAME`; the empty path counts as not given. Relative to the working directory.
    pub filename: Option<&'a Path>,
    /// The working directory, absolute.
    pub cwd: &'a Path,
    /// `$XDG_CONFIG_HOME`; a relative path counts as not given (XDG Base Directory
    /// Specification).
    pub xdg_config_home: Option<&'a Path>,
    /// The user's home directory.
    pub home: Option<&'a Path>,
}

/// The trust file of a run, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `FILENAME` names it, whether or not it exists.
    Named(PathBuf),
    /// The nearest one at or above the working directory, within the repository.
    Project(PathBuf),
    /// There is none in the project; this is the user's own.
    User(PathBuf),
    /// There is none at all; trust on first use creates it here, in the working directory.
    New(PathBuf),
}

impl Location {
    /// Finds the file: the named one, else the nearest of the project, else the user's own, else
    /// where a new one goes.
    ///
    /// Above the working directory, a repository mark or a trust file counts only if it belongs to
    /// the owner of the working directory or to root: below a directory that everybody may write
    /// to, such as `/tmp`, somebody else's file must not say whom to trust.
    #[must_use]
    pub fn find(surroundings: &Surroundings<'_>) -> Self {
        let cwd = surroundings.cwd;
        if let Some(named) = surroundings.filename.filter(|name| !name.as_os_str().is_empty()) {
            return Self::Named(cwd.join(named));
        }
        if let Some(path) = nearest(cwd) {
            return Self::Project(path);
        }
        match user_file(surroundings) {
            Some(path) if path.symlink_metadata().is_ok() => Self::User(path),
            _ => Self::New(cwd.join(FILE_NAME)),
        }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Project(path) | Self::User(path) | Self::New(path) => path,
        }
    }
}

/// The nearest trust file from `cwd` up to the root of its repository.
fn nearest(cwd: &Path) -> Option<PathBuf> {
    let owner = cwd.metadata().ok().map(|metadata| metadata.uid());
    let trusted = |metadata: &Metadata| metadata.uid() == 0 || Some(metadata.uid()) == owner;
    let entry = |directory: &Path, name: &str| {
        let path = directory.join(name);
        let metadata = path.symlink_metadata().ok()?;
        (directory == cwd || trusted(&metadata)).then_some(path)
    };
    let root = cwd.ancestors().find(|directory| entry(directory, REPOSITORY_MARK).is_some());
    let end = root.unwrap_or(cwd);
    let inside = cwd.ancestors().take_while(|directory| directory.starts_with(end));
    inside.filter_map(|directory| entry(directory, FILE_NAME)).next()
}

/// Where the user's own file would be.
fn user_file(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let xdg = surroundings.xdg_config_home.filter(|path| path.is_absolute());
    match (xdg, surroundings.home.filter(|path| path.is_absolute())) {
        (Some(configuration), _) => Some(configuration.join(USER_FILE)),
        (None, Some(home)) => Some(home.join(".config").join(USER_FILE)),
        (None, None) => None,
    }
}
