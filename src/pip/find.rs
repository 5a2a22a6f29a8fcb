//! Finding the real pip: the next one on PATH that is not this program.
//!
//! Owns the walk along PATH and the guard against a pip that leads back here. Starts nothing, and
//! never takes one name for another: where a plain shell would say "command not found", so does
//! this.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::failure::{Failure, Status};

/// The environment variable that counts how many of these programs are above this one.
pub const DEPTH_VARIABLE: &str = "PYPI_VERIFY_NOW_DEPTH";

/// How many shims may be above a shim. A build that calls `pip install` is one below the pip that
/// builds it, and that may build again: three deep is rare, and eight leaves room for task runners
/// between them, while a wrapper that leads back here is stopped before anybody notices a delay.
pub const MAX_DEPTH: u32 = 8;

/// The file name of this program, to which the shims are links.
const OWN_NAME: &str = "pypi-verify-now";

/// How much of a file is compared at a time when it may be a copy of this program, in bytes.
const COMPARED_AT_ONCE: usize = 64 * 1024;

/// Why there is no real pip to hand over to.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No directory on PATH has the name, but for this program itself.
    #[error("no `{}` on PATH besides the shim of pypi-verify-now", name.display())]
    NotFound {
        /// The name that was looked for.
        name: OsString,
        /// Other pips that are there.
        others: Vec<&'static str>,
    },
    /// The name this program was called by has a directory in it, or is none at all.
    #[error("`{}` is no name of pip's", .0.display())]
    NotAName(OsString),
    /// This program's own file cannot be read, so a copy of it could not be told from pip.
    #[error("cannot read the own executable `{}`: {source}", path.display())]
    OwnExecutable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Shim called shim called shim.
    #[error(
        "pip leads back to the shim of pypi-verify-now: {MAX_DEPTH} of them are running inside one another"
    )]
    Loop,
    /// The counter in the environment is no number.
    #[error("`{DEPTH_VARIABLE}` is `{}`, which is no number", .0.display())]
    Depth(OsString),
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        let failure = Self::new(Status::CouldNotCheck, error.to_string());
        match error {
            FindError::NotFound { name, others } => {
                let failure = match others.as_slice() {
                    [] => failure,
                    others => failure.hint(format!("there is `{}`", others.join("`, `"))),
                };
                let name = name.display();
                failure.hint(format!(
                    "activate a virtual environment that has `{name}`, or make one: \
                     python3 -m venv .venv && . .venv/bin/activate"
                ))
            }
            FindError::NotAName(_) => failure.hint("call it as `pip`, `pip3` or `pip3.N`"),
            FindError::OwnExecutable { .. } => failure.hint("install pypi-verify-now again"),
            FindError::Loop => failure.hint(
                "a `pip` further along PATH calls `pip` by name: let it call a pip by its path, \
                 or `python -m pip`",
            ),
            FindError::Depth(_) => failure.hint(format!("unset {DEPTH_VARIABLE}")),
        }
    }
}

/// The file that a plain shell would run for `invoked_as` if this program were not there.
///
/// `path` is the value of PATH, `own_exe` the file of this program, `cwd` the absolute working
/// directory, which stands for empty and relative entries. Passed over are: what is the same file
/// as `own_exe` (links of either kind), what links to a file named like this program (another
/// version of it), a copy of it, directories, and what may not be executed.
///
/// # Errors
/// No such file, or `own_exe` cannot be read.
pub fn find_real_pip(
    invoked_as: &OsStr,
    path: &OsStr,
    own_exe: &Path,
    cwd: &Path,
) -> Result<PathBuf, FindError> {
    let name = invoked_as;
    if name.is_empty() || name == "." || name == ".." || name.as_bytes().contains(&b'/') {
        return Err(FindError::NotAName(name.to_owned()));
    }
    let own = Own::open(own_exe)
        .map_err(|source| FindError::OwnExecutable { path: own_exe.to_owned(), source })?;
    if let Some(found) = next_on_path(name, path, &own, cwd) {
        return Ok(found);
    }
    let there = |other: &&str| next_on_path(OsStr::new(*other), path, &own, cwd).is_some();
    let others = ["pip", "pip3"].into_iter().filter(there).collect();
    Err(FindError::NotFound { name: name.to_owned(), others })
}

/// The files on PATH that lead to this program: shims by pip's names, and the program by its own.
#[must_use]
pub fn shims(path: &OsStr, own_exe: &Path, cwd: &Path) -> Vec<PathBuf> {
    let Ok(own) = Own::open(own_exe) else { return Vec::new() };
    let is_name = |name: &OsStr| name == OWN_NAME || name.as_bytes().starts_with(b"pip");
    let entries = |directory: &[u8]| std::fs::read_dir(cwd.join(OsStr::from_bytes(directory))).ok();
    let entries = path.as_bytes().split(|byte| *byte == b':').filter_map(entries).flatten();
    let named = entries.filter_map(Result::ok).filter(|entry| is_name(&entry.file_name()));
    named.map(|entry| entry.path()).filter(|path| own.is(path)).collect()
}

/// The depth of this program, for [`DEPTH_VARIABLE`] of the pip it starts, from the variable's own
/// value.
///
/// # Errors
/// There are [`MAX_DEPTH`] above it already, or the value is no number.
pub fn check_recursion(value: Option<&OsStr>) -> Result<u32, FindError> {
    let above = match value {
        None => 0,
        Some(text) => text
            .to_str()
            .and_then(|text| text.parse::<u32>().ok())
            .ok_or_else(|| FindError::Depth(text.to_owned()))?,
    };
    if above >= MAX_DEPTH { Err(FindError::Loop) } else { Ok(above + 1) }
}

fn next_on_path(name: &OsStr, path: &OsStr, own: &Own, cwd: &Path) -> Option<PathBuf> {
    path.as_bytes()
        .split(|byte| *byte == b':')
        .map(|directory| cwd.join(OsStr::from_bytes(directory)).join(name))
        .find(|candidate| is_executable(candidate) && !own.is(candidate))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file())
        && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// This program's own file.
struct Own {
    handle: same_file::Handle,
    path: PathBuf,
    length: u64,
}

impl Own {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            handle: same_file::Handle::from_path(path)?,
            path: path.to_owned(),
            length: fs::metadata(path)?.len(),
        })
    }

    /// Whether `candidate` is this program. What cannot be read is not: the kernel does not run a
    /// script that cannot be read, and a copy of this program by somebody else is then caught by
    /// [`check_recursion`].
    fn is(&self, candidate: &Path) -> bool {
        same_file::Handle::from_path(candidate).is_ok_and(|handle| handle == self.handle)
            || fs::canonicalize(candidate)
                .is_ok_and(|real| real.file_name() == Some(OWN_NAME.as_ref()))
            || self.is_copied_to(candidate).unwrap_or(false)
    }

    fn is_copied_to(&self, candidate: &Path) -> io::Result<bool> {
        if fs::metadata(candidate)?.len() != self.length {
            return Ok(false);
        }
        let (mut ours, mut theirs) = (File::open(&self.path)?, File::open(candidate)?);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        loop {
            left.clear();
            right.clear();
            ours.by_ref().take(COMPARED_AT_ONCE as u64).read_to_end(&mut left)?;
            theirs.by_ref().take(COMPARED_AT_ONCE as u64).read_to_end(&mut right)?;
            if left != right {
                return Ok(false);
            }
            if left.is_empty() {
                return Ok(true);
            }
        }
    }
}
