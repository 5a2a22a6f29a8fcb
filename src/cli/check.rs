//! `check`: verifies one file with one document, offline.
//!
//! Reads both, verifies them with the code that installs use, and prints the verdict.

use std::path::Path;
use std::process::ExitCode;

use crate::attestation::document::MAX_DOCUMENT;
use crate::attestation::publisher::PublisherUrl;
use crate::cli::Check;
use crate::evidence::audit;
use crate::evidence::refusal;
use crate::evidence::sources::{read_bounded, unreadable, verifier};
use crate::failure::{Failure, Status};
use crate::package::digest::Sha256;
use crate::process::Process;
use crate::terminal::report::Report;
use crate::trust::pin::Pin;
use crate::trust::policy::{Policy, Unrecorded, Unsigned, Verdict, judge};

pub(super) fn run(
    process: &Process,
    report: Report,
    arguments: &Check,
) -> Result<ExitCode, Failure> {
    let publisher = PublisherUrl::parse(&arguments.publisher)?;
    let configured = process.variable("PYPI_VERIFY_NOW_TRUSTED_ROOT").map(Path::new);
    let verifier = verifier(arguments.trusted_root.as_deref().or(configured))?;
    let limit = u64::try_from(MAX_DOCUMENT).unwrap_or(u64::MAX);
    let document = read_bounded(&arguments.provenance, limit).map_err(|error| {
        unreadable("provenance document", &arguments.provenance, &error.to_string())
    })?;
    let sha256 = match &arguments.sha256 {
        Some(hex) => {
            Sha256::parse(hex).map_err(|error| Failure::new(Status::Usage, error.to_string()))?
        }
        None => digest(&arguments.file)
            .map_err(|error| unreadable("file", &arguments.file, &error.to_string()))?,
    };
    let filename = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    let evidence = audit::verify(&verifier, &filename, sha256, &document);
    // The publisher is given as a pin, so these settings have no effect.
    let policy = Policy { unsigned: Unsigned::Refuse, unrecorded: Unrecorded::Refuse };
    let verdict = judge(Some(&Pin::to(publisher)), &evidence, &policy);
    let (line, code) = match &verdict {
        Verdict::Ok { publisher } => {
            (format!("OK: {filename}, built by {}", publisher.url()), ExitCode::SUCCESS)
        }
        Verdict::Fail(reason) => (
            format!("FAIL: {filename} ({})", refusal::line(reason)),
            crate::terminal::report::exit_code(Status::Refused),
        ),
        Verdict::Record { .. } | Verdict::Unknown { .. } => (
            format!("FAIL: {filename} (no verdict)"),
            crate::terminal::report::exit_code(Status::Refused),
        ),
    };
    report.answer(&line).map_err(super::stdout_failure)?;
    if refusal::is_too_new(&verdict) {
        let message = format!("{filename} cannot be judged");
        return Err(refusal::too_old(Failure::new(Status::CannotJudge, message)));
    }
    Ok(code)
}

/// Computes the sha256 of a file's bytes, read in pieces.
fn digest(path: &Path) -> std::io::Result<Sha256> {
    Sha256::of_reader(&mut std::fs::File::open(path)?)
}
