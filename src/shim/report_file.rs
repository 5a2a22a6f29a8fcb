//! Where the user wants pip's installation report (`--report`).
//!
//! Owns that it is opened when pip would open its own: what would be installed is known, and
//! nothing has been done about it. One that cannot be written ends the run there, as it does for
//! pip; one that nothing came of is not left behind.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::io::Errno;

use crate::pip::run::{Captured, Cause};
use crate::resolve::resolution::Unresolved;
use crate::terminal::report::Report;

/// How the system states the exit code of a pip that failed.
const FAILED: i32 = 1 << 8;

/// An open report.
pub(super) enum ReportFile {
    /// `-`: standard output.
    Output,
    /// A file; one that was not there before goes again if it stays empty.
    File { path: PathBuf, file: File, is_new: bool },
}

impl ReportFile {
    /// Opens what the user named, if anything, in the working directory `at`. What is there already
    /// is left alone until there is a report.
    ///
    /// # Errors
    /// It cannot be opened; in pip's words.
    pub(super) fn open(named: Option<OsString>, at: &Path) -> Result<Option<Self>, Unresolved> {
        let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
        if named == "-" {
            return Ok(Some(Self::Output));
        }
        let path = at.join(&named);
        let new = OpenOptions::new().write(true).create_new(true).open(&path);
        let (opened, is_new) = match new {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
                (there, false)
            }
            new => (new, true),
        };
        match opened {
            Ok(file) => Ok(Some(Self::File { path, file, is_new })),
            Err(error) => Err(Unresolved::Pip(cannot_open(Path::new(&named), &error))),
        }
    }

    /// Writes the report, in place of what was there.
    pub(super) fn write(&self, report: Report, text: &str) -> io::Result<()> {
        match self {
            Self::Output => report.bytes(format!("{text}\n").as_bytes()),
            Self::File { file, .. } => {
                let mut file = file;
                // A pipe or a terminal has no length.
                if file.metadata()?.is_file() {
                    file.set_len(0)?;
                }
                file.write_all(text.as_bytes())
            }
        }
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Output => "-".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        if let Self::File { path, file, is_new: true } = self
            && file.metadata().is_ok_and(|metadata| metadata.len() == 0)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What pip says and does where it cannot open its report.
fn cannot_open(named: &Path, error: &io::Error) -> Captured {
    let number = error.raw_os_error().unwrap_or_default();
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let advice =
        if number == Errno::ACCESS.raw_os_error() { "Check the permissions.\n" } else { "" };
    let stderr = format!(
        "ERROR: Could not install packages due to an OSError: [Errno {number}] {reason}: '{}'\n\
         {advice}\n",
        named.display()
    );
    let status = ExitStatus::from_raw(FAILED);
    Captured { status, stdout: Vec::new(), stderr: stderr.into_bytes(), cause: Cause::Other }
}
