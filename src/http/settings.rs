//! Network settings as plain values.
//!
//! Owns the types, so that the module that reads the settings from pip and the HTTP client need not
//! know each other. The module reads no file or variable itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// Credentials that pip used for an index: typed in by the user, or from a keyring or a file.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// `HOST` or `HOST:PORT`, as pip stores it.
    pub place: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Login {
    /// Returns the credentials as URLs: with https, and also with http if one of `indexes` is at
    /// this place by http.
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

/// pip's network options, merged in its order of precedence (command line, `PIP_*`, pip.conf).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// Version of the pip that the requests are for.
    pub pip: Option<String>,
    /// Certificates that vouch for servers.
    pub trust: Trust,
    /// `--client-cert`: a PEM file with a certificate and its key.
    pub client_certificate: Option<PathBuf>,
    /// Choice of the proxy.
    pub proxy: Proxy,
    /// Proxy variables for [`Proxy::Environment`].
    pub proxy_variables: ProxyVariables,
    /// `--trusted-host`: `HOST` or `HOST:PORT` that is reached without checking its certificate.
    pub trusted_hosts: Vec<String>,
    /// `--timeout`: maximum silence of a connection.
    pub timeout: Duration,
    /// `--retries`: maximum number of retries of a request.
    pub retries: u32,
    /// `--resume-retries`: maximum number of attempts to go on with a file that arrived in part.
    pub resume_retries: u32,
    /// Path of the netrc file, if there is one.
    pub netrc: Option<PathBuf>,
    /// Index URLs. Credentials in them also serve other URLs on the same host and port.
    pub credentials: Vec<Url>,
    /// Other URLs with credentials that the user named: files, pages of links. Their credentials
    /// serve other URLs on the same scheme, host and port, too, if no index or netrc file has some.
    pub learned: Vec<Url>,
    /// Pauses between attempts, and time limits.
    pub patience: Patience,
}

/// Certificates that vouch for servers, or that servers may have themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Whether those count that the platform's own verifier trusts.
    pub platform: bool,
    /// PEM files, and directories as OpenSSL reads them. Each must hold a certificate.
    pub bundles: Vec<PathBuf>,
    /// Places of pip's OpenSSL, which may be empty or absent.
    pub defaults: Vec<PathBuf>,
}

impl Default for Trust {
    /// The platform's certificates alone.
    fn default() -> Self {
        Self { platform: true, bundles: Vec::new(), defaults: Vec::new() }
    }
}

impl Trust {
    /// Returns the settings by which the certificates of one bundle count alone.
    #[must_use]
    pub fn only(bundle: PathBuf) -> Self {
        Self { platform: false, bundles: vec![bundle], defaults: Vec::new() }
    }
}

/// Proxy variables of the environment; an empty one counts as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyVariables {
    /// `http_proxy`: for `http` URLs.
    pub http: Option<String>,
    /// `https_proxy`: for `https` URLs.
    pub https: Option<String>,
    /// `all_proxy`: for either scheme, if its own variable is absent.
    pub all: Option<String>,
    /// `no_proxy`: hosts, domains, addresses and IPv4 networks that are reached directly, separated
    /// by commas; `*` for all.
    pub no_proxy: Option<String>,
}

impl ProxyVariables {
    /// Reads the variables through `lookup`. The lower-case name wins, as in Python's `urllib`.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| {
            lookup(name).or_else(|| lookup(&name.to_ascii_uppercase())).filter(|v| !v.is_empty())
        };
        Self {
            http: read("http_proxy"),
            https: read("https_proxy"),
            all: read("all_proxy"),
            // requests falls back to the upper-case name if the lower-case one is empty.
            no_proxy: lookup("no_proxy").filter(|v| !v.is_empty()).or_else(|| lookup("NO_PROXY")),
        }
    }
}

impl Transport {
    /// Returns the variables that make pip reach `host` without a proxy. With `--proxy`, the user's
    /// own exceptions are left out, since pip ignores them.
    #[must_use]
    pub fn exceptions_with(&self, host: &str) -> [(&'static str, String); 2] {
        let user = match &self.proxy {
            Proxy::Url(_) => None,
            Proxy::Environment | Proxy::Direct => self.proxy_variables.no_proxy.as_deref(),
        };
        // `*` means every host only if it stands alone.
        let no_proxy = match user.map(str::trim) {
            None | Some("") => host.to_owned(),
            Some("*") => "*".to_owned(),
            Some(already) => format!("{already},{host}"),
        };
        ["no_proxy", "NO_PROXY"].map(|name| (name, no_proxy.clone()))
    }

    /// Returns a `--proxy` as variables, for a pip that must reach one host without it: the option
    /// has no exceptions. Empty if the user gave none.
    #[must_use]
    pub fn proxy_as_variables(&self) -> Vec<(&'static str, String)> {
        let Proxy::Url(url) = &self.proxy else { return Vec::new() };
        let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];
        names.map(|name| (name, url.clone())).into()
    }
}

/// Time limits that have no option in pip. Users cannot set them; tests make them tiny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Pause before the first retry; it doubles with each further one, with jitter.
    pub backoff: Duration,
    /// Maximum pause before a retry, whatever `Retry-After` asks.
    pub longest_pause: Duration,
    /// Maximum time for a page or a document, all attempts together.
    pub document: Duration,
    /// Maximum time for one file, all attempts together.
    pub download: Duration,
}

impl Default for Patience {
    /// A quarter of a second as in pip, half a minute, three minutes, an hour.
    fn default() -> Self {
        Self {
            backoff: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            document: Duration::from_secs(3 * 60),
            download: Duration::from_secs(60 * 60),
        }
    }
}

/// Choice of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// The proxy of [`Transport::proxy_variables`].
    Environment,
    /// `--proxy ""` or `--no-proxy-env` alone: no proxy.
    Direct,
    /// `--proxy URL`: for every request, whatever `NO_PROXY` says, as in pip.
    Url(String),
}

impl Default for Transport {
    /// pip's own defaults: 15 seconds, 5 retries, the platform's roots, the environment's proxy.
    fn default() -> Self {
        Self {
            pip: None,
            trust: Trust::default(),
            client_certificate: None,
            proxy: Proxy::Environment,
            proxy_variables: ProxyVariables::default(),
            trusted_hosts: Vec::new(),
            timeout: Duration::from_secs(15),
            retries: 5,
            resume_retries: 5,
            netrc: None,
            credentials: Vec::new(),
            learned: Vec::new(),
            patience: Patience::default(),
        }
    }
}
