//! The text of a refusal: the file, the expected publisher, the publisher found, and the line that
//! would accept it.
//!
//! Owns the words of every verdict, except those of an attestation's errors, which stand beside the
//! variants. The codes are in [`cause`](crate::evidence::cause). Pure: returns lines and prints
//! none. The text is not escaped for a terminal yet.

use crate::attestation::publisher::Publisher;
use crate::evidence::finding::Finding;
use crate::failure::{Failure, Status};
use crate::trust::pin::Pin;
use crate::trust::pins::{Pins, Place};
use crate::trust::policy::{Difference, Reason, UnsignedKind, Verdict};

/// The parts of the trust files that a refusal shows.
#[derive(Debug, Clone, Copy)]
pub struct TrustContext<'a> {
    /// The pins of the trust files.
    pub pins: &'a Pins,
    /// The command that would record an unrecorded publisher.
    pub record_with: &'a str,
}

/// The cause of a verdict that cannot be reached.
const TOO_OLD: &str = "this version or its trusted root may be too old";

/// Returns the failure of a run with these refusals, of `all` files. `nothing` says what the run
/// has not done. A verdict that could not be reached has another exit code than a refusal.
#[must_use]
pub fn failure(refused: &[&Finding], all: usize, nothing: &str) -> Failure {
    let bad = refused.len();
    if !refused.iter().all(|finding| is_too_new(&finding.verdict)) {
        return Failure::new(Status::Refused, format!("{bad} of {all} files refused{nothing}"));
    }
    let message = format!("{bad} of {all} files cannot be judged: {TOO_OLD}{nothing}");
    too_old(Failure::new(Status::CannotJudge, message))
}

/// Adds the next step after a verdict that cannot be reached.
#[must_use]
pub fn too_old(failure: Failure) -> Failure {
    failure
        .hint("update pypi-verify-now, which brings a newer trusted root")
        .hint("if you name a trusted root of your own, fetch it again from its Sigstore instance")
}

/// Returns whether a verdict could not be reached.
#[must_use]
pub const fn is_too_new(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fail(Reason::TooNew { .. }))
}

/// Returns the lines for one finding, or no lines if it is not a refusal.
#[must_use]
pub fn lines(finding: &Finding, trust: &TrustContext<'_>) -> Vec<String> {
    let Verdict::Fail(reason) = &finding.verdict else { return Vec::new() };
    let file = finding.file.as_ref().map(|file| format!(" ({})", file.filename));
    let mut lines = vec![format!(
        "refused: {}{}: {}",
        finding.title,
        file.unwrap_or_default(),
        headline(reason)
    )];
    let places: Vec<_> = trust.pins.places(&finding.name).iter().map(Place::to_string).collect();
    lines.push(match (trust.pins.pin(&finding.name), expected(reason)) {
        (Some(pin), _) => format!("  expected  {}  ({})", pin.url, places.join("; ")),
        (None, Some(pin)) => format!("  expected  {}  (met first in this run)", pin.url),
        (None, None) => format!("  expected  no publisher: no pin {}", searched(trust.pins)),
    });
    let places = if places.is_empty() { recorded_in(trust.pins) } else { places.join(" and ") };
    match reason {
        Reason::ChangedPublisher { found, difference, .. } => {
            if let Difference::Field { condition, found } = difference {
                let found = found.as_deref().unwrap_or("nothing");
                let (field, value) = (condition.field, &condition.value);
                lines.push(format!("            {field}={value}, the certificate says {found}"));
            }
            lines.extend(publisher(found));
            lines.push(format!(
                "  accept    only after you have made sure that the project moved: in {places} write `{} {}`",
                finding.name,
                found.url()
            ));
        }
        Reason::NotRecorded { found } => {
            lines.extend(publisher(found));
            lines.push(format!("  accept    {}", trust.record_with));
            lines.push(format!(
                "            or add the line `{} {}` to {}",
                finding.name,
                found.url(),
                recorded_in(trust.pins)
            ));
        }
        Reason::Ambiguous { found } => {
            found.iter().for_each(|found| lines.extend(publisher(found)));
            lines.push(format!(
                "  accept    choose one: add the line `{} URL` to {}",
                finding.name,
                recorded_in(trust.pins)
            ));
        }
        Reason::SignatureExpected { kind, .. } => {
            let found = format!("  found     no publisher: {}", unsigned(*kind));
            lines.push(with_release(&found, finding));
            lines.push(format!(
                "  accept    choose a release that is signed; or, if the project signs no more, \
                 remove the line of `{}` from {places}",
                finding.name
            ));
        }
        Reason::Invalid { reason, .. } => {
            lines.push(format!("  found     {reason}"));
            lines.push("  accept    an attestation that is not valid cannot be accepted; tell the project or the index".to_owned());
        }
        Reason::TooNew { reason, .. } => {
            lines.push(format!("  found     {reason}"));
            lines.push(format!("  accept    {TOO_OLD}; without an update, choose another release"));
        }
        Reason::UnknownIdentity { reason, .. } => {
            lines.push(format!("  found     {reason}"));
            lines.push(
                "  accept    no trust file can name this identity yet; choose another release"
                    .to_owned(),
            );
        }
        Reason::UnsignedUnderStrict { kind } => {
            let found = format!("  found     no publisher: {}", unsigned(*kind));
            lines.push(with_release(&found, finding));
            lines.push("  accept    run it without STRICT".to_owned());
        }
    }
    lines
}

/// Returns the trust files in force, as the places that were searched for a pin.
#[must_use]
pub fn searched(pins: &Pins) -> String {
    match pins.files() {
        [] => "in any trust file: no trust file exists".to_owned(),
        files => {
            let paths: Vec<_> = files.iter().map(|it| it.path.display().to_string()).collect();
            format!("in {}", paths.join(", "))
        }
    }
}

