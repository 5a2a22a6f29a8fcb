//! The second source of provenance, for mirrors that do not serve provenance.
//!
//! Owns the look-up: a directory of `FILENAME.provenance` files, or another index. Whoever runs the
//! source can withhold a document, but cannot forge one, since an attestation contains the file's
//! sha256 and is verified later.

use std::path::PathBuf;

use url::Url;

use crate::index::{Index, IndexError, MAX_PROVENANCE, local, page_url};
use crate::package::digest::Sha256;
use crate::package::name::PackageName;
use crate::package::plain_filename::FileName;

/// Suffixes of a document's file name, in the order of preference.
const SUFFIXES: [&str; 3] = ["provenance", "publish.attestation", "attestation"];

/// A second source of provenance, named by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondSource {
    /// A directory with files `FILENAME.provenance`, `FILENAME.publish.attestation` or
    /// `FILENAME.attestation`.
    Directory(PathBuf),
    /// Another index.
    Index(Url),
}

impl Index<'_> {
    /// Returns the second source's provenance document or single attestation for the file of this
    /// name and sha256. Returns `None` if it has none.
    ///
    /// # Errors
    /// The directory does not exist, a file in it cannot be read, or the index cannot be asked.
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
        let reason = "it is not a directory".to_owned();
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
