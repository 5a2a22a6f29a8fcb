//! A file that is named by its URL or path, and its line in a requirements file.
//!
//! Checks the characters of such a URL. In a requirements file, a URL with `${NAME}`, a blank or
//! `#` means more than a URL, and the URL may come from the METADATA of an unknown author
//! (`Requires-Dist: x @ URL`). Pure.

use crate::package::filename::DistFilename;
use crate::package::lock::stated::{IN_URLS, Stated};
use crate::package::lock::{File, LockError, file, last_segment, package};
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// Returns the file of a direct reference. Its name may break the convention (`main.zip`); if it
/// follows the convention, it must belong to the entry, and the version may come from it.
pub(super) fn direct(
    entry: &str,
    name: &PackageName,
    version: Option<&str>,
    stated: &Stated<'_>,
) -> Result<(File, Option<String>), LockError> {
    let place = stated.text;
    if let (None, Some(other)) = (stated.sha256(), stated.digests.keys().next()) {
        // pip would not check this digest when it installs, although the user stated it.
        let reason = format!("its digest is of {other} alone; state it as sha256");
        return Err(package(entry, reason));
    }
    if place.contains("://") {
        writable(place).map_err(|reason| package(entry, reason))?;
    }
    let filename = last_segment(place).ok_or_else(|| package(entry, "its URL names no file"))?;
    if DistFilename::parse(&filename).is_ok() {
        let (file, version) = file(entry, name, version, &filename, stated)?;
        return Ok((file, Some(version)));
    }
    let (sha256, claims) = stated.read(entry, &filename)?;
    let filename = FileName::parse(&filename).map_err(|error| package(entry, error.to_string()))?;
    let file = File { filename, place: stated.place(entry)?, sha256, claims };
    Ok((file, version.map(str::to_owned)))
}

/// Checks that pip reads the place in a requirements file as this URL and no more.
///
/// # Errors
/// The place would end the line or the word, stand for an environment variable, or state a digest,
/// which pip would accept instead of the verified one.
pub(super) fn writable(place: &str) -> Result<(), &'static str> {
    let lower = place.to_ascii_lowercase();
    let states = |algorithm: &&str| {
        let mut parts = lower.split(['?', '&', '#']).skip(1);
        parts.any(|part| part.strip_prefix(*algorithm).is_some_and(|rest| rest.starts_with('=')))
    };
    if !place.chars().all(|c| c.is_ascii_graphic()) {
        Err("its URL has a blank, a control character or one that is not ASCII in it")
    } else if place.contains("${") {
        Err("its URL has `${` in it, which stands for a variable in a requirements file")
    } else if IN_URLS.iter().any(states) {
        Err("its URL states a digest in a form other than `#sha256=` at its end")
    } else {
        Ok(())
    }
}
