//! Reads pip's installation report.
//!
//! Owns the shape of `pip install --report` (format version 1, pip >= 22.2; pip 22.2 wrote it as
//! version "0", and pip did not state hashes before 23.0).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::package::lock::{
    Entry, LockError, MAX_BYTES, Requested, Source, Stated, direct, file, last_segment, package,
    without_userinfo,
};
use crate::package::name::PackageName;

#[derive(Deserialize)]
struct Report {
    version: String,
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    download_info: DownloadInfo,
    is_direct: bool,
    /// Absent before pip 23.3.
    #[serde(default)]
    is_yanked: bool,
    /// Absent from pip 22.2's report of version "0".
    requested: Option<bool>,
    #[serde(default)]
    requested_extras: Vec<String>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct DownloadInfo {
    url: String,
    archive_info: Option<ArchiveInfo>,
    vcs_info: Option<VcsInfo>,
    dir_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ArchiveInfo {
    /// `ALGORITHM=HEX`: the field of PEP 610 before `hashes`, and the only one of pip 22.2.
    hash: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct VcsInfo {
    vcs: String,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, LockError> {
    let report: Report = crate::package::json::parse(bytes, MAX_BYTES)?;
    if !matches!(report.version.as_str(), "0" | "1") {
        return Err(LockError::Version { format: "report", version: report.version });
    }
    report.install.iter().map(entry).collect()
}

fn entry(item: &Item) -> Result<Entry, LockError> {
    let stated = item.metadata.name.as_str();
    let name = PackageName::parse(stated).map_err(|error| package(stated, error.to_string()))?;
    let version = Some(item.metadata.version.clone());
    let info = &item.download_info;
    let source = match (&info.archive_info, &info.vcs_info, &info.dir_info) {
        (Some(archive), None, None) => {
            let digests = archive.digests();
            let place = Stated { text: &info.url, path: None, digests: &digests, size: None };
            if item.is_direct {
                let (file, _) = direct(stated, &name, version.as_deref(), &place)?;
                Source::Direct(file)
            } else {
                let filename = last_segment(&info.url)
                    .ok_or_else(|| package(stated, "its URL names no file"))?;
                let (file, _) = file(stated, &name, version.as_deref(), &filename, &place)?;
                Source::Files(vec![file])
            }
        }
        (None, Some(vcs), None) => {
            Source::Vcs(format!("{}+{}", vcs.vcs, without_userinfo(&info.url)))
        }
        (None, None, Some(_)) => Source::Directory { path: info.url.clone() },
        _ => return Err(package(stated, "exactly one kind of source must be given (PEP 610)")),
    };
    let requested = match item.requested {
        Some(true) => Requested::Yes { extras: extras(stated, &item.requested_extras)? },
        Some(false) => Requested::No,
        None => Requested::Unsaid,
    };
    Ok(Entry { name, version, source, requested, yanked: item.is_yanked })
}

impl ArchiveInfo {
    /// Returns the stated digests, by algorithm.
    fn digests(&self) -> BTreeMap<String, String> {
        let single = self.hash.as_deref().and_then(|hash| hash.split_once('='));
        let single = single.filter(|_| self.hashes.is_empty());
        let owned = |(algorithm, hex): (&str, &str)| (algorithm.to_owned(), hex.to_owned());
        self.hashes.clone().into_iter().chain(single.map(owned)).collect()
    }
}

/// Returns the extras after a check that each is a name, because they are written into a
/// requirements file.
fn extras(entry: &str, stated: &[String]) -> Result<Vec<String>, LockError> {
    let checked = stated.iter().map(|extra| match PackageName::parse(extra) {
        Ok(_) => Ok(extra.clone()),
        Err(error) => Err(package(entry, format!("extra: {error}"))),
    });
    checked.collect()
}
