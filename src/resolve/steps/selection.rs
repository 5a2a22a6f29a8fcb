//! The options that each command line leaves out, by the facts in their rows.
//!
//! Pure. Must not name an option whose treatment follows from a fact.

use crate::pip::command_line::table::{self, Fact, PipOption};
use crate::pip::options::Options;

/// Returns whether an option says what to install, so that the fully hashed file replaces it.
pub(super) fn is_replaced(option: &PipOption) -> bool {
    option.names_requirements()
        || option.is(Fact::SelectsPart)
        || option.is(Fact::NotForPinned)
        || is_report(option)
}

/// Returns whether an option contradicts hashes that are required, or names a report. Each form of
/// the second step replaces it.
#[must_use]
pub fn is_ours(option: &PipOption) -> bool {
    option.is(Fact::NotForPinned) || is_report(option)
}

/// Returns whether an option names pip's installation report. pip writes it to a private file.
fn is_report(option: &PipOption) -> bool {
    option.name() == "--report"
}

/// Returns whether a pip that only answers a question must not get an option: pip would write to
/// files of the user's. The pip that installs gets it.
#[must_use]
pub fn is_not_for_questions(option: &PipOption) -> bool {
    option.is(Fact::NamesLog)
}

/// Returns whether the report's command line must not contain an option: it sets the option itself,
/// or the option is not for questions.
#[must_use]
pub fn is_not_for_report(option: &PipOption) -> bool {
    is_report(option)
        || matches!(option.name(), "--dry-run" | "--dest" | "--wheel-dir")
        || is_not_for_questions(option)
}

/// Returns whether the options select files for another platform than the running one.
#[must_use]
pub fn is_for_another_platform(options: &Options) -> bool {
    options.any_is_set(&table::names(|option| option.is(Fact::ChangesTarget)))
}
