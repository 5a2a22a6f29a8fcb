//! Checks the contents of wheels before pip installs them: a wheel must not write, or make pip
//! delete, a file of another owner. pip's unpacking and RECORD are sufficient for such an attack.
//!
//! 1. Read each wheel's listing, commands and RECORD ([`archive`], [`record`]).
//! 2. Map them to paths by the scheme of the run ([`claims`]).
//! 3. Compare the paths with the protected ones ([`ground`]), with installed projects (`replaced`),
//!    and with the other wheels.
//!
//! Honest projects overlap, so a path of several owners is refused only if the contents differ and
//! the publishers too. Must not judge publishers or change the disk.

pub mod archive;
pub mod claims;
pub mod ground;
mod installed;
pub mod metadata;
pub mod record;
mod replaced;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::attestation::publisher::PublisherUrl;
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;
use crate::sync::in_order;
use archive::{ArchiveError, Member};
use claims::{Claim, Origin, Outside, Stated, claims};
use ground::{Ground, Guardian, OutOfBounds};
use record::{NotPlain, Row, Script};

/// Maximum size of RECORD or `entry_points.txt`, in bytes: ten times the size in the wheels with
/// the most members.
const MAX_TEXT: u64 = 64 * 1024 * 1024;

/// A wheel that is about to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The project.
    pub name: PackageName,
    /// The project and version, for messages.
    pub title: String,
    /// The file name, for messages.
    pub filename: String,
    /// The file.
    pub path: PathBuf,
    /// The verified publisher. `None` if the wheel has no attestation.
    pub publisher: Option<PublisherUrl>,
}

/// A recorded project, which may be installed already, with its publisher.
pub type Recorded<'a> = (&'a PackageName, &'a PublisherUrl);

/// A wheel or an installed project that claims a path of another owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The wheel: project and version, and the file name in brackets.
    pub wheel: String,
    /// The reason.
    pub wrong: Wrong,
}

/// Reasons for which a wheel is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Programs would read the archive differently.
    #[error("the file {0}")]
    Archive(String),
    /// Programs would read RECORD or `entry_points.txt` differently.
    #[error("its {0}: {1}")]
    Text(&'static str, NotPlain),
    /// A name leads out of the directories of the installation.
    #[error(transparent)]
    Outside(#[from] Outside),
    /// A path is protected.
    #[error("{origin} would own `{}`, which is {guardian}", path.escape_debug())]
    Guarded {
        /// The part of the wheel that the path comes from.
        origin: String,
        /// The path.
        path: String,
        /// The owner of the protected path.
        guardian: Guardian,
    },
    /// A path would be loaded in place of another project's.
    #[error(
        "{origin} would own `{}`, which Python loads in place of a file of {owner}",
        path.escape_debug()
    )]
    Shadow {
        /// The part of the wheel that the path comes from.
        origin: String,
        /// The path.
        path: String,
        /// The other project and its publisher.
        owner: String,
    },
    /// A path belongs to another project.
    #[error(
        "{origin} would own `{}`, which belongs to {owner} and has other content",
        path.escape_debug()
    )]
    Foreign {
        /// The part of the wheel that the path comes from.
        origin: String,
        /// The path.
        path: String,
        /// The other project and its publisher.
        owner: String,
    },
}

/// The index of a wheel, and one of its claims.
type Owned<'a> = (usize, &'a Claim);

/// Kinds of overlap between two projects.
#[derive(Clone, Copy)]
enum Overlap {
    /// One path with two contents.
    Content,
    /// Two files for one module.
    Module,
}

impl Overlap {
    fn wrong(self, claim: &Claim, owner: String) -> Wrong {
        let (origin, path) = (claim.origin.to_string(), claim.path.clone());
        match self {
            Self::Content => Wrong::Foreign { origin, path, owner },
            Self::Module => Wrong::Shadow { origin, path, owner },
        }
    }
}

/// The parts of a wheel that pip acts on.
struct Listing {
    members: Vec<Member>,
    rows: Vec<Row>,
    scripts: Vec<Script>,
}

/// Checks all wheels of a run. Returns the violations in the order of the wheels; an empty result
/// means that pip may install them.
///
/// `recorded` contains the recorded projects: the files of those that are installed, and are not
/// among the wheels, are compared as well.
#[must_use]
pub fn violations<'a>(
    wheels: &[Wheel],
    scheme: &Scheme,
    out: &OutOfBounds,
    recorded: impl IntoIterator<Item = Recorded<'a>>,
) -> Vec<Violation> {
    let listings = listings(wheels);
    let mut survey = Survey { wheels, ground: Ground::new(out, scheme), found: Vec::new() };
    let mut owned = Vec::with_capacity(wheels.len());
    for (wheel, listing) in wheels.iter().zip(&listings) {
        let claims = listing.as_ref().map_err(Clone::clone).and_then(|listing| {
            let Listing { members, rows, scripts } = listing;
            Ok(claims(Stated { name: &wheel.name, members, rows, scripts }, scheme)?)
        });
        owned.push(claims.unwrap_or_else(|wrong| {
            survey.report(wheel, wrong);
            Vec::new()
        }));
    }
    survey.installed(&owned, scheme, &recorded.into_iter().collect());
    survey.each_other(&owned, &listings, scheme);
    survey.found
}

