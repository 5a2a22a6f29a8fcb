//! What happens when the user, or the system, ends a run early.
//!
//! Owns the signals of this process, the private directory of the run and the knowledge of which
//! child is running: on every way out the child is gone and the directory removed. Decides
//! nothing else; a run that is not interrupted never notices it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// What Ctrl-C sends.
pub const CTRL_C: i32 = SIGINT;

/// The signals by which a user, a terminal or a system asks a process to end.
const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// How often the removal of the private directory is tried.
const REMOVALS: usize = 100;

/// How long a child that only answers may take to heed a signal; then it gets it again, and at last
/// SIGTERM. Python loses one that comes while it starts, or between its question to the user and
/// its reading of the answer (`input` of CPython clears the error of a flush).
const HEED: Duration = Duration::from_secs(2);

/// The private directory of one run (mode 0700), and the guard over it.
///
/// Dropping it removes the directory. A signal that ends the process does so too, after the child
/// that is running, if any, has ended.
#[derive(Debug)]
pub struct Run {
    attendant: Attendant,
}

/// Who starts a child that waits before it does something, within a [`Run`].
#[derive(Clone)]
pub struct Attendant(Arc<State>);

struct State {
    current: Mutex<Current>,
    changed: Condvar,
    /// The signal that came last, 0 for none. Set by the handler itself: Ctrl-C reaches pip at the
    /// same moment, and the thread that waits for pip may be on before the signals thread is.
    raised: Arc<AtomicUsize>,
    directory: PathBuf,
}

#[derive(Default)]
struct Current {
    child: Option<Pid>,
    /// What that child is there for.
    purpose: Purpose,
    /// A child that does nothing yet.
    waiting: Option<Pid>,
    /// Whether a child has ended since a signal came: its exit code is the one of the run.
    heeded: bool,
    last: Option<Box<dyn FnOnce() + Send>>,
}

/// What a child is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// It answers a question and changes nothing: one that does not heed a signal is told again,
    /// and then ended.
    Answer,
    /// It may be changing something; it is left to clear up as long as it takes.
    #[default]
    Change,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Current> {
        // The data is plain values: a panic elsewhere cannot leave them half written.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interrupted(&self) -> Option<i32> {
        let raised = i32::try_from(self.raised.load(Ordering::SeqCst)).ok();
        raised.filter(|signal| *signal != 0)
    }

    /// Begins something, under the lock, so that nothing begins behind the back of a signal.
    fn begin<T>(&self, start: impl FnOnce(&mut Current) -> io::Result<T>) -> io::Result<T> {
        let mut current = self.lock();
        if let Some(signal) = self.interrupted() {
            finish(current, &self.directory, signal);
            return Err(io::ErrorKind::Interrupted.into());
        }
        let started = start(&mut current)?;
        if let (Some(signal), Some(child)) = (self.interrupted(), current.child) {
            // A Ctrl-C of this very moment may have met a child that did not listen yet.
            hand_on(child, signal);
        }
        Ok(started)
    }

    /// The child that signals went to has ended.
    fn ended(&self) {
        let mut current = self.lock();
        current.child = None;
        current.heeded |= self.interrupted().is_some();
        drop(current);
        self.changed.notify_all();
    }

    fn go_on(&self) {
        if let Some(signal) = self.interrupted() {
            finish(self.lock(), &self.directory, signal);
        }
    }
}

