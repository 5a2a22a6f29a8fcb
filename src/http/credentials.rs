//! Selects the credentials for a request.
//!
//! Owns the rule that a user name and a password are sent only to the place that they belong to.
//! The sources in the order of pip (`network/auth.py`):
//!
//! 1. a user name and a password in the URL itself, or in this URL as the user named it,
//! 2. credentials that pip obtained for this scheme, host and port,
//! 3. a user name alone in the URL,
//! 4. the index URL on this scheme, host and port,
//! 5. the netrc machine of this host,
//! 6. another URL that the user named on this scheme, host and port.
//!
//! Credentials must not be shown or sent to the target of a redirect on another place.

use std::sync::RwLock;

use base64::Engine as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use url::Url;

use crate::http::settings::Transport;
use crate::sync::unpoisoned;

/// User names and passwords known so far.
pub(super) struct Credentials {
    indexes: Vec<Url>,
    learned: Vec<Url>,
    netrc: netrc::Netrc,
    obtained: RwLock<Vec<Url>>,
}

impl Credentials {
    /// Stores the index URLs and reads the netrc file. A netrc file that is absent or unreadable
    /// counts as empty, as in pip.
    pub(super) fn new(transport: &Transport) -> Self {
        let netrc = transport.netrc.as_deref().and_then(|file| netrc::Netrc::from_file(file).ok());
        let carries = |url: &&Url| !url.username().is_empty() || url.password().is_some();
        let indexes = transport.credentials.iter().filter(carries).cloned().collect();
        let learned = transport.learned.iter().filter(carries).cloned().collect();
        Self { indexes, learned, netrc: netrc.unwrap_or_default(), obtained: RwLock::default() }
    }

    /// Adds credentials that pip obtained for these places; the latest counts.
    pub(super) fn add(&self, places: Vec<Url>) {
        unpoisoned(self.obtained.write()).extend(places);
    }

    /// Returns the `Authorization` header for a request, or `None` without credentials.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        self.stated(url)
            .or_else(|| self.of_machine(url))
            .or_else(|| nearest(&self.learned, url))
            .map(|(user, password)| basic(&user, &password))
    }

    /// Returns the user name and the password for a URL as the part `USER:PASSWORD` of it. Leaves
    /// out those of the netrc file, which pip reads itself.
    pub(super) fn userinfo(&self, url: &Url) -> Option<String> {
        let is_of_machine = || self.of_machine(url).is_some();
        let learned = || nearest(&self.learned, url).filter(|_| !is_of_machine());
        let (user, password) = self.stated(url).or_else(learned)?;
        let encoded = |bytes: &[u8]| percent_encode(bytes, NON_ALPHANUMERIC).to_string();
        Some(format!("{}:{}", encoded(&user), encoded(&password)))
    }

    fn stated(&self, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
        let whole = || url.password().and_then(|_| userinfo(url));
        whole()
            .or_else(|| self.of_url(url))
            .or_else(|| self.as_pip(url))
            .or_else(|| userinfo(url))
            .or_else(|| nearest(&self.indexes, url))
    }

    /// Returns the credentials with which the user named this very URL.
    fn of_url(&self, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
        let is_named = |it: &&Url| {
            it.origin() == url.origin() && (it.path(), it.query()) == (url.path(), url.query())
        };
        self.learned.iter().rev().find(is_named).and_then(userinfo)
    }

    /// Returns the credentials that pip obtained for this scheme, host and port, and for the user
    /// in the URL, if it names one.
    fn as_pip(&self, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
        let obtained = unpoisoned(self.obtained.read());
        let same_user = |it: &Url| ["", it.username()].contains(&url.username());
        let of_place = |it: &&Url| it.origin() == url.origin() && same_user(it);
        obtained.iter().rev().find(of_place).and_then(userinfo)
    }

    /// Returns the credentials of the netrc machine of this host, or of `default`.
    fn of_machine(&self, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
        let entry = self.netrc.hosts.get(host).or_else(|| self.netrc.hosts.get("default"))?;
        let user = if entry.login.is_empty() { &entry.account } else { &entry.login };
        Some((user.clone().into_bytes(), entry.password.clone().into_bytes()))
    }
}

/// Returns the credentials of a URL on the same scheme, host and port; of several, those of the one
/// with the longest common path.
fn nearest(places: &[Url], url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
    let common = |place: &&Url| {
        place.path().bytes().zip(url.path().bytes()).take_while(|(a, b)| a == b).count()
    };
    places
        .iter()
        .filter(|place| place.origin() == url.origin())
        // Reversed, since `max_by_key` takes the last of equals and the first shall win.
        .rev()
        .max_by_key(common)
        .and_then(userinfo)
}

/// Returns the decoded user name and password in a URL.
fn userinfo(url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_decode_str(text).collect();
    Some((decode(url.username()), decode(url.password().unwrap_or_default())))
}

fn basic(user: &[u8], password: &[u8]) -> String {
    let token = base64::prelude::BASE64_STANDARD.encode([user, b":", password].concat());
    format!("Basic {token}")
}
