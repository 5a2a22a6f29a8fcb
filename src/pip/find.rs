//! Finds the real pip: the next one on PATH that is not this program.
//!
//! Walks along PATH, and stops a pip that leads back to this program. Must not start a process, and
//! must not substitute another name: if a shell without the shims would print "command not found",
//! so does this program.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::failure::{Failure, Status};

/// The environment variable that counts the nested calls of this program.
pub const DEPTH_VARIABLE: &str = "PYPI_VERIFY_NOW_DEPTH";

/// Maximum number of nested shims. A build that calls `pip install` is one below the pip that
/// builds it, and may build again: three levels are rare. Eight leave room for task runners in
/// between, and stop a wrapper that calls this program in a loop before the user notices a delay.
pub const MAX_DEPTH: u32 = 8;

/// The file name of this program, which is the target of the shims.
const OWN_NAME: &str = "pypi-verify-now";

/// Number of bytes that are compared at a time with a possible copy of this program.
const COMPARED_AT_ONCE: usize = 64 * 1024;

/// Reasons why there is no real pip.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No directory on PATH contains the name, except for this program itself.
    #[error("no `{}` on PATH besides the shim of pypi-verify-now", name.display())]
    NotFound {
        /// The name that was searched for.
        name: OsString,
        /// Other names of pip that exist.
        others: Vec<&'static str>,
    },
    /// The name of this call contains a directory, or is empty.
    #[error("`{}` is not a name of pip", .0.display())]
    NotAName(OsString),
    /// This program's own file cannot be read, so a copy of it could not be distinguished from pip.
    #[error("cannot read the executable of this program `{}`: {source}", path.display())]
    OwnExecutable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// This pip calls this program again, and no other one follows on PATH.
    #[error(
        "`{}` leads back to the shim of pypi-verify-now, and no other `{}` follows on PATH",
        program.display(), name.display()
    )]
    LeadsBack {
        /// The pip that was started last.
        program: PathBuf,
        /// The name that was searched for.
        name: OsString,
    },
    /// The number of nested shims exceeds [`MAX_DEPTH`].
    #[error(
        "pip leads back to the shim of pypi-verify-now: {MAX_DEPTH} of them are running inside one another"
    )]
    Loop,
    /// The counter in the environment is not a number.
    #[error("`{DEPTH_VARIABLE}` is `{}`, which is not a number", .0.display())]
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
            FindError::LeadsBack { .. } | FindError::Loop => failure.hint(
                "a `pip` further along PATH calls `pip` by name: let it call a pip by its path, \
                 or `python -m pip`",
            ),
            FindError::Depth(_) => failure.hint(format!("unset {DEPTH_VARIABLE}")),
        }
    }
}

/// Returns the file that a shell would run for `invoked_as` if this program did not exist.
///
/// `path` is the value of PATH, `own_exe` the file of this program, `cwd` the absolute working
/// directory, to which empty and relative entries refer. These files are skipped: the same file as
/// `own_exe` (through links of either kind), a link to a file with this program's name (another
/// version of it), a copy of it, directories, files that are not executable, and the files in
/// `started`, which led back here (see [`started`](crate::pip::started)).
///
/// # Errors
/// There is no such file, or `own_exe` cannot be read.
pub fn find_real_pip(
    invoked_as: &OsStr,
    path: &OsStr,
    own_exe: &Path,
    cwd: &Path,
    started: &[PathBuf],
) -> Result<PathBuf, FindError> {
    let name = invoked_as;
    if name.is_empty() || name == "." || name == ".." || name.as_bytes().contains(&b'/') {
        return Err(FindError::NotAName(name.to_owned()));
    }
    let own = OwnExecutable::open(own_exe)
        .map_err(|source| FindError::OwnExecutable { path: own_exe.to_owned(), source })?;
    let next = |name: &OsStr| on_path(name, path, &own, cwd).find(|it| !started.contains(it));
    if let Some(found) = next(name) {
        return Ok(found);
    }
    if let Some(program) = started.last() {
        return Err(FindError::LeadsBack { program: program.clone(), name: name.to_owned() });
    }
    let there = |other: &&str| next(OsStr::new(*other)).is_some();
    let others = ["pip", "pip3"].into_iter().filter(there).collect();
    Err(FindError::NotFound { name: name.to_owned(), others })
}

/// Returns the files on PATH that lead to this program: shims by pip's names, and this program's
/// own name.
#[must_use]
pub fn shims(path: &OsStr, own_exe: &Path, cwd: &Path) -> Vec<PathBuf> {
    let Ok(own) = OwnExecutable::open(own_exe) else { return Vec::new() };
    let is_name = |name: &OsStr| name == OWN_NAME || name.as_bytes().starts_with(b"pip");
    let entries = |directory: &[u8]| std::fs::read_dir(cwd.join(OsStr::from_bytes(directory))).ok();
    let entries = path.as_bytes().split(|byte| *byte == b':').filter_map(entries).flatten();
    let named = entries.filter_map(Result::ok).filter(|entry| is_name(&entry.file_name()));
    named.map(|entry| entry.path()).filter(|path| own.is(path)).collect()
}

/// Returns the depth for [`DEPTH_VARIABLE`] of the pip that is started, from the variable's own
/// value.
///
/// # Errors
/// There are [`MAX_DEPTH`] nested shims already, or the value is not a number.
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

/// Returns the pips of this name on PATH, in order.
fn on_path<'a>(
    name: &'a OsStr,
    path: &'a OsStr,
    own: &'a OwnExecutable,
    cwd: &'a Path,
) -> impl Iterator<Item = PathBuf> + 'a {
    path.as_bytes()
        .split(|byte| *byte == b':')
        .map(move |directory| cwd.join(OsStr::from_bytes(directory)).join(name))
        .filter(|candidate| is_executable(candidate) && !own.is(candidate))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file())
        && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// The executable file of this program.
struct OwnExecutable {
    handle: same_file::Handle,
    path: PathBuf,
    length: u64,
}

impl OwnExecutable {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            handle: same_file::Handle::from_path(path)?,
            path: path.to_owned(),
            length: fs::metadata(path)?.len(),
        })
    }

    /// Returns whether `candidate` is this program. An unreadable file counts as another: the
    /// kernel does not run an unreadable script, and [`check_recursion`] stops an unreadable copy
    /// of this program.
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
