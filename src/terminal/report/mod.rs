//! What the user gets to read.
//!
//! The only printer. Everything goes to standard error but the tool's verdict lines and what
//! somebody asked to be printed. Escapes what it prints; decides nothing.

mod live;

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;

pub use live::Live;

use crate::failure::{Failure, Status};
use crate::terminal::escape::{as_of_pip, escape};

/// Prints for one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    volume: Volume,
}

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// The same as [`Volume::Normal`], and by which files the run judges: `-v`.
    Verbose,
    /// News, warnings and failures.
    Normal,
    /// Warnings and failures: `-q`.
    Quiet,
}

/// What stands before each line of ours beside pip's output.
const MARK: &str = "pypi-verify-now";

impl Report {
    /// A report of this volume.
    #[must_use]
    pub const fn new(volume: Volume) -> Self {
        Self { volume }
    }

    /// Good news: one line, not printed under [`Volume::Quiet`].
    pub fn news(self, text: &str) {
        if self.volume != Volume::Quiet {
            error_line(&format!("{MARK}: {}", escape(text)));
        }
    }

    /// How the run goes about it: one line, printed under [`Volume::Verbose`] alone.
    pub fn explain(self, text: &str) {
        if self.volume == Volume::Verbose {
            self.news(text);
        }
    }

    /// Something that must be seen.
    pub fn warn(self, text: &str) {
        error_line(&format!("{MARK}: warning: {}", escape(text)));
    }

    /// Lines that belong to a failure and come before it.
    pub fn detail(self, text: &str) {
        error_line(&escape(text));
    }

    /// Ends a run: the failure, its hints, and the exit code.
    #[must_use]
    pub fn fail(self, failure: &Failure) -> ExitCode {
        error_line(&format!("error: {}", escape(&failure.message)));
        for hint in &failure.hints {
            error_line(&format!("hint: {}", escape(hint)));
        }
        exit_code(failure.status)
    }

    /// A line of the answer, on standard output.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn answer(self, text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", escape(text))
    }

    /// Text of ours, as it is, on standard output: help, shell code.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn bytes(self, text: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text)?;
        out.flush()
    }

    /// Text of ours about a wrong command line, as it is, on standard error.
    pub fn usage(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// What a pip that failed had printed, on the streams it was meant for, in a form that nobody
    /// takes for ours.
    pub fn replay(self, stdout: &[u8], stderr: &[u8]) {
        // A closed stream is no reason to fail otherwise than pip did.
        let _ = io::stdout().lock().write_all(as_of_pip(stdout).as_bytes());
        let _ = io::stdout().lock().flush();
        let _ = io::stderr().lock().write_all(as_of_pip(stderr).as_bytes());
    }

    /// The next step, where the failure itself was told by pip.
    pub fn hint(self, text: &str) {
        error_line(&format!("hint: {}", escape(text)));
    }

    /// A question of pip's that waits for an answer on the same line.
    pub fn prompt(self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(escape(text).as_bytes());
        let _ = err.flush();
    }

    /// Asks the person at the terminal; anything but `y` or `yes` is no.
    #[must_use]
    pub fn ask(self, question: &str) -> bool {
        self.prompt(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// The exit code of a status.
#[must_use]
pub fn exit_code(status: Status) -> ExitCode {
    ExitCode::from(status as u8)
}

fn error_line(text: &str) {
    // Nobody reads standard error if it is closed; the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
