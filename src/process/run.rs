//! Ends a run cleanly when the user or the system interrupts it.
//!
//! Owns the signals of this process, the private directory of the run and the id of the running
//! child. On every way out the child has ended and the directory is removed:
//!
//! 1. A handler stores the signal, and the signals thread wakes up.
//! 2. A running child gets the signal, unless Ctrl-C reached it already. The thread waits for its
//!    end; a child that only answers gets further signals after `SIGNAL_GRACE` each.
//! 3. Without a running child, the thread kills a waiting child, removes the directory and ends the
//!    process as the signal would have.
//!
//! The module must not affect a run that is not interrupted.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::sync::{lock, unpoisoned};

/// Signal that Ctrl-C sends.
pub const CTRL_C: i32 = SIGINT;

/// Signals by which a user, a terminal or a system asks a process to end.
const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Number of attempts to remove the private directory.
const REMOVALS: usize = 100;

/// Grace period for a read-only child after a signal. After it the signal is repeated, then SIGTERM
/// is sent. Python loses a signal that arrives during its start, or between a prompt and the
/// reading of the answer (`input` of CPython clears the error of a flush).
const SIGNAL_GRACE: Duration = Duration::from_secs(2);

/// The private directory of one run (mode 0700), and the handling of signals.
///
/// Dropping the value removes the directory. A signal that ends the process removes it, too, after
/// the running child has ended.
#[derive(Debug)]
pub struct Run {
    handle: ChildHandle,
}

/// Handle by which other modules start and await the children of a [`Run`].
#[derive(Clone)]
pub struct ChildHandle(Arc<State>);

struct State {
    current: Mutex<Current>,
    changed: Condvar,
    /// Latest signal, or 0. The handler itself stores it: Ctrl-C reaches pip at the same moment,
    /// and the main thread may notice pip's end before the signals thread runs.
    raised: Arc<AtomicUsize>,
    directory: PathBuf,
}

#[derive(Default)]
struct Current {
    child: Option<Pid>,
    /// Purpose of `child`.
    purpose: Purpose,
    /// A child that waits for its first task.
    waiting: Option<Pid>,
    /// A child ended after a signal; the run exits with that child's code.
    child_ended_after_signal: bool,
    last: Option<Box<dyn FnOnce() + Send>>,
}

/// Purpose of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// A child that answers a question and changes no file. If it ignores a signal, it gets it
    /// again, then SIGTERM.
    Answer,
    /// A child that may change files, and gets as much time to clean up as it needs.
    #[default]
    Change,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Current> {
        // The fields are plain values: a panic of another thread cannot leave them half written.
        lock(&self.current)
    }

    fn interrupted(&self) -> Option<i32> {
        let raised = i32::try_from(self.raised.load(Ordering::SeqCst)).ok();
        raised.filter(|signal| *signal != 0)
    }

    /// Runs `start` under the lock, so that no child starts after a signal was handled.
    fn begin<T>(&self, start: impl FnOnce(&mut Current) -> io::Result<T>) -> io::Result<T> {
        let mut current = self.lock();
        if let Some(signal) = self.interrupted() {
            finish(current, &self.directory, signal);
            return Err(io::ErrorKind::Interrupted.into());
        }
        let started = start(&mut current)?;
        if let (Some(signal), Some(child)) = (self.interrupted(), current.child) {
            // A Ctrl-C at this moment may have reached the child before it could handle signals.
            send_signal(child, signal);
        }
        Ok(started)
    }

    /// Notes that the running child has ended.
    fn ended(&self) {
        let mut current = self.lock();
        current.child = None;
        current.child_ended_after_signal |= self.interrupted().is_some();
        drop(current);
        self.changed.notify_all();
    }

    fn exit_if_interrupted(&self) {
        if let Some(signal) = self.interrupted() {
            finish(self.lock(), &self.directory, signal);
        }
    }
}

impl Run {
    /// Creates the private directory in the first of `places` where a file can be written, and
    /// begins to listen for SIGINT, SIGTERM, SIGHUP and SIGQUIT.
    ///
    /// # Errors
    /// The directory cannot be created in any place, or a handler cannot be installed.
    pub fn begin(places: &[PathBuf]) -> io::Result<Self> {
        let directory = private_directory(places)?.keep();
        let state = Arc::new(State {
            current: Mutex::default(),
            changed: Condvar::new(),
            raised: Arc::default(),
            directory,
        });
        let run = Self { handle: ChildHandle(Arc::clone(&state)) };
        for signal in SIGNALS {
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&state.raised), number)?;
        }
        // With a handler, writing beyond the file size limit (`ulimit -f`) is an error like a full
        // disk; without one, it would end the process.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut signals = Signals::new(SIGNALS)?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(|signal| end(&state, signal)))?;
        Ok(run)
    }

    /// Returns the private directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.handle.0.directory
    }

    /// Creates a directory below the private one; a second one of a name gets a number.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn subdirectory(&self, name: &str) -> io::Result<PathBuf> {
        let mut path = self.directory().join(name);
        let mut number = 1;
        while let Err(error) = std::fs::create_dir(&path) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            number += 1;
            path = self.directory().join(format!("{name}-{number}"));
        }
        Ok(path)
    }

    /// Starts a child, which receives the signals until [`Self::wait`] returns. After a signal,
    /// this function ends the process.
    ///
    /// # Errors
    /// The child cannot be started.
    pub fn spawn(&self, command: &mut Command, purpose: Purpose) -> io::Result<Child> {
        self.handle.0.begin(|current| {
            let child = command.spawn()?;
            current.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            current.purpose = purpose;
            Ok(child)
        })
    }

    /// Waits for the child that [`Self::spawn`] started.
    ///
    /// # Errors
    /// The operating system does not report how the child ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        self.handle.wait(child)
    }

    /// Returns a handle for a child that is started early and gets its tasks later.
    #[must_use]
    pub fn child_handle(&self) -> ChildHandle {
        self.handle.clone()
    }

    /// Sets a function that is called before a signal ends the process, such as one that clears the
    /// terminal's live line.
    pub fn before_exit(&self, last: impl FnOnce() + Send + 'static) {
        self.handle.0.lock().last = Some(Box::new(last));
    }

    /// Returns the signal that asked this run to end, if one did.
    #[must_use]
    pub fn interrupted(&self) -> Option<i32> {
        self.handle.0.interrupted()
    }

    /// Ends the process if a signal has asked this run to end.
    pub fn exit_if_interrupted(&self) {
        self.handle.exit_if_interrupted();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Without a child that ended after the signal, an error of this process is a consequence of
        // the signal; the process ends as by the signal.
        if !self.handle.0.lock().child_ended_after_signal {
            self.exit_if_interrupted();
        }
        remove(&self.handle.0.directory);
    }
}

