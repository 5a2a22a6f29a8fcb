//! Where the trust files of a run may be.
//!
//! Owns the list of the places, from the outermost to the nearest, and which of them trust on
//! first use writes to. Takes the directories as values and asks the disk only what exists and
//! whose it is; reads no file's content.

use std::path::{Component, Path, PathBuf};

use crate::trust::ownership::User;
use crate::trust::place::{is_marked, parent};

/// The name of a project's trust file.
pub const FILE_NAME: &str = ".provenance.txt";

/// The system's file. A constant: where it lies, no variable says, since whoever could move it
/// could drop the pins in it.
pub const SYSTEM_FILE: &str = "/etc/pypi-verify-now/provenance.txt";

/// The user's own file, below the directory of the user's configuration
/// (`$XDG_CONFIG_HOME`, else `~/.config`).
pub const USER_FILE: &str = "pypi-verify-now/provenance.txt";

/// The mark of a repository's root: a directory, or a file in a linked worktree or a submodule.
const REPOSITORY_MARK: &str = ".git";

/// What the user said, where the run happens, and as whom.
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
    /// The system's file, [`SYSTEM_FILE`] but for tests.
    pub system: &'a Path,
    /// The user this process acts as.
    pub user: User,
}

/// The places of the trust files of a run, whether or not there is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The system's file.
    pub system: PathBuf,
    /// The user's own. `None` without a home.
    pub own: Option<PathBuf>,
    /// The project's.
    pub project: Project,
    /// The user this process acts as.
    pub user: User,
    cwd: PathBuf,
    /// The root of the nearest repository.
    root: Option<PathBuf>,
}

/// The places of the project's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Project {
    /// `FILENAME` names the one.
    Named(PathBuf),
    /// One for each directory from the root of the repository down to the working directory.
    /// Outside a repository the working directory alone.
    Below(Vec<PathBuf>),
}

impl Places {
    /// Finds the places.
    ///
    /// Which directory is the root of the repository: the **outermost** one at or above the
    /// working directory that has a mark. The nearest would let a tree that somebody else wrote
    /// (vendored, a submodule, with a `.git` of its own or an empty file of that name) switch the
    /// pins of the repository around it off; with the outermost, a mark can only add files, each of
    /// which is held to the rule of `ownership`. A stranger's mark in a directory that everybody
    /// may write to does not count: with `/tmp/.git` and a file beside it, it would stop everybody.
    #[must_use]
    pub fn find(surroundings: &Surroundings<'_>) -> Self {
        let &Surroundings { cwd, user, .. } = surroundings;
        let marked = || marked(cwd, user);
        let named = surroundings.filename.filter(|name| !name.as_os_str().is_empty());
        let project = if let Some(name) = named {
            Project::Named(cwd.join(name))
        } else {
            let root = marked().last().unwrap_or(cwd);
            let inside = cwd.ancestors().take_while(|directory| directory.starts_with(root));
            let mut files: Vec<_> = inside.map(|directory| directory.join(FILE_NAME)).collect();
            files.reverse();
            Project::Below(files)
        };
        Self {
            system: surroundings.system.to_owned(),
            own: own_file(surroundings),
            project,
            user,
            cwd: cwd.to_owned(),
            root: marked().next().map(Path::to_owned),
        }
    }

    /// All places, from the outermost to the nearest.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        let project = match &self.project {
            Project::Named(path) => std::slice::from_ref(path),
            Project::Below(paths) => paths.as_slice(),
        };
        [Some(&self.system), self.own.as_ref()].into_iter().flatten().chain(project).map(|it| &**it)
    }

    /// Returns the file that trust on first use writes to, or `None` if there is no place for one:
    /// `FILENAME`; else the nearest file of the project; else a new one at the root of the
    /// repository; else, outside a repository, the user's own.
    ///
    /// A new file goes to the root of the *nearest* repository, where it is committed with the
    /// project it is about: with dotfiles in `~/.git`, that of the home directory is another.
    #[must_use]
    pub fn record(&self) -> Option<PathBuf> {
        let files = match &self.project {
            Project::Named(path) => return Some(path.clone()),
            Project::Below(files) => files,
        };
        let nearest = files.iter().rev().find(|path| path.symlink_metadata().is_ok());
        let new = || self.root.as_ref().map(|root| root.join(FILE_NAME));
        nearest.cloned().or_else(new).or_else(|| self.own.clone())
    }

    /// Returns the directory that recording in this file must not leave through a link: the
    /// repository that the path lies in, outside of one the working directory. `None` for the
    /// user's own file and for what the user named elsewhere: a link there is the user's.
    #[must_use]
    pub fn bounds(&self, path: &Path) -> Option<PathBuf> {
        if Some(path) == self.own.as_deref() {
            return None;
        }
        let path = plain(path);
        let root = marked(parent(&path), self.user).next();
        root.or_else(|| path.starts_with(&self.cwd).then_some(&*self.cwd)).map(Path::to_owned)
    }
}

/// The directories at and above this one that have the mark of a repository, the nearest first.
fn marked(directory: &Path, user: User) -> impl Iterator<Item = &Path> {
    directory.ancestors().filter(move |it| is_marked(it, REPOSITORY_MARK, user))
}

/// A path without `.` and `..`, by its words alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            component => plain.push(component),
        }
    }
    plain
}

/// The place of the user's own file.
fn own_file(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let xdg = surroundings.xdg_config_home.filter(|path| path.is_absolute());
    match (xdg, surroundings.home.filter(|path| path.is_absolute())) {
        (Some(configuration), _) => Some(configuration.join(USER_FILE)),
        (None, Some(home)) => Some(home.join(".config").join(USER_FILE)),
        (None, None) => None,
    }
}
