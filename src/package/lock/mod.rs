//! The lock: the files of a resolved set, read from a lock file or from pip's report.
//!
//! Owns the model of both formats (PEP 751 `pylock.toml`, and version 1 of pip's installation
//! report) and the pins made from it. Pure: must not read files, ask an index or judge. A digest of
//! another algorithm must never become a sha256.

mod direct;
mod place;
mod places;
mod pylock;
mod report;
mod spelling;
mod stated;

pub use place::{Place, WrittenUrl};
pub use places::links_page;
pub use pylock::without_userinfo;
pub use spelling::as_pip_writes;

use std::path::Path;

use direct::{direct, writable};
use stated::Stated;

use crate::package::digest::{Claims, OtherDigest, Sha256};
use crate::package::filename::DistFilename;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// A resolved set of packages, in the order of the document it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The packages, one entry each.
    pub entries: Vec<Entry>,
}

/// One package of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The project.
    pub name: PackageName,
    /// The version, stated by the document or else by the file name. `None` for sources without
    /// one.
    pub version: Option<String>,
    /// The source of the package.
    pub source: Source,
    /// Whether the user named it.
    pub requested: Requested,
    /// Whether pip says that its file is yanked (PEP 592). A lock and old reports do not say so.
    pub yanked: bool,
}

/// Whether the user named a package, or another package needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// The document is a lock, which does not say.
    Unsaid,
    /// Only another package needs it.
    No,
    /// The user named it, with these extras.
    Yes {
        /// The extras, as the report states them.
        extras: Vec<String>,
    },
}

/// The entries that a requirements file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All entries.
    All,
    /// Entries that the user named, and entries with a URL or path, which a constraint cannot pin.
    Named,
}

/// The source of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files of an index or of `--find-links`: every wheel of the entry and its sdist.
    Files(Vec<File>),
    /// One file that was named by its URL or path, not by project and version.
    Direct(File),
    /// A version control system; the text names it (`git+https://…`), without credentials.
    Vcs(String),
    /// A directory on this machine.
    Directory {
        /// The path, as the document states it.
        path: String,
    },
}

/// One file of a package, as a document states it: the subject of a verdict. `wheelhouse::Wanted`
/// adds that the file can be fetched, and `wheelhouse::Fetched` that its bytes are on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The file's own name, never a path.
    pub filename: FileName,
    /// The URL or path of the file.
    pub place: Place,
    /// The sha256 that the document states, if any.
    pub sha256: Option<Sha256>,
    /// All other claims of the document about the bytes.
    pub claims: Claims,
}

/// Reasons why a document is not a lock that can be verified.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Not TOML, or not of the shape of PEP 751.
    #[error("not a lock file: line {line}: {reason}")]
    Toml {
        /// The line, counted from 1.
        line: usize,
        /// The reason.
        reason: String,
    },
    /// Not JSON, or not of the shape of pip's report.
    #[error("not an installation report of pip: {0}")]
    Json(#[from] crate::package::json::JsonError),
    /// The format has a version that this program does not know.
    #[error("{format} version {version:?} is not supported")]
    Version {
        /// Name of the format.
        format: &'static str,
        /// The stated version.
        version: String,
    },
    /// A package entry that contradicts itself, or names no source.
    #[error("package `{package}`: {reason}")]
    Package {
        /// The entry's name, as the document states it.
        package: String,
        /// The reason.
        reason: String,
    },
    /// The document lists more packages than [`MAX_PACKAGES`].
    #[error("more than {MAX_PACKAGES} packages")]
    TooMany,
}

/// Maximum number of packages in a lock; the largest known sets have fewer than 2,000.
pub const MAX_PACKAGES: usize = 100_000;

/// Maximum size of a lock or report, in bytes. A report contains each package's whole metadata.
pub const MAX_BYTES: usize = 512 * 1024 * 1024;

impl Lock {
    /// Reads a PEP 751 lock file.
    ///
    /// # Errors
    /// The text is not TOML, not a lock of version 1, or an entry makes no sense.
    pub fn from_pylock(text: &str) -> Result<Self, LockError> {
        Self::checked(pylock::read(text)?)
    }

