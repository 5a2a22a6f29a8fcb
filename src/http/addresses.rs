//! The addresses of hosts, each asked for once in a while.
//!
//! Owns how long an answer of the system's resolver is kept, and who shares it. Many connections
//! open at once here; were each to ask for the same name, resolvers that answer only so many
//! questions a second would leave some without an answer, for seconds or for good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

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

/// When a host was last answered for, and with what. Whoever asks meanwhile waits for that answer.
#[derive(Default)]
pub struct Host(Mutex<Option<(Instant, Result<ResolvedSocketAddrs, Error>)>>);

impl Host {
    /// Its addresses for who wants them since `since`, through `look_up` unless they are known.
    /// A failure is that of all who waited for it: one after the other, they would wait for as
    /// many more.
    ///
    /// # Errors
    /// That of `look_up`, or of the look-up that this one waited for.
    pub fn addresses(
        &self,
        since: Instant,
        look_up: impl FnOnce() -> Result<ResolvedSocketAddrs, Error>,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The failure of somebody's look-up as that of another, who may have more time altogether.
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
            let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
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