/// Returns the pin that the evidence was compared with.
const fn expected(reason: &Reason) -> Option<&Pin> {
    match reason {
        Reason::ChangedPublisher { expected, .. } | Reason::SignatureExpected { expected, .. } => {
            Some(expected)
        }
        Reason::Invalid { expected, .. }
        | Reason::TooNew { expected, .. }
        | Reason::UnknownIdentity { expected, .. } => expected.as_ref(),
        Reason::NotRecorded { .. }
        | Reason::Ambiguous { .. }
        | Reason::UnsignedUnderStrict { .. } => None,
    }
}

/// Returns the file that a new pin is written to.
#[must_use]
pub fn recorded_in(pins: &Pins) -> String {
    pins.record().map_or_else(|| "a trust file".to_owned(), |path| path.display().to_string())
}

fn headline(reason: &Reason) -> &'static str {
    match reason {
        Reason::ChangedPublisher { .. } => "changed publisher",
        Reason::SignatureExpected { .. } => "signature expected",
        Reason::Invalid { .. } => "invalid attestation",
        Reason::TooNew { .. } => "cannot judge its attestation",
        Reason::UnknownIdentity { .. } => "unknown identity",
        Reason::NotRecorded { .. } => "publisher not recorded",
        Reason::Ambiguous { .. } => "publisher not recorded, and there are several",
        Reason::UnsignedUnderStrict { .. } => "no attestation, and STRICT asks for one",
    }
}

/// Returns the reason in one line, as it stands in brackets behind `FAIL: name`.
#[must_use]
pub fn line(reason: &Reason) -> String {
    match reason {
        Reason::ChangedPublisher { expected, found, difference } => match difference {
            Difference::Url => {
                format!("changed publisher: expected {}, found {}", expected.url, found.url())
            }
            Difference::Field { condition, found } => {
                let (field, value) = (condition.field, &condition.value);
                let found = found.as_deref().unwrap_or("none");
                format!("changed publisher: expected {field} {value}, found {found}")
            }
        },
        Reason::SignatureExpected { expected, kind } => {
            format!("signature expected from {}, but {}", expected.url, unsigned(*kind))
        }
        Reason::Invalid { reason, .. } => format!("invalid attestation: {reason}"),
        Reason::TooNew { reason, .. } => format!("cannot judge its attestation: {reason}"),
        Reason::UnknownIdentity { reason, .. } => format!("unknown identity: {reason}"),
        Reason::NotRecorded { found } => format!("publisher not recorded: {}", found.url()),
        Reason::Ambiguous { found } => {
            let found: Vec<_> = found.iter().map(|found| found.url().to_string()).collect();
            format!("publisher not recorded, and there are several: {}", found.join(" "))
        }
        Reason::UnsignedUnderStrict { kind } => format!("no attestation: {}", unsigned(*kind)),
    }
}

/// Returns the reason why a file has no attestation.
#[must_use]
pub const fn unsigned(kind: UnsignedKind) -> &'static str {
    match kind {
        UnsignedKind::NoProvenance => "the index has no attestation for it",
        UnsignedKind::NotThereYet => "the index links to an attestation that is not there yet",
        UnsignedKind::LocalFile => "a local file has no attestation",
        UnsignedKind::DirectUrl => "a file from a URL has no attestation",
        UnsignedKind::FindLinks => "a find-links place has no attestations",
        UnsignedKind::VersionControl => "version control has no attestations",
        UnsignedKind::Directory => "a local directory has no attestation",
    }
}

/// Adds the signed share of the release to the reason of a verdict.
#[must_use]
pub fn with_release(reason: &str, finding: &Finding) -> String {
    match &finding.release {
        Some(share) => format!("{reason}; {share}"),
        None => reason.to_owned(),
    }
}

/// Describes the publisher in the certificate.
fn publisher(found: &Publisher) -> Vec<String> {
    let mut lines = vec![format!("  found     {}", found.url())];
    let facts = found.facts();
    let facts = [
        ("workflow", &facts.workflow),
        ("environment", &facts.environment),
        ("ref", &facts.reference),
        ("commit", &facts.commit),
        ("run", &facts.run_url),
    ];
    let stated = facts.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
    lines.extend(stated.map(|(name, value)| format!("            {name} {value}")));
    lines
}

/// Returns a summary of a run in a few lines: verified projects by publisher, and unknown projects.
#[must_use]
pub fn summary(findings: &[Finding]) -> Vec<String> {
    let mut by_publisher = std::collections::BTreeMap::<String, Vec<&str>>::new();
    let mut unknown = std::collections::BTreeMap::<String, Vec<&str>>::new();
    for finding in findings {
        let title = finding.title.as_str();
        match &finding.verdict {
            Verdict::Ok { publisher } | Verdict::Record { publisher } => {
                by_publisher.entry(publisher.url().to_string()).or_default().push(title);
            }
            Verdict::Unknown { kind } => {
                let reason = with_release(unsigned(*kind), finding);
                unknown.entry(reason).or_default().push(title);
            }
            Verdict::Fail(_) => {}
        }
    }
    let verified = by_publisher
        .into_iter()
        .map(|(url, titles)| format!("verified: {}, built by {url}", listed(&titles)));
    let unknown =
        unknown.into_iter().map(|(kind, titles)| format!("unknown: {} ({kind})", listed(&titles)));
    verified.chain(unknown).collect()
}

/// Maximum number of names in a summary line.
const LISTED: usize = 8;

fn listed(titles: &[&str]) -> String {
    let shown = titles.get(..LISTED).unwrap_or(titles).join(", ");
    match titles.len().checked_sub(LISTED) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
