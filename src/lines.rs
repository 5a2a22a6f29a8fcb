//! The user's network options, gathered from the command line and from requirements files.
//!
//! Owns reading those files as far as they say where to look. What they require is for pip.

use crate::failure::Failure;
use crate::http::Client;
use crate::pip::resolve::Probe;
use crate::pip::settings::{CommandLine, FileLines, Settings};
use crate::process::Process;
use crate::requirements::{self, Source};
use crate::shim::arguments::InstallArgs;
use crate::shim::options::Arity;
use crate::sources::read_bounded;

/// The options of the command line, as pip's parser would store them.
#[must_use]
pub fn command_line(arguments: &InstallArgs) -> CommandLine {
    let mut line = CommandLine::default();
    for chosen in arguments.chosen() {
        let name = chosen.option.name().trim_start_matches('-').to_owned();
        let value = chosen.value.as_ref().map(|value| value.to_string_lossy().into_owned());
        match (chosen.option.arity, value) {
            (Arity::Each, Some(value)) => line.repeated.entry(name).or_default().push(value),
            (_, value) => {
                line.single.insert(name, value.unwrap_or_else(|| "1".to_owned()));
            }
        }
    }
    line
}

/// What the requirements files say.
#[derive(Debug, Default)]
pub struct Files {
    /// Where to look.
    pub lines: FileLines,
    /// Whether one of them came from a URL, so that it may be another one next time.
    pub remote: bool,
}

/// Reads the requirements and constraints files that the user named, on the command line or in
/// pip's configuration, with the network settings known so far.
///
/// # Errors
/// The network cannot be set up. A file that cannot be read is no error here: pip says so.
pub fn of_files(
    process: &Process,
    arguments: &InstallArgs,
    probe: &Probe,
    settings: &Settings,
) -> Result<Files, Failure> {
    let configured = |option: &str| {
        let value = probe.configuration.get(option).unwrap_or_default();
        value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let given = |option: &str| {
        let values = arguments.values(option).into_iter();
        values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let texts = [
        configured("constraint"),
        given("--constraint"),
        configured("requirement"),
        given("--requirement"),
    ];
    let sources: Vec<_> = texts.iter().flatten().map(|text| Source::parse(text)).collect();
    if sources.is_empty() {
        return Ok(Files::default());
    }
    let client = Client::new(&settings.transport)?;
    let read = |source: &Source| match (source.local_path(), source) {
        (Some(path), _) => {
            read_bounded(&process.directory.join(path), MAX_FILE).map_err(|error| error.to_string())
        }
        (None, Source::Url(url)) => client
            .get(url, "*/*", MAX_FILE)
            .map(|response| response.body)
            .map_err(|e| e.to_string()),
        (None, Source::Path(_)) => Err("neither a path nor a URL".to_owned()),
    };
    let found = requirements::read(&sources, read, |name| process.text(name));
    let remote = found.remote();
    let lines = FileLines {
        index_url: found.index_url,
        extra_index_urls: found.extra_index_urls,
        find_links: found.find_links.into_iter().map(|links| links.value).collect(),
        trusted_hosts: found.trusted_hosts,
        no_index: found.no_index,
    };
    Ok(Files { lines, remote })
}

/// The largest requirements file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
