//! The entry point for a process that was started as `pip`, `pip3` or `pip3.N`.
//!
//! Finds the real pip and classifies the command line. Harmless commands replace this process with
//! the real pip; an install or a lock goes to its story.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::pip::command_line::arguments::Subcommand;
use crate::pip::command_line::invocation::{Invocation, classify};
use crate::pip::find;
use crate::pip::run::Pip;
use crate::pip::started::{self, STARTED_VARIABLE};
use crate::process::Process;
use crate::shim::install::install;
use crate::shim::unknown_command::unknown_command;
use crate::terminal::report::{Report, Volume};

/// Returns whether pip is called by this name: `pip`, `pip3`, `pip3.N`.
#[must_use]
pub fn is_pip_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let version = name.strip_prefix("pip");
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// Runs the shim.
#[must_use]
pub fn run(process: &Process) -> ExitCode {
    let invocation = classify(&process.arguments);
    let report = Report::new(match &invocation {
        Invocation::Install(arguments) if arguments.has("--quiet") => Volume::Quiet,
        _ if process.variable_is_on("PIP_QUIET") => Volume::Quiet,
        Invocation::Install(arguments) if arguments.has("--verbose") => Volume::Verbose,
        _ if process.variable_is_on("PIP_VERBOSE") => Volume::Verbose,
        _ => Volume::Normal,
    });
    run_as(process, report, &invocation).unwrap_or_else(|failure| report.fail(&failure))
}

fn run_as(process: &Process, report: Report, invocation: &Invocation) -> Result<ExitCode, Failure> {
    let depth = find::check_recursion(process.variable(find::DEPTH_VARIABLE))?;
    let path = process.variable("PATH").unwrap_or_default();
    let name = process.command_name();
    let wrappers = started::programs(process.variable(STARTED_VARIABLE), &process.arguments);
    let (own, directory) = (&process.executable, &process.directory);
    let program = find::find_real_pip(name, path, own, directory, &wrappers)?;
    let inherited = process.variable_names();
    let pip = Pip { program, depth: depth.to_string(), wrappers, inherited, ..Pip::default() };
    let bypassed = process.variable("PYPI_VERIFY_NOW").is_some_and(|value| value == "off");
    match invocation {
        Invocation::Install(arguments) if !bypassed => {
            process.located()?;
            install(process, report, &pip, arguments)
        }
        Invocation::Install(arguments) => {
            let what = match arguments.subcommand() {
                Subcommand::Lock => "lock",
                _ => "install",
            };
            report.warn(&format!("PYPI_VERIFY_NOW=off: this {what} is not verified"));
            match pip.hand_over(&process.arguments)? {}
        }
        Invocation::UnknownCommand(words) if !bypassed => {
            unknown_command(process, &pip, report, words)
        }
        Invocation::UnknownCommand(_) => {
            report.warn("PYPI_VERIFY_NOW=off: this command is not verified");
            match pip.hand_over(&process.arguments)? {}
        }
        Invocation::PassThrough => match pip.hand_over(&process.arguments)? {},
    }
}
