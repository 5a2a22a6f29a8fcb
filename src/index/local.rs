//! Reads indexes and provenance documents that are local files.
//!
//! Owns bounded reading of regular files. A named pipe must not be opened: it would never end.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use crate::http::redact::Redacted;
use crate::index::IndexError;
use crate::index::page::MAX_PAGE;
use crate::package::bounded;

/// Reads the page of a project in a directory index: `NAME/index.html`, as pip does for `file:`
/// URLs.
pub(super) fn page(url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
    read(&path(url)?.join("index.html"), MAX_PAGE)
}

/// Returns the path of a `file:` URL.
pub(super) fn path(url: &Url) -> Result<PathBuf, IndexError> {
    let no = |()| IndexError::Local {
        path: Redacted(url).to_string(),
        reason: "it is not a path on this machine".to_owned(),
    };
    url.to_file_path().map_err(no)
}

/// Reads a file of at most `limit` bytes. Returns `None` if it does not exist.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, IndexError> {
    let no = |reason: String| IndexError::Local { path: path.display().to_string(), reason };
    // Checked before opening, since opening a named pipe blocks until it has a writer.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(no(error.to_string())),
        Ok(metadata) if !metadata.is_file() => {
            return Err(no("it is not a regular file".to_owned()));
        }
        Ok(_) => {}
    }
    let bytes = File::open(path)
        .and_then(|file| bounded::read(file, limit))
        .map_err(|error| no(error.to_string()))?;
    bytes.map(Some).ok_or_else(|| no(format!("it has more than {limit} bytes")))
}
