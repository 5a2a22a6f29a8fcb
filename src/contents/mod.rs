//! The contents of the wheels that are about to be installed: whether one of them would write, or
//! lead pip to delete, a file that is not its own.
//!
//! No code of a wheel needs to run for that: pip's unpacking and RECORD are enough. Each wheel's
//! listing, commands and RECORD are read ([`archive`], [`record`]), mapped to paths by the scheme
//! of the run ([`claims`]), and held against what no wheel may own ([`ground`]) and against the
//! files of the other projects. Honest projects overlap, so a file that several own is refused only
//! if the contents differ and the publishers are not the same. Judges wheels, never publishers, and
//! changes nothing.

pub mod archive;
pub mod claims;
pub mod ground;
mod installed;
pub mod record;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::attestation::publisher::PublisherUrl;
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::pip::scheme::Scheme;
use archive::{ArchiveError, Member};
use claims::{Claim, Origin, Outside, Stated, claims};
use ground::{Ground, Guardian, OutOfBounds};
use record::{NotPlain, Row, Script};

/// The largest RECORD or `entry_points.txt` that is read, in bytes: ten times that of the wheels
/// with the most members.
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

/// A project on record that may be installed already.
pub type Recorded<'a> = (&'a PackageName, &'a PublisherUrl);

/// A wheel, or an installed project, that would own what is not its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The wheel: project and version, and the file name in brackets.
    pub wheel: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with a wheel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The archive cannot be read as every reader would read it.
    #[error("the file {0}")]
    Archive(String),
    /// RECORD or `entry_points.txt` cannot be.
    #[error("its {0}: {1}")]
    Text(&'static str, NotPlain),
    /// A name leads out of the directories of the installation.
    #[error(transparent)]
    Outside(#[from] Outside),
    /// A path belongs to what stands guard.
    #[error("{origin} would own `{}`, which is {guardian}", path.escape_debug())]
    Guarded {
        /// Where in the wheel the path comes from.
        origin: String,
        /// The path.
        path: String,
        /// What it belongs to.
        guardian: Guardian,
    },
    /// A path belongs to another project.
    #[error(
        "{origin} would own `{}`, which belongs to {owner} and has other content",
        path.escape_debug()
    )]
    Foreign {
        /// Where in the wheel the path comes from.
        origin: String,
        /// The path.
        path: String,
        /// The other project, and who built it.
        owner: String,
    },
}

/// The wheel's parts that pip acts on.
struct Listing {
    members: Vec<Member>,
    rows: Vec<Row>,
    scripts: Vec<Script>,
}

/// Looks into all wheels of a run. Returns what is wrong, in the order of the wheels; nothing is if
/// the result is empty.
///
/// `recorded` are the projects on record: the files of those that are installed and not among the
/// wheels are held to as well.
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
    survey.installed(&owned, scheme, recorded.into_iter().collect());
    survey.each_other(&owned, &listings, scheme);
    survey.found
}

/// The listings of all wheels, read by as many threads as there are cores.
fn listings(wheels: &[Wheel]) -> Vec<Result<Listing, Wrong>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(wheels.iter().enumerate());
    let work = || {
        let mut read = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some((number, wheel)) = next else { return read };
            read.push((number, listing(wheel)));
        }
    };
    let mut read = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(wheels.len())).map(|_| scope.spawn(work)).collect();
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.flatten().collect::<Vec<_>>()
    });
    read.sort_by_key(|(number, _)| *number);
    read.into_iter().map(|(_, listing)| listing).collect()
}

