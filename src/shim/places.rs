//! Private and real places of the files of a build.
//!
//! A build sees private places: the gateway's URLs, links to the user's own files, copies of
//! requirements files. This module replaces them with the real ones, in locks, findings and pip's
//! output. It also writes the page that leads the installing pip to the private files.

use std::path::{Path, PathBuf};

use url::Url;

use crate::evidence::audit::Finding;
use crate::evidence::sources::unreadable;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::package::digest::Sha256;
use crate::package::lock::{self, Lock, Place, Source};
use crate::pip::run::Captured;
use crate::resolve::build_steps::Closed;
use crate::resolve::requirement_files::Copies;
use crate::resolve::resolution::Prepared;

/// Returns a URL for `place`, which is a URL or a path relative to `directory`.
pub(super) fn url_of(place: &str, directory: &Path) -> String {
    match Url::parse(place) {
        Ok(_) => place.to_owned(),
        Err(_) => {
            let path = directory.join(place);
            Url::from_file_path(path).map_or_else(|()| place.to_owned(), |url| url.into())
        }
    }
}

/// Replaces links to files in the user's own directories by the real paths of those files, with the
/// digests of their bytes, in the lock and in the findings.
pub(super) fn place_local(
    lock: &mut Lock,
    closed: &Closed,
    mut findings: Vec<Finding>,
) -> Result<Vec<Finding>, Failure> {
    let Some(links) = &closed.find_links else { return Ok(findings) };
    for entry in &mut lock.entries {
        let Source::Files(files) = &mut entry.source else { continue };
        for file in files {
            let path = file.place.url().and_then(|url| url.to_file_path().ok());
            let link = links.join(file.filename.as_str());
            if path.is_none_or(|path| path.parent() != link.parent()) {
                continue;
            }
            let target = std::fs::read_link(&link).map_err(Failure::temporary_directory)?;
            file.place = Place::of_path(&target);
            let bytes = std::fs::File::open(&target);
            let sha256 = bytes.and_then(|mut bytes| Sha256::of_reader(&mut bytes));
            let sha256 = sha256.map_err(|error| unreadable("file", &target, &error.to_string()))?;
            let found = findings.iter_mut().filter_map(|finding| finding.file.as_mut());
            for found in found.filter(|found| found.place == file.place) {
                // A file that was judged by its digest keeps that digest, even if the file has
                // changed since.
                found.sha256.get_or_insert(sha256);
            }
        }
    }
    Ok(findings)
}

/// Replaces the gateway's URLs by the real URLs.
pub(super) fn place(lock: &mut Lock, gateway: &Gateway) {
    for entry in &mut lock.entries {
        let Source::Files(files) = &mut entry.source else { continue };
        for file in files {
            if let Some(real) = file.place.url().and_then(|url| gateway.real_url(url)) {
                file.place = real.file.url.into();
            }
        }
    }
}

/// Returns pip's output with the indexes and files that the user knows.
pub(super) fn in_words_of_the_user(
    gateway: &Gateway,
    prepared: &Prepared<'_>,
    bytes: &[u8],
) -> Vec<u8> {
    let text = gateway.with_real_urls(&String::from_utf8_lossy(bytes));
    let indexes = &prepared.settings.indexes;
    let default = prepared.probe.facts.index.as_deref().and_then(|d| Url::parse(d).ok());
    let only_default = matches!(indexes.as_slice(), [one] if Some(one) == default.as_ref());
    // pip prints its indexes only if they are not the default.
    let shown = |line: &&str| !(only_default && line.starts_with("Looking in indexes:"));
    text.split_inclusive('\n').filter(shown).collect::<String>().into_bytes()
}

/// A private text, and the text that the user knows.
pub(super) type Exchange = (String, String);

/// Returns the replacements for the private paths: the directory of links becomes the user's
/// directory, a link becomes its file, and a copy of a requirements file becomes that file.
pub(super) fn exchanges(
    closed: &Closed,
    copies: &Copies,
    prepared: &Prepared<'_>,
    directory: &Path,
) -> Vec<Exchange> {
    let links = closed.find_links.as_deref();
    let entries = links.and_then(|links| std::fs::read_dir(links).ok()).into_iter().flatten();
    let of_link = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        // pip prints a path below the working directory as a relative path.
        let shown = match target.strip_prefix(directory) {
            Ok(below) => Path::new(".").join(below.strip_prefix(".").unwrap_or(below)),
            Err(_) => target,
        };
        Some((entry.path().display().to_string(), shown.display().to_string()))
    };
    let of_directory = links.map(|links| {
        let places = prepared.settings.find_links.join(", ");
        (format!("{}\n", links.display()), places + "\n")
    });
    let of_copy = |(copy, name): &(PathBuf, String)| (copy.display().to_string(), name.clone());
    let links = entries.filter_map(Result::ok).filter_map(of_link).chain(of_directory);
    links.chain(copies.names.iter().map(of_copy)).collect()
}

/// Applies the replacements to pip's output.
pub(super) fn exchanged(bytes: &[u8], exchanges: &[Exchange]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = exchanges.iter().fold(text, |text, (private, known)| text.replace(private, known));
    text.into_bytes()
}

/// Returns the output of a pip that failed with the indexes and files that the user knows.
pub(super) fn failure_of_the_user(
    captured: Captured,
    gateway: &Gateway,
    prepared: &Prepared<'_>,
    exchanges: &[Exchange],
) -> Captured {
    let known =
        |bytes: &[u8]| exchanged(&in_words_of_the_user(gateway, prepared, bytes), exchanges);
    let (stdout, stderr) = (known(&captured.stdout), known(&captured.stderr));
    Captured { stdout, stderr, ..captured }
}

/// Returns a page with links to every file that the gateway served and every file of the user's
/// directories.
pub(super) fn links_page<'a>(
    files: impl Iterator<Item = (&'a Path, Sha256)>,
    local: Option<&Path>,
) -> String {
    let entries = local.and_then(|local| std::fs::read_dir(local).ok()).into_iter().flatten();
    let local = entries.filter_map(Result::ok).map(|entry| (entry.path(), None));
    lock::links_page(files.map(|(path, sha256)| (path.to_owned(), Some(sha256))).chain(local))
}
