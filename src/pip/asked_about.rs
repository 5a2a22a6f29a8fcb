//! The variables by which the first question to pip says what the guard is to note.
//!
//! Pure.

use crate::pip::command_line::arguments::{InstallArgs, Subcommand};
use crate::pip::command_line::table::{self, Fact, Lock, PipOption, Position};
use crate::pip::guard::{OPTIONS, TARGET};
use crate::pip::version::OLDEST;

/// Returns the variables for the target and the options of the user's subcommand.
pub(super) fn asked_about(arguments: &InstallArgs) -> [(&'static str, String); 2] {
    let subcommand = arguments.subcommand();
    let options = (subcommand.word(), table::keys(|option| is_in_doubt(option, subcommand)));
    let text = |value: serde_json::Result<String>| value.unwrap_or_default();
    [
        (TARGET, text(serde_json::to_string(&target(arguments)))),
        (OPTIONS, text(serde_json::to_string(&options))),
    ]
}

/// Returns whether some pip may lack the option for a subcommand. The others need no question.
fn is_in_doubt(option: &PipOption, subcommand: Subcommand) -> bool {
    let is_new_or_gone = option.since > OLDEST || option.until.is_some();
    is_new_or_gone
        || match subcommand {
            Subcommand::Install => matches!(option.lock, Lock::Only | Lock::Neither),
            Subcommand::Lock => option.lock != Lock::Has,
            Subcommand::Download | Subcommand::Wheel => option.place == Position::After,
        }
}

/// Returns the subcommand with the options that select another platform (`Facts::target`).
fn target(arguments: &InstallArgs) -> Vec<String> {
    let options = arguments.chosen().filter(|chosen| chosen.option.is(Fact::ChangesTarget));
    let words = options.filter_map(|chosen| {
        let value = chosen.value.as_deref()?.to_string_lossy();
        Some(format!("{}={value}", chosen.option.name()))
    });
    [arguments.subcommand().word().to_owned()].into_iter().chain(words).collect()
}