/// Reads the listings of all wheels, with one thread for each core.
fn listings(wheels: &[Wheel]) -> Vec<Result<Listing, Wrong>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    in_order(wheels, cores, &AtomicBool::new(false), listing)
}

fn listing(wheel: &Wheel) -> Result<Listing, Wrong> {
    let archive = |error: ArchiveError| Wrong::Archive(error.to_string());
    let mut file = File::open(&wheel.path).map_err(|error| archive(error.into()))?;
    let members = match archive::members(&mut file) {
        // No program reads this file as a zip archive. pip prints its own error and unpacks no
        // file.
        Err(ArchiveError::NotAnArchive) => Vec::new(),
        members => members.map_err(archive)?,
    };
    let mut texts = |name: &'static str| -> Result<Vec<String>, Wrong> {
        // `zipfile` uses the last of several members of one name; here all of them count.
        let is_wanted = |member: &&Member| {
            let top = member.name.strip_suffix(name).and_then(|top| top.strip_suffix('/'));
            top.is_some_and(|top| top.ends_with(".dist-info") && !top.contains('/'))
        };
        let text = |member: &Member| {
            let bytes = archive::content(&mut file, member, MAX_TEXT).map_err(archive)?;
            let reason = NotPlain { line: 1, reason: "or a later one is not UTF-8" };
            String::from_utf8(bytes).map_err(|_| Wrong::Text(name, reason))
        };
        members.iter().filter(is_wanted).map(text).collect()
    };
    let (mut rows, mut scripts) = (Vec::new(), Vec::new());
    for text in texts("RECORD")? {
        rows.extend(record::rows(&text).map_err(|error| Wrong::Text("RECORD", error))?);
    }
    for text in texts("entry_points.txt")? {
        let read = record::scripts(&text);
        scripts.extend(read.map_err(|error| Wrong::Text("entry_points.txt", error))?);
    }
    Ok(Listing { members, rows, scripts })
}

/// One check of all wheels.
struct Survey<'a> {
    wheels: &'a [Wheel],
    ground: Ground,
    found: Vec<Violation>,
}

