//! One interpreter for all that is asked of pip in a run, so that it starts and imports once.
//!
//! Owns the process that waits for orders and the way they are given. What pip is asked while it
//! resolves is a fork of that process, under the guard; the last order makes the process itself the
//! pip that installs. It has run nothing until then but its own start and pip's imports, and it is
//! not guarded. Decides nothing; where it cannot be had, each question starts a pip of its own.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus};

use rustix::io::{FdFlags, fcntl_setfd};
use serde::Serialize;

use crate::pip::run::{Captured, Cause, Environment, Pip, read_with_prompts};
use crate::process::run::{ChildHandle, Purpose, Run};

/// How much of a console script is read; they have a dozen lines.
const SCRIPT: u64 = 4096;

/// What every script says that an installer makes for pip.
const IMPORT: &str = "from pip._internal.cli.main import ";

/// How the lines begin of which such a script consists.
const LINES: [&str; 9] = [
    "#",
    "import re",
    "import sys",
    IMPORT,
    "if __name__ == ",
    "if sys.argv[0].endswith(",
    "elif sys.argv[0].endswith(",
    "sys.argv[0] = ",
    "sys.exit(",
];

/// The process that waits. With the value it ends.
#[derive(Debug)]
pub struct Standby {
    run: ChildHandle,
    child: Child,
    orders: UnixStream,
    answers: BufReader<UnixStream>,
    streams: Option<(PipeReader, PipeReader)>,
}

/// What it is told, as `guard.py` reads it. Text is bytes, whatever its encoding.
#[derive(Serialize)]
struct Order<'a> {
    /// Whether a fork does it, under the guard.
    fork: bool,
    argv: Vec<&'a [u8]>,
    set: Vec<(&'a [u8], &'a [u8])>,
    remove: &'a [&'static str],
    /// Where standard output and error of a fork go; nothing for the pipes.
    files: Vec<&'a [u8]>,
}

/// Which process does as it is ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Fork,
    Itself,
}

