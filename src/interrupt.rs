//! What happens when the user, or the system, ends a run early.
//!
//! Owns the signals of this process, the private directory of the run and the knowledge of which
//! child is running: on every way out the child is gone and the directory removed. Decides
//! nothing else; a run that is not interrupted never notices it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// What Ctrl-C sends.
pub const CTRL_C: i32 = SIGINT;

/// The private directory of one run (mode 0700), and the guard over it.
///
/// Dropping it removes the directory. A signal that ends the process does so too, after the child
/// that is running, if any, has ended.
pub struct Run {
    directory: Option<tempfile::TempDir>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    current: Mutex<Current>,
    changed: Condvar,
    /// The last signal that came, dealt with or not; 0 for none. Set by the handler itself, so that
    /// no thread sees what came later before it.
    came: Arc<AtomicUsize>,
}

/// What a child is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// It answers a question and changes nothing: one that does not heed a signal is ended.
    Answer,
    /// It may be changing something; it is left to clear up as long as it takes.
    #[default]
    Change,
}

/// How long a child that only answers may take to heed a signal. One that comes while Python starts
/// may be lost on it.
const HEED: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Current {
    child: Option<Pid>,
    /// What that child is there for.
    purpose: Purpose,
    /// A child that does nothing yet.
    waiting: Option<Pid>,
    signal: Option<i32>,
    /// Whether the signals thread is about to end the process.
    ending: bool,
    last: Option<Box<dyn FnOnce() + Send>>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Current> {
        // The data is two plain values: a panic elsewhere cannot leave them half written.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Makes the private directory and begins to listen for SIGINT, SIGTERM, SIGHUP and SIGQUIT.
    ///
    /// # Errors
    /// The directory cannot be made, or the signals cannot be listened to.
    pub fn begin() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("pypi-verify-now-").tempdir()?;
        let state = Arc::new(State::default());
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&state.came), number)?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let (listener, path) = (Arc::clone(&state), directory.path().to_owned());
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(|signal| end(&listener, &path, signal)))?;
        Ok(Self { directory: Some(directory), state })
    }

    /// The private directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.as_ref().map_or_else(|| Path::new(""), tempfile::TempDir::path)
    }

    /// A new directory below the private one; a second one of a name gets a number.
    ///
    /// # Errors
    /// It cannot be made.
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

    /// Starts a child, which until [`Self::wait`] returns is the one that signals go to.
    ///
    /// # Errors
    /// It cannot be started, or a signal has ended the run already.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        // Under the lock, so that no child is started behind the back of a signal.
        let mut current = self.state.lock();
        if current.signal.is_some() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        current.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        current.purpose = Purpose::Change;
        Ok(child)
    }

    /// Who starts and waits for a child that is told what to do later.
    #[must_use]
    pub fn attendant(&self) -> Attendant {
        Attendant(Arc::clone(&self.state))
    }

    /// Waits for the child that [`Self::spawn`] started.
    ///
    /// # Errors
    /// The operating system will not say how it ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = child.wait();
        self.state.lock().child = None;
        self.state.changed.notify_all();
        status
    }

    /// What is done before a signal ends the process, such as clearing a line of the terminal.
    pub fn before_the_end(&self, last: impl FnOnce() + Send + 'static) {
        self.state.lock().last = Some(Box::new(last));
    }

    /// The signal that asked this run to end, if one did.
    #[must_use]
    pub fn interrupted(&self) -> Option<i32> {
        self.state.lock().signal
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What went wrong because of the signal is no way to end: the signals thread knows how.
        while self.state.lock().ending {
            std::thread::park();
        }
    }
}

/// A child that waits before it does something, within a [`Run`].
#[derive(Clone)]
pub struct Attendant(Arc<State>);

impl std::fmt::Debug for Attendant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attendant").finish_non_exhaustive()
    }
}

impl Attendant {
    /// Starts a child that does nothing until it is told to. A signal ends it.
    ///
    /// # Errors
    /// As [`Run::spawn`].
    pub fn spawn_waiting(&self, command: &mut Command) -> io::Result<Child> {
        let mut current = self.0.lock();
        if current.signal.is_some() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        current.waiting = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(child)
    }

    /// Has a waiting child begin with something; the process that `start` names is the one that
    /// signals go to, until [`Self::attended`] or [`Self::wait`].
    ///
    /// # Errors
    /// It does not begin, or a signal has ended the run already.
    pub fn attend(
        &self,
        purpose: Purpose,
        start: impl FnOnce() -> io::Result<i32>,
    ) -> io::Result<()> {
        let mut current = self.0.lock();
        if current.signal.is_some() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        current.child = Pid::from_raw(start()?);
        current.purpose = purpose;
        // A Ctrl-C that came meanwhile may have met a process that did not listen yet.
        let came = i32::try_from(self.0.came.load(Ordering::SeqCst)).unwrap_or_default();
        let came = Signal::from_named_raw(came);
        if let (Some(child), Some(signal)) = (current.child, came) {
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    /// What began with [`Self::attend`] has ended.
    pub fn attended(&self) {
        self.0.lock().child = None;
        self.0.changed.notify_all();
    }

    /// Waits until the child that waited, or whatever it became, has ended.
    ///
    /// # Errors
    /// The operating system will not say how it ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = child.wait();
        let mut current = self.0.lock();
        (current.child, current.waiting) = (None, None);
        drop(current);
        self.0.changed.notify_all();
        status
    }
}

/// The signals thread: hands the signal to the child and waits for it, clears up, and ends the
/// process as the signal would have.
fn end(state: &State, directory: &Path, signal: i32) {
    let mut current = state.lock();
    current.signal = Some(signal);
    if let Some(child) = current.child {
        // Ctrl-C reaches the whole foreground group, pip included; handing it on would be a
        // second one, which interrupts pip's own clearing up.
        let from_terminal = matches!(signal, SIGINT | SIGQUIT) && in_foreground();
        if let (false, Some(signal)) = (from_terminal, Signal::from_named_raw(signal)) {
            let _ = kill_process(child, signal);
        }
        // The main thread sees the child end, and reports its exit code.
        while current.child.is_some() {
            let waited = state.changed.wait_timeout(current, HEED);
            let (again, time) = waited.unwrap_or_else(PoisonError::into_inner);
            current = again;
            if let (true, Purpose::Answer, Some(child)) =
                (time.timed_out(), current.purpose, current.child)
            {
                let _ = kill_process(child, Signal::TERM);
            }
        }
        return;
    }
    current.ending = true;
    if let Some(waiting) = current.waiting.take() {
        let _ = kill_process(waiting, Signal::KILL);
        let _ = rustix::process::waitpid(Some(waiting), rustix::process::WaitOptions::empty());
    }
    let last = current.last.take();
    drop(current);
    if let Some(last) = last {
        last();
    }
    let _ = std::fs::remove_dir_all(directory);
    if signal == SIGINT {
        // pip's own code for a run that was cancelled.
        #[allow(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "a signal ends the process; there is no caller to return to"
        )]
        std::process::exit(1);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Whether this process is in the foreground of a terminal, where Ctrl-C goes to all of a group.
fn in_foreground() -> bool {
    let terminal = rustix::termios::tcgetpgrp(rustix::stdio::stdin())
        .or_else(|_| rustix::termios::tcgetpgrp(rustix::stdio::stderr()));
    terminal.is_ok_and(|group| group == rustix::process::getpgrp())
}
