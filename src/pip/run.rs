//! Running the real pip: handed over to, run beside our own output, or run in silence.
//!
//! Owns every process that this program starts. Knows nothing of what the arguments mean.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use crate::pip::find::DEPTH_VARIABLE;
use crate::process::run::{Purpose, Run};

/// The real pip: its file, and how deep in calls of ourselves it is started.
#[derive(Debug, Clone)]
pub struct Pip {
    /// The file that is executed.
    pub program: PathBuf,
    /// The value of [`DEPTH_VARIABLE`] that it gets.
    pub depth: String,
}

/// What a run of pip changes in the environment it inherits.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables that are set.
    pub set: Vec<(OsString, OsString)>,
    /// Variables that are removed.
    pub remove: Vec<&'static str>,
}

/// What a silent run of pip printed, and how it ended.
#[derive(Debug)]
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output but for prompts.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
    /// Why it failed, where it did.
    pub cause: Cause,
}

/// Why a pip failed, told by the exception that ended it: what it prints, others have a say in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cause {
    /// The guard did not see it.
    #[default]
    Unseen,
    /// pip found no set of files that it may take and that fit together.
    NoDistribution,
    /// Something else.
    Other,
}

impl Captured {
    /// Whether pip may have failed because only wheels were considered. If the guard could not see
    /// why, building is tried: what is built then is judged before.
    #[must_use]
    pub fn may_lack_wheels(&self) -> bool {
        match self.cause {
            Cause::NoDistribution => true,
            Cause::Unseen => self.status.code() == Some(1),
            Cause::Other => false,
        }
    }
}

/// pip could not be run at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {}: {source}", program.display())]
pub struct RunError {
    /// The program that was to be run.
    pub program: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Pip {
    /// Replaces this process by pip: terminal, signals and exit code are then pip's own.
    ///
    /// # Errors
    /// Returns only if that fails.
    pub fn hand_over(&self, arguments: &[OsString]) -> Result<Infallible, RunError> {
        let source = self.command(arguments, &Environment::default()).exec();
        Err(self.error(source))
    }

    /// Runs pip with our own standard input, output and error, and waits for it.
    ///
    /// # Errors
    /// It could not be started or waited for.
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

    /// Runs pip with our standard input, and keeps what it prints. A question that it asks on
    /// standard output (a user name for an index) still reaches the user, through `prompt`.
    ///
    /// # Errors
    /// It could not be started, read from or waited for.
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
            // It may have been done before a signal reached it; the run goes no further then.
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
        let mut command = Command::new(&self.program);
        command.args(arguments).env(DEPTH_VARIABLE, &self.depth);
        for name in &environment.remove {
            command.env_remove(name);
        }
        command.envs(environment.set.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(super) fn error(&self, source: io::Error) -> RunError {
        RunError { program: self.program.clone(), source }
    }
}

/// The exit code of a run, as a shell states it: a signal's number plus 128.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What pip asks on standard output without ending the line (`User for HOST: `).
const PROMPTS: [&str; 2] = ["User for ", "Save credentials to keyring"];

/// Reads a pipe to its end; what pip asks there without ending the line goes to `prompt` at once.
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
            // The answer ends that line on the terminal, and nothing does so here.
            all.truncate(begin);
        }
    }
}