    /// Reads pip's installation report (`--report`, format version 1).
    ///
    /// # Errors
    /// The bytes are not JSON, not a report of version 1, or an entry makes no sense.
    pub fn from_report(bytes: &[u8]) -> Result<Self, LockError> {
        Self::checked(report::read(bytes)?)
    }

    /// Checks that every file has a digest that identifies it. This is required of a lock that
    /// another person may have written, because plain pip installs any file that matches the lock.
    ///
    /// # Errors
    /// A file has neither sha256 nor sha384 nor sha512.
    pub fn requiring_digests(self) -> Result<Self, LockError> {
        for entry in &self.entries {
            for File { filename, sha256, claims, .. } in entry.files() {
                let is_strong = |digest: &OtherDigest| digest.algorithm().is_strong();
                if sha256.is_none() && !claims.digests.iter().any(is_strong) {
                    let reason = format!(
                        "file `{filename}` has no sha256, sha384 or sha512; state its sha256"
                    );
                    return Err(package(entry.name.as_str(), reason));
                }
            }
        }
        Ok(self)
    }

    /// Makes paths absolute that are relative to the directory of the lock.
    #[must_use]
    pub fn below(mut self, directory: &Path) -> Self {
        for entry in &mut self.entries {
            for file in entry.files_mut() {
                if let Place::Path(path) = &mut file.place {
                    *path = directory.join(&*path);
                }
            }
        }
        self
    }

    /// Returns the files of indexes and links, which are fetched for pip. pip itself fetches a file
    /// that is named by its URL or path.
    pub fn listed(&self) -> impl Iterator<Item = &File> {
        let listed = |entry: &'_ Entry| matches!(entry.source, Source::Files(_));
        self.entries.iter().filter(move |entry| listed(entry)).flat_map(Entry::files)
    }

    fn checked(entries: Vec<Entry>) -> Result<Self, LockError> {
        let mut seen = std::collections::BTreeSet::new();
        for entry in &entries {
            if !seen.insert((&entry.name, &entry.version)) {
                return Err(package(entry.name.as_str(), "listed twice"));
            }
        }
        if entries.len() > MAX_PACKAGES {
            return Err(LockError::TooMany);
        }
        Ok(Self { entries })
    }

    /// Returns the pins of the set as constraints (pip >= 26.1): a line `name==version
    /// --hash=sha256:HEX` for each entry whose file has a digest.
    ///
    /// Each line states exactly one sha256, because pip accepts a file that matches any one of
    /// several.
    #[must_use]
    pub fn pins(&self) -> String {
        let from_index = |entry: &&Entry| matches!(entry.source, Source::Files(_));
        self.entries.iter().filter(from_index).filter_map(|entry| entry.pin("")).collect()
    }

    /// Returns the pins as requirements. A file that is named by its URL or path becomes `name @
    /// URL --hash=sha256:HEX`.
    ///
    /// # Errors
    /// pip would not read the URL or path of a file as it is written.
    pub fn requirements(&self, selection: Selection) -> Result<String, LockError> {
        for entry in &self.entries {
            if let Source::Direct(file) = &entry.source {
                writable(&file.place.as_written())
                    .map_err(|reason| package(entry.name.as_str(), reason))?;
            }
        }
        let line = |entry: &Entry| {
            let direct = matches!(entry.source, Source::Direct(_));
            match (&entry.requested, selection) {
                (Requested::Yes { extras }, _) if extras.is_empty() => entry.pin(""),
                (Requested::Yes { extras }, _) => entry.pin(&format!("[{}]", extras.join(","))),
                (Requested::No | Requested::Unsaid, Selection::Named) if !direct => None,
                (Requested::No | Requested::Unsaid, _) => entry.pin(""),
            }
        };
        Ok(self.entries.iter().filter_map(line).collect())
    }

    /// Returns this lock with a user name and a password in the URLs of files that are named by
    /// one, for a pip that has no index from which it could learn them.
    #[must_use]
    pub fn with_userinfo(&self, of: &dyn Fn(&url::Url) -> Option<String>) -> Self {
        let mut lock = self.clone();
        for entry in &mut lock.entries {
            if let Source::Direct(file) = &mut entry.source
                && let Some(userinfo) = file.place.url().and_then(of)
            {
                file.place = file.place.with_userinfo(&userinfo);
            }
        }
        lock
    }

