//! One command of a test, and what came of it.
//!
//! Output is captured and standard input is empty, so that nobody is at a terminal. A command that
//! does not end is killed after [`PATIENCE`]; an [`Outcome`] that is not the expected one shows
//! all that was said.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a command may take, on a machine with more work than cores.
const PATIENCE: Duration = Duration::from_secs(300);

/// A command to be run.
#[derive(Debug, Clone)]
pub struct Run {
    program: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    stdin: Vec<u8>,
}

/// The outcome of a command.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code, or 128 and the signal, as shells have it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    shown: String,
}

impl Run {
    pub(super) fn new<S: AsRef<OsStr>>(
        program: &OsStr,
        args: impl IntoIterator<Item = S>,
        env: BTreeMap<OsString, OsString>,
        cwd: PathBuf,
    ) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Self { program: program.to_owned(), args, env, cwd, stdin: Vec::new() }
    }

    /// One more variable, or another value.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Without this variable.
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(OsStr::new(name));
        self
    }

    /// In this directory, relative to the project's.
    pub fn cwd(mut self, path: &str) -> Self {
        self.cwd.push(path);
        self
    }

    /// With this on standard input.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// Returns a [`Command`], for a test that needs a terminal, a signal or a process group.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env).current_dir(&self.cwd);
        command
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pid = Pid::from_child(&child);
        let (ended, end) = channel::<()>();
        let mut stdin = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            // A command that reads nothing closes the pipe first; that is no failure.
            scope.spawn(move || stdin.write_all(&self.stdin));
            scope.spawn(move || {
                if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            });
            let output = child.wait_with_output().unwrap();
            drop(ended);
            output
        });
        let signal = || 128 + output.status.signal().unwrap_or_default();
        let (program, args) = (self.program.display(), self.args.join(OsStr::new(" ")));
        Outcome {
            status: output.status.code().unwrap_or_else(signal),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown: format!("{program} {}", args.display()),
        }
    }
}

impl Outcome {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(&self, status: i32) -> &Self {
        assert!(self.status == status, "expected exit {status} of {self}");
        self
    }

    /// Asserts that standard output has this text.
    #[track_caller]
    pub fn stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "expected {text:?} on the stdout of {self}");
        self
    }

    /// Asserts that standard error has this text.
    #[track_caller]
    pub fn stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "expected {text:?} on the stderr of {self}");
        self
    }

    /// Asserts that neither output has this text.
    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!said, "expected no {text:?} of {self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, stdout, stderr, shown } = self;
        write!(f, "`{shown}`, exit {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