fn listing(wheel: &Wheel) -> Result<Listing, Wrong> {
    let archive = |error: ArchiveError| Wrong::Archive(error.to_string());
    let mut file = File::open(&wheel.path).map_err(|error| archive(error.into()))?;
    let members = match archive::members(&mut file) {
        // Not a zip archive to anybody: pip says so itself, and unpacks nothing.
        Err(ArchiveError::NotAnArchive) => Vec::new(),
        members => members.map_err(archive)?,
    };
    let mut texts = |name: &'static str| -> Result<Vec<String>, Wrong> {
        // `zipfile` takes the last of several members of one name; here all of them count.
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

/// One look at all wheels.
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

    /// Projects that are installed already: one that is replaced must not have pip delete what
    /// stands guard, and one that is on record keeps its files.
    fn installed(
        &mut self,
        owned: &[Vec<Claim>],
        scheme: &Scheme,
        recorded: HashMap<&PackageName, &PublisherUrl>,
    ) {
        let libraries: BTreeSet<&str> = [scheme.purelib.as_str(), &scheme.platlib].into();
        for project in installed::projects(libraries) {
            let is_replaced = self.wheels.iter().any(|wheel| wheel.name == project.name);
            let publisher = recorded.get(&project.name).filter(|_| !is_replaced);
            if !is_replaced && publisher.is_none() {
                continue;
            }
            let files = project.files();
            if let Some(publisher) = publisher {
                self.keep(&project.name, publisher, &files, owned);
                continue;
            }
            for file in files {
                let key = self.ground.key(&file.path);
                if let Some(guardian) = self.ground.guardian(&key, &project.name) {
                    let wheel = format!("{}, as installed", project.name);
                    let origin = Origin::Row(file.row).to_string();
                    let wrong = Wrong::Guarded { origin, path: file.path, guardian };
                    self.found.push(Violation { wheel, wrong });
                }
            }
        }
    }

    /// The files of an installed project on record stay, whatever the wheels claim.
    fn keep(
        &mut self,
        name: &PackageName,
        publisher: &PublisherUrl,
        files: &[installed::InstalledFile],
        owned: &[Vec<Claim>],
    ) {
        let files: HashMap<String, &str> =
            files.iter().map(|file| (self.ground.key(&file.path), file.path.as_str())).collect();
        for (wheel, claims) in self.wheels.iter().zip(owned) {
            if wheel.publisher.as_ref() == Some(publisher) {
                continue;
            }
            for claim in claims {
                let key = self.ground.key(&claim.path);
                let Some(path) = files.get(&key) else { continue };
                if !is_on_disk(wheel, claim, path) {
                    let owner = format!("the installed project {name}");
                    self.report(wheel, foreign(claim, owner));
                }
            }
        }
    }

    /// What stands guard, and the wheels among each other.
    fn each_other(
        &mut self,
        owned: &[Vec<Claim>],
        listings: &[Result<Listing, Wrong>],
        scheme: &Scheme,
    ) {
        let mut owners = HashMap::<String, Vec<(usize, &Claim)>>::new();
        let mut replaced = HashMap::<String, (usize, &Claim)>::new();
        for (number, (wheel, claims)) in self.wheels.iter().zip(owned).enumerate() {
            for claim in claims {
                let key = self.ground.key(&claim.path);
                if let Some(guardian) = self.ground.guardian(&key, &wheel.name) {
                    let (origin, path) = (claim.origin.to_string(), claim.path.clone());
                    self.report(wheel, Wrong::Guarded { origin, path, guardian });
                    continue;
                }
                if scheme.replaces
                    && let Some(top) = self.top(&key)
                {
                    replaced.entry(top).or_insert((number, claim));
                }
                let others = owners.entry(key).or_default();
                let stranger = others.iter().find(|(other, others_claim)| {
                    *other != number
                        && !self.are_related(*other, number)
                        && !self.is_same(listings, (*other, others_claim), (number, claim))
                });
                if let Some((other, others_claim)) = stranger
                    && let Some(other_wheel) = self.wheels.get(*other)
                {
                    // Of two, the one that nobody vouches for is the one to be left out.
                    if other_wheel.publisher.is_none() {
                        self.report(other_wheel, foreign(others_claim, owner(wheel)));
                    } else {
                        self.report(wheel, foreign(claim, owner(other_wheel)));
                    }
                }
                others.push((number, claim));
            }
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

    /// The entry of a directory of packages that a path lies in or is.
    fn top(&self, key: &str) -> Option<String> {
        let within = |library: &&String| key.starts_with(&format!("{library}/"));
        let library = self.ground.libraries().iter().find(within)?;
        let rest = key.get(library.len() + 1..)?;
        Some(format!("{library}/{}", rest.split('/').next().unwrap_or_default()))
    }

    /// Whether overlapping is the affair of the two projects: nobody vouches for either, or the
    /// same publisher for both.
    fn are_related(&self, one: usize, other: usize) -> bool {
        let publisher = |number: usize| self.wheels.get(number).map(|it| it.publisher.as_ref());
        publisher(one) == publisher(other)
    }

    /// Whether two claims of one path have the same content.
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
            // Neither writes: what is deleted twice is deleted.
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

/// The sha256 of a member's content. Returns `None` if the content cannot be read.
fn digest(wheel: &Wheel, member: &Member) -> Option<Sha256> {
    let mut file = File::open(&wheel.path).ok()?;
    let mut content = archive::unpacked(&mut file, member).ok()?;
    Sha256::of_reader(&mut content).ok()
}

/// Whether a member's content is that of a file on the disk.
fn is_on_disk(wheel: &Wheel, claim: &Claim, path: &str) -> bool {
    let Origin::Member(at) = claim.origin else { return false };
    let Ok(Listing { members, .. }) = listing(wheel) else { return false };
    let Some(digest) = members.get(at).and_then(|member| digest(wheel, member)) else {
        return false;
    };
    File::open(path).and_then(|mut file| Sha256::of_reader(&mut file)).ok() == Some(digest)
}

fn owner(wheel: &Wheel) -> String {
    match &wheel.publisher {
        Some(publisher) => format!("{}, built by {publisher}", wheel.title),
        None => wheel.title.clone(),
    }
}

fn foreign(claim: &Claim, owner: String) -> Wrong {
    Wrong::Foreign { origin: claim.origin.to_string(), path: claim.path.clone(), owner }
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
