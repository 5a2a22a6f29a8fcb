//! The verdict on a file: a pure function of pin, evidence and policy.
//!
//! Owns the table of verdicts and nothing else; it sees values, never a document, a file or the
//! network. [`Publisher`] is made from verified certificates alone, so that a verdict in favour
//! cannot be reached without one.

use std::fmt;

use crate::attestation::publisher::{Publisher, PublisherUrl};
use crate::trust::pin::{Condition, Field, Pin};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What happens to a file without attestation whose project has no pin.
    pub unsigned: Unsigned,
    /// What happens to an attested file whose project has no pin.
    pub unrecorded: Unrecorded,
}

/// What happens to a file without attestation whose project has no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// It is installed, and said to be unknown.
    Install,
    /// `STRICT=1`.
    Refuse,
}

/// What happens to an attested file whose project has no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// Nobody has agreed to this publisher yet.
    Refuse,
    /// `TOFU=1`: trust on first use.
    Record,
}

/// What was found out about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// A document, and what became of each of its bundles. An empty list proves nothing.
    Attested(Vec<BundleEvidence>),
    /// There is a document, and it cannot be read as one: why.
    InvalidDocument(String),
    /// There is none.
    Unsigned(UnsignedKind),
}

/// One bundle of attestations: a publisher that all of them prove, or why they do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEvidence {
    /// Whose bundle it says it is. Unsigned: it is never trusted, only used to tell whose failure
    /// a failure is.
    pub claimed: Option<PublisherUrl>,
    /// The publisher of the verified certificate, or why there is none.
    pub publisher: Result<Publisher, String>,
}

/// Why there is no attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedKind {
    /// The index knows the file and has no provenance for it.
    NoProvenance,
    /// The file lies on this machine.
    LocalFile,
    /// The file was asked for by its URL, not from an index.
    DirectUrl,
    /// The file comes from a `--find-links` place, which states no provenance.
    FindLinks,
    /// Source code from version control.
    VersionControl,
    /// A directory on this machine.
    Directory,
}

/// What follows for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The pinned publisher built it.
    Ok {
        /// Who.
        publisher: Publisher,
    },
    /// Trust on first use: to be recorded, and then OK.
    Record {
        /// Whom to record.
        publisher: Publisher,
    },
    /// There is nothing to check and no promise that there would be.
    Unknown {
        /// Why there is nothing.
        kind: UnsignedKind,
    },
    /// It must not be installed.
    Fail(Reason),
}

/// Why a file must not be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It verifies, for somebody else than the pin says.
    ChangedPublisher {
        /// The pin.
        expected: Pin,
        /// Who built it.
        found: Publisher,
        /// In what they differ.
        difference: Difference,
    },
    /// The project is pinned and the file has no attestation.
    SignatureExpected {
        /// The pin.
        expected: Pin,
        /// Why there is none.
        kind: UnsignedKind,
    },
    /// There is an attestation and it does not verify.
    Invalid {
        /// What fails.
        reason: String,
        /// The pin, if there is one.
        expected: Option<Pin>,
    },
    /// It verifies, and nobody has agreed to its publisher yet.
    NotRecorded {
        /// Who built it.
        found: Publisher,
    },
    /// It verifies for several publishers, and nobody has agreed to one of them yet.
    Ambiguous {
        /// Who, each repository once; two at least.
        found: Vec<Publisher>,
    },
    /// It has no attestation, and the policy wants one.
    UnsignedUnderStrict {
        /// Why there is none.
        kind: UnsignedKind,
    },
}

/// In what a verified publisher differs from a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another repository or account.
    Url,
    /// The right repository, but the certificate says something else in this field.
    Field {
        /// What the pin wants.
        condition: Condition,
        /// What the certificate says, if it says anything.
        found: Option<String>,
    },
}

/// The verdict on one file of a project.
///
/// With a pin, the file is OK if a bundle of the pinned publisher verifies; if one of them fails
/// it is invalid, whatever else verifies. Bundles of others never count against it. Without a pin,
/// one single publisher may be recorded if the policy says so; a pin is never changed.
#[must_use]
pub fn judge(pin: Option<&Pin>, evidence: &Evidence, policy: &Policy) -> Verdict {
    match (evidence, pin) {
        (Evidence::InvalidDocument(reason), _) => invalid(reason, pin),
        (Evidence::Unsigned(kind), Some(pin)) => {
            Verdict::Fail(Reason::SignatureExpected { expected: pin.clone(), kind: *kind })
        }
        (Evidence::Unsigned(kind), None) => match policy.unsigned {
            Unsigned::Install => Verdict::Unknown { kind: *kind },
            Unsigned::Refuse => Verdict::Fail(Reason::UnsignedUnderStrict { kind: *kind }),
        },
        (Evidence::Attested(bundles), Some(pin)) => judge_pinned(pin, bundles),
        (Evidence::Attested(bundles), None) => judge_unpinned(bundles, policy.unrecorded),
    }
}

/// The verdicts on all files of one project, in the order given.
///
/// The same as [`judge`] for each, except that what would be recorded for one file binds the
/// others too: what trust on first use lets pass, the next run lets pass.
#[must_use]
pub fn judge_project(pin: Option<&Pin>, files: &[Evidence], policy: &Policy) -> Vec<Verdict> {
    let verdicts: Vec<_> = files.iter().map(|evidence| judge(pin, evidence, policy)).collect();
    let first = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Record { publisher } => Some(publisher.clone()),
        _ => None,
    });
    let Some(first) = first else { return verdicts };
    let bound = Pin::to(first.url().clone());
    let again = files.iter().zip(verdicts).map(|(evidence, verdict)| {
        match (judge(Some(&bound), evidence, policy), verdict) {
            (Verdict::Ok { publisher }, _) => Verdict::Record { publisher },
            (Verdict::Fail(Reason::ChangedPublisher { .. }), Verdict::Record { publisher }) => {
                Verdict::Fail(Reason::Ambiguous { found: vec![first.clone(), publisher] })
            }
            (_, refused @ Verdict::Fail(_)) => refused,
            (refused, _) => refused,
        }
    });
    again.collect()
}

