//! The file for pip's installation report (`--report`).
//!
//! The file is opened when pip would open its own: after the resolution, before the install. If it
//! cannot be opened, the run ends there, as with pip. If no report is written, a file that this run
//! created is removed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::pip::run::Captured;
use crate::resolve::resolution::Unresolved;
use crate::terminal::report::Report;

/// An open report.
pub(super) enum ReportFile {
    /// `-`: standard output.
    Output,
    /// A file. If this run created it and no report is written, it is removed.
    File { path: PathBuf, file: File, is_new: bool },
}

impl ReportFile {
    /// Opens the file that the user named, relative to the working directory `at`. Existing content
    /// is kept until the report is written.
    ///
    /// # Errors
    /// The file cannot be opened; the message is pip's.
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

    /// Writes the report over the previous content.
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

    /// Returns the name of the file for messages.
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

/// Returns the output and the exit code of a pip that cannot open its report.
fn cannot_open(named: &Path, error: &io::Error) -> Captured {
    let number = error.raw_os_error().unwrap_or_default();
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let advice =
        if number == Errno::ACCESS.raw_os_error() { "Check the permissions.\n" } else { "" };
    Captured::failed(format!(
        "ERROR: Could not install packages due to an OSError: [Errno {number}] {reason}: '{}'\n\
         {advice}\n",
        named.display()
    ))
}
