//! Links to the files of the user's `--find-links` directories, for a build.
//!
//! pip reads such directories without the gateway. So pip gets a private directory instead, with
//! links to the files that have passed their verdict. Other files must not be linked there.

use std::path::{Path, PathBuf};

use url::Url;

use crate::evidence::judge::Judge;
use crate::failure::{Failure, Status};
use crate::gateway::Handover;
use crate::package::digest::{Claims, Sha256};
use crate::package::filename::DistFilename;
use crate::package::lock::{File, Place};
use crate::package::plain_filename::FileName;
use crate::shim::story::Story;

impl Story<'_> {
    /// Creates a private directory with a link to each file of the user's `--find-links`
    /// directories that passed its verdict.
    pub(super) fn find_links(
        &self,
        directory: &Path,
        judge: &Judge,
    ) -> Result<Option<PathBuf>, Failure> {
        let places = &self.prepared.settings.find_links;
        if places.is_empty() {
            return Ok(None);
        }
        let links = directory.join("find-links");
        std::fs::create_dir(&links).map_err(Failure::temporary_directory)?;
        for place in places {
            let path = match Url::parse(place) {
                Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
                Ok(_) => None,
                Err(_) => Some(self.session.process.directory.join(place)),
            };
            let Some(path) = path.filter(|path| path.is_dir() || !path.exists()) else {
                let message = format!("cannot stand in for the find-links place {place}");
                return Err(Failure::new(Status::Refused, message)
                    .hint("while building from source, find-links must be a directory"));
            };
            let Ok(entries) = std::fs::read_dir(&path) else { continue };
            for entry in entries.filter_map(Result::ok) {
                self.link(&entry.path(), &links, judge)?;
            }
        }
        Ok(Some(links))
    }

    fn link(&self, path: &Path, links: &Path, judge: &Judge) -> Result<(), Failure> {
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (Ok(dist), Ok(filename)) = (DistFilename::parse(text), FileName::parse(text)) else {
            return Ok(());
        };
        // The digest matters only where the verdict can be a refusal: for a recorded project, or
        // for all projects under STRICT. Other files are not read.
        let sha256 = match self.trust.pin(dist.name()) {
            Some(_) => {
                std::fs::File::open(path).and_then(|mut file| Sha256::of_reader(&mut file)).ok()
            }
            None => None,
        };
        let file =
            File { filename, place: Place::of_path(path), sha256, claims: Claims::default() };
        if judge.judge_local(dist.name(), file)? == Handover::Give {
            // If a name occurs twice, the first directory wins, as in pip.
            let _ = std::os::unix::fs::symlink(path, links.join(text));
        }
        Ok(())
    }
}
