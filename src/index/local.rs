//! Indexes and provenance documents that are local files.
//!
//! Owns reading with a bound, of regular files only: a pipe would never end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use url::Url;

use crate::http::redact::Redacted;
use crate::index::IndexError;
use crate::index::page::MAX_PAGE;

/// The page of a project in a directory index: `NAME/index.html`, as pip reads `file:` indexes.
pub(super) fn page(url: &Url) -> Result<Option<Vec<u8>>, IndexError> {
    read(&path(url)?.join("index.html"), MAX_PAGE)
}

/// The path of a `file:` URL.
pub(super) fn path(url: &Url) -> Result<PathBuf, IndexError> {
    let no = |()| IndexError::Local {
        path: Redacted(url).to_string(),
        reason: "it is no file of this machine".to_owned(),
    };
    url.to_file_path().map_err(no)
}

/// The bytes of a file; nothing where there is none.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, IndexError> {
    let no = |reason: String| IndexError::Local { path: path.display().to_string(), reason };
    // Asked before opening: to open a pipe is to wait for its writer.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(no(error.to_string())),
        Ok(metadata) if !metadata.is_file() => return Err(no("it is no file".to_owned())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| no(error.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(no(format!("it has more than {limit} bytes")));
    }
    Ok(Some(bytes))
}