/// An attested file of a project that is bound to a publisher.
fn judge_pinned(pin: &Pin, bundles: &[BundleEvidence]) -> Verdict {
    if let Some(reason) = failure_of(&pin.url, bundles) {
        return invalid(reason, Some(pin));
    }
    let mut changed = None;
    for found in verified(bundles) {
        let Some(difference) = difference(pin, found) else {
            return Verdict::Ok { publisher: found.clone() };
        };
        // The nearest miss says most: a field that differs rather than another repository.
        let nearer = matches!(difference, Difference::Field { .. });
        if changed.is_none() || nearer {
            changed = Some((found, difference));
        }
    }
    match changed {
        Some((found, difference)) => Verdict::Fail(Reason::ChangedPublisher {
            expected: pin.clone(),
            found: found.clone(),
            difference,
        }),
        None => none_verifies(bundles, Some(pin)),
    }
}

/// An attested file of a project that nobody has agreed to.
fn judge_unpinned(bundles: &[BundleEvidence], unrecorded: Unrecorded) -> Verdict {
    let mut publishers: Vec<&Publisher> = Vec::new();
    for found in verified(bundles) {
        if publishers.iter().all(|other| other.url() != found.url()) {
            publishers.push(found);
        }
    }
    match publishers.as_slice() {
        [] => none_verifies(bundles, None),
        [found] => match (failure_of(found.url(), bundles), unrecorded) {
            (Some(reason), _) => invalid(reason, None),
            (None, Unrecorded::Record) => Verdict::Record { publisher: (*found).clone() },
            (None, Unrecorded::Refuse) => {
                Verdict::Fail(Reason::NotRecorded { found: (*found).clone() })
            }
        },
        several => {
            let found = several.iter().map(|publisher| (*publisher).clone()).collect();
            Verdict::Fail(Reason::Ambiguous { found })
        }
    }
}

fn verified(bundles: &[BundleEvidence]) -> impl Iterator<Item = &Publisher> {
    bundles.iter().filter_map(|bundle| bundle.publisher.as_ref().ok())
}

/// Why a bundle that claims to be this publisher's fails, if one does.
fn failure_of<'a>(url: &PublisherUrl, bundles: &'a [BundleEvidence]) -> Option<&'a str> {
    let mut theirs = bundles.iter().filter(|bundle| bundle.claimed.as_ref() == Some(url));
    theirs.find_map(|bundle| bundle.publisher.as_ref().err().map(String::as_str))
}

fn none_verifies(bundles: &[BundleEvidence], pin: Option<&Pin>) -> Verdict {
    let failed = bundles.iter().find_map(|bundle| bundle.publisher.as_ref().err());
    invalid(failed.map_or("the document holds no attestation", String::as_str), pin)
}

fn invalid(reason: &str, pin: Option<&Pin>) -> Verdict {
    Verdict::Fail(Reason::Invalid { reason: reason.to_owned(), expected: pin.cloned() })
}

/// The first thing in which the publisher is not what the pin says.
fn difference(pin: &Pin, found: &Publisher) -> Option<Difference> {
    if *found.url() != pin.url {
        return Some(Difference::Url);
    }
    let differs = |condition: &&Condition| stated(found, condition.field) != Some(&condition.value);
    let condition = pin.conditions().iter().find(differs)?;
    let found = stated(found, condition.field).map(str::to_owned);
    Some(Difference::Field { condition: condition.clone(), found })
}

/// What the certificate says in a field that a pin can name.
fn stated(publisher: &Publisher, field: Field) -> Option<&str> {
    let facts = publisher.facts();
    let stated = match field {
        Field::Workflow => &facts.workflow,
        Field::Environment => &facts.environment,
        Field::RepositoryId => &facts.repository_id,
        Field::OwnerId => &facts.owner_id,
    };
    stated.as_deref()
}

impl fmt::Display for UnsignedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoProvenance => "the index has no attestation for it",
            Self::LocalFile => "a local file has no attestation",
            Self::DirectUrl => "a file from a URL has no attestation",
            Self::FindLinks => "a find-links place has no attestations",
            Self::VersionControl => "version control has no attestations",
            Self::Directory => "a local directory has no attestation",
        })
    }
}

impl fmt::Display for Reason {
    /// One line, as it stands in brackets behind `FAIL: name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChangedPublisher { expected, found, difference } => match difference {
                Difference::Url => {
                    write!(f, "changed publisher: expected {}, found {}", expected.url, found.url())
                }
                Difference::Field { condition, found } => {
                    let (field, value) = (condition.field, &condition.value);
                    let found = found.as_deref().unwrap_or("none");
                    write!(f, "changed publisher: expected {field} {value}, found {found}")
                }
            },
            Self::SignatureExpected { expected, kind } => {
                write!(f, "signature expected from {}, but {kind}", expected.url)
            }
            Self::Invalid { reason, .. } => write!(f, "invalid attestation: {reason}"),
            Self::NotRecorded { found } => write!(f, "publisher not recorded: {}", found.url()),
            Self::Ambiguous { found } => {
                f.write_str("publisher not recorded, and there are several:")?;
                found.iter().try_for_each(|publisher| write!(f, " {}", publisher.url()))
            }
            Self::UnsignedUnderStrict { kind } => write!(f, "no attestation: {kind}"),
        }
    }
}
