//! Writes the bytes of one file to disk and hashes them at the same time.
//!
//! Owns the unfinished file: it has no name in the wheelhouse and is removed after any error.
//! anything goes wrong.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempPath;
use url::Url;

use crate::http::redact::Redacted;
use crate::http::{Client, HttpError, Piece};
use crate::package::digest::{Computed, Hasher};
use crate::wheelhouse::{PART, Wanted, Wheelhouse, WheelhouseError};

/// Size of the read buffer for local files, in bytes.
const CHUNK: usize = 64 * 1024;
/// Bits of a file's mode that are permissions.
const PERMISSIONS: u32 = 0o777;

/// Returns the permissions that the file at `url` gets, since `pip download` and `pip wheel` pass
/// them on. A local file keeps its own; a download gets those of a new file under the umask.
pub(super) fn mode(url: &Url, directory: &Path) -> Result<u32, WheelhouseError> {
    let local = url.to_file_path().ok().filter(|_| url.scheme() == "file");
    if let Some(metadata) = local.and_then(|path| std::fs::metadata(path).ok()) {
        return Ok(metadata.mode() & PERMISSIONS);
    }
    let new = tempfile::Builder::new()
        .prefix(".part-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory);
    let metadata = new.and_then(|file| file.as_file().metadata());
    Ok(metadata.map_err(|error| crate::wheelhouse::disk(directory, error))?.mode() & PERMISSIONS)
}

/// Writes the bytes of a file to an unfinished file in the directory of `house`; ends early once
/// `stop` is set.
pub(super) fn receive(
    client: &Client,
    wanted: &Wanted,
    house: &Wheelhouse,
    stop: &AtomicBool,
) -> Result<(TempPath, Computed), WheelhouseError> {
    let Wanted { url, claims, .. } = wanted;
    let directory = &house.directory;
    let disk = |error| WheelhouseError::Disk { path: directory.display().to_string(), error };
    let fail_if_stopped = || match stop.load(Ordering::SeqCst) {
        true => Err(io::Error::from(io::ErrorKind::Interrupted)),
        false => Ok(()),
    };
    // `stop` may have been set while the thread waited for a prefetch.
    fail_if_stopped().map_err(disk)?;
    let mut file = tempfile::Builder::new().prefix(PART).tempfile_in(directory).map_err(disk)?;
    let mut hasher = Hasher::new(claims);
    let sink = |piece: Piece<'_>| {
        fail_if_stopped()?;
        match piece {
            Piece::Start => {
                hasher = Hasher::new(claims);
                file.as_file_mut().set_len(0)?;
                file.rewind()
            }
            Piece::Bytes(bytes) => {
                hasher.update(bytes);
                house.progress.received(bytes.len());
                file.write_all(bytes)
            }
        }
    };
    if url.scheme() == "file" {
        copy(url, sink, disk)?;
    } else {
        client.download(url, sink, house.limit).map_err(|error| match error {
            HttpError::Sink(error) => disk(error),
            error => WheelhouseError::Http(error),
        })?;
    }
    Ok((file.into_temp_path(), hasher.finish()))
}

fn copy(
    url: &Url,
    mut sink: impl FnMut(Piece<'_>) -> io::Result<()>,
    disk: impl Fn(io::Error) -> WheelhouseError,
) -> Result<(), WheelhouseError> {
    let no = |reason: String| WheelhouseError::Local { path: Redacted(url).to_string(), reason };
    let path =
        url.to_file_path().map_err(|()| no("it is not a path on this machine".to_owned()))?;
    let metadata = std::fs::metadata(&path).map_err(|error| no(error.to_string()))?;
    // Checked before opening, since opening a named pipe blocks until it has a writer.
    if !metadata.is_file() {
        return Err(no("it is not a regular file".to_owned()));
    }
    let mut source = File::open(&path).map_err(|error| no(error.to_string()))?;
    let mut buffer = vec![0; CHUNK];
    sink(Piece::Start).map_err(&disk)?;
    loop {
        let read = source.read(&mut buffer).map_err(|error| no(error.to_string()))?;
        match buffer.get(..read).unwrap_or_default() {
            [] => return Ok(()),
            bytes => sink(Piece::Bytes(bytes)).map_err(&disk)?,
        }
    }
}
