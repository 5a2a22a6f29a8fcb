//! How the network is reached: what the user told pip, as plain values.
//!
//! Owns the shape of these settings, so that the module that reads them from pip and the module
//! that acts on them need not know each other. Reads nothing itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// Who pip was to an index that asked: what the user typed in, or what a keyring or a file holds.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// `HOST` or `HOST:PORT`, as pip keeps it.
    pub place: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// It as URLs: by https, and by http where one of `indexes` at this place is reached so.
    #[must_use]
    pub fn urls(&self, indexes: &[Url]) -> Vec<Url> {
        let by = |scheme: &str| {
            let mut url = Url::parse(&format!("{scheme}://{}/", self.place)).ok()?;
            url.set_username(&self.user).ok()?;
            url.set_password(Some(&self.password)).ok()?;
            Some(url)
        };
        let is_asked = |url: &Url| indexes.iter().any(|index| index.origin() == url.origin());
        by("https").into_iter().chain(by("http").filter(is_asked)).collect()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("place", &self.place).finish_non_exhaustive()
    }
}

/// pip's network options, after its own order of precedence (command line, `PIP_*`, pip.conf).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// `--cert`, else `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`: a PEM bundle, or a directory
    /// of PEM files, that replaces the platform's roots.
    pub ca_bundle: Option<PathBuf>,
    /// `--client-cert`: a PEM file with a certificate and its key.
    pub client_certificate: Option<PathBuf>,
    /// Which proxy.
    pub proxy: Proxy,
    /// What [`Proxy::Environment`] means in this process.
    pub proxy_variables: ProxyVariables,
    /// `--trusted-host`: `HOST` or `HOST:PORT` that is reached without checking its certificate.
    pub trusted_hosts: Vec<String>,
    /// `--timeout`: how long a connection may be silent.
    pub timeout: Duration,
    /// `--retries`: how often a failed request is tried again.
    pub retries: u32,
    /// The netrc file to look credentials up in, if there is one.
    pub netrc: Option<PathBuf>,
    /// The index URLs; the credentials of those that carry any also serve other URLs on the same
    /// host and port.
    pub credentials: Vec<Url>,
    /// How long to wait between attempts, and how long altogether.
    pub patience: Patience,
}

/// The proxy variables of the environment, as values: an empty one counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyVariables {
    /// `http_proxy`: for `http` URLs.
    pub http: Option<String>,
    /// `https_proxy`: for `https` URLs.
    pub https: Option<String>,
    /// `all_proxy`: for either, where its own is absent.
    pub all: Option<String>,
    /// `no_proxy`: hosts, domains, addresses and IPv4 networks that are reached directly,
    /// separated by commas; `*` for all.
    pub no_proxy: Option<String>,
}

impl ProxyVariables {
    /// Reads the variables through `lookup`: the lower-case name wins, as in Python's `urllib`.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| {
            lookup(name).or_else(|| lookup(&name.to_ascii_uppercase())).filter(|v| !v.is_empty())
        };
        Self {
            http: read("http_proxy"),
            https: read("https_proxy"),
            all: read("all_proxy"),
            // Not as the others: requests looks further where the lower-case one is empty.
            no_proxy: lookup("no_proxy").filter(|v| !v.is_empty()).or_else(|| lookup("NO_PROXY")),
        }
    }
}

impl Transport {
    /// The variables that have a pip reach `host` past every proxy of the environment. Beside a
    /// `--proxy` the user's own exceptions do not count, as they do not for pip.
    #[must_use]
    pub fn exceptions_with(&self, host: &str) -> [(&'static str, String); 2] {
        let user = match &self.proxy {
            Proxy::Url(_) => None,
            Proxy::Environment | Proxy::Direct => self.proxy_variables.no_proxy.as_deref(),
        };
        // `*` means every host only where it stands alone.
        let no_proxy = match user.map(str::trim) {
            None | Some("") => host.to_owned(),
            Some("*") => "*".to_owned(),
            Some(already) => format!("{already},{host}"),
        };
        ["no_proxy", "NO_PROXY"].map(|name| (name, no_proxy.clone()))
    }

    /// A `--proxy` as variables, for a pip that must reach one host past it: an option knows no
    /// exceptions. Empty where the user gave none.
    #[must_use]
    pub fn proxy_as_variables(&self) -> Vec<(&'static str, String)> {
        let Proxy::Url(url) = &self.proxy else { return Vec::new() };
        let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
        names.map(|name| (name, url.clone())).into()
    }
}

/// The times that pip has no option for. None of them is the user's; tests make them tiny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// The pause before the first new attempt; it doubles with each one, with jitter.
    pub backoff: Duration,
    /// The longest pause before a new attempt, whatever `Retry-After` asks.
    pub longest_pause: Duration,
    /// How long a page or a document may take, all attempts together.
    pub document: Duration,
    /// How long one file may take, all attempts together.
    pub download: Duration,
}

impl Default for Patience {
    /// A quarter of a second as pip, half a minute, three minutes, an hour.
    fn default() -> Self {
        Self {
            backoff: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            document: Duration::from_secs(3 * 60),
            download: Duration::from_secs(60 * 60),
        }
    }
}

/// Where requests go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// That of [`Transport::proxy_variables`].
    Environment,
    /// `--proxy ""` or `--no-proxy-env` alone: none.
    Direct,
    /// `--proxy URL`: for everything, `NO_PROXY` or not, as in pip.
    Url(String),
}

impl Default for Transport {
    /// pip's own defaults: 15 seconds, 5 retries, the platform's roots, the environment's proxy.
    fn default() -> Self {
        Self {
            ca_bundle: None,
            client_certificate: None,
            proxy: Proxy::Environment,
            proxy_variables: ProxyVariables::default(),
            trusted_hosts: Vec::new(),
            timeout: Duration::from_secs(15),
            retries: 5,
            netrc: None,
            credentials: Vec::new(),
            patience: Patience::default(),
        }
    }
}
