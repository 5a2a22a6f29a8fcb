//! The pages of the index: PEP 691 JSON and PEP 503 HTML of the same files.

use serde_json::{Map, Value, json};

use super::{DistFile, Link, Provenance};

/// The content type of the JSON pages.
pub(super) const JSON: &str = "application/vnd.pypi.simple.v1+json";
/// The content type of the HTML pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// The data of a page besides its files.
pub(super) struct Site<'a> {
    /// `/PREFIX`.
    pub(super) prefix: &'a str,
    /// `http://HOST:PORT/PREFIX`, as the client wrote it.
    pub(super) root: &'a str,
    /// Provenance is left out.
    pub(super) drops_provenance: bool,
}

impl Site<'_> {
    fn url(&self, file: &DistFile) -> String {
        let own = || format!("{}/files/{}", self.prefix, file.filename);
        file.url.clone().unwrap_or_else(own)
    }

    fn provenance(&self, file: &DistFile) -> Option<String> {
        let path = format!("/provenance/{}", file.filename);
        match &file.provenance {
            _ if self.drops_provenance => None,
            Provenance::None => None,
            Provenance::Document(_, Link::Absolute) => Some(format!("{}{path}", self.root)),
            Provenance::Document(_, Link::Relative) => Some(format!("../..{path}")),
            Provenance::Link(url) => Some(url.clone()),
        }
    }
}

/// The page of a project (PEP 691, with `provenance` of PEP 740).
pub(super) fn json(site: &Site<'_>, project: &str, files: &[DistFile]) -> Vec<u8> {
    let file = |file: &DistFile| {
        let hashes: Map<String, Value> = file
            .stated()
            .into_iter()
            .map(|(name, digits)| (name.to_owned(), digits.into()))
            .collect();
        let metadata =
            metadata_sha256(file).map_or(Value::Bool(false), |digits| json!({ "sha256": digits }));
        let mut entry = json!({
            "filename": file.filename,
            "url": site.url(file),
            "hashes": hashes,
            "size": file.size.unwrap_or(file.bytes.len() as u64),
            "upload-time": "2026-01-01T00:00:00.000000Z",
            "yanked": file.yanked.clone().map_or(Value::Bool(false), Value::String),
            "core-metadata": metadata,
            "data-dist-info-metadata": metadata,
        });
        if let Some(specifier) = &file.requires_python {
            entry["requires-python"] = json!(specifier);
        }
        if let Some(url) = site.provenance(file) {
            entry["provenance"] = json!(url);
        }
        entry
    };
    let files: Vec<Value> = files.iter().map(file).collect();
    json!({ "meta": { "api-version": "1.3" }, "name": project, "files": files })
        .to_string()
        .into_bytes()
}

/// Returns the page as HTML (PEP 503, 592, 658, 740).
pub(super) fn html(site: &Site<'_>, project: &str, files: &[DistFile]) -> Vec<u8> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.3\">\
         <title>Links for {project}</title></head><body><h1>Links for {project}</h1>\n"
    );
    for file in files {
        let mut attributes = format!("href=\"{}", escape(&site.url(file)));
        // A link has room for one hash.
        if let Some((algorithm, digits)) = file.stated().first() {
            attributes += &format!("#{algorithm}={digits}");
        }
        attributes.push('"');
        let mut attribute = |name: &str, value: &str| {
            attributes += &format!(" {name}=\"{}\"", escape(value));
        };
        if let Some(specifier) = &file.requires_python {
            attribute("data-requires-python", specifier);
        }
        if let Some(reason) = &file.yanked {
            attribute("data-yanked", reason);
        }
        if let Some(digits) = metadata_sha256(file) {
            attribute("data-dist-info-metadata", &format!("sha256={digits}"));
            attribute("data-core-metadata", &format!("sha256={digits}"));
        }
        if let Some(url) = site.provenance(file) {
            attribute("data-provenance", &url);
        }
        page += &format!("<a {attributes}>{}</a><br>\n", escape(&file.filename));
    }
    (page + "</body></html>\n").into_bytes()
}

fn metadata_sha256(file: &DistFile) -> Option<String> {
    use sha2::Digest as _;
    file.metadata.as_ref().map(|text| hex::encode(sha2::Sha256::digest(text)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
