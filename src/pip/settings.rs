//! pip's settings for the network and the cache.
//!
//! Computes them from the user's options, from the lines of requirements files, and from the
//! surroundings. Must not read files or variables.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::failure::{Failure, Status};
use crate::http::redact::redacted_text;
use crate::http::settings::{Proxy, ProxyVariables, Transport};
use crate::pip::network::{self, Network};
use crate::pip::options::Options;
use crate::pip::version::PipVersion;

/// Options for indexes and directories in the lines of requirements files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileLines {
    /// `-i`, of which the last one counts.
    pub index_url: Option<String>,
    /// `--extra-index-url`.
    pub extra_index_urls: Vec<String>,
    /// `-f`.
    pub find_links: Vec<String>,
    /// `--trusted-host`.
    pub trusted_hosts: Vec<String>,
    /// `--no-index`.
    pub no_index: bool,
}

/// Values from the process and from the guarded pip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// pip's default index.
    pub default_index: Option<String>,
    /// pip's default cache directory.
    pub default_cache: Option<PathBuf>,
    /// `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`.
    pub requests_ca_bundle: Option<PathBuf>,
    /// Values of pip for the network.
    pub network: Option<Network>,
    /// pip's version, as it states it.
    pub pip: Option<String>,
    /// The environment's proxies.
    pub proxies: ProxyVariables,
    /// `NETRC`, else `.netrc` in the home directory.
    pub netrc: Option<PathBuf>,
}

/// The merged settings: the places of packages, and the network options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The indexes, in the order in which they are asked. May contain credentials.
    pub indexes: Vec<Url>,
    /// Indexes that are no URLs, without their credentials. pip warns of them, and finds no package
    /// there.
    pub not_urls: Vec<String>,
    /// `--find-links` places, in their original spelling.
    pub find_links: Vec<String>,
    /// The network options.
    pub transport: Transport,
    /// pip's cache directory. `None` with `--no-cache-dir`.
    pub cache: Option<PathBuf>,
}

impl Settings {
    /// Merges all sources.
    ///
    /// # Errors
    /// A value is not valid (a timeout that is not a number), or pip did not state its default
    /// index.
    pub fn merge(
        options: &Options,
        lines: &FileLines,
        surroundings: &Surroundings,
    ) -> Result<Self, Failure> {
        let single = |option: &str| options.last(option).map(OsStr::to_string_lossy);
        let on = |option: &str| options.is_on(option);

        let (mut indexes, mut not_urls) = (Vec::new(), Vec::new());
        let mut add = |text: &str| match index_url(text) {
            Some(url) => indexes.push(url),
            None => not_urls.push(redacted_text(text)),
        };
        if !on("--no-index") && !lines.no_index {
            let named = single("--index-url");
            let main = lines.index_url.as_deref().or(named.as_deref());
            let main = main.or(surroundings.default_index.as_deref()).ok_or_else(|| {
                Failure::new(Status::CouldNotCheck, "pip does not report its index")
                    .hint("name it with --index-url or PIP_INDEX_URL")
            })?;
            add(main);
            // A `-i` line replaces all indexes that are named elsewhere. pip reads the files before
            // it asks an index.
            let elsewhere = options.all("--extra-index-url").into_iter();
            let elsewhere = elsewhere.filter(|_| lines.index_url.is_none());
            for extra in elsewhere.chain(lines.extra_index_urls.iter().cloned()) {
                add(&extra);
            }
        }
        let path = |option: &str| options.last(option).map(PathBuf::from);
        let version = surroundings.pip.as_deref().and_then(PipVersion::parse);
        let proxy = match single("--proxy") {
            Some(url) if !url.is_empty() => Proxy::Url(url.into_owned()),
            _ if network::ignores_environment(options, version) => Proxy::Direct,
            _ => Proxy::Environment,
        };
        let defaults = Transport::default();
        let timeout = single("--timeout");
        let retries = single("--retries");
        let trusted_hosts = options.all("--trusted-host").into_iter();
        let retries = retries.map_or(Ok(defaults.retries), |text| count(&text))?;
        // A pip older than the option does not go on with a file; this program does.
        let resumes = surroundings.network.as_ref().and_then(|network| network.resume_retries);
        let resume_retries = single("--resume-retries");
        let transport = Transport {
            trust: network::trust(
                options,
                surroundings.requests_ca_bundle.clone(),
                surroundings.network.as_ref(),
                version,
            ),
            pip: surroundings.pip.clone(),
            client_certificate: path("--client-cert"),
            proxy,
            trusted_hosts: trusted_hosts.chain(lines.trusted_hosts.clone()).collect(),
            timeout: timeout.map_or(Ok(defaults.timeout), |text| seconds(&text))?,
            retries,
            resume_retries: resume_retries
                .map_or(Ok(resumes.unwrap_or(retries)), |text| count(&text))?,
            proxy_variables: surroundings.proxies.clone(),
            netrc: surroundings.netrc.clone(),
            credentials: indexes.clone(),
            ..defaults
        };
        let find_links = options.all("--find-links").into_iter();
        Ok(Self {
            indexes,
            not_urls,
            find_links: find_links.chain(lines.find_links.clone()).collect(),
            transport,
            cache: cache(options, surroundings),
        })
    }
}

/// Returns pip's cache directory. The two options share one value, so that the last one on the
/// command line counts. A configured `no-cache-dir` switches the cache off even if its value means
/// "no" (`cmdoptions._handle_no_cache_dir`), and wins over a configured directory.
fn cache(options: &Options, surroundings: &Surroundings) -> Option<PathBuf> {
    if let Some((name, value)) = options.last_of(&["--cache-dir", "--no-cache-dir"]) {
        return value.map(PathBuf::from).filter(|_| name == "--cache-dir");
    }
    if options.configured("--no-cache-dir").is_some() {
        return None;
    }
    let configured = options.configured("--cache-dir").map(PathBuf::from);
    configured.or_else(|| surroundings.default_cache.clone())
}

impl Settings {
    /// Adds the URLs with credentials in these requirements and places. URLs of repositories are
    /// left out: pip passes them on.
    pub fn learn(&mut self, texts: &[String]) {
        let places = texts.iter().chain(&self.find_links);
        let learned: Vec<_> = places.filter_map(|text| url_with_credentials(text)).collect();
        self.transport.learned.extend(learned);
    }
}

fn url_with_credentials(text: &str) -> Option<Url> {
    let start = ["http://", "https://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let (before, place) = text.split_at(start);
    let url = Url::parse(place.split_whitespace().next()?).ok()?;
    let has_some = !url.username().is_empty() || url.password().is_some();
    (has_some && !before.ends_with('+')).then_some(url)
}

/// Parses an index URL. As in pip, a path on this machine is valid too. Returns `None` if the text
/// is neither.
fn index_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() || url.scheme() == "file");
    url.or_else(|| Url::from_directory_path(text).ok())
}

fn seconds(text: &str) -> Result<Duration, Failure> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.and_then(|value| Duration::try_from_secs_f64(value).ok()).ok_or_else(|| {
        Failure::new(Status::Usage, format!("timeout `{text}` is not a number of seconds"))
    })
}

fn count(text: &str) -> Result<u32, Failure> {
    text.parse()
        .map_err(|_| Failure::new(Status::Usage, format!("retries `{text}` is not a number")))
}