impl Standby {
    /// Starts it, under the environment of the guard; nothing where this pip cannot be had so: it
    /// must be the script that installers make, since what wraps pip may do more than start it.
    ///
    /// # Errors
    /// The process cannot be started, or the run has been ended.
    pub fn start(pip: &Pip, run: &Run, environment: &Environment) -> io::Result<Option<Self>> {
        if !cfg!(target_os = "linux") || !is_console_script(&pip.program) {
            return Ok(None);
        }
        let (orders, theirs) = UnixStream::pair()?;
        let (stdout, their_stdout) = io::pipe()?;
        let (stderr, their_stderr) = io::pipe()?;
        let kept = [theirs.as_fd(), their_stdout.as_fd(), their_stderr.as_fd()];
        for fd in kept {
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        let numbers = kept.map(|fd| fd.as_raw_fd().to_string()).join(",");
        let mut environment = environment.clone();
        environment.set.push(("PYPI_VERIFY_NOW_STANDBY".into(), numbers.into()));
        // Whoever does not load the guard, and so takes no orders, does nothing of consequence.
        let mut command = pip.command(&["--version".into()], &environment);
        let run = run.child_handle();
        let child = run.spawn_waiting(&mut command)?;
        drop((theirs, their_stdout, their_stderr));
        let answers = BufReader::new(orders.try_clone()?);
        let mut standby = Self { run, child, orders, answers, streams: Some((stdout, stderr)) };
        standby.number()?;
        Ok(Some(standby))
    }

    /// Whether a question can still be asked with [`Self::resolve`].
    #[must_use]
    pub const fn can_resolve(&self) -> bool {
        self.streams.is_some()
    }

    /// Runs a guarded pip that asks nothing; what it prints goes through `directory`.
    ///
    /// # Errors
    /// It could not be run.
    pub fn ask(
        &mut self,
        arguments: &[OsString],
        environment: &Environment,
        directory: &Path,
    ) -> io::Result<Captured> {
        let files = [directory.join("stdout"), directory.join("stderr")];
        self.fork(arguments, environment, &files.each_ref().map(|path| path.as_os_str()))?;
        let status = self.ended()?;
        let [stdout, stderr] = files.map(std::fs::read);
        Ok(Captured { status, stdout: stdout?, stderr: stderr?, cause: Cause::Unseen })
    }

    /// Runs a guarded pip, as [`Pip::capture`] does; possible once.
    ///
    /// # Errors
    /// It could not be run.
    pub fn resolve(
        &mut self,
        arguments: &[OsString],
        environment: &Environment,
        prompt: impl FnMut(&str) + Send,
    ) -> io::Result<Captured> {
        let (stdout, mut stderr) = self.streams.take().ok_or(io::ErrorKind::NotFound)?;
        self.fork(arguments, environment, &[])?;
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stdout = scope.spawn(move || read_with_prompts(Some(stdout), prompt));
            let mut errors = Vec::new();
            let read = stderr.read_to_end(&mut errors);
            let stdout = stdout.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            (stdout, read.map(|_| errors))
        });
        let status = self.ended()?;
        Ok(Captured { status, stdout: stdout?, stderr: stderr?, cause: Cause::Unseen })
    }

    /// Becomes the pip that installs, with our own standard input, output and error and without
    /// the guard, and is waited for.
    ///
    /// # Errors
    /// It could not be run.
    pub fn install(
        mut self,
        arguments: &[OsString],
        environment: &Environment,
    ) -> io::Result<ExitStatus> {
        self.streams = None;
        let order = line(Who::Itself, arguments, environment, &[])?;
        let run = self.run.clone();
        run.start_task(Purpose::Change, || {
            self.orders.write_all(&order)?;
            self.number()
        })?;
        self.run.wait(&mut self.child)
    }

    fn fork(
        &mut self,
        arguments: &[OsString],
        environment: &Environment,
        files: &[&OsStr],
    ) -> io::Result<()> {
        let order = line(Who::Fork, arguments, environment, files)?;
        let run = self.run.clone();
        run.start_task(Purpose::Answer, || {
            self.orders.write_all(&order)?;
            self.number()
        })
    }

    /// Waits until the fork has ended; says how.
    fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.number();
        self.run.task_ended();
        let status = status.map(ExitStatus::from_raw)?;
        if status.success() {
            // It may have been done before a signal reached it; the run goes no further then.
            self.run.exit_if_interrupted();
        }
        Ok(status)
    }

    fn number(&mut self) -> io::Result<i32> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.trim().parse().map_err(io::Error::other)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        // It ends when nobody gives orders any more.
        let _ = self.orders.shutdown(std::net::Shutdown::Both);
        let _ = self.run.wait(&mut self.child);
    }
}

fn line(
    who: Who,
    arguments: &[OsString],
    environment: &Environment,
    files: &[&OsStr],
) -> io::Result<Vec<u8>> {
    let set = environment.set.iter();
    let order = Order {
        fork: who == Who::Fork,
        argv: arguments.iter().map(|word| word.as_bytes()).collect(),
        set: set.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        remove: &environment.remove,
        files: files.iter().map(|path| path.as_bytes()).collect(),
    };
    let mut line = serde_json::to_vec(&order).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Whether a file is the script that installers make for pip: nothing stands between it and an
/// interpreter that heeds `PYTHONPATH`, and it does nothing but call pip.
fn is_console_script(program: &Path) -> bool {
    let mut text = String::new();
    let read = std::fs::File::open(program)
        .and_then(|file| file.take(SCRIPT).read_to_string(&mut text).map(drop));
    let mut lines = text.lines();
    let interpreter = lines.next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    let is_python = interpreter.rsplit('/').next().is_some_and(|name| name.starts_with("python"));
    let is_known = |line: &str| {
        let line = line.trim();
        line.is_empty() || LINES.iter().any(|known| line.starts_with(known))
    };
    read.is_ok()
        && interpreter.starts_with('/')
        && is_python
        && !interpreter.contains(char::is_whitespace)
        && text.lines().any(|line| line.starts_with(IMPORT))
        && lines.all(is_known)
}
