//! Errors of the trust files, with hints about the next step.
//!
//! Owns the words and the exit codes of `store`.

use std::io;
use std::path::{Path, PathBuf};

use crate::attestation::publisher::PublisherUrl;
use crate::failure::{Failure, Status};
use crate::package::name::PackageName;
use crate::trust::file::ParseError;
use crate::trust::ownership::Objection;
use crate::trust::pins::Contradiction;
use crate::trust::place::PlaceError;

/// A trust file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The text is not a trust file.
    #[error("cannot read the trust file `{}`: {error}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line and the reason.
        error: ParseError,
    },
    /// The file does not count or cannot be opened.
    #[error("cannot use the trust file `{}`: {error}", .path.display())]
    Place {
        /// The place.
        path: PathBuf,
        /// The reason.
        error: PlaceError,
    },
    /// `FILENAME` names a missing file.
    #[error("the trust file `{}`, which FILENAME or --config-path names, does not exist", .0.display())]
    Missing(PathBuf),
    /// The file is larger than the limit.
    #[error("the trust file `{}` is larger than {} MiB", .path.display(), .limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Two files contradict each other.
    #[error(transparent)]
    Contradiction(Box<Contradiction>),
    /// A symbolic link leads out of the repository.
    #[error(
        "cannot record in the trust file `{}`: it leads to {}, which is outside of {}",
        .path.display(), .target.display(), .bounds.display()
    )]
    Leaves {
        /// The place.
        path: PathBuf,
        /// The target of the link.
        target: PathBuf,
        /// The directory that the link must not leave.
        bounds: PathBuf,
    },
    /// There is no path to record in: the run is outside a repository, and the user has no home
    /// directory.
    #[error(
        "there is no trust file to record in: the working directory is not in a repository, and HOME \
         is not set"
    )]
    Nowhere,
    /// The pins could not be written; the file is unchanged.
    #[error("cannot record in the trust file `{}`: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// Other processes hold the lock longer than this run waits.
    #[error("cannot record in the trust file `{}`: another process keeps it locked", .0.display())]
    Locked(PathBuf),
    /// The project was bound to another publisher between verdict and recording, or within this
    /// run.
    #[error(transparent)]
    Conflict(Box<Conflict>),
}

/// A project that is bound to a publisher other than the one to be recorded.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is bound to {recorded} in `{}`, so {found} is not recorded", .path.display())]
pub struct Conflict {
    /// The file.
    pub path: PathBuf,
    /// The project.
    pub name: PackageName,
    /// The publisher in the file, or the first one that was to be recorded.
    pub recorded: PublisherUrl,
    /// The publisher that was to be recorded.
    pub found: PublisherUrl,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let bad_input = |hint: String| Self::new(Status::BadInput, message.clone()).hint(hint);
        match error {
            StoreError::Parse { path, error } => {
                let path = path.display();
                bad_input(format!(
                    "correct line {} of {path}; the file was not changed",
                    error.line
                ))
            }
            StoreError::Place { path, error } => match next_step(&path, &error) {
                Some(hint) => bad_input(hint),
                None => Self::new(Status::BadInput, message),
            },
            StoreError::Missing(path) => bad_input(format!(
                "make it, if only empty, or let trust on first use make it with TOFU=1: {}",
                path.display()
            )),
            StoreError::Leaves { target, .. } => {
                bad_input(format!("to record there, name it: FILENAME={}", target.display()))
            }
            StoreError::Nowhere => bad_input("name a file to record in with FILENAME".to_owned()),
            StoreError::Contradiction(found) => Self::new(Status::Refused, message)
                .hint("a nearer trust file may only add projects and conditions")
                .hint(format!(
                    "remove the line from {}, or change {} if you decide about that file",
                    found.nearer.path.display(),
                    found.outer
                )),
            StoreError::Conflict(_) => Self::new(Status::Refused, message)
                .hint("run the same command again to see it judged by the file as it is now"),
            StoreError::TooLarge { .. } | StoreError::Write { .. } | StoreError::Locked(_) => {
                Self::new(Status::BadInput, message)
            }
        }
    }
}

/// Returns a hint on how to make the path's pins count.
fn next_step(path: &Path, error: &PlaceError) -> Option<String> {
    let PlaceError::Objection { path: led, objection } = error else {
        return match error {
            PlaceError::System(_) => None,
            _ => Some(format!("remove {}, or put a file in its place", path.display())),
        };
    };
    let at = led.as_deref().unwrap_or(path).display();
    Some(match objection {
        Objection::Stranger { user, .. } => format!(
            "if you have read it and its pins are yours: chown -h {user} {at}; else remove it, or \
             work in another directory"
        ),
        Objection::OthersWrite => format!("read it, and then: chmod o-w {at}"),
        Objection::GroupWrites { .. } => format!("read it, and then: chmod g-w {at}"),
    })
}
