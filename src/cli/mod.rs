//! The tool under its own name: verifies without installing.
//!
//! Owns the command line of `pypi-verify-now` (clap) and the order in which its commands work. The
//! tool replaces the Python tool of the same name: words that are neither a subcommand nor an
//! option of its own are arguments of `pip lock`. Must not install anything.

mod cache;
mod check;
pub mod shellenv;
mod verify;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::failure::{Failure, Status};
use crate::process::Process;
use crate::terminal::report::{Report, Volume};

/// Verify who built the packages that pip would install.
#[derive(Debug, Parser)]
#[command(
    name = "pypi-verify-now",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "pypi-verify-now [OPTIONS] [PIP LOCK ARGUMENTS]...\n       pypi-verify-now [OPTIONS] --lock-path LOCK\n       pypi-verify-now <COMMAND>",
    after_help = "Prints OK, UNKNOWN or FAIL for every package and installs nothing.\n\n\
        Exit codes: 0 good; 77 refused; 69 could not check; 65 bad input; 2 usage; \
        pip's own if pip failed.\n\
        Environment: TOFU=1, STRICT=1, FILENAME=FILE; PYPI_VERIFY_NOW_TRUSTED_ROOT=FILE; \
        PYPI_VERIFY_NOW_PROVENANCE=DIR-or-index-URL; PYPI_VERIFY_NOW=off"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    verify: Verify,
}

/// The options and arguments of a verification.
#[derive(Debug, Args)]
struct Verify {
    /// Verify this lock file (PEP 751) instead of asking pip for one
    #[arg(short = 'L', long, value_name = "LOCK")]
    lock_path: Option<PathBuf>,
    /// Trust on first use: record the publishers of packages that have none recorded
    #[arg(long)]
    tofu: bool,
    /// Refuse packages that have no attestation
    #[arg(long)]
    strict: bool,
    /// The project's trust file [default: every .provenance.txt from the repository's root down]
    #[arg(long, value_name = "FILE")]
    config_path: Option<PathBuf>,
    /// Arguments for `pip lock`: requirements, -r FILE, --group NAME, index options
    #[arg(value_name = "PIP LOCK ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pip_arguments: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify one local file against one provenance document, offline
    Check(Check),
    /// Print the shell code that puts the shims first on PATH and keeps them there
    Shellenv(Shellenv),
    /// Show or remove the entries of this program below pip's cache directory
    #[command(subcommand)]
    Cache(CacheCommand),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum CacheCommand {
    /// Show the directory, and the number and size of entries of each kind
    Info,
    /// Remove all entries; pip's own cache is kept
    Purge,
}

#[derive(Debug, Args)]
struct Check {
    /// Publisher that must have built FILE: https://github.com/OWNER/REPO,
    /// https://gitlab.com/GROUP/PROJECT, mailto:SERVICE-ACCOUNT, or a CircleCI build identity
    #[arg(long, value_name = "URL")]
    publisher: String,
    /// The provenance document, or a single attestation (PEP 740)
    #[arg(long, value_name = "DOC")]
    provenance: PathBuf,
    /// A trusted root in place of the embedded one of the public Sigstore instance
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The sha256 of FILE, which then need not exist; only its name is used
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// The wheel or sdist
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Shellenv {
    /// bash, zsh or fish [default: from $SHELL]
    shell: Option<String>,
    /// The directory of the shims [default: the one that was installed with this program]
    #[arg(long, value_name = "DIR")]
    shims: Option<PathBuf>,
}

/// Runs the tool.
#[must_use]
pub fn run(process: &Process) -> ExitCode {
    let report = Report::new(Volume::Normal);
    let argv = std::iter::once(process.invoked_as.clone()).chain(ours_first(&process.arguments));
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            report.usage(&error.render().to_string());
            return crate::terminal::report::exit_code(Status::Usage);
        }
        Err(error) => return printed(report.bytes(error.render().to_string().as_bytes()), report),
    };
    let result = match &cli.command {
        Some(Command::Check(check)) => check::run(process, report, check),
        Some(Command::Shellenv(shellenv)) => print_shellenv(process, report, shellenv),
        Some(Command::Cache(command)) => cache::run(process, report, *command),
        None => verify::run(process, report, &cli.verify),
    };
    result.unwrap_or_else(|failure| report.fail(&failure))
}

/// Moves this program's options to the front and removes the first `--` behind them, because the
/// original tool accepted its options anywhere and dropped that `--`. None of them is an option of
/// pip's. The arguments of a subcommand stay unchanged.
fn ours_first(arguments: &[OsString]) -> Vec<OsString> {
    let is_command = |word: &&OsString| Command::has_subcommand(&word.to_string_lossy());
    if arguments.first().filter(is_command).is_some() {
        return arguments.to_vec();
    }
    let (mut ours, mut rest) = (Vec::new(), Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        match text.as_ref() {
            "--" => {
                ours.push(word.clone());
                rest.extend(words.by_ref().cloned());
            }
            "--tofu" | "--strict" => ours.push(word.clone()),
            "-L" | "--lock-path" | "--config-path" => {
                ours.push(word.clone());
                ours.extend(words.next().cloned());
            }
            text if text.starts_with("--lock-path=") || text.starts_with("--config-path=") => {
                ours.push(word.clone());
            }
            text if text.starts_with("-L") => {
                let value = word.as_bytes().get(2..).unwrap_or_default();
                ours.extend(["-L".into(), OsStr::from_bytes(value).to_owned()]);
            }
            _ => rest.push(word.clone()),
        }
    }
    ours.extend(rest);
    ours
}

fn print_shellenv(
    process: &Process,
    report: Report,
    arguments: &Shellenv,
) -> Result<ExitCode, Failure> {
    let named = arguments.shell.clone().or_else(|| process.text("SHELL")).unwrap_or_default();
    let shell = shellenv::Shell::parse(&named)?;
    let shims = match &arguments.shims {
        Some(directory) if directory.is_absolute() => directory.clone(),
        Some(directory) => {
            process.located()?;
            process.directory.join(directory)
        }
        None => installed_shims(process)?,
    };
    let text = shellenv::text(shell, &shims)?;
    Ok(printed(report.bytes(&text), report))
}

/// Returns `PREFIX/lib/pypi-verify-now/shims`, if this program is installed in `PREFIX/bin`.
fn installed_shims(process: &Process) -> Result<PathBuf, Failure> {
    let prefix = process.executable.parent().and_then(std::path::Path::parent);
    let shims = prefix.map(|prefix| prefix.join("lib/pypi-verify-now/shims"));
    shims.filter(|shims| shims.is_dir()).ok_or_else(|| {
        Failure::new(Status::Usage, "the directory of shims is not beside this program")
            .hint("name it: pypi-verify-now shellenv --shims DIR")
    })
}

fn printed(result: std::io::Result<()>, report: Report) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report.fail(&stdout_failure(error)),
    }
}

fn stdout_failure(error: std::io::Error) -> Failure {
    Failure::new(Status::CouldNotCheck, format!("cannot write to standard output: {error}"))
}
