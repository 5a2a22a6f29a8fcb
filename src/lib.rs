//! A pip that installs a package only from the publisher that built it last time.
//!
//! One binary, two faces, chosen by the name it is called by: as `pip`, `pip3` or `pip3.N` it
//! stands in front of the real pip ([`shim`]); under its own name it is the explicit tool
//! ([`cli`]). Both resolve with the user's own pip, gather evidence for every file ([`evidence`]),
//! judge it against the user's trust file ([`trust`]), and neither installs a byte that has no
//! verdict. Modules are grouped by what they may touch; `ARCHITECTURE.md` draws the map.

pub mod attestation;
pub mod cache;
pub mod cli;
pub mod contents;
pub mod evidence;
pub mod failure;
pub mod gateway;
pub mod http;
pub mod index;
pub mod package;
pub mod pip;
pub mod process;
pub mod resolve;
pub mod shim;
mod sync;
pub mod terminal;
pub mod trust;
pub mod wheelhouse;

use std::process::ExitCode;

use failure::{Failure, Status};
use process::Process;
use terminal::report::{Report, Volume};

/// Runs the program for the process it finds itself in.
#[must_use]
pub fn run() -> ExitCode {
    let process = match Process::current() {
        Ok(process) => process,
        Err(error) => {
            let message = format!("cannot find the executable of this program: {error}");
            return Report::new(Volume::Normal).fail(&Failure::new(Status::CouldNotCheck, message));
        }
    };
    if shim::is_pip_name(process.command_name()) { shim::run(&process) } else { cli::run(&process) }
}