impl Run {
    /// Makes the private directory, in the first of `places` where a file can be written, and
    /// begins to listen for SIGINT, SIGTERM, SIGHUP and SIGQUIT.
    ///
    /// # Errors
    /// The directory cannot be made anywhere, or the signals cannot be listened to.
    pub fn begin(places: &[PathBuf]) -> io::Result<Self> {
        let directory = private_directory(places)?.keep();
        let state = Arc::new(State {
            current: Mutex::default(),
            changed: Condvar::new(),
            raised: Arc::default(),
            directory,
        });
        let run = Self { attendant: Attendant(Arc::clone(&state)) };
        for signal in SIGNALS {
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&state.raised), number)?;
        }
        // With a handler for it, a file that grows over the limit (`ulimit -f`) is an error like a
        // full disk, and not the end of the process.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut signals = Signals::new(SIGNALS)?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(|signal| end(&state, signal)))?;
        Ok(run)
    }

    /// The private directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.attendant.0.directory
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

    /// Starts a child, which until [`Self::wait`] returns is the one that signals go to. After a
    /// signal it does not return.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self, command: &mut Command, purpose: Purpose) -> io::Result<Child> {
        self.attendant.0.begin(|current| {
            let child = command.spawn()?;
            current.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            current.purpose = purpose;
            Ok(child)
        })
    }

    /// Waits for the child that [`Self::spawn`] started.
    ///
    /// # Errors
    /// The operating system will not say how it ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        self.attendant.wait(child)
    }

    /// Who starts and waits for a child that is told what to do later.
    #[must_use]
    pub fn attendant(&self) -> Attendant {
        self.attendant.clone()
    }

    /// What is done before a signal ends the process, such as clearing a line of the terminal.
    pub fn before_the_end(&self, last: impl FnOnce() + Send + 'static) {
        self.attendant.0.lock().last = Some(Box::new(last));
    }

    /// The signal that asked this run to end, if one did.
    #[must_use]
    pub fn interrupted(&self) -> Option<i32> {
        self.attendant.0.interrupted()
    }

    /// Returns unless a signal has asked this run to end: then it ends here.
    pub fn go_on(&self) {
        self.attendant.go_on();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What went wrong because of the signal is no way to end.
        if !self.attendant.0.lock().heeded {
            self.go_on();
        }
        remove(&self.attendant.0.directory);
    }
}

/// Why it cannot be made is said of the first place, which the user may have named.
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
    // On a full disk there may be room for a name, and for nothing more.
    let probe = directory.path().join("probe");
    std::fs::write(&probe, "room")?;
    std::fs::remove_file(&probe)?;
    Ok(directory)
}

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
        self.0.begin(|current| {
            let child = command.spawn()?;
            current.waiting = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            Ok(child)
        })
    }

    /// Has a waiting child begin with something; the process that `start` names is the one that
    /// signals go to, until [`Self::attended`] or [`Self::wait`].
    ///
    /// # Errors
    /// It does not begin.
    pub fn attend(
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

    /// What began with [`Self::attend`] has ended.
    pub fn attended(&self) {
        self.0.ended();
    }

    /// Waits until the child that waited, or whatever it became, has ended.
    ///
    /// # Errors
    /// The operating system will not say how it ended.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let status = child.wait();
        self.0.lock().waiting = None;
        self.0.ended();
        status
    }

    /// As [`Run::go_on`].
    pub fn go_on(&self) {
        self.0.go_on();
    }
}

/// The signals thread: hands the signal to the child and waits for it, or ends the process as the
/// signal would have.
fn end(state: &State, signal: i32) {
    let mut current = state.lock();
    if let Some(child) = current.child {
        // Ctrl-C reaches the whole foreground group, pip included; handing it on would be a
        // second one, which interrupts pip's own clearing up.
        let from_terminal = matches!(signal, SIGINT | SIGQUIT) && in_foreground();
        if !from_terminal {
            hand_on(child, signal);
        }
        let mut next = signal;
        // The main thread sees the child end, and reports its exit code.
        while current.child.is_some() {
            let waited = state.changed.wait_timeout(current, HEED);
            let (again, time) = waited.unwrap_or_else(PoisonError::into_inner);
            current = again;
            if let (true, Purpose::Answer, Some(child)) =
                (time.timed_out(), current.purpose, current.child)
            {
                hand_on(child, next);
                next = SIGTERM;
            }
        }
    } else if !current.heeded {
        finish(current, &state.directory, signal);
    }
}

fn hand_on(child: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        let _ = kill_process(child, signal);
    }
}

/// Clears up and ends the process as the signal would have. The lock is held to the end: nothing
/// begins meanwhile.
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

/// Removes the private directory. No end waits for the threads that fetch: one that is writing a
/// file may put it where everything else is gone already.
fn remove(directory: &Path) {
    (0..REMOVALS).find(|_| std::fs::remove_dir_all(directory).is_ok() || !directory.exists());
}

/// Whether this process is in the foreground of a terminal, where Ctrl-C goes to all of a group.
fn in_foreground() -> bool {
    let terminal = rustix::termios::tcgetpgrp(rustix::stdio::stdin())
        .or_else(|_| rustix::termios::tcgetpgrp(rustix::stdio::stderr()));
    terminal.is_ok_and(|group| group == rustix::process::getpgrp())
}
