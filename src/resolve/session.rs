//! The state that every step of a command shares.
//!
//! A story makes one [`Session`] and hands it on; the steps of resolving (`resolve::resolution`)
//! and of an install (`shim::session`) are its methods. Owns no step itself.

use std::sync::Arc;

use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::run::Pip;
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::steps::Installed;
use crate::terminal::progress::Progress;
use crate::terminal::report::Report;

/// One command of the user's in progress: what was asked of which pip, and where its run lives.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// This process.
    pub process: &'a Process,
    /// Where pip's questions go.
    pub report: Report,
    /// The real pip.
    pub pip: &'a Pip,
    /// The run it is done in.
    pub run: &'a Run,
    /// What the user asked for.
    pub arguments: &'a InstallArgs,
    /// Whether what is installed counts.
    pub installed: Installed,
    /// How far the run is.
    pub progress: &'a Arc<Progress>,
}
