//! pip's settings for the network and the cache.
//!
//! Merges the sources in pip's order of precedence: `[global]` < `[install]` < `PIP_*` < command
//! line, and the lines of requirements files. Reads the output of `pip config list`:
//!
//! ```text
//! global.index-url='https://index.example/simple'
//! :env:.timeout='5'
//! ```
//!
//! Must not read configuration files, because only pip knows their paths.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::failure::{Failure, Status};
use crate::http::redact::redacted_text;
use crate::http::settings::{Proxy, ProxyVariables, Transport};
use crate::process::switch;

/// The values of one source, by the option's long name without dashes.
pub type Values = BTreeMap<String, String>;

/// pip's configuration from its files and the `PIP_*` variables, by section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    sections: BTreeMap<String, Values>,
}

/// The options of the command line for the network and the cache, as pip's own parser would store
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Options of which the last one counts, by long name without dashes. Flags have the value `1`.
    pub single: Values,
    /// Options whose values add up, by long name without dashes.
    pub repeated: BTreeMap<String, Vec<String>>,
}

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
    /// `--find-links` places, in their original spelling.
    pub find_links: Vec<String>,
    /// The network options.
    pub transport: Transport,
    /// pip's cache directory. `None` with `--no-cache-dir`.
    pub cache: Option<PathBuf>,
}

impl Configuration {
    /// Parses the output of `pip config list`: lines `SECTION.KEY='VALUE'` with values as Python
    /// writes them. Other lines are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut sections = BTreeMap::<String, Values>::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let Some((section, name)) = key.rsplit_once('.') else { continue };
            let Some(value) = python_string(value) else { continue };
            if !value.is_empty() {
                let name = name.to_lowercase().replace('_', "-");
                sections.entry(section.to_owned()).or_default().insert(name, value);
            }
        }
        Self { sections }
    }

    /// Returns the configuration as another subcommand of pip reads it: with its own section
    /// instead of `[install]`.
    #[must_use]
    pub fn read_by(mut self, subcommand: &str) -> Self {
        if subcommand != "install" {
            self.sections.remove("install");
            let own = self.sections.remove(subcommand);
            self.sections.extend(own.map(|values| ("install".to_owned(), values)));
        }
        self
    }

    /// Returns the values of a section (`install`, `:env:`).
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Values> {
        self.sections.get(name)
    }

    /// Returns the values that `pip install` reads from files, without those that a variable
    /// overrides: the `[install]` section before the global one.
    pub fn effective_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = ["global", "install"].map(|name| self.sections.get(name));
        let keys: std::collections::BTreeSet<&str> = sections
            .iter()
            .flatten()
            .flat_map(|values| values.keys().map(String::as_str))
            .collect();
        let by_variable = |key: &str| {
            self.sections.get(":env:").is_some_and(|variables| variables.contains_key(key))
        };
        keys.into_iter()
            .filter(move |key| !by_variable(key))
            .filter_map(|k| Some((k, self.get(k)?)))
    }

    /// Returns the value of an option for `pip install`; the later source wins.
    #[must_use]
    pub fn get(&self, option: &str) -> Option<&str> {
        let places = [":env:", "install", "global"];
        places.iter().find_map(|place| self.sections.get(*place)?.get(option)).map(String::as_str)
    }

    /// Returns whether a switch is set for `pip install`.
    #[must_use]
    pub fn is_on(&self, switch: &str) -> bool {
        self.get(switch).and_then(switch::read) == Some(true)
    }
}

impl Settings {
    /// Merges all sources.
    ///
    /// # Errors
    /// A value is not valid (an index that is not a URL, a timeout that is not a number), or pip
    /// did not state its default index.
    pub fn merge(
        configuration: &Configuration,
        command_line: &CommandLine,
        lines: &FileLines,
        surroundings: &Surroundings,
    ) -> Result<Self, Failure> {
        let single = |option: &str| {
            command_line
                .single
                .get(option)
                .map(String::as_str)
                .or_else(|| configuration.get(option))
        };
        let repeated = |option: &str| {
            let configured = configuration.get(option).unwrap_or_default();
            let given = command_line.repeated.get(option).map(Vec::as_slice).unwrap_or_default();
            configured.split_whitespace().map(str::to_owned).chain(given.iter().cloned())
        };
        let on = |option: &str| single(option).and_then(switch::read) == Some(true);

        let mut indexes = Vec::new();
        if !on("no-index") && !lines.no_index {
            let default = single("index-url").or_else(|| single("pypi-url"));
            let main = lines.index_url.as_deref().or(default);
            let main = main.or(surroundings.default_index.as_deref()).ok_or_else(|| {
                Failure::new(Status::CouldNotCheck, "pip does not report its index")
                    .hint("name it with --index-url or PIP_INDEX_URL")
            })?;
            indexes.push(index_url(main)?);
            // A `-i` line replaces all indexes that are named elsewhere. pip reads the files before
            // it asks an index.
            let elsewhere = repeated("extra-index-url").filter(|_| lines.index_url.is_none());
            for extra in elsewhere.chain(lines.extra_index_urls.iter().cloned()) {
                indexes.push(index_url(&extra)?);
            }
        }
        let path = |option: &str| single(option).map(PathBuf::from);
        let proxy = match single("proxy") {
            Some(url) if !url.is_empty() => Proxy::Url(url.to_owned()),
            _ if command_line.single.contains_key("proxy") || on("no-proxy-env") => Proxy::Direct,
            _ => Proxy::Environment,
        };
        let defaults = Transport::default();
        let timeout = single("timeout").or_else(|| single("default-timeout"));
        let transport = Transport {
            ca_bundle: path("cert").or_else(|| surroundings.requests_ca_bundle.clone()),
            client_certificate: path("client-cert"),
            proxy,
            trusted_hosts: repeated("trusted-host").chain(lines.trusted_hosts.clone()).collect(),
            timeout: timeout.map_or(Ok(defaults.timeout), seconds)?,
            retries: single("retries").map_or(Ok(defaults.retries), count)?,
            proxy_variables: surroundings.proxies.clone(),
            netrc: surroundings.netrc.clone(),
            credentials: indexes.clone(),
            ..defaults
        };
        // `--no-cache-dir` may be written as PIP_NO_CACHE_DIR or as a false `cache-dir`.
        let disabled =
            on("no-cache-dir") || single("cache-dir").and_then(switch::read) == Some(false);
        let cache = path("cache-dir").or_else(|| surroundings.default_cache.clone());
        Ok(Self {
            indexes,
            find_links: repeated("find-links").chain(lines.find_links.clone()).collect(),
            transport,
            cache: if disabled { None } else { cache },
        })
    }
}

/// Parses an index URL. As in pip, a path on this machine is valid too.
fn index_url(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text)
        .ok()
        .filter(Url::has_host)
        .or_else(|| Url::parse(text).ok().filter(|url| url.scheme() == "file"));
    url.or_else(|| Url::from_directory_path(text).ok()).ok_or_else(|| {
        let shown = redacted_text(text);
        Failure::new(Status::BadInput, format!("index `{shown}` is not a URL"))
            .hint("give the whole URL of a simple index, https:// included")
    })
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

/// Parses a Python string literal as `repr` writes it.
fn python_string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let (mut value, mut chars) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next()? {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'r' => value.push('\r'),
            digits @ ('x' | 'u' | 'U') => {
                let length = match digits {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let hex: String = chars.by_ref().take(length).collect();
                value.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
            }
            other => value.push(other),
        }
    }
    Some(value)
}
