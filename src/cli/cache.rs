//! `pypi-verify-now cache`: shows or removes this program's data below pip's cache directory.
//!
//! pip is asked for its cache directory. Must not remove data of pip's own.

use std::process::ExitCode;
use std::sync::Arc;

use crate::cache::{Cache, Usage};
use crate::cli::verify::{pip_arguments, real_pip};
use crate::cli::{CacheCommand, printed};
use crate::failure::{Failure, Status};
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::resolution::Unresolved;
use crate::resolve::session::Session;
use crate::resolve::steps::Installed;
use crate::terminal::report::Report;

pub(super) fn run(
    process: &Process,
    report: Report,
    command: CacheCommand,
) -> Result<ExitCode, Failure> {
    let cache = cache(process, report)?;
    let location = cache.as_ref().map_or_else(
        || "none: pip's cache is switched off or belongs to another user".to_owned(),
        |cache| cache.directory().display().to_string(),
    );
    let lines = match command {
        CacheCommand::Info => {
            let usage = cache.as_ref().map(Cache::usage).unwrap_or_default();
            let line = |of: &Usage| format!("{}, at most {}", line(of), of.most);
            let lines = usage.iter().map(line);
            std::iter::once(format!("location: {location}")).chain(lines).collect::<Vec<_>>()
        }
        CacheCommand::Purge => {
            let usage = cache.as_ref().map_or_else(|| Ok(Vec::new()), Cache::purge);
            let usage = usage.map_err(|error| {
                let message = format!("cannot remove all of {location}: {error}");
                Failure::new(Status::CouldNotCheck, message)
            })?;
            let bytes: u64 = usage.iter().map(|of| of.bytes).sum();
            let lines = usage.iter().map(|of| format!("removed {}", line(of)));
            lines.chain([format!("freed: {bytes} bytes")]).collect()
        }
    };
    let answered = lines.iter().try_for_each(|line| report.answer(line));
    Ok(printed(answered, report))
}

fn line(of: &Usage) -> String {
    format!("{}: {} entries, {} bytes", of.kind.name(), of.entries, of.bytes)
}

/// Returns the cache that an install would use.
fn cache(process: &Process, report: Report) -> Result<Option<Cache>, Failure> {
    process.located()?;
    let arguments = pip_arguments(&[])?;
    let run = Run::begin(&process.temporary_directories()).map_err(Failure::temporary_directory)?;
    let pip = real_pip(process)?;
    let progress = Arc::default();
    let session = Session {
        process,
        report,
        pip: &pip,
        run: &run,
        arguments: &arguments,
        installed: Installed::Ignored,
        progress: &progress,
    };
    let guard = session.guard()?;
    match session.prepare(&guard) {
        Ok(prepared) => Ok(prepared.settings.cache.as_deref().and_then(Cache::open)),
        Err(Unresolved::Failure(failure) | Unresolved::NeedsSource(failure)) => Err(failure),
        Err(Unresolved::Pip(captured)) => {
            report.replay(&[], &captured.stderr);
            Err(Failure::new(Status::CouldNotCheck, "pip does not report its cache directory"))
        }
    }
}
