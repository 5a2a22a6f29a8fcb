//! The tool's main command: verifies a lock, from a file or from `pip lock`, and prints a line for
//! each package.
//!
//! Owns the order of that work and the verdict lines. Must not install anything.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{Verify, stdout_failure};
use crate::evidence::audit::Finding;
use crate::evidence::refusal::{self, TrustContext};
use crate::evidence::sources::{self, EvidenceSettings, Sources, read_bounded, unreadable};
use crate::failure::{Failure, Status};
use crate::package::lock::{Lock, MAX_BYTES};
use crate::pip::command_line::arguments::InstallArgs;
use crate::pip::command_line::invocation::{Invocation, classify};
use crate::pip::find;
use crate::pip::run::{Environment, Pip, exit_code};
use crate::process::Process;
use crate::process::run::Run;
use crate::resolve::resolution::Unresolved;
use crate::resolve::session::Session;
use crate::resolve::steps::Installed;
use crate::terminal::report::{Report, Volume};
use crate::trust::policy::{Policy, Unrecorded, Unsigned, Verdict};
use crate::wheelhouse::Wheelhouse;

pub(super) fn run(
    process: &Process,
    report: Report,
    options: &Verify,
) -> Result<ExitCode, Failure> {
    process.located()?;
    let policy = policy(process, options)?;
    let store = sources::trust_store(process, options.config_path.as_deref());
    let arguments = pip_arguments(&options.pip_arguments)?;
    let verbose = arguments.has("--verbose");
    let report = if verbose { Report::new(Volume::Verbose) } else { report };
    let trust = sources::pins(report, &store, &policy)?;
    if options.lock_path.is_some() {
        beside_a_lock(&arguments)?;
    }
    let given = options.lock_path.as_deref().map(|path| read_lock(process, path)).transpose()?;
    if given.is_none() && options.pip_arguments.is_empty() {
        return Err(Failure::new(Status::Usage, "no lock and no requirements are named")
            .hint("name a lock with -L, or requirements: pypi-verify-now -r requirements.txt"));
    }

    let own = EvidenceSettings::read(process)?;
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
    let mut live = None;
    let answer = session.prepare(&guard).and_then(|prepared| {
        live = session.live(&prepared);
        let lock = match given {
            Some(lock) => lock,
            None => session.resolve(&prepared, &Environment::default())?.lock,
        };
        Ok((prepared.settings, lock))
    });
    let (settings, lock) = match answer {
        Ok(answer) => answer,
        Err(Unresolved::Failure(failure) | Unresolved::NeedsSource(failure)) => {
            return Err(failure);
        }
        Err(Unresolved::Pip(captured)) => {
            report.replay(&[], &captured.stdout);
            report.replay(&[], &captured.stderr);
            return Ok(ExitCode::from(exit_code(captured.status)));
        }
    };

    let sources = Sources::new(own, &settings).telling(&progress);
    sources.lend(&guard.logins());
    let directory = run.subdirectory("wheelhouse").map_err(Failure::temporary_directory)?;
    let wheelhouse = Wheelhouse::new(directory, settings.cache.as_deref());
    let index = sources.index().dropping_checked_pages();
    let findings = sources.audit(&index, &trust, policy, &wheelhouse, &lock)?;
    drop(live);
    verdict_lines(&findings).iter().try_for_each(|l| report.answer(l)).map_err(stdout_failure)?;

    let refused: Vec<_> = findings.iter().filter(|finding| finding.is_refused()).collect();
    if refused.is_empty() {
        sources::record(report, &findings, &store)?;
        return Ok(ExitCode::SUCCESS);
    }
    let context = TrustContext { pins: &trust, record_with: "run the same command with --tofu" };
    refused.iter().flat_map(|f| refusal::lines(f, &context)).for_each(|l| report.detail(&l));
    Err(refusal::failure(&refused, findings.len(), ""))
}

fn policy(process: &Process, options: &Verify) -> Result<Policy, Failure> {
    let mut policy = sources::policy(process)?;
    if options.strict {
        policy.unsigned = Unsigned::Refuse;
    }
    if options.tofu {
        policy.unrecorded = Unrecorded::Record;
    }
    Ok(policy)
}

