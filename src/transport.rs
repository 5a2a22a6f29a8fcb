//! How the network is reached: what the user told pip, as plain values.
//!
//! Owns the shape of these settings, so that the module that reads them from pip and the module
//! that acts on them need not know each other. Reads nothing itself.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

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
    /// `--trusted-host`: `HOST` or `HOST:PORT` that is reached without checking its certificate.
    pub trusted_hosts: Vec<String>,
    /// `--timeout`: how long a connection may be silent.
    pub timeout: Duration,
    /// `--retries`: how often a failed request is tried again.
    pub retries: u32,
    /// The netrc file to look credentials up in, if there is one.
    pub netrc: Option<PathBuf>,
    /// Index URLs that carry credentials; they also serve other URLs on the same host and port.
    pub credentials: Vec<Url>,
}

/// Where requests go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.
    Environment,
    /// `--proxy ""` or `--no-proxy-env` alone: none.
    Direct,
    /// `--proxy URL`.
    Url(String),
}

impl Default for Transport {
    /// pip's own defaults: 15 seconds, 5 retries, the platform's roots, the environment's proxy.
    fn default() -> Self {
        Self {
            ca_bundle: None,
            client_certificate: None,
            proxy: Proxy::Environment,
            trusted_hosts: Vec::new(),
            timeout: Duration::from_secs(15),
            retries: 5,
            netrc: None,
            credentials: Vec::new(),
        }
    }
}
