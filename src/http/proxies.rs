//! Which proxy a URL goes through.
//!
//! Owns the reading of `NO_PROXY`. Pure: the variables come as values.

use std::net::Ipv4Addr;

use url::Url;

use crate::transport::{Proxy, Transport};

/// The proxies of a run.
pub(super) struct Proxies<'a> {
    /// For `http` URLs.
    pub(super) http: Option<&'a str>,
    /// For `https` URLs.
    pub(super) https: Option<&'a str>,
    /// What goes past them.
    pub(super) exceptions: Exceptions,
}

impl<'a> Proxies<'a> {
    /// The proxies of these settings.
    pub(super) fn new(transport: &'a Transport) -> Self {
        let none = Exceptions(Vec::new());
        match &transport.proxy {
            Proxy::Direct => Self { http: None, https: None, exceptions: none },
            Proxy::Url(url) => Self { http: Some(url), https: Some(url), exceptions: none },
            Proxy::Environment => {
                let variables = &transport.proxy_variables;
                let all = variables.all.as_deref();
                Self {
                    http: variables.http.as_deref().or(all),
                    https: variables.https.as_deref().or(all),
                    exceptions: Exceptions::parse(variables.no_proxy.as_deref().unwrap_or("")),
                }
            }
        }
    }
}

/// `NO_PROXY`, read.
pub(super) struct Exceptions(Vec<Exception>);

enum Exception {
    /// `*`
    All,
    /// `example.com`, `.example.com`, `*.example.com`: the host and those below it; with a
    /// port, on that port.
    Domain(String, Option<u16>),
    /// `10.0.0.0/8`
    Network(Ipv4Addr, u32),
}

impl Exceptions {
    fn parse(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter_map(Exception::parse).collect())
    }

    /// Whether the URL is reached directly.
    pub(super) fn hold(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let address = host.parse().ok();
        self.0.iter().any(|exception| match exception {
            Exception::All => true,
            Exception::Domain(domain, port) => {
                let below = host.strip_suffix(domain.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    && port.is_none_or(|port| url.port_or_known_default() == Some(port))
            }
            Exception::Network(network, mask) => address
                .is_some_and(|host: Ipv4Addr| host.to_bits() & mask == network.to_bits() & mask),
        })
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            return Some(Self::Network(address.parse().ok()?, mask));
        }
        let (domain, port) = super::agents::host_and_port(text);
        let domain = domain.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        (!domain.is_empty()).then_some(Self::Domain(domain, port))
    }
}
