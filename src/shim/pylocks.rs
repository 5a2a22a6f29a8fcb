//! Locks (PEP 751) that a command names with `-r`: whether they have something to build.
//!
//! Reads the locks. If none of them names a source, a pip that found no fitting wheel has failed
//! for good. Must not judge.

use crate::evidence::sources::read_bounded;
use crate::package::lock::{Entry, Lock, MAX_BYTES, Source};
use crate::pip::requirements::names_lock;
use crate::resolve::resolution::Prepared;
use crate::resolve::session::Session;

/// Returns whether the command installs from locks alone, and all files in them are wheels. Returns
/// `false` if a lock cannot be read.
pub(super) fn have_wheels_alone(session: &Session<'_>, prepared: &Prepared<'_>) -> bool {
    let files = prepared.probe.options.all("--requirement");
    let of_wheels = |place: &String| {
        names_lock(place)
            && read(session, place).is_some_and(|lock| lock.entries.iter().all(is_of_wheels))
    };
    session.arguments.requirement_arguments().is_empty()
        && !files.is_empty()
        && files.iter().all(of_wheels)
}

fn read(session: &Session<'_>, place: &str) -> Option<Lock> {
    let path = session.process.directory.join(place);
    let bytes = read_bounded(&path, u64::try_from(MAX_BYTES).ok()?).ok()?;
    Lock::from_pylock(std::str::from_utf8(&bytes).ok()?).ok()
}

fn is_of_wheels(entry: &Entry) -> bool {
    let Source::Files(files) = &entry.source else { return false };
    files.iter().all(|file| file.filename.as_str().ends_with(".whl"))
}
