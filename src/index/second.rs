//! The second source of provenance, for mirrors that drop it.
//!
//! Owns where it looks. Safe, since an attestation binds the file's sha256: whoever runs the
//! source can withhold a document and no more.

use std::path::PathBuf;

use url::Url;

use crate::index::{Index, IndexError, MAX_PROVENANCE, local, page_url};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// What follows a file's name, in the order of preference.
const SUFFIXES: [&str; 3] = ["provenance", "publish.attestation", "attestation"];

/// Where the user says provenance can be found besides the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondSource {
    /// A directory of `FILENAME.provenance`, or `FILENAME.publish.attestation`, or
    /// `FILENAME.attestation`.
    Directory(PathBuf),
    /// Another index.
    Index(Url),
}

impl Index<'_> {
    /// The bytes of what the second source has for the file of this name and sha256, a provenance
    /// document or a single attestation; nothing where it has none.
    ///
    /// # Errors
    /// The directory is none, a file in it cannot be read, or the index cannot be asked.
    pub fn second(
        &self,
        source: &SecondSource,
        name: &PackageName,
        filename: &FileName,
        sha256: &Sha256,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        match source {
            SecondSource::Directory(directory) => in_directory(directory, filename),
            SecondSource::Index(index_url) => {
                let Some(page) = self.page(index_url, name)? else { return Ok(None) };
                let file = page.file_with(filename.as_str(), sha256);
                let file = file.map_err(|e| IndexError::page(&page_url(index_url, name), e))?;
                let Some(link) = file.and_then(|file| file.provenance) else {
                    return Ok(None);
                };
                self.provenance(&link)
            }
        }
    }
}

fn in_directory(
    directory: &std::path::Path,
    filename: &FileName,
) -> Result<Option<Vec<u8>>, IndexError> {
    if !directory.is_dir() {
        let reason = "it is no directory".to_owned();
        return Err(IndexError::Local { path: directory.display().to_string(), reason });
    }
    for suffix in SUFFIXES {
        let path = directory.join(format!("{filename}.{suffix}"));
        if let Some(bytes) = local::read(&path, MAX_PROVENANCE)? {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}
