//! Runs the real pip: in place of this process, beside its output, or silently.
//!
//! Must not know the meaning of pip's arguments.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::pip::find::DEPTH_VARIABLE;
use crate::pip::requirements::Hashes;
use crate::pip::started::{self, STARTED_VARIABLE};
use crate::process::run::{Purpose, Run};

/// The variable by which the guard learns that a wrapper led back to this program, and the pip that
/// follows. Its value is that pip's path.
pub const BEHIND_WRAPPER: &str = "PYPI_VERIFY_NOW_GUARD_BEHIND";

/// The real pip: its file, and the depth of nested calls of this program.
#[derive(Debug, Clone, Default)]
pub struct Pip {
    /// The executable file.
    pub program: PathBuf,
    /// The value of [`DEPTH_VARIABLE`] for pip.
    pub depth: String,
    /// Wrappers on PATH before [`Self::program`] that led back to this program in this very call.
    pub wrappers: Vec<PathBuf>,
    /// The names of this process's own variables.
    pub inherited: Vec<OsString>,
    /// The pip that is run in place of [`Self::program`], once that has led back to this program.
    pub behind: OnceLock<Behind>,
}

/// The pip behind a wrapper that leads back to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The executable file.
    pub program: PathBuf,
    /// Arguments that the wrapper adds before the others.
    pub before: Vec<OsString>,
    /// Arguments that the wrapper adds after the others.
    pub after: Vec<OsString>,
    /// The changes that the wrapper makes to the environment.
    pub environment: Environment,
}

/// Changes to the environment that pip inherits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables that are set.
    pub set: Vec<(OsString, OsString)>,
    /// Variables that are removed.
    pub remove: Vec<String>,
}

/// The output of a silent pip, and its exit status.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The exit status.
    pub status: ExitStatus,
    /// The standard output without prompts.
    pub stdout: Vec<u8>,
    /// The standard error.
    pub stderr: Vec<u8>,
    /// The cause of the failure, if pip failed.
    pub cause: Cause,
}

/// Causes of a pip's failure, by the exception that ended it. They are not read from pip's output,
/// which other programs and indexes can influence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cause {
    /// The guard did not see an exception.
    #[default]
    Unseen,
    /// pip found no consistent set of allowed files.
    NoDistribution,
    /// A file has none of the hashes that the user's files state.
    OtherHash,
    /// Another cause.
    Other,
}

impl Captured {
    /// Returns the output of a pip that fails with exit code 1 and this text on standard error.
    #[must_use]
    pub fn failed(stderr: String) -> Self {
        // A wait status has the exit code in its second byte.
        let status = ExitStatus::from_raw(1 << 8);
        Self { status, stdout: Vec::new(), stderr: stderr.into_bytes(), cause: Cause::Other }
    }

    /// Returns whether pip may have failed because only wheels were allowed. If the guard saw no
    /// cause, a build is attempted: its files are judged before they are built. `stated` are the
    /// hashes in the user's files.
    #[must_use]
    pub fn may_lack_wheels(&self, stated: &Hashes) -> bool {
        match self.cause {
            Cause::NoDistribution => true,
            // The user's hashes may be those of a source. Without any, the index states a wrong
            // one.
            Cause::OtherHash => !stated.is_empty(),
            Cause::Unseen => self.status.code() == Some(1),
            Cause::Other => false,
        }
    }
}

/// pip could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {}: {source}", program.display())]
pub struct RunError {
    /// The program.
    pub program: PathBuf,
    /// The error of the system.
    pub source: io::Error,
}

impl Pip {
    /// Replaces this process by pip, so that terminal, signals and exit code are pip's own.
    ///
    /// # Errors
    /// Returns only if pip cannot be started.
    pub fn hand_over(&self, arguments: &[OsString]) -> Result<Infallible, RunError> {
        let source = self.command(arguments, &Environment::default()).exec();
        Err(self.error(source))
    }

