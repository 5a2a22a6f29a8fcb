//! Reads a PEP 751 lock.
//!
//! Owns the shape of `pylock.toml`. Reads every wheel and sdist of every entry. Which of them pip
//! would choose is not decided here, so all of them are verified.

use serde::Deserialize;

use crate::package::lock::{
    Entry, File, LockError, Requested, Source, Stated, direct, file, last_segment, package,
};
use crate::package::name::PackageName;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    wheels: Vec<Dist>,
    sdist: Option<Dist>,
    archive: Option<Dist>,
    vcs: Option<Vcs>,
    directory: Option<Directory>,
}

#[derive(Deserialize)]
struct Dist {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Vcs {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
struct Directory {
    path: String,
}

pub(super) fn read(text: &str) -> Result<Vec<Entry>, LockError> {
    let document: Document = toml::from_str(text).map_err(|error| wrong(text, &error))?;
    // PEP 751, "lock-version": an unknown major must be refused, an unknown minor may be read.
    if document.lock_version.split('.').next() != Some("1") {
        return Err(LockError::Version { format: "lock-version", version: document.lock_version });
    }
    document.packages.iter().map(entry).collect()
}

/// Returns the error as one line; the text of the TOML crate has several.
fn wrong(text: &str, error: &toml::de::Error) -> LockError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.as_bytes().get(..start).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    LockError::Toml { line, reason: error.message().replace('\n', ", ") }
}

fn entry(package_entry: &Package) -> Result<Entry, LockError> {
    let stated = package_entry.name.as_str();
    let name = PackageName::parse(stated).map_err(|error| package(stated, error.to_string()))?;
    let sources = [
        !package_entry.wheels.is_empty() || package_entry.sdist.is_some(),
        package_entry.archive.is_some(),
        package_entry.vcs.is_some(),
        package_entry.directory.is_some(),
    ];
    if sources.iter().filter(|present| **present).count() != 1 {
        return Err(package(stated, "exactly one kind of source must be given (PEP 751)"));
    }
    let mut version = package_entry.version.clone();
    let source = if let Some(archive) = &package_entry.archive {
        let (file, stated_version) =
            direct(stated, &name, version.as_deref(), &archive.stated(stated)?)?;
        version = stated_version;
        Source::Direct(file)
    } else if let Some(vcs) = &package_entry.vcs {
        let place = vcs.url.as_deref().or(vcs.path.as_deref()).unwrap_or("nowhere");
        Source::Vcs(format!("{}+{}", vcs.kind, without_userinfo(place)))
    } else if let Some(directory) = &package_entry.directory {
        Source::Directory { path: directory.path.clone() }
    } else {
        let mut files = Vec::with_capacity(package_entry.wheels.len() + 1);
        for stated_file in package_entry.wheels.iter().chain(&package_entry.sdist) {
            let (file, stated_version) = dist(stated, &name, version.as_deref(), stated_file)?;
            version.get_or_insert(stated_version);
            files.push(file);
        }
        Source::Files(files)
    };
    Ok(Entry { name, version, source, requested: Requested::Unsaid, yanked: false })
}

fn dist(
    entry: &str,
    name: &PackageName,
    version: Option<&str>,
    dist: &Dist,
) -> Result<(File, String), LockError> {
    let stated = dist.stated(entry)?;
    let filename = dist.name.clone().or_else(|| last_segment(stated.text));
    let filename = filename.ok_or_else(|| package(entry, "a file has no name"))?;
    file(entry, name, version, &filename, &stated)
}

impl Dist {
    fn stated(&self, entry: &str) -> Result<Stated<'_>, LockError> {
        let path = self.path.as_deref();
        let place = self.url.as_deref().or(path);
        let place = place.ok_or_else(|| package(entry, "a file has neither url nor path"))?;
        Ok(Stated { text: place, path, digests: &self.hashes, size: self.size })
    }
}

/// Returns a URL's text without user name and password.
pub fn without_userinfo(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}
