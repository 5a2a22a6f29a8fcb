//! The second source of provenance, for mirrors that drop it.
//!
//! Owns where it looks. Safe, since an attestation binds the file's sha256: whoever runs the
//! source can withhold a document and no more.

use std::path::PathBuf;

use url::Url;

use super::{Index, IndexError, MAX_PROVENANCE, local, page_url};
use crate::digest::Sha256;
use crate::name::PackageName;
use crate::plain_filename::FileName;

/// What follows a file's name, and what such a file holds, in the order of preference.
const SUFFIXES: [(&str, Shape); 3] = [
    ("provenance", Shape::Document),
    ("publish.attestation", Shape::Attestation),
    ("attestation", Shape::Attestation),
];

/// Where the user says provenance can be found besides the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondSource {
    /// A directory of `FILENAME.provenance`, or `FILENAME.publish.attestation`, or
    /// `FILENAME.attestation`.
    Directory(PathBuf),
    /// Another index.
    Index(Url),
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The bytes as they are.
    pub bytes: Vec<u8>,
    /// What they should hold.
    pub shape: Shape,
    /// Where they are from, for people.
    pub place: String,
}

/// What a file beside a distribution holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A provenance document (PEP 740).
    Document,
    /// A single attestation, without the document around it.
    Attestation,
}

impl Index<'_> {
    /// What the second source has for the file of this name and sha256; nothing where it has
    /// none.
    ///
    /// # Errors
    /// The directory is none, a file in it cannot be read, or the index cannot be asked.
    pub fn second(
        &self,
        source: &SecondSource,
        name: &PackageName,
        filename: &FileName,
        sha256: &Sha256,
    ) -> Result<Option<Found>, IndexError> {
        match source {
            SecondSource::Directory(directory) => in_directory(directory, filename),
            SecondSource::Index(index_url) => {
                let Some(page) = self.page(index_url, name)? else { return Ok(None) };
                let file = page.file_with(filename.as_str(), sha256);
                let file = file.map_err(|e| IndexError::page(&page_url(index_url, name), e))?;
                let Some(link) = file.and_then(|file| file.provenance.as_ref()) else {
                    return Ok(None);
                };
                let place = crate::redact::Redacted(link).to_string();
                let found = |bytes| Found { bytes, shape: Shape::Document, place };
                Ok(self.provenance(link)?.map(found))
            }
        }
    }
}

fn in_directory(
    directory: &std::path::Path,
    filename: &FileName,
) -> Result<Option<Found>, IndexError> {
    if !directory.is_dir() {
        let reason = "it is no directory".to_owned();
        return Err(IndexError::Local { path: directory.display().to_string(), reason });
    }
    for (suffix, shape) in SUFFIXES {
        let path = directory.join(format!("{filename}.{suffix}"));
        if let Some(bytes) = local::read(&path, MAX_PROVENANCE)? {
            return Ok(Some(Found { bytes, shape, place: path.display().to_string() }));
        }
    }
    Ok(None)
}
