//! The standby: one Python process for all pips of a run, so that Python starts and imports once.
//!
//! The process loads the guard, which has it wait for orders (`guard/standby.py`). Each order is a
//! line of JSON on a socket; the answers are numbers, a line each:
//!
//! ```text
//! < 4711                                                          its own process id
//! > {"fork":true,"argv":[[105,110]],"set":[],"remove":[],"files":[]}
//! < 4712                                                          the process that is pip now
//! < 0                                                             the wait status of the fork
//! ```
//!
//! A pip that resolves is a fork, under the guard. The last order makes the process itself the pip
//! that installs: it is not guarded, and until then it has only started and imported pip.
//!
//! Decides nothing about packages. A pip that cannot have a standby is started for each question.

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

/// The maximum size of a console script in bytes. They have a dozen lines.
const MAX_SCRIPT: u64 = 4096;

/// The line that stands in every script that an installer makes for pip.
const IMPORT: &str = "from pip._internal.cli.main import ";

/// The beginnings of all lines in such scripts.
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

/// The process that waits. Dropping the value ends it.
#[derive(Debug)]
pub struct Standby {
    run: ChildHandle,
    child: Child,
    orders: UnixStream,
    answers: BufReader<UnixStream>,
    /// The standard output and error of the one fork that may ask the user something.
    streams: Option<(PipeReader, PipeReader)>,
}

/// An order, as `guard/standby.py` reads it. Text is bytes, since it may be no UTF-8.
#[derive(Serialize)]
struct Order<'a> {
    /// Whether a fork becomes pip, under the guard, or the process itself.
    fork: bool,
    argv: Vec<&'a [u8]>,
    set: Vec<(&'a [u8], &'a [u8])>,
    remove: &'a [String],
    /// The files for a fork's standard output and error. Empty: the pipes.
    files: Vec<&'a [u8]>,
}

/// The process that an order makes pip.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    Fork,
    Itself,
}

impl Standby {
    /// Starts the process, in the environment of the guard.
    ///
    /// Returns `None` if `pip` is not the script that installers make. A wrapper may do more than
    /// start pip, which would be done once and not for each pip.
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
        // An interpreter that does not load the guard prints its pip's version and ends.
        let mut command = pip.command(&["--version".into()], &environment);
        let run = run.child_handle();
        let child = run.spawn_waiting(&mut command)?;
        drop((theirs, their_stdout, their_stderr));
        let answers = BufReader::new(orders.try_clone()?);
        let mut standby = Self { run, child, orders, answers, streams: Some((stdout, stderr)) };
        standby.read_number()?;
        Ok(Some(standby))
    }

    /// Tells whether [`Self::resolve`] is still possible.
    #[must_use]
    pub const fn can_resolve(&self) -> bool {
        self.streams.is_some()
    }

    /// Runs a guarded pip that has no prompts. Its output goes to files in `directory`.
    ///
    /// # Errors
    /// The process has ended or cannot be reached, or the run has been ended.
    pub fn ask(
        &mut self,
        arguments: &[OsString],
        environment: &Environment,
        directory: &Path,
    ) -> io::Result<Captured> {
        let files = [directory.join("stdout"), directory.join("stderr")];
        self.fork(arguments, environment, &files.each_ref().map(|path| path.as_os_str()))?;
        let status = self.wait_for_fork()?;
        let [stdout, stderr] = files.map(std::fs::read);
        Ok(Captured { status, stdout: stdout?, stderr: stderr?, cause: Cause::Unseen })
    }

    /// Runs a guarded pip as [`Pip::capture`] does, with its questions to the user. Possible once.
    ///
    /// # Errors
    /// The process has ended or cannot be reached, or the run has been ended.
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
        let status = self.wait_for_fork()?;
        Ok(Captured { status, stdout: stdout?, stderr: stderr?, cause: Cause::Unseen })
    }

    /// Makes the process the pip that installs, and waits for its end.
    ///
    /// That pip has our own standard input, output and error, and no guard.
    ///
    /// # Errors
    /// The process has ended or cannot be reached, or the run has been ended.
    pub fn install(
        mut self,
        arguments: &[OsString],
        environment: &Environment,
    ) -> io::Result<ExitStatus> {
        self.streams = None;
        let order = order_line(Runner::Itself, arguments, environment, &[])?;
        let run = self.run.clone();
        run.start_task(Purpose::Change, || {
            self.orders.write_all(&order)?;
            self.read_number()
        })?;
        self.run.wait(&mut self.child)
    }

    fn fork(
        &mut self,
        arguments: &[OsString],
        environment: &Environment,
        files: &[&OsStr],
    ) -> io::Result<()> {
        let order = order_line(Runner::Fork, arguments, environment, files)?;
        let run = self.run.clone();
        run.start_task(Purpose::Answer, || {
            self.orders.write_all(&order)?;
            self.read_number()
        })
    }

    /// Waits until the fork has ended, and returns its status.
    fn wait_for_fork(&mut self) -> io::Result<ExitStatus> {
        let status = self.read_number();
        self.run.task_ended();
        let status = status.map(ExitStatus::from_raw)?;
        if status.success() {
            // A signal may have come too late to stop the fork; it ends the run here.
            self.run.exit_if_interrupted();
        }
        Ok(status)
    }

    fn read_number(&mut self) -> io::Result<i32> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.trim().parse().map_err(io::Error::other)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        // The process ends at the end of its orders.
        let _ = self.orders.shutdown(std::net::Shutdown::Both);
        let _ = self.run.wait(&mut self.child);
    }
}

/// Returns the line of an order.
fn order_line(
    runner: Runner,
    arguments: &[OsString],
    environment: &Environment,
    files: &[&OsStr],
) -> io::Result<Vec<u8>> {
    let set = environment.set.iter();
    let order = Order {
        fork: runner == Runner::Fork,
        argv: arguments.iter().map(|word| word.as_bytes()).collect(),
        set: set.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        remove: &environment.remove,
        files: files.iter().map(|path| path.as_bytes()).collect(),
    };
    let mut line = serde_json::to_vec(&order).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Tells whether a file is the script that installers make for pip.
///
/// 1. Its first line names a Python by its absolute path, without options: `-I` and `-E` would
///    ignore `PYTHONPATH`, and a program that is no Python may do anything.
/// 2. It imports pip's `main`.
/// 3. Every other line is one of those that installers write, so it only calls pip.
fn is_console_script(program: &Path) -> bool {
    let mut text = String::new();
    let read = std::fs::File::open(program)
        .and_then(|file| file.take(MAX_SCRIPT).read_to_string(&mut text).map(drop));
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
