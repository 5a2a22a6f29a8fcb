//! The ureq agents of a run: one for each combination of TLS settings and proxy.
//!
//! Owns the choice of the proxy. An agent keeps its connections alive, so that
//! there should be as few as the settings allow. A request has only its remaining time as a setting
//! of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ClientConfig;
use ureq::Agent;
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector,
};
use url::Url;

use crate::http::addresses::Addresses;
use crate::http::proxies::{Proxies, host_and_port};
use crate::http::redact::Redacted;
use crate::http::settings::Transport;
use crate::http::tls::{Configurations, TlsConnector};
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
    tls: Configurations,
    made: Mutex<HashMap<AgentKey, Agent>>,
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
            tls: Configurations::default(),
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
        if let Some(agent) = made.get(&key) {
            return Ok(agent.clone());
        }
        let proxy = key.proxy.as_deref().map(read_proxy).transpose()?;
        let is_secure = |proxy: &ureq::Proxy| proxy.protocol() == ureq::ProxyProtocol::Https;
        let needs_tls = key.is_https || proxy.as_ref().is_some_and(is_secure);
        let tls = needs_tls.then(|| self.tls.of(key.is_trusted, &self.transport)).transpose()?;
        let agent = agent(&self.transport, tls, proxy, self.addresses.clone());
        made.insert(key, agent.clone());
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
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<ureq::Proxy>,
    addresses: Addresses,
) -> Agent {
    // A time-out of zero would let no request through.
    let silence = Some(transport.timeout.max(Duration::from_millis(1)));
    let config = Agent::config_builder()
        .proxy(proxy)
        .user_agent(user_agent(transport))
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
    // The chain of ureq's default connector, up to TLS.
    let connector =
        ().chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector(tls));
    Agent::with_parts(config, connector, addresses)
}

/// Returns `User-Agent`. Servers and firewalls that know only pip must let it pass.
fn user_agent(transport: &Transport) -> String {
    match &transport.pip {
        // A distribution's pip may add to its version, but not what ends a header.
        Some(version) if version.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("pip/{version} {USER_AGENT}")
        }
        _ => USER_AGENT.to_owned(),
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