    /// Returns constraints to the versions of the set, without hashes: a line `name==version` each.
    #[must_use]
    pub fn versions(&self) -> String {
        let line = |entry: &Entry| match (&entry.source, &entry.version) {
            (Source::Files(_), Some(version)) => Some(format!("{}=={version}\n", entry.name)),
            _ => None,
        };
        self.entries.iter().filter_map(line).collect()
    }

    /// Returns whether the lock states which packages the user named.
    #[must_use]
    pub fn says_who_is_requested(&self) -> bool {
        self.entries.iter().all(|entry| entry.requested != Requested::Unsaid)
    }

    /// Returns whether every entry is one wheel, which can be verified and pinned.
    #[must_use]
    pub fn is_of_wheels(&self) -> bool {
        self.entries.iter().all(|entry| match entry.files() {
            [file] => file.filename.as_str().ends_with(".whl"),
            _ => false,
        })
    }

    /// Returns whether a file is named by its URL or path.
    #[must_use]
    pub fn has_direct(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.source, Source::Direct(_)))
    }
}

impl Entry {
    /// Returns the files of the entry; none for a directory or a repository.
    #[must_use]
    pub fn files(&self) -> &[File] {
        match &self.source {
            Source::Files(files) => files,
            Source::Direct(file) => std::slice::from_ref(file),
            Source::Vcs(_) | Source::Directory { .. } => &[],
        }
    }

    /// Returns the files of the entry for changes.
    pub fn files_mut(&mut self) -> &mut [File] {
        match &mut self.source {
            Source::Files(files) => files,
            Source::Direct(file) => std::slice::from_mut(file),
            Source::Vcs(_) | Source::Directory { .. } => &mut [],
        }
    }

    /// Returns the line that pins the entry's one file, or `None` if its digest is not known.
    fn pin(&self, extras: &str) -> Option<String> {
        let [File { sha256: Some(sha256), place, .. }] = self.files() else { return None };
        let name = &self.name;
        match &self.source {
            Source::Direct(_) => {
                let place = place.as_written();
                Some(format!("{name}{extras} @ {place} --hash=sha256:{sha256}\n"))
            }
            _ => {
                let version = self.version.as_ref()?;
                Some(format!("{name}{extras}=={version} --hash=sha256:{sha256}\n"))
            }
        }
    }

    /// Returns `name version`, or the name alone if the version is not known.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.to_string(),
        }
    }
}

fn package(name: &str, reason: impl Into<String>) -> LockError {
    LockError::Package { package: name.to_owned(), reason: reason.into() }
}

/// Checks by its name that a file belongs to its entry, and returns the [`File`].
fn file(
    entry: &str,
    name: &PackageName,
    version: Option<&str>,
    filename: &str,
    stated: &Stated<'_>,
) -> Result<(File, String), LockError> {
    let parsed =
        DistFilename::parse(filename).map_err(|error| package(entry, error.to_string()))?;
    if parsed.name() != name {
        return Err(package(
            entry,
            format!("its file `{filename}` is of project `{}`", parsed.name()),
        ));
    }
    let own_version = parsed.version().to_string();
    if let Some(version) = version {
        let same = version.parse::<pep440_rs::Version>().is_ok_and(|v| v == *parsed.version());
        if !same {
            return Err(package(
                entry,
                format!("its file `{filename}` is not of version {version}"),
            ));
        }
    }
    let (sha256, claims) = stated.read(entry, filename)?;
    let filename = FileName::parse(filename).map_err(|error| package(entry, error.to_string()))?;
    let file = File { filename, place: stated.place(entry)?, sha256, claims };
    Ok((file, version.map_or(own_version, str::to_owned)))
}

/// Returns the file name at the end of a URL, percent-decoded, without query and fragment.
fn last_segment(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let segment = path.rsplit('/').next()?;
    let decoded = percent_decode(segment);
    (!decoded.is_empty()).then_some(decoded)
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
