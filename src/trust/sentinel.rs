//! Watches the trust files while pip installs, and restores them.
//!
//! `contents` refuses wheels that contain these paths, but code that runs during a build can write
//! every file that the user can. So the device, inode and bytes of each file are compared before
//! and after. A file that has all its old pins is left alone: other processes may record while this
//! one installs, and added pins do not loosen trust. Must never remove a file.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::trust::file::TrustFile;

/// The trust files of a run, with their content before pip began to install.
#[derive(Debug)]
pub struct Sentinel {
    files: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    metadata: Metadata,
    bytes: Vec<u8>,
}

/// A trust file that was changed while pip installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The path, which has its earlier content again.
    pub path: PathBuf,
    /// The path of the changed version. `None` if the file had been removed.
    pub changed: Option<PathBuf>,
}

impl Sentinel {
    /// Reads the files. Paths without a regular file are not watched.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub fn watch(paths: &[PathBuf]) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            // Only a regular file is opened, because opening a pipe would wait for its writer.
            let Some(metadata) = path.metadata().ok().filter(Metadata::is_file) else { continue };
            files.push(Watched { path: path.clone(), metadata, bytes: fs::read(path)? });
        }
        Ok(Self { files })
    }

    /// Restores every file that was removed or lost a pin, and returns those files.
    ///
    /// # Errors
    /// A file cannot be restored.
    pub fn restore(&self) -> io::Result<Vec<Restored>> {
        let changed = self.files.iter().filter(|file| !file.is_intact());
        changed.map(Watched::restore).collect()
    }
}

impl Watched {
    fn is_intact(&self) -> bool {
        let Some(metadata) = self.path.metadata().ok().filter(Metadata::is_file) else {
            return false;
        };
        let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        let Ok(bytes) = fs::read(&self.path) else { return false };
        identity(&metadata) == identity(&self.metadata) && bytes == self.bytes
            || self.only_gained(&bytes)
    }

    /// Returns whether the bytes are a trust file that contains every earlier pin unchanged.
    fn only_gained(&self, bytes: &[u8]) -> bool {
        let (Ok(old), Ok(new)) = (TrustFile::from_bytes(&self.bytes), TrustFile::from_bytes(bytes))
        else {
            return false;
        };
        old.pins().all(|(name, pin)| new.pin(name) == Some(pin))
    }

    fn restore(&self) -> io::Result<Restored> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        let mut copy = tempfile::Builder::new().prefix(".provenance.").tempfile_in(directory)?;
        copy.write_all(&self.bytes)?;
        copy.as_file().set_permissions(self.metadata.permissions())?;
        copy.as_file().sync_all()?;
        let changed = self.path.symlink_metadata().is_ok().then(|| self.set_aside()).transpose()?;
        copy.persist(&self.path)?;
        Ok(Restored { path: self.path.clone(), changed })
    }

    /// Renames the changed version, so that its content is not lost.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let free = (1..).map(|number| self.path.with_file_name(format!("{name}.changed-{number}")));
        let free = free.take(1000).find(|path| path.symlink_metadata().is_err());
        let free = free.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
        fs::rename(&self.path, &free).map(|()| free)
    }
}