/// Creates the private directory. The error is that of the first place, which the user may have
/// named.
fn private_directory(places: &[PathBuf]) -> io::Result<tempfile::TempDir> {
    let mut why = None;
    for place in places {
        match private_directory_in(place) {
            Ok(directory) => return Ok(directory),
            Err(error) => why = why.or(Some(error)),
        }
    }
    Err(why.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

fn private_directory_in(place: &Path) -> io::Result<tempfile::TempDir> {
    let directory = tempfile::Builder::new().prefix("pypi-verify-now-").tempdir_in(place)?;
    // On a full disk, a directory may be created although no file can be written.
    let probe = directory.path().join("probe");
    std::fs::write(&probe, "room")?;
    std::fs::remove_file(&probe)?;
    Ok(directory)
}

impl std::fmt::Debug for ChildHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildHandle").finish_non_exhaustive()
    }
}

impl ChildHandle {
    /// Starts a child that waits for its first task. A signal kills it.
    ///
    /// # Errors
    /// As for [`Run::spawn`].
    pub fn spawn_waiting(&self, command: &mut Command) -> io::Result<Child> {
        self.0.begin(|current| {
            let child = command.spawn()?;
            current.waiting = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            Ok(child)
        })
    }

    /// Gives a waiting child a task with `start`. The process whose id `start` returns receives the
    /// signals until [`Self::task_ended`] or [`Self::wait`].
    ///
    /// `start` fails.
    /// It does not begin.
    pub fn start_task(
        &self,
        purpose: Purpose,
        start: impl FnOnce() -> io::Result<i32>,
    ) -> io::Result<()> {
        self.0.begin(|current| {
            current.child = Pid::from_raw(start()?);
            current.purpose = purpose;
            Ok(())
        })
    }

    /// Notes that the task of [`Self::start_task`] has ended.
    pub fn task_ended(&self) {
        self.0.ended();
    }

    /// Waits until the waiting child, or the process that it became, has ended.
    ///
    /// # Errors
    /// The operating system does not report how the child ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = child.wait();
        self.0.lock().waiting = None;
        self.0.ended();
        status
    }

    /// Ends the process after a signal, as [`Run::exit_if_interrupted`] does.
    pub fn exit_if_interrupted(&self) {
        self.0.exit_if_interrupted();
    }
}

/// Handles a signal in the signals thread: passes it to the running child and waits for its end, or
/// ends the process as the signal would have.
fn end(state: &State, signal: i32) {
    let mut current = state.lock();
    if let Some(child) = current.child {
        // Ctrl-C reaches the whole foreground group, pip included. Passed on, it would be a second
        // one, which interrupts pip's own clean-up.
        let from_terminal = matches!(signal, SIGINT | SIGQUIT) && in_foreground();
        if !from_terminal {
            send_signal(child, signal);
        }
        let mut next = signal;
        // The main thread notices the child's end and exits with its code.
        while current.child.is_some() {
            let waited = state.changed.wait_timeout(current, SIGNAL_GRACE);
            let (again, time) = unpoisoned(waited);
            current = again;
            if let (true, Purpose::Answer, Some(child)) =
                (time.timed_out(), current.purpose, current.child)
            {
                send_signal(child, next);
                next = SIGTERM;
            }
        }
    } else if !current.child_ended_after_signal {
        finish(current, &state.directory, signal);
    }
}

fn send_signal(child: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        let _ = kill_process(child, signal);
    }
}

/// Cleans up and ends the process as the signal would have. The lock is held until the end, so that
/// no child starts meanwhile.
fn finish(mut current: MutexGuard<'_, Current>, directory: &Path, signal: i32) {
    if let Some(waiting) = current.waiting.take() {
        let _ = kill_process(waiting, Signal::KILL);
        let _ = waitpid(Some(waiting), WaitOptions::empty());
    }
    if let Some(last) = current.last.take() {
        last();
    }
    remove(directory);
    if signal == SIGINT {
        // pip's own exit code for a cancelled run.
        #[allow(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "a signal ends the process; there is no caller to return to"
        )]
        std::process::exit(1);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Removes the private directory. Fetching threads are not awaited: one of them may write a file
/// into the directory during its removal, so that the removal is repeated.
fn remove(directory: &Path) {
    (0..REMOVALS).find(|_| std::fs::remove_dir_all(directory).is_ok() || !directory.exists());
}

/// Whether this process is in the foreground group of a terminal, to which Ctrl-C goes.
fn in_foreground() -> bool {
    let terminal = rustix::termios::tcgetpgrp(rustix::stdio::stdin())
        .or_else(|_| rustix::termios::tcgetpgrp(rustix::stdio::stderr()));
    terminal.is_ok_and(|group| group == rustix::process::getpgrp())
}
