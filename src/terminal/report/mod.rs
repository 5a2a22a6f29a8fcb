//! The printer: all output of this program to its standard streams.
//!
//! Owns the streams. Verdicts of the tool and text that the user requested go to standard output,
//! all other lines to standard error. Printed text is escaped. The printer must not decide
//! anything.

mod live;

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;

pub use live::Live;

use crate::failure::{Failure, Status};
use crate::terminal::escape::{as_of_pip, escape};

/// Printer of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    volume: Volume,
}

/// Volume of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// As [`Volume::Normal`], and the files by which the run judges: `-v`.
    Verbose,
    /// News, warnings and failures.
    Normal,
    /// Warnings and failures: `-q`.
    Quiet,
}

/// Prefix of each line of ours beside pip's output.
const MARK: &str = "pypi-verify-now";

impl Report {
    /// Makes a printer with this volume.
    #[must_use]
    pub const fn new(volume: Volume) -> Self {
        Self { volume }
    }

    /// Prints one line of good news, except under [`Volume::Quiet`].
    pub fn news(self, text: &str) {
        if self.volume != Volume::Quiet {
            error_line(&format!("{MARK}: {}", escape(text)));
        }
    }

    /// Prints one line about how the run proceeds, only under [`Volume::Verbose`].
    pub fn explain(self, text: &str) {
        if self.volume == Volume::Verbose {
            self.news(text);
        }
    }

    /// Prints a warning under every volume.
    pub fn warn(self, text: &str) {
        error_line(&format!("{MARK}: warning: {}", escape(text)));
    }

    /// Prints a line that belongs to the failure after it.
    pub fn detail(self, text: &str) {
        error_line(&escape(text));
    }

    /// Prints the failure and its hints, and returns the exit code.
    #[must_use]
    pub fn fail(self, failure: &Failure) -> ExitCode {
        error_line(&format!("error: {}", escape(&failure.message)));
        for hint in &failure.hints {
            error_line(&format!("hint: {}", escape(hint)));
        }
        exit_code(failure.status)
    }

    /// Prints a line of the answer on standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn answer(self, text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", escape(text))
    }

    /// Prints trusted text, such as help or shell code, unescaped on standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn bytes(self, text: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text)?;
        out.flush()
    }

    /// Prints trusted text about a wrong command line, unescaped on standard error.
    pub fn usage(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints the output of a pip that failed on the streams it was meant for, in a form that
    /// cannot pass for ours.
    pub fn replay(self, stdout: &[u8], stderr: &[u8]) {
        // A closed stream must not change the exit code of pip.
        let _ = io::stdout().lock().write_all(as_of_pip(stdout).as_bytes());
        let _ = io::stdout().lock().flush();
        let _ = io::stderr().lock().write_all(as_of_pip(stderr).as_bytes());
    }

    /// Prints the next step after a failure that pip itself has printed.
    pub fn hint(self, text: &str) {
        error_line(&format!("hint: {}", escape(text)));
    }

    /// Prints a question of pip's that is answered on the same line.
    pub fn prompt(self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(escape(text).as_bytes());
        let _ = err.flush();
    }

    /// Asks the person at the terminal. Any answer but `y` or `yes` means no.
    #[must_use]
    pub fn ask(self, question: &str) -> bool {
        self.prompt(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// Returns the exit code of a status.
#[must_use]
pub fn exit_code(status: Status) -> ExitCode {
    ExitCode::from(status.code())
}

fn error_line(text: &str) {
    // If standard error is closed, the exit code still reports the result.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
