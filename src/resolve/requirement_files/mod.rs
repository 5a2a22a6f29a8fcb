//! The user's requirements files: where to look for packages, requirements, and hashes.
//!
//! Finds the files that the command line and pip's configuration name, and reads them. The meaning
//! of a requirement must be left to pip.

mod copies;

pub use copies::{Copies, copies};

use crate::evidence::sources::read_bounded;
use crate::failure::{Failure, Status};
use crate::http::Client;
use crate::package::lock::Lock;
use crate::pip::options::Options;
use crate::pip::requirements::{self, Hashes, Inclusion, Source};
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
    /// Compares the fetched files with the hashes that the user's own files state. pip has compared
    /// the bytes that it saw, but the index may have sent other bytes since. And if a generated
    /// file replaces the user's file, only this function checks the user's hashes.
    ///
    /// # Errors
    /// A file has none of its stated hashes, or cannot be read.
    pub fn verify_hashes(&self, lock: &Lock, fetched: &[Fetched]) -> Result<(), Failure> {
        for entry in &lock.entries {
            let is_of =
                |it: &&Fetched| entry.files().iter().any(|file| file.filename == it.filename);
            for it in fetched.iter().filter(is_of) {
                let bytes = || std::fs::File::open(&it.path);
                let fits = self.hashes.fit(&entry.name, &it.sha256, bytes).map_err(|error| {
                    let message = format!("cannot read {}: {error}", it.path.display());
                    Failure::new(Status::CouldNotCheck, message)
                })?;
                if !fits {
                    let message = format!(
                        "{} has sha256 {}, which is not one of the hashes in your requirements",
                        it.filename, it.sha256
                    );
                    return Err(Failure::new(Status::Refused, message)
                        .hint("the index sent other bytes than to pip; nothing was installed"));
                }
            }
        }
        Ok(())
    }
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
