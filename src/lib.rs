//! A pip that installs a package only from the publisher that built it last time.
//!
//! One binary, two faces, chosen by the name it is called by: as `pip`, `pip3` or `pip3.N` it
//! stands in front of the real pip ([`shim`]); under its own name it is the explicit tool
//! ([`cli`]). Both resolve with the user's own pip, gather evidence for every file ([`audit`]),
//! judge it against the user's trust file ([`trust`]), and neither installs a byte that has no
//! verdict. Modules are grouped by what they may touch; `ARCHITECTURE.md` draws the map.

pub mod audit;
pub mod build_steps;
pub mod cache;
pub mod cli;
pub mod contents;
pub mod digest;
pub mod direct;
pub mod escape;
pub mod failure;
pub mod filename;
pub mod gateway;
pub mod http;
pub mod index;
pub mod interrupt;
pub mod json;
pub mod judge;
pub mod lines;
pub mod lock;
pub mod name;
pub mod newer;
pub mod page;
pub mod pip;
pub mod plain_filename;
pub mod process;
pub mod progress;
pub mod provenance;
pub mod publisher;
pub mod redact;
pub mod refusal;
pub mod report;
pub mod requirements;
pub mod resolution;
pub mod shellenv;
pub mod shim;
pub mod sigstore;
pub mod sources;
pub mod statement;
pub mod steps;
pub mod switch;
pub mod transport;
pub mod trust;
pub mod validity;
pub mod wheelhouse;

use std::process::ExitCode;

use failure::{Failure, Status};
use process::Process;
use report::{Report, Volume};

/// Runs the program for the process it finds itself in.
#[must_use]
pub fn run() -> ExitCode {
    let process = match Process::current() {
        Ok(process) => process,
        Err(error) => {
            let message = format!("cannot find the own executable: {error}");
            return Report::new(Volume::Normal).fail(&Failure::new(Status::CouldNotCheck, message));
        }
    };
    if shim::is_pip_name(process.command_name()) { shim::run(&process) } else { cli::run(&process) }
}
