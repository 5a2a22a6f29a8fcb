//! The addresses of hosts, each asked for once in a while.
//!
//! Owns how long an answer of the system's resolver is kept. Many connections open at once here;
//! were each to ask for the same name, resolvers that answer only so many questions a second would
//! leave some without an answer, for seconds or for good.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is kept.
const FRESH: Duration = Duration::from_secs(60);

/// The addresses that are known; shared by the agents of a run.
#[derive(Clone, Default)]
pub(super) struct Addresses(Arc<Known>);

#[derive(Default)]
struct Known {
    resolver: DefaultResolver,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// When a host was asked for, and what came out. Whoever asks meanwhile waits for that answer.
type Host = Mutex<Option<(Instant, ResolvedSocketAddrs)>>;

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        let place = format!(
            "{}://{}:{:?}",
            scheme.unwrap_or_default(),
            authority.map_or("", |it| it.host()),
            authority.and_then(|it| it.port_u16())
        );
        let host = {
            let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(place).or_default())
        };
        let mut known = host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, addresses)) = known.as_ref()
            && since.elapsed() < FRESH
        {
            return Ok(addresses.clone());
        }
        let addresses = self.0.resolver.resolve(uri, config, timeout)?;
        *known = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}
