//! Subcommands that this program does not know.
//!
//! pip is asked under the guard if it has the subcommand. If not, the real pip runs and prints its
//! own error. If it has, the command is refused, because it may fetch and run any code.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::failure::{Failure, Status};
use crate::pip::guard::Guard;
use crate::pip::resolve::{ResolveError, Resolver};
use crate::pip::run::{Pip, exit_code};
use crate::process::Process;
use crate::process::run::Run;
use crate::terminal::report::Report;

/// Asks this pip if one of `words` is a command of its own. If none is, the real pip takes over.
///
/// # Errors
/// pip has such a command, or the question failed.
pub(super) fn unknown_command(
    process: &Process,
    pip: &Pip,
    report: Report,
    words: &[OsString],
) -> Result<ExitCode, Failure> {
    let run = Run::begin(&process.temporary_directories()).map_err(Failure::temporary_directory)?;
    let guard = Guard::set_up(&run, process.variable("PYTHONPATH"))?;
    let facts = Resolver::new(pip, &run, &guard, Box::new(|_| ())).facts();
    let facts = match facts {
        Ok(facts) => facts,
        // A pip that only prints an error would print it again, so it takes over as well.
        Err(ResolveError::Pip(captured)) => {
            report.replay(&captured.stdout, &captured.stderr);
            return Ok(ExitCode::from(exit_code(captured.status)));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(commands) = facts.commands else {
        let message = "this pip does not list its commands";
        return Err(let_through(Failure::new(Status::CouldNotCheck, message), words));
    };
    let is_known = |word: &&OsString| commands.iter().any(|command| **word == **command);
    if let Some(word) = words.iter().find(is_known) {
        let word = word.display();
        let message = format!(
            "pip has a command `{word}` that this version of pypi-verify-now does not know, so \
             that it may run unverified code"
        );
        let failure = Failure::new(Status::Usage, message);
        let failure = failure.hint("a newer version of pypi-verify-now may know it");
        return Err(let_through(failure, words));
    }
    // Removed here, because the real pip replaces this process.
    drop((guard, run));
    match pip.hand_over(&process.arguments)? {}
}

fn let_through(failure: Failure, words: &[OsString]) -> Failure {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words = words.join(" ");
    failure.hint(format!("to let it through unverified: PYPI_VERIFY_NOW=off pip {words} …"))
}
