//! The ureq agents of a run: one for each combination of TLS settings and proxy.
//!
//! Owns TLS settings and the choice of the proxy. An agent keeps its connections alive, so that
//! there should be as few as the settings allow. A request has only its remaining time as a setting
//! of its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector};
use url::Url;

use crate::http::addresses::Addresses;
use crate::http::proxies::{Proxies, host_and_port};
use crate::http::redact::Redacted;
use crate::http::settings::Transport;
use crate::http::{HttpError, USER_AGENT};
use crate::sync::lock;

/// Maximum number of idle connections to one host: more than a run has workers.
const IDLE_PER_HOST: usize = 32;
/// Maximum number of idle connections.
const IDLE: usize = 128;

/// Every agent of a run. An agent is made when a request first needs it, so that a wrong proxy or
/// certificate that no request needs causes no error, as in pip.
pub(super) struct Agents {
    transport: Transport,
    proxies: Proxies,
    trusted_hosts: Vec<(String, Option<u16>)>,
    addresses: Addresses,
    made: Mutex<Made>,
}

/// Agents and certificates made so far.
#[derive(Default)]
struct Made {
    agents: HashMap<AgentKey, Agent>,
    /// Read once, since agents share them.
    roots: Option<RootCerts>,
    client: Option<ClientCert>,
}

/// Settings by which agents differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AgentKey {
    /// Whether the URL is `https`, so that the server needs a certificate.
    is_https: bool,
    /// Whether the host is a `--trusted-host`, whose certificate is not verified.
    is_trusted: bool,
    /// Proxy, as the user wrote it.
    proxy: Option<String>,
}

impl Agents {
    /// Prepares the settings; makes no agent yet.
    pub(super) fn new(transport: &Transport) -> Self {
        let trusted = |text: &String| {
            let (host, port) = host_and_port(text);
            (host.to_ascii_lowercase(), port)
        };
        Self {
            proxies: Proxies::new(transport),
            trusted_hosts: transport.trusted_hosts.iter().map(trusted).collect(),
            addresses: Addresses::default(),
            made: Mutex::default(),
            transport: transport.clone(),
        }
    }

    /// Returns the agent for a URL.
    ///
    /// # Errors
    /// The CA bundle, the client certificate or the proxy of the URL cannot be used.
    pub(super) fn of(&self, url: &Url) -> Result<Agent, HttpError> {
        let key = self.key(url);
        let mut made = lock(&self.made);
        if let Some(agent) = made.agents.get(&key) {
            return Ok(agent.clone());
        }
        let proxy = key.proxy.as_deref().map(read_proxy).transpose()?;
        let tls = made.tls(&key, proxy.as_ref(), &self.transport)?;
        let agent = agent(&self.transport, tls, proxy, self.addresses.clone());
        made.agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn key(&self, url: &Url) -> AgentKey {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let is_trusted = self
            .trusted_hosts
            .iter()
            .any(|(name, only)| name == host && only.is_none_or(|only| port == Some(only)));
        let proxy = self.proxies.of(url).map(str::to_owned);
        AgentKey { is_https: url.scheme() == "https", is_trusted, proxy }
    }
}

fn agent(
    transport: &Transport,
    tls: TlsConfig,
    proxy: Option<ureq::Proxy>,
    addresses: Addresses,
) -> Agent {
    // A time-out of zero would let no request through.
    let silence = Some(transport.timeout.max(Duration::from_millis(1)));
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE_PER_HOST)
        .timeout_resolve(silence)
        .timeout_connect(silence)
        .timeout_per_read(silence)
        .timeout_per_write(silence)
        .build();
    Agent::with_parts(config, OneTls(DefaultConnector::new()), addresses)
}

/// Connector that always uses the agent's TLS settings. ureq would load the platform's certificates
/// again for each request with a time-out of its own.
#[derive(Debug)]
struct OneTls(DefaultConnector);

impl Connector for OneTls {
    type Out = <DefaultConnector as Connector>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        self.0.connect(&details, chained)
    }
}

fn read_proxy(text: &str) -> Result<ureq::Proxy, HttpError> {
    let shown = Url::parse(text).ok().filter(Url::has_host);
    let shown = shown.map(|url| format!(" {}", Redacted(&url))).unwrap_or_default();
    match ureq::Proxy::new(text) {
        Ok(proxy) => Ok(proxy),
        Err(_) => Err(HttpError::Proxy { shown, reason: "it is not the URL of a proxy" }),
    }
}

impl Made {
    /// Returns the TLS settings of an agent. Reads the user's certificates only if TLS is used.
    fn tls(
        &mut self,
        key: &AgentKey,
        proxy: Option<&ureq::Proxy>,
        transport: &Transport,
    ) -> Result<TlsConfig, HttpError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::clone(&provider));
        let is_secure = |proxy: &ureq::Proxy| proxy.protocol() == ureq::ProxyProtocol::Https;
        if !key.is_https && !proxy.is_some_and(is_secure) {
            return Ok(tls.build());
        }
        if let (None, Some(path)) = (&self.client, &transport.client_certificate) {
            self.client = Some(client_certificate(path, &provider)?);
        }
        let tls = tls.client_cert(self.client.clone());
        if key.is_trusted {
            return Ok(tls.disable_verification(true).build());
        }
        let roots = match (&self.roots, &transport.ca_bundle) {
            (Some(roots), _) => roots.clone(),
            (None, Some(path)) => self.roots.insert(roots(path)?).clone(),
            (None, None) => RootCerts::PlatformVerifier,
        };
        Ok(tls.root_certs(roots).build())
    }
}

/// Reads the certificates of a PEM bundle, or of the PEM files in a directory, which replace the
/// platform's.
fn roots(path: &Path) -> Result<RootCerts, HttpError> {
    let wrong = |reason: String| HttpError::Setting {
        what: "CA bundle",
        file: path.display().to_string(),
        reason,
    };
    let mut ders = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(|error| wrong(error.to_string()))? {
            // Other files are skipped: such directories hold indexes and notes, too.
            if let Ok(bytes) = entry.and_then(|entry| std::fs::read(entry.path())) {
                ders.extend(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
            }
        }
    } else {
        let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        for der in CertificateDer::pem_slice_iter(&bytes) {
            ders.push(der.map_err(|_| wrong("it is not a PEM file".to_owned()))?);
        }
    }
    let mut store = rustls::RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(ders.iter().cloned());
    if added == 0 {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(ders.iter().map(|der| Certificate::from_der(der).to_owned()).collect::<Vec<_>>().into())
}

/// Reads the certificate chain and the private key of one PEM file.
fn client_certificate(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<ClientCert, HttpError> {
    let wrong = |reason: String| HttpError::Setting {
        what: "client certificate",
        file: path.display().to_string(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong("it is not a PEM file".to_owned()))?;
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| wrong("it holds no private key".to_owned()))?;
    // ureq panics on a pair that rustls refuses, so rustls checks it first.
    rustls::ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_client_auth_cert(chain.clone(), key)
        })
        .map_err(|error| wrong(error.to_string()))?;
    let chain: Vec<_> = chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let key = PrivateKey::from_pem(&bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}
