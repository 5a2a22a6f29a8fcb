//! Selects the proxy for a URL.
//!
//! Owns the parser of `NO_PROXY`. Pure: the variables are passed as values.

use std::net::Ipv4Addr;

use url::Url;

use crate::http::settings::{Proxy, Transport};

/// The proxies of a run, unparsed: an invalid proxy is an error only for a request that needs it.
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    exceptions: Exceptions,
}

impl Proxies {
    /// Reads the proxies from the settings.
    pub(super) fn new(transport: &Transport) -> Self {
        let both = |url: Option<&String>| Self {
            http: url.cloned(),
            https: url.cloned(),
            exceptions: Exceptions(Vec::new()),
        };
        match &transport.proxy {
            Proxy::Direct => both(None),
            Proxy::Url(url) => both(Some(url)),
            Proxy::Environment => {
                let variables = &transport.proxy_variables;
                let all = variables.all.as_ref();
                Self {
                    http: variables.http.as_ref().or(all).cloned(),
                    https: variables.https.as_ref().or(all).cloned(),
                    exceptions: Exceptions::parse(variables.no_proxy.as_deref().unwrap_or("")),
                }
            }
        }
    }

    /// Returns the proxy for a URL, or `None` for a direct connection.
    pub(super) fn of(&self, url: &Url) -> Option<&str> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        proxy.as_deref().filter(|_| !self.exceptions.hold(url))
    }
}

/// The entries of `NO_PROXY`.
struct Exceptions(Vec<ProxyException>);

enum ProxyException {
    /// `*`: every host.
    All,
    /// `example.com`, `.example.com` or `*.example.com`: the host and its subdomains; with a port,
    /// on that port only.
    Domain(String, Option<u16>),
    /// `10.0.0.0/8`: an IPv4 network.
    Network(Ipv4Addr, u32),
}

impl Exceptions {
    fn parse(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter_map(ProxyException::parse).collect())
    }

    /// Whether the URL is reached without a proxy.
    fn hold(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let address = host.parse().ok();
        self.0.iter().any(|exception| match exception {
            ProxyException::All => true,
            ProxyException::Domain(domain, port) => {
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    && port.is_none_or(|port| url.port_or_known_default() == Some(port))
            }
            ProxyException::Network(network, mask) => address
                .is_some_and(|host: Ipv4Addr| host.to_bits() & mask == network.to_bits() & mask),
        })
    }
}

impl ProxyException {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            return Some(Self::Network(address.parse().ok()?, mask));
        }
        let (domain, port) = host_and_port(text);
        let domain = domain.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        (!domain.is_empty()).then_some(Self::Domain(domain, port))
    }
}

/// Splits `HOST:PORT`; an IPv6 address is in brackets.
pub(super) fn host_and_port(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            port.parse().map_or((text, None), |port| (host, Some(port)))
        }
        _ => (text, None),
    }
}
