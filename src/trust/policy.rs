//! The verdict on a file: a pure function of pin, evidence and policy.
//!
//! Owns the table of verdicts; the words are in `evidence::refusal`. Must not access documents,
//! files or the network. A [`Publisher`] can be made only from a verified certificate, so a good
//! verdict is impossible without one.

use crate::attestation::document::DocumentError;
use crate::attestation::publisher::{Publisher, PublisherUrl};
use crate::attestation::verifier::{BundleEvidence, InvalidAttestation, Weight};
use crate::trust::pin::{Condition, Field, Pin};

/// The user's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The treatment of a file without attestation whose project has no pin.
    pub unsigned: Unsigned,
    /// The treatment of an attested file whose project has no pin.
    pub unrecorded: Unrecorded,
}

/// The treatment of a file without attestation whose project has no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// Installs the file and reports it as unknown.
    Install,
    /// `STRICT=1`: refuses the file.
    Refuse,
}

/// The treatment of an attested file whose project has no pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// Refuses the file, since the user has not agreed to its publisher.
    Refuse,
    /// `TOFU=1`: trust on first use records the publisher.
    Record,
}

/// The evidence about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// A document, with the result for each of its bundles. An empty list proves no publisher.
    Attested(Vec<BundleEvidence>),
    /// A document that cannot be parsed, or that cannot be about the file.
    Invalid(InvalidAttestation),
    /// No document.
    Unsigned(UnsignedKind),
}

/// Reasons why a file has no attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedKind {
    /// The index lists the file without provenance.
    NoProvenance,
    /// The index links to provenance, and has none at the link (404).
    NotThereYet,
    /// The file is on this machine.
    LocalFile,
    /// The user named the file's URL, so no index lists it.
    DirectUrl,
    /// The file comes from a `--find-links` place, which states no provenance.
    FindLinks,
    /// Source code from version control.
    VersionControl,
    /// A directory on this machine.
    Directory,
}

impl UnsignedKind {
    /// Returns the kind of a file for which no document was found, by the link of its index.
    #[must_use]
    pub const fn of_link<T>(link: Option<&T>) -> Self {
        if link.is_some() { Self::NotThereYet } else { Self::NoProvenance }
    }

    /// Returns whether an index lists the file.
    #[must_use]
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::NoProvenance | Self::NotThereYet)
    }
}

/// The verdict on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The pinned publisher built the file.
    Ok {
        /// The publisher.
        publisher: Publisher,
    },
    /// Trust on first use accepts the file and records its publisher.
    Record {
        /// The publisher to record.
        publisher: Publisher,
    },
    /// The file has no attestation, and its project has no pin.
    Unknown {
        /// The reason why there is no attestation.
        kind: UnsignedKind,
    },
    /// The file must not be installed.
    Fail(Reason),
}

/// Reasons why a file must not be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The file is attested by a publisher other than the pinned one.
    ChangedPublisher {
        /// The pin.
        expected: Pin,
        /// The publisher that built the file.
        found: Publisher,
        /// The difference between the two.
        difference: Difference,
    },
    /// The project is pinned and the file has no attestation.
    SignatureExpected {
        /// The pin.
        expected: Pin,
        /// The reason why there is no attestation.
        kind: UnsignedKind,
    },
    /// The file has an attestation that does not verify.
    Invalid {
        /// The reason of the failure.
        reason: InvalidAttestation,
        /// The pin, if there is one.
        expected: Option<Pin>,
    },
    /// The file has an attestation that this version of the program, or its trusted root, does not
    /// know how to judge.
    TooNew {
        /// The part that is not known.
        reason: InvalidAttestation,
        /// The pin, if there is one.
        expected: Option<Pin>,
    },
    /// The file has an attestation that verifies, of an identity that no pin can name.
    UnknownIdentity {
        /// The identity.
        reason: InvalidAttestation,
        /// The pin, if there is one.
        expected: Option<Pin>,
    },
    /// The attestation verifies, and the user has not agreed to its publisher.
    NotRecorded {
        /// The publisher that built the file.
        found: Publisher,
    },
    /// The attestations verify for several publishers, and the user has agreed to none of them.
    Ambiguous {
        /// The publishers, at least two, one for each repository.
        found: Vec<Publisher>,
    },
    /// The file has no attestation, and the policy demands one.
    UnsignedUnderStrict {
        /// The reason why there is no attestation.
        kind: UnsignedKind,
    },
}

