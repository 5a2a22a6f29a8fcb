//! Steps of a [`Session`] that the stories of an install, a build and a lock share.
//!
//! Prints findings, asks the user about unknown publishers, and records publishers. Must not judge.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::evidence::audit::Finding;
use crate::evidence::refusal::{self, TrustContext, recorded_in};
use crate::evidence::sources;
use crate::failure::Failure;
use crate::pip::command_line::arguments::Subcommand;
use crate::pip::run::{Captured, exit_code};
use crate::process::run::CTRL_C;
use crate::resolve::resolution::Prepared;
use crate::resolve::session::Session;
use crate::terminal::report::Report;
use crate::trust::pins::Pins;
use crate::trust::policy::{Reason, Verdict};
use crate::trust::store::Store;

impl Session<'_> {
    /// Returns whether the user asks for a lock, so that no package is installed.
    pub(super) fn locks(&self) -> bool {
        self.arguments.subcommand() == Subcommand::Lock
    }

    /// Records the publishers of the findings. Called after every verdict is good.
    pub(super) fn record(
        &self,
        findings: &[Finding],
        prepared: &Prepared<'_>,
        store: &Store,
    ) -> Result<(), Failure> {
        // A dry run must not change the trust files. `pip lock` has no option `--dry-run`.
        if prepared.probe.options.is_on("--dry-run") && !self.locks() {
            return Ok(());
        }
        sources::record(self.report, findings, store)
    }

    /// Prints which findings are verified and which are unknown.
    pub(super) fn tell(&self, findings: &[Finding]) {
        refusal::summary(findings).iter().for_each(|line| self.report.news(line));
    }

    /// Asks the user at the terminal where that is possible, and refuses the remaining findings.
    pub(super) fn decide(
        &self,
        mut findings: Vec<Finding>,
        prepared: &Prepared<'_>,
        trust: &Pins,
    ) -> Result<Vec<Finding>, Failure> {
        let context = TrustContext {
            pins: trust,
            record_with: "run the same command with TOFU=1 in its environment",
        };
        if self.may_ask(prepared) {
            ask(self.report, &mut findings, &context);
        }
        let refused: Vec<_> = findings.iter().filter(|finding| finding.is_refused()).collect();
        if refused.is_empty() {
            return Ok(findings);
        }
        let lines = refused.iter().flat_map(|finding| refusal::lines(finding, &context));
        lines.for_each(|line| self.report.detail(&line));
        let nothing = if self.locks() { "no lock was written" } else { "nothing was installed" };
        Err(refusal::failure(&refused, findings.len(), &format!("; {nothing}")))
    }

    fn may_ask(&self, prepared: &Prepared<'_>) -> bool {
        self.process.interactive
            && !prepared.probe.options.is_on("--no-input")
            && !self.process.variable_is_on("CI")
    }

    /// Prints the output of a pip that failed, and returns its exit code.
    pub(super) fn as_pip_failed(&self, captured: &Captured) -> ExitCode {
        self.report.replay(&captured.stdout, &captured.stderr);
        if self.run.interrupted() == Some(CTRL_C) {
            // pip's own exit code for a cancelled run, also if pip had not started yet.
            return ExitCode::FAILURE;
        }
        ExitCode::from(exit_code(captured.status))
    }
}

/// Asks once for each project, as `ssh` asks about a new host key.
fn ask(report: Report, findings: &mut [Finding], context: &TrustContext<'_>) {
    let mut answers = BTreeMap::new();
    for finding in findings {
        let Verdict::Fail(Reason::NotRecorded { found }) = &finding.verdict else { continue };
        let publisher = found.clone();
        let url = publisher.url().to_string();
        let agreed = *answers.entry((finding.name.clone(), url.clone())).or_insert_with(|| {
            let (searched, path) = (refusal::searched(context.pins), recorded_in(context.pins));
            report.detail(&format!("{} is built by {url}, not recorded {searched}", finding.title));
            report.detail(&format!("`yes` records it in {path}"));
            report.ask("Trust this publisher for this project from now on?")
        });
        if agreed {
            finding.verdict = Verdict::Record { publisher };
        }
    }
}
