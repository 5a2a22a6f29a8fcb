//! State of this process: arguments, environment, working directory, user, terminal.
//!
//! Owns all reading of that state. Other modules get plain values, so that tests need no process of
//! their own. The module must not change the state.

pub mod run;
pub mod switch;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use crate::failure::{Failure, Status};

/// Arguments, environment and other state of this process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Name that this process was started under (`argv[0]`).
    pub invoked_as: OsString,
    /// Arguments after the name, byte for byte.
    pub arguments: Vec<OsString>,
    /// Working directory; `.` if it has no path, see [`Self::located`].
    pub directory: PathBuf,
    /// Effective user id.
    pub user: u32,
    /// Effective group id.
    pub group: u32,
    /// Path of this program's own file.
    pub executable: PathBuf,
    /// Whether a person can be asked: standard input and standard error are both a terminal.
    pub interactive: bool,
    /// Whether standard error is a terminal on which a line can be redrawn.
    pub redraws: bool,
    /// Why the working directory has no path, such as after its removal.
    lost: Option<String>,
    environment: BTreeMap<OsString, OsString>,
}

impl Process {
    /// Reads the state of this process.
    ///
    /// # Errors
    /// The path of the program's own file cannot be found.
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

    /// Checks that the working directory has a path. Only a hand-over to pip does without.
    ///
    /// # Errors
    /// The working directory has no path.
    pub fn located(&self) -> Result<(), Failure> {
        let Some(why) = &self.lost else { return Ok(()) };
        let message = format!("cannot find out where this process runs: {why}");
        let failure = Failure::new(Status::CouldNotCheck, message);
        Err(failure.hint("change to a directory that exists"))
    }

    /// Returns the file name in [`Self::invoked_as`].
    #[must_use]
    pub fn command_name(&self) -> &OsStr {
        Path::new(&self.invoked_as).file_name().unwrap_or(&self.invoked_as)
    }

    /// Returns an environment variable, or `None` if it is absent or empty, as for pip.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|v| !v.is_empty())
    }

    /// Returns the names of all environment variables.
    #[must_use]
    pub fn variable_names(&self) -> Vec<OsString> {
        self.environment.keys().cloned().collect()
    }

    /// Returns an environment variable as text; invalid UTF-8 is replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.variable(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns one of our own settings: `PYPI_VERIFY_NOW_NAME`, else `NAME`.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&OsStr> {
        self.named_setting(name).map(|(_, value)| value)
    }

    /// Returns one of our own settings with the name of its variable.
    fn named_setting(&self, name: &str) -> Option<(String, &OsStr)> {
        let names = [format!("PYPI_VERIFY_NOW_{name}"), name.to_owned()];
        names.into_iter().find_map(|name| self.variable(&name).map(|value| (name.clone(), value)))
    }

    /// Whether one of our own settings is on. The words are those of pip's switches.
    ///
    /// # Errors
    /// The value means neither on nor off.
    pub fn switched_on(&self, name: &str) -> Result<bool, Failure> {
        let Some((name, value)) = self.named_setting(name) else { return Ok(false) };
        let word = value.to_string_lossy();
        switch::read(&word).ok_or_else(|| {
            let message = format!("{name}={word} is neither on nor off");
            Failure::new(Status::Usage, message)
                .hint(format!("switch it on with {name}=1, or off with {name}=0"))
        })
    }

    /// Whether a variable of another program is on: set, and not `0`, `false`, `no` or `off`. `CI`
    /// may contain the name of a service.
    #[must_use]
    pub fn variable_is_on(&self, name: &str) -> bool {
        self.variable(name).is_some_and(is_on)
    }

    /// Returns the directories for temporary files in the order in which Python's `tempfile`, and
    /// so pip, tries them. The first one is used in which a file can be written.
    #[must_use]
    pub fn temporary_directories(&self) -> Vec<PathBuf> {
        let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(|name| self.variable(name));
        let usual = ["/tmp", "/var/tmp", "/usr/tmp"].map(OsStr::new);
        let places = named.chain(usual).map(|place| self.directory.join(place));
        places.chain([self.directory.clone()]).collect()
    }
}

/// Whether a terminal of this name cannot redraw a line; the check is pip's.
fn is_dumb(term: Option<OsString>) -> bool {
    term.is_some_and(|term| term == "dumb" || term == "unknown")
}

fn is_on(value: &OsStr) -> bool {
    !matches!(value.to_string_lossy().to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}