/// Differences between a verified publisher and a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another repository or account.
    Url,
    /// The repository is right, but the certificate states another value for this field.
    Field {
        /// The condition in the pin.
        condition: Condition,
        /// The value in the certificate, if there is one.
        found: Option<String>,
    },
}

/// Returns the verdict on one file of a project.
///
/// With a pin, the file is OK if a bundle of the pinned publisher verifies, and refused if one of
/// that publisher's bundles fails, even beside a good one. Bundles of other publishers never count
/// against the file. Without a pin, a single publisher may be recorded if the policy says so. A pin
/// is never changed. [`Binding`](crate::trust::binding::Binding) judges the files of a project
/// together.
#[must_use]
pub fn judge(pin: Option<&Pin>, evidence: &Evidence, policy: &Policy) -> Verdict {
    match (evidence, pin) {
        (Evidence::Invalid(reason), _) => invalid(reason.clone(), pin),
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

/// Judges an attested file of a project that has a pin.
fn judge_pinned(pin: &Pin, bundles: &[BundleEvidence]) -> Verdict {
    if let Some(reason) = failure_of(&pin.url, bundles) {
        return invalid(reason, Some(pin));
    }
    let mut changed = None;
    for found in verified(bundles) {
        let Some(difference) = difference(pin, found) else {
            return Verdict::Ok { publisher: found.clone() };
        };
        // The difference that is reported is the smallest: a field rather than another repository.
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

/// Judges an attested file of a project that has no pin.
fn judge_unpinned(bundles: &[BundleEvidence], unrecorded: Unrecorded) -> Verdict {
    match distinct(bundles).as_slice() {
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

/// Returns the verified publishers of a file, one for each repository, in the document's order.
#[must_use]
pub fn publishers(evidence: &Evidence) -> Vec<&Publisher> {
    match evidence {
        Evidence::Attested(bundles) => distinct(bundles),
        Evidence::Invalid(_) | Evidence::Unsigned(_) => Vec::new(),
    }
}

fn distinct(bundles: &[BundleEvidence]) -> Vec<&Publisher> {
    let mut publishers: Vec<&Publisher> = Vec::new();
    for found in verified(bundles) {
        if publishers.iter().all(|other| other.url() != found.url()) {
            publishers.push(found);
        }
    }
    publishers
}

fn verified(bundles: &[BundleEvidence]) -> impl Iterator<Item = &Publisher> {
    bundles.iter().filter_map(|bundle| bundle.publisher.as_ref().ok())
}

/// Returns the reason for which a bundle of this publisher fails, or `None` if none fails.
fn failure_of(url: &PublisherUrl, bundles: &[BundleEvidence]) -> Option<InvalidAttestation> {
    failure(bundles.iter().filter(|bundle| bundle.claimed.as_ref() == Some(url)))
}

/// Returns the weightiest failure: a document must not hide a bad bundle behind one that cannot be
/// judged.
fn failure<'a>(bundles: impl Iterator<Item = &'a BundleEvidence>) -> Option<InvalidAttestation> {
    let failures = bundles.filter_map(|bundle| bundle.publisher.as_ref().err());
    let weightiest = failures.min_by_key(|error| error.weight());
    weightiest.cloned().map(InvalidAttestation::Bundle)
}

fn none_verifies(bundles: &[BundleEvidence], pin: Option<&Pin>) -> Verdict {
    invalid(failure(bundles.iter()).unwrap_or_else(|| DocumentError::NoBundle.into()), pin)
}

/// Returns the verdict on a file whose attestation is not good.
fn invalid(reason: InvalidAttestation, pin: Option<&Pin>) -> Verdict {
    let expected = pin.cloned();
    Verdict::Fail(match reason.weight() {
        Weight::Invalid => Reason::Invalid { reason, expected },
        Weight::TooNew => Reason::TooNew { reason, expected },
        Weight::UnknownIdentity => Reason::UnknownIdentity { reason, expected },
    })
}

/// Returns the first difference between the publisher and the pin, or `None` if they agree.
fn difference(pin: &Pin, found: &Publisher) -> Option<Difference> {
    if *found.url() != pin.url {
        return Some(Difference::Url);
    }
    let differs = |condition: &&Condition| stated(found, condition.field) != Some(&condition.value);
    let condition = pin.conditions().iter().find(differs)?;
    let found = stated(found, condition.field).map(str::to_owned);
    Some(Difference::Field { condition: condition.clone(), found })
}

/// Returns the value of a field in the certificate.
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
