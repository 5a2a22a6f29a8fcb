//! Caches the addresses of hosts for all connections.
//!
//! Owns the age limit of an answer of the system's resolver, and the sharing between threads. Many
//! connections open at once; if each resolved the same name, a rate-limited resolver would delay or
//! drop some of the questions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fmt, io};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use crate::sync::lock;

/// Time for which an address is cached.
const FRESH: Duration = Duration::from_secs(60);

/// Resolver with a cache; the agents of a run share it.
#[derive(Clone, Default)]
pub(super) struct Addresses(Arc<Known>);

#[derive(Default)]
struct Known {
    resolver: DefaultResolver,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// Latest look-up of a host and its result. Other threads wait for a running look-up.
#[derive(Default)]
pub struct Host(Mutex<Option<(Instant, Result<ResolvedSocketAddrs, Error>)>>);

impl Host {
    /// Returns the host's addresses from the cache, or else through `look_up`. `since` is when the
    /// caller began to wait. A failed look-up is shared by every thread that was waiting for it;
    /// otherwise each would repeat the time-out, one after the other.
    ///
    /// # Errors
    /// The look-up failed, or the one that this thread waited for.
    pub fn addresses(
        &self,
        since: Instant,
        look_up: impl FnOnce() -> Result<ResolvedSocketAddrs, Error>,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut last = lock(&self.0);
        match last.as_ref() {
            Some((at, Ok(addresses))) if at.elapsed() < FRESH => return Ok(addresses.clone()),
            Some((at, Err(error))) if *at >= since => return Err(same(error)),
            _ => {}
        }
        let answer = look_up();
        let copy = answer.as_ref().map(Clone::clone).map_err(same);
        *last = Some((Instant::now(), copy));
        answer
    }
}

/// Copies the error of one thread's look-up for another thread. `Timeout::Global` becomes
/// `Timeout::Resolve`, since the other thread may have time left.
fn same(error: &Error) -> Error {
    match error {
        Error::HostNotFound => Error::HostNotFound,
        Error::Timeout(_) => Error::Timeout(Timeout::Resolve),
        Error::Io(error) => Error::Io(io::Error::new(error.kind(), error.to_string())),
        error => Error::Io(io::Error::other(error.to_string())),
    }
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let since = Instant::now();
        let (scheme, authority) = (uri.scheme_str(), uri.authority());
        let place = format!(
            "{}://{}:{:?}",
            scheme.unwrap_or_default(),
            authority.map_or("", |it| it.host()),
            authority.and_then(|it| it.port_u16())
        );
        let host = {
            let mut hosts = lock(&self.0.hosts);
            Arc::clone(hosts.entry(place).or_default())
        };
        host.addresses(since, || self.0.resolver.resolve(uri, config, timeout))
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}
