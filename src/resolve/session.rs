//! The state that every step of a command shares.
//!
//! A story creates one [`Session`] and passes it to its steps; the steps of resolving
//! (`resolve::resolution`) and of an install (`shim::session`) are its methods. Contains no step
//! itself.

use std::sync::Arc;

use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::run::Pip;
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::steps::Installed;
use crate::terminal::progress::Progress;
use crate::terminal::report::Report;

/// One command in progress: the arguments, the pip they are for, and the private directory of the
/// run.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// This process.
    pub process: &'a Process,
    /// The printer of questions and messages.
    pub report: Report,
    /// The real pip.
    pub pip: &'a Pip,
    /// The run that owns the private directory.
    pub run: &'a Run,
    /// The user's arguments.
    pub arguments: &'a InstallArgs,
    /// Whether installed packages count.
    pub installed: Installed,
    /// The progress of the run.
    pub progress: &'a Arc<Progress>,
}