impl Survey<'_> {
    fn report(&mut self, wheel: &Wheel, wrong: Wrong) {
        let wheel = format!("{} ({})", wheel.title, wheel.filename);
        self.found.push(Violation { wheel, wrong });
    }

    /// Compares the paths of each wheel with the protected ones and with those of the other wheels.
    fn each_other(
        &mut self,
        owned: &[Vec<Claim>],
        listings: &[Result<Listing, Wrong>],
        scheme: &Scheme,
    ) {
        let mut owners = HashMap::<String, Vec<Owned<'_>>>::new();
        let mut modules = HashMap::<String, Vec<(Owned<'_>, String)>>::new();
        let mut replaced = HashMap::<String, Owned<'_>>::new();
        for (number, (wheel, claims)) in self.wheels.iter().zip(owned).enumerate() {
            for claim in claims {
                let (key, owned) = (self.ground.key(&claim.path), (number, claim));
                if let Some(guardian) = self.ground.guardian(&key, &wheel.name) {
                    let (origin, path) = (claim.origin.to_string(), claim.path.clone());
                    self.report(wheel, Wrong::Guarded { origin, path, guardian });
                    continue;
                }
                if scheme.replaces
                    && let Some(top) = self.top(&key)
                {
                    replaced.entry(top).or_insert(owned);
                }
                if let Some(module) = self.top(&key).and_then(|_| module_of(&key)) {
                    let others = modules.entry(module).or_default();
                    let is_other = |(_, other): &&(Owned<'_>, String)| *other != key;
                    let other = others.iter().filter(is_other).map(|(other, _)| *other);
                    let stranger = other.clone().find(|it| !self.are_related(it.0, number));
                    others.push((owned, key.clone()));
                    self.blame(stranger, owned, Overlap::Module);
                }
                let others = owners.entry(key).or_default();
                let stranger = others.iter().copied().find(|other| {
                    !self.are_related(other.0, number) && !self.is_same(listings, *other, owned)
                });
                others.push(owned);
                self.blame(stranger, owned, Overlap::Content);
            }
        }
        // Python loads byte code instead of its source, so byte code of another project's source
        // counts.
        let all: Vec<(String, Owned<'_>)> = owners
            .iter()
            .filter_map(|(key, of_key)| Some((source_of(key)?, of_key)))
            .flat_map(|(source, of_key)| of_key.iter().map(move |it| (source.clone(), *it)))
            .collect();
        for (source, owned) in all {
            let others = owners.get(&source).into_iter().flatten().copied();
            let stranger = others.into_iter().find(|other| !self.are_related(other.0, owned.0));
            self.blame(stranger, owned, Overlap::Module);
        }
        for (top, (number, claim)) in replaced {
            let Some((path, guardian)) = self.ground.below(&top) else { continue };
            let (path, guardian) = (path.to_owned(), guardian.clone());
            if let Some(wheel) = self.wheels.get(number) {
                let origin = format!("{}, whose directory pip replaces,", claim.origin);
                self.report(wheel, Wrong::Guarded { origin, path, guardian });
            }
        }
    }

    /// Reports an overlap, if any: of the wheel without a publisher, which is the one to leave out.
    fn blame(&mut self, stranger: Option<Owned<'_>>, owned: Owned<'_>, overlap: Overlap) {
        let Some((other, others_claim)) = stranger else { return };
        let pair = self.wheels.get(other).zip(self.wheels.get(owned.0));
        let Some((other, wheel)) = pair else { return };
        if other.publisher.is_none() {
            self.report(other, overlap.wrong(others_claim, owner(wheel)));
        } else {
            self.report(wheel, overlap.wrong(owned.1, owner(other)));
        }
    }

    /// Returns the top-level entry of a directory of packages for a path.
    fn top(&self, key: &str) -> Option<String> {
        let within = |library: &&String| key.starts_with(&format!("{library}/"));
        let library = self.ground.libraries().iter().find(within)?;
        let rest = key.get(library.len() + 1..)?;
        Some(format!("{library}/{}", rest.split('/').next().unwrap_or_default()))
    }

    /// Returns whether two projects may overlap: both have the same publisher, or neither has one.
    fn are_related(&self, one: usize, other: usize) -> bool {
        let publisher = |number: usize| self.wheels.get(number).map(|it| it.publisher.as_ref());
        publisher(one) == publisher(other)
    }

    /// Returns whether two claims of one path have the same content.
    fn is_same(
        &self,
        listings: &[Result<Listing, Wrong>],
        one: (usize, &Claim),
        other: (usize, &Claim),
    ) -> bool {
        let member = |(number, at): (usize, usize)| {
            let listing = listings.get(number)?.as_ref().ok()?;
            Some((self.wheels.get(number)?, listing.members.get(at)?))
        };
        match (&one.1.origin, &other.1.origin) {
            (Origin::Script(one), Origin::Script(other)) => one == other,
            // Neither wheel writes the path, and deleting it twice is harmless.
            (Origin::Row(_), Origin::Row(_)) => true,
            (Origin::Member(at), Origin::Member(other_at)) => {
                let found = member((one.0, *at)).zip(member((other.0, *other_at)));
                let Some(((wheel, one), (other_wheel, other))) = found else { return false };
                let digest = digest(wheel, one);
                one.size == other.size
                    && one.crc == other.crc
                    && digest.is_some()
                    && digest == self::digest(other_wheel, other)
            }
            _ => false,
        }
    }
}

/// Returns the sha256 of a member's content. Returns `None` if the content cannot be read.
fn digest(wheel: &Wheel, member: &Member) -> Option<Sha256> {
    let mut file = File::open(&wheel.path).ok()?;
    let mut content = archive::unpacked(&mut file, member).ok()?;
    Sha256::of_reader(&mut content).ok()
}

fn owner(wheel: &Wheel) -> String {
    match &wheel.publisher {
        Some(publisher) => format!("{}, built by {publisher}", wheel.title),
        None => wheel.title.clone(),
    }
}

/// Returns the module that a file is loaded for, as a path without ending: `a/b.py`, `a/b.abi3.so`
/// and `a/b/__init__.py` are all `a/b`. Returns `None` if Python loads no module from such a file.
fn module_of(key: &str) -> Option<String> {
    let (directory, file) = key.rsplit_once('/')?;
    let ending = file.rsplit_once('.').map(|(_, ending)| ending)?;
    if !matches!(ending, "py" | "pyc" | "so" | "pyd") {
        return None;
    }
    match file.split('.').next()? {
        "__init__" => Some(directory.to_owned()),
        stem => Some(format!("{directory}/{stem}")),
    }
}

/// Returns the source of a file of byte code. Returns `None` if the file is not byte code.
fn source_of(key: &str) -> Option<String> {
    let (directory, file) = key.rsplit_once('/')?;
    claims::byte_code_of(directory, file)
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(_) => f.write_str("a member"),
            Self::Script(script) => write!(f, "its command `{}`", script.name.escape_debug()),
            Self::Row(row) => write!(f, "line {} of its RECORD", row.line),
        }
    }
}