    /// Runs pip with the standard input, output and error of this process, and waits for its end.
    ///
    /// # Errors
    /// pip could not be started or waited for.
    pub fn run(
        &self,
        run: &Run,
        arguments: &[OsString],
        environment: &Environment,
    ) -> Result<ExitStatus, RunError> {
        let mut command = self.command(arguments, environment);
        let child = run.spawn(&mut command, Purpose::Change);
        let mut child = child.map_err(|source| self.error(source))?;
        run.wait(&mut child).map_err(|source| self.error(source))
    }

    /// Runs pip with the standard input of this process, and captures its output. A question on
    /// standard output (such as a user name for an index) is shown to the user through `prompt`.
    ///
    /// # Errors
    /// pip could not be started, read from or waited for.
    pub fn capture(
        &self,
        run: &Run,
        arguments: &[OsString],
        environment: &Environment,
        purpose: Purpose,
        prompt: impl FnMut(&str) + Send,
    ) -> Result<Captured, RunError> {
        let mut command = self.command(arguments, environment);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = run.spawn(&mut command, purpose);
        let mut child = child.map_err(|source| self.error(source))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stdout = scope.spawn(move || read_with_prompts(stdout, prompt));
            let mut errors = Vec::new();
            let read = stderr.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut errors));
            let stdout = stdout.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            (stdout, read.map(|_| errors))
        });
        let status = run.wait(&mut child).map_err(|source| self.error(source))?;
        if status.success() {
            // pip may have finished before a signal reached it. The run must end after a signal
            // even so.
            run.exit_if_interrupted();
        }
        match (stdout, stderr) {
            (Ok(stdout), Ok(stderr)) => {
                Ok(Captured { status, stdout, stderr, cause: Cause::Unseen })
            }
            (Err(source), _) | (_, Err(source)) => Err(self.error(source)),
        }
    }

    pub(super) fn command(&self, arguments: &[OsString], environment: &Environment) -> Command {
        let behind = self.behind.get();
        let mut command = Command::new(behind.map_or(&self.program, |behind| &behind.program));
        command.args(behind.into_iter().flat_map(|behind| &behind.before)).args(arguments);
        command.args(behind.into_iter().flat_map(|behind| &behind.after));
        let programs = self.wrappers.iter().chain([&self.program]).map(PathBuf::as_path);
        command.env(STARTED_VARIABLE, started::value(arguments, programs));
        command.env(DEPTH_VARIABLE, &self.depth);
        if !self.wrappers.is_empty() {
            command.env(BEHIND_WRAPPER, &self.program);
        }
        for changes in behind.map(|behind| &behind.environment).into_iter().chain([environment]) {
            for name in &changes.remove {
                command.env_remove(name);
            }
            command.envs(changes.set.iter().map(|(name, value)| (name, value)));
        }
        command
    }

    pub(super) fn error(&self, source: io::Error) -> RunError {
        RunError { program: self.program.clone(), source }
    }
}

/// Returns the exit code of a run as a shell does: for a signal, its number plus 128.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Beginnings of the questions that pip prints without a line end (`User for HOST: `).
const PROMPTS: [&str; 2] = ["User for ", "Save credentials to keyring"];

/// Reads a pipe to its end. A question without a line end is passed to `prompt` at once.
pub(super) fn read_with_prompts(
    pipe: Option<impl Read>,
    mut prompt: impl FnMut(&str),
) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(all) };
    let mut buffer = [0_u8; 64 * 1024];
    loop {
        let count = match pipe.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        all.write_all(buffer.get(..count).unwrap_or_default())?;
        let begin = all.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = String::from_utf8_lossy(all.get(begin..).unwrap_or_default());
        if PROMPTS.iter().any(|start| line.starts_with(start)) && line.ends_with(": ") {
            prompt(&line);
            // The user's answer ends this line on the terminal, but not in the pipe, so the
            // question is removed here.
            all.truncate(begin);
        }
    }
}
