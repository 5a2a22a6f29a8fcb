//! The paths of the trust files of a run.
//!
//! Lists the paths from the outermost to the nearest: the system's file, the user's own, then one
//! in each directory from the root of the repository down to the working directory. Decides which
//! of them trust on first use writes to. Reads from the disk only if paths exist and who owns them;
//! must not read a file's content.

use std::path::{Component, Path, PathBuf};

use crate::trust::ownership::User;
use crate::trust::place::{is_marked, parent};

/// The name of a project's trust file.
pub const FILE_NAME: &str = ".provenance.txt";

/// The system's trust file. The path is a constant: if a variable could change it, whoever sets the
/// variable could drop the pins of that file.
pub const SYSTEM_FILE: &str = "/etc/pypi-verify-now/provenance.txt";

/// The user's own trust file, below the directory of the user's configuration (`$XDG_CONFIG_HOME`,
/// else `~/.config`).
pub const USER_FILE: &str = "pypi-verify-now/provenance.txt";

/// The mark of a repository's root: a directory, or a file in a linked worktree or a submodule.
const REPOSITORY_MARK: &str = ".git";

/// The variables, the working directory and the user that decide the paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// `FILENAME`. An empty path counts as unset; a relative one is relative to the working
    /// directory.
    pub filename: Option<&'a Path>,
    /// The working directory, absolute.
    pub cwd: &'a Path,
    /// `$XDG_CONFIG_HOME`. A relative path counts as unset (XDG Base Directory Specification).
    pub xdg_config_home: Option<&'a Path>,
    /// The user's home directory.
    pub home: Option<&'a Path>,
    /// The system's file: [`SYSTEM_FILE`], except in tests.
    pub system: &'a Path,
    /// The user this process acts as.
    pub user: User,
}

/// The paths of the trust files of a run. The files need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The system's file.
    pub system: PathBuf,
    /// The user's own file. `None` without a home directory.
    pub own: Option<PathBuf>,
    /// The project's files.
    pub project: Project,
    /// The user this process acts as.
    pub user: User,
    cwd: PathBuf,
    /// The root of the nearest repository.
    root: Option<PathBuf>,
}

/// The paths of the project's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Project {
    /// The file that `FILENAME` names.
    Named(PathBuf),
    /// One file for each directory from the root of the repository down to the working directory.
    /// Outside a repository, the file in the working directory alone.
    Below(Vec<PathBuf>),
}

impl Places {
    /// Finds the paths.
    ///
    /// The root of the repository is the **outermost** directory at or above the working directory
    /// that contains `.git`. Two attacks are stopped:
    ///
    /// 1. With the nearest one, a subtree by another author (vendored code, a submodule, an empty
    ///    file named `.git`) could switch off the pins of the repository around it. With the
    ///    outermost, a `.git` can only add trust files, and each must satisfy the rule of
    ///    `ownership`.
    /// 2. In a directory that everybody may write to, another user's `.git` is ignored. Otherwise
    ///    `/tmp/.git` and a trust file beside it would stop every run below `/tmp`.
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

    /// Returns all paths, from the outermost to the nearest.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        let project = match &self.project {
            Project::Named(path) => std::slice::from_ref(path),
            Project::Below(paths) => paths.as_slice(),
        };
        [Some(&self.system), self.own.as_ref()].into_iter().flatten().chain(project).map(|it| &**it)
    }

    /// Returns the file that trust on first use writes to: `FILENAME`; else the nearest file of the
    /// project; else a new one at the root of the repository; else, outside a repository, the
    /// user's own. Returns `None` if there is no such path.
    ///
    /// A new file is created at the root of the *nearest* repository, so that it is committed with
    /// its project. If the home directory is itself a repository of dotfiles (`~/.git`), the
    /// outermost root would be wrong.
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

    /// Returns the directory that the file must not leave through a symbolic link: the repository
    /// of the path or, outside a repository, the working directory. Returns `None` for the user's
    /// own file and for a `FILENAME` elsewhere, where a link was made by the user.
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

/// Returns the directories at and above this one that contain `.git`, the nearest first.
fn marked(directory: &Path, user: User) -> impl Iterator<Item = &Path> {
    directory.ancestors().filter(move |it| is_marked(it, REPOSITORY_MARK, user))
}

/// Returns a path without `.` and `..`, without access to the disk.
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

/// Returns the path of the user's own file.
fn own_file(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let xdg = surroundings.xdg_config_home.filter(|path| path.is_absolute());
    match (xdg, surroundings.home.filter(|path| path.is_absolute())) {
        (Some(configuration), _) => Some(configuration.join(USER_FILE)),
        (None, Some(home)) => Some(home.join(".config").join(USER_FILE)),
        (None, None) => None,
    }
}