/// Reads the arguments of `pip lock` as those of `pip install`, which has all of them.
pub(super) fn pip_arguments(words: &[OsString]) -> Result<InstallArgs, Failure> {
    let words = words.strip_prefix(&[OsString::from("--")]).unwrap_or(words);
    let argv: Vec<_> = std::iter::once("install".into()).chain(words.iter().cloned()).collect();
    match classify(&argv) {
        // pip would overwrite the file with its lock.
        Invocation::Install(arguments) if arguments.has("--output") => Err(Failure::new(
            Status::Usage,
            "`--output` names a file for a lock, but this tool does not write locks",
        )
        .hint("to write one that is verified, through the shim: pip lock --output FILE …")),
        Invocation::Install(arguments) => Ok(arguments),
        Invocation::PassThrough | Invocation::UnknownCommand(_) => {
            Err(Failure::new(Status::Usage, "no lock and no requirements are named")
                .hint("for the options of pip lock: pip lock --help"))
        }
    }
}

/// Refuses arguments that would have no effect beside a lock. Only options about indexes and the
/// network apply there.
fn beside_a_lock(arguments: &InstallArgs) -> Result<(), Failure> {
    let usage = |message: String| Err(Failure::new(Status::Usage, message));
    if let Some(item) = arguments.uncertain() {
        let words: Vec<_> = item.raw.iter().map(|word| word.to_string_lossy()).collect();
        return usage(format!("unknown argument `{}`", words.join(" ")));
    }
    let input = arguments.chosen().find(|chosen| chosen.option.names_requirements());
    let argument = arguments.requirement_arguments().first().map(|word| word.to_string_lossy());
    match (input.map(|chosen| chosen.option.name().into()), argument) {
        (Some(word), _) | (None, Some(word)) => {
            usage(format!("`{word}` asks pip for a lock, but --lock-path names a lock to read"))
        }
        (None, None) => Ok(()),
    }
}

fn read_lock(process: &Process, path: &Path) -> Result<Lock, Failure> {
    let wrong = |why: &str| unreadable("lock", path, why);
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let bytes =
        read_bounded(&process.directory.join(path), limit).map_err(|e| wrong(&e.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let lock = Lock::from_pylock(text).and_then(Lock::requiring_digests);
    let lock = lock.map_err(|error| wrong(error.to_string().trim_end()))?;
    let own = process.directory.join(path);
    Ok(lock.below(own.parent().unwrap_or(&process.directory)))
}

/// Returns the pip that a shell would run if the shims were not on PATH.
pub(super) fn real_pip(process: &Process) -> Result<Pip, Failure> {
    let path = process.variable("PATH").unwrap_or_default();
    let find = |name: &str| {
        find::find_real_pip(OsStr::new(name), path, &process.executable, &process.directory, &[])
    };
    let depth = find::check_recursion(process.variable(find::DEPTH_VARIABLE))?;
    let program = find("pip").or_else(|error| find("pip3").map_err(|_| error))?;
    let inherited = process.variable_names();
    Ok(Pip { program, depth: depth.to_string(), inherited, ..Pip::default() })
}

/// Returns one line for each package, with the worst verdict of its files.
fn verdict_lines(findings: &[Finding]) -> Vec<String> {
    let mut packages: Vec<&Finding> = Vec::new();
    let mut places = BTreeMap::<&str, usize>::new();
    for finding in findings {
        match places.get(finding.title.as_str()).and_then(|at| packages.get_mut(*at)) {
            Some(worst) if rank(&finding.verdict) > rank(&worst.verdict) => *worst = finding,
            Some(_) => {}
            None => {
                places.insert(&finding.title, packages.len());
                packages.push(finding);
            }
        }
    }
    packages.into_iter().map(verdict_line).collect()
}

fn verdict_line(finding: &Finding) -> String {
    let title = &finding.title;
    match &finding.verdict {
        Verdict::Ok { publisher } | Verdict::Record { publisher } => {
            format!("OK: {title}, built by {}", publisher.url())
        }
        Verdict::Unknown { kind } => {
            format!(
                "UNKNOWN: {title}, {}",
                refusal::with_release(refusal::unsigned(*kind), finding)
            )
        }
        Verdict::Fail(reason) => {
            let file = finding.file.as_ref().map(|file| format!("{}: ", file.filename));
            let reason = refusal::with_release(&refusal::line(reason), finding);
            format!("FAIL: {title} ({}{reason})", file.unwrap_or_default())
        }
    }
}

/// Returns the severity of a verdict.
const fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Ok { .. } | Verdict::Record { .. } => 0,
        Verdict::Unknown { .. } => 1,
        Verdict::Fail(_) => 2,
    }
}
