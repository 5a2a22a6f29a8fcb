//! The user's requirements files: where to look for packages, requirements, and hashes.
//!
//! Finds the files that the command line and pip's configuration name, and reads them. The meaning
//! of a requirement must be left to pip.

mod copies;

pub use copies::{Copies, copies};

use crate::evidence::sources::read_bounded;
use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::package::digest::Sha256;
use crate::package::lock::{Entry, Lock};
use crate::package::plain_filename::FileName;
use crate::pip::marker::Environment;
use crate::pip::options::Options;
use crate::pip::requirements::{self, Compared, Hashes, Inclusion, Source};
use crate::pip::settings::{FileLines, Settings};
use crate::process::Process;
use crate::wheelhouse::Fetched;

/// The content of all requirements and constraints files.
#[derive(Debug, Default)]
pub struct Files {
    /// Options for indexes and directories in the files.
    pub lines: FileLines,
    /// Whether a file came from a URL, so that its content may change between two reads.
    pub remote: bool,
    /// Whether a file asks for source archives.
    pub sources: bool,
    /// The requirements, without the options behind them.
    pub requirements: Vec<String>,
    /// The constraints, without the options behind them.
    pub constraints: Vec<String>,
    /// The hashes that the files state.
    pub hashes: Hashes,
}

/// Reads the requirements and constraints files that the user named, on the command line or in
/// pip's configuration, with the network settings known so far.
///
/// # Errors
/// The network cannot be set up. An unreadable file is skipped here, because pip reports it.
pub fn read_named_files(
    process: &Process,
    options: &Options,
    settings: &Settings,
) -> Result<Files, Failure> {
    let [constraints, requirements] = named_files(options);
    let as_constraints = |text: &String| (Inclusion::Constraints, Source::parse(text));
    let as_requirements = |text: &String| (Inclusion::Requirements, named_source(text));
    let sources: Vec<_> = constraints
        .iter()
        .map(as_constraints)
        .chain(requirements.iter().map(as_requirements))
        .collect();
    if sources.is_empty() {
        return Ok(Files::default());
    }
    let client = Client::new(&settings.transport);
    let found = requirements::read(&sources, reader(process, &client), |name| process.text(name));
    let (remote, sources) = (found.remote(), found.sources);
    let (requirements, constraints, hashes) = (found.requirements, found.constraints, found.hashes);
    let lines = FileLines {
        index_url: found.index_url,
        extra_index_urls: found.extra_index_urls,
        find_links: found.find_links.into_iter().map(|links| links.value).collect(),
        trusted_hosts: found.trusted_hosts,
        no_index: found.no_index,
    };
    Ok(Files { lines, remote, sources, requirements, constraints, hashes })
}

impl Files {
    /// Returns whether the user's own files exclude a file of the lock, by its stated digest.
    #[must_use]
    pub fn exclude_any(&self, lock: &Lock, environment: &Environment) -> bool {
        lock.entries.iter().any(|entry| {
            let digests = entry.files().iter().filter_map(|file| file.sha256.as_ref());
            let mut files = digests.map(|sha256| compared(entry, sha256, environment));
            files.any(|file| self.hashes.exclude(file))
        })
    }

    /// Compares the fetched files with the hashes that the user's own files state.
    ///
    /// # Errors
    /// A line excludes a file, or a file cannot be read.
    pub fn verify_hashes(
        &self,
        lock: &Lock,
        fetched: &[Fetched],
        environment: &Environment,
    ) -> Result<(), Failure> {
        for entry in &lock.entries {
            let is_of =
                |it: &&Fetched| entry.files().iter().any(|file| file.filename == it.filename);
            for it in fetched.iter().filter(is_of) {
                let bytes = || std::fs::File::open(&it.path);
                let file = compared(entry, &it.sha256, environment);
                let fits = self.hashes.fit(file, bytes).map_err(|error| {
                    let message = format!("cannot read {}: {error}", it.path.display());
                    Failure::new(Status::CouldNotCheck, message)
                })?;
                if !fits {
                    return Err(excluded(&it.filename, &it.sha256));
                }
            }
            // Files in the user's own directories are not fetched.
            let stated =
                entry.files().iter().filter_map(|file| Some((file, file.sha256.as_ref()?)));
            for (file, sha256) in stated {
                if self.hashes.exclude(compared(entry, sha256, environment)) {
                    return Err(excluded(&file.filename, sha256));
                }
            }
        }
        Ok(())
    }
}

fn excluded(filename: &FileName, sha256: &Sha256) -> Failure {
    let message = format!("{filename} has sha256 {sha256}, which your requirements do not allow");
    Failure::new(Status::Refused, message)
        .hint("every line that states hashes for it must allow it; nothing was installed")
}

fn compared<'a>(
    entry: &'a Entry,
    sha256: &'a Sha256,
    environment: &'a Environment,
) -> Compared<'a> {
    Compared { name: &entry.name, version: entry.version.as_deref(), sha256, environment }
}

/// Returns the file of a `-r` option; extras may follow the name of a lock.
fn named_source(text: &str) -> Source {
    let lock = text.split_once('[').filter(|_| requirements::names_lock(text));
    Source::parse(lock.map_or(text, |(lock, _)| lock))
}

/// Maximum size of a requirements file, in bytes.
pub const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Returns the files that the user named, as constraints and as requirements.
fn named_files(options: &Options) -> [Vec<String>; 2] {
    ["--constraint", "--requirement"].map(|option| options.all(option))
}

/// Returns a reader of requirements files, from the disk and over the network.
fn reader<'a>(
    process: &'a Process,
    client: &'a Client,
) -> impl Fn(&Source) -> Result<Vec<u8>, String> + 'a {
    move |source: &Source| match (source.local_path(), source) {
        (Some(path), _) => {
            read_bounded(&process.directory.join(path), MAX_FILE).map_err(|error| error.to_string())
        }
        (None, Source::Url(url)) => client
            .get(url, "*/*", MAX_FILE)
            .map(|response| response.body)
            .map_err(|e| e.to_string()),
        (None, Source::Path(_)) => Err("neither a path nor a URL".to_owned()),
    }
}
