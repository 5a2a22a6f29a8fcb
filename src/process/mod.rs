//! The operating system's side of this process: arguments, environment, working directory, user,
//! terminal.
//!
//! The only reader of these. Everything below gets plain values, so that it can be tested without
//! a process of its own. Changes none of them.

pub mod run;
pub mod switch;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use crate::failure::{Failure, Status};

/// What the operating system handed to this process.
#[derive(Debug, Clone)]
pub struct Process {
    /// The name this process was started under (`argv[0]`).
    pub invoked_as: OsString,
    /// The arguments after it, byte for byte.
    pub arguments: Vec<OsString>,
    /// The working directory; `.` where it has no path, see [`Self::located`].
    pub directory: PathBuf,
    /// The effective user id.
    pub user: u32,
    /// The effective group id.
    pub group: u32,
    /// The path of this program's own file.
    pub executable: PathBuf,
    /// Whether a person can be asked: standard input and standard error are both a terminal.
    pub interactive: bool,
    /// Whether standard error is a terminal on which a line can be drawn again.
    pub redraws: bool,
    /// Why the working directory has no path: it was removed, say.
    lost: Option<String>,
    environment: BTreeMap<OsString, OsString>,
}

impl Process {
    /// Reads this process.
    ///
    /// # Errors
    /// The program's own file cannot be found.
    pub fn current() -> std::io::Result<Self> {
        let mut arguments = std::env::args_os();
        let executable = std::env::current_exe()?;
        let (directory, lost) = match std::env::current_dir() {
            Ok(directory) => (directory, None),
            Err(error) => (PathBuf::from("."), Some(error.to_string())),
        };
        Ok(Self {
            invoked_as: arguments.next().unwrap_or_else(|| executable.clone().into_os_string()),
            arguments: arguments.collect(),
            directory,
            user: geteuid().as_raw(),
            group: getegid().as_raw(),
            executable,
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            redraws: std::io::stderr().is_terminal() && !is_dumb(std::env::var_os("TERM")),
            lost,
            environment: std::env::vars_os().collect(),
        })
    }

    /// That the working directory has a path. What only hands over to pip does without.
    ///
    /// # Errors
    /// It has none.
    pub fn located(&self) -> Result<(), Failure> {
        let Some(why) = &self.lost else { return Ok(()) };
        let message = format!("cannot find out where this process runs: {why}");
        let failure = Failure::new(Status::CouldNotCheck, message);
        Err(failure.hint("change to a directory that exists"))
    }

    /// The file name part of the name this process was started under.
    #[must_use]
    pub fn command_name(&self) -> &OsStr {
        Path::new(&self.invoked_as).file_name().unwrap_or(&self.invoked_as)
    }

    /// The value of an environment variable; an empty one counts as absent, as it does for pip.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }

    /// The same as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.variable(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// One of our own settings: `PYPI_VERIFY_NOW_NAME`, which wins, or `NAME` alone.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&OsStr> {
        self.named_setting(name).map(|(_, value)| value)
    }

    /// The same, with the variable that it comes from.
    fn named_setting(&self, name: &str) -> Option<(String, &OsStr)> {
        let names = [format!("PYPI_VERIFY_NOW_{name}"), name.to_owned()];
        names.into_iter().find_map(|name| self.variable(&name).map(|value| (name.clone(), value)))
    }

    /// Whether one of our own settings is switched on, in the words that pip takes for its own.
    ///
    /// # Errors
    /// It is set to a word that is neither on nor off: what was meant cannot be told.
    pub fn switched_on(&self, name: &str) -> Result<bool, Failure> {
        let Some((name, value)) = self.named_setting(name) else { return Ok(false) };
        let word = value.to_string_lossy();
        switch::read(&word).ok_or_else(|| {
            let message = format!("{name}={word} is neither on nor off");
            Failure::new(Status::Usage, message)
                .hint(format!("switch it on with {name}=1, or off with {name}=0"))
        })
    }

    /// Whether a variable of somebody else's is switched on: set, and not `0`, `false`, `no` or
    /// `off`. `CI` may hold the name of a service.
    #[must_use]
    pub fn variable_is_on(&self, name: &str) -> bool {
        self.variable(name).is_some_and(is_on)
    }

    /// Where temporary files may go, in the order in which Python's `tempfile`, and so pip, tries
    /// them: the first counts in which a file can be written.
    #[must_use]
    pub fn temporary_directories(&self) -> Vec<PathBuf> {
        let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(|name| self.variable(name));
        let usual = ["/tmp", "/var/tmp", "/usr/tmp"].map(OsStr::new);
        let places = named.chain(usual).map(|place| self.directory.join(place));
        places.chain([self.directory.clone()]).collect()
    }
}

/// Whether a terminal of this name can do nothing but go on; pip asks the same.
fn is_dumb(term: Option<OsString>) -> bool {
    term.is_some_and(|term| term == "dumb" || term == "unknown")
}

fn is_on(value: &OsStr) -> bool {
    !matches!(value.to_string_lossy().to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}
