//! PEP 691: the page of a project as JSON.
//!
//! Owns the shape of the document. Keys that this program does not use are not looked at; a key
//! that it does use may not occur twice.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Entry, Page, PageError};

#[derive(Deserialize)]
struct Document {
    meta: Meta,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
    hashes: Hashes,
    provenance: Option<String>,
    yanked: Option<Yanked>,
    size: Option<u64>,
    #[serde(rename = "requires-python")]
    requires_python: Option<Value>,
    #[serde(rename = "core-metadata")]
    core_metadata: Option<Value>,
    #[serde(rename = "dist-info-metadata")]
    dist_info_metadata: Option<Value>,
}

#[derive(Deserialize)]
struct Hashes {
    sha256: Option<String>,
    sha384: Option<String>,
    sha512: Option<String>,
    md5: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Flag(bool),
    Reason(String),
}

pub(super) fn parse(base: &Url, bytes: &[u8]) -> Result<Page, PageError> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| PageError::Json(error.to_string()))?;
    let version = document.meta.api_version;
    if version.split('.').next() != Some("1") {
        return Err(PageError::Version(version.chars().take(20).collect()));
    }
    let mut page = Page::default();
    for file in document.files {
        let Hashes { sha256, sha384, sha512, md5 } = file.hashes;
        let stated = [("sha256", sha256), ("sha384", sha384), ("sha512", sha512), ("md5", md5)];
        let hashes = stated
            .into_iter()
            .filter_map(|(algorithm, digits)| Some((algorithm.to_owned(), digits?)))
            .collect();
        let yanked = match file.yanked {
            None | Some(Yanked::Flag(false)) => None,
            Some(Yanked::Flag(true)) => Some(String::new()),
            // pip takes an empty reason for "not yanked".
            Some(Yanked::Reason(reason)) => Some(reason).filter(|reason| !reason.is_empty()),
        };
        let (filename, href) = (file.filename, file.url);
        let (provenance, size) = (file.provenance, file.size);
        let requires_python = file.requires_python.as_ref().and_then(Value::as_str);
        let requires_python = requires_python.map(str::to_owned);
        let metadata = metadata(file.core_metadata.or(file.dist_info_metadata));
        page.add(
            base,
            Entry { filename, href, hashes, provenance, yanked, size, requires_python, metadata },
        )?;
    }
    Ok(page)
}

/// PEP 714: `core-metadata`, else `dist-info-metadata`: whether there is a METADATA file, or its
/// hashes. An odd value counts as none, as in pip.
fn metadata(value: Option<Value>) -> Option<Vec<(String, String)>> {
    match value? {
        Value::Bool(true) => Some(Vec::new()),
        Value::Object(hashes) => {
            let digits = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
            Some(hashes.into_iter().filter_map(digits).collect())
        }
        _ => None,
    }
}
