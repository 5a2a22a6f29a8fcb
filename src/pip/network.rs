//! The network of a pip: whom it trusts, and what else depends on its version.
//!
//! Owns the value that the guard reports (`guard/network.py`), and the order in which pip's
//! `_build_session` and requests read options and variables:
//!
//! 1. `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, unless pip ignores the environment because of a
//!    proxy option,
//! 2. else `--cert`,
//! 3. else the bundle of certifi.
//!
//! With truststore, those of the system and of certifi count as well. Pure.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use serde::Deserialize;

use crate::http::settings::Trust;
use crate::pip::options::Options;
use crate::pip::version::PipVersion;

/// The first pip that ignores the environment's proxies and certificates beside a `--proxy`.
const PROXY_COUNTS_ALONE: PipVersion = PipVersion(24, 1);
/// The first pip for which also an empty `--proxy` does that, and `--no-proxy-env`.
const EMPTY_PROXY_COUNTS: PipVersion = PipVersion(26, 2);

/// Values of a pip that its configuration does not list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Network {
    /// Path of the bundle of certifi.
    #[serde(deserialize_with = "path")]
    certifi: PathBuf,
    truststore: Option<Truststore>,
    /// Places of OpenSSL's default certificates, as far as they exist.
    #[serde(deserialize_with = "paths")]
    openssl: Vec<PathBuf>,
    /// Default of `--resume-retries`. `None` if this pip does not resume.
    pub resume_retries: Option<u32>,
}

/// When a pip asks the system for certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Truststore {
    /// Unless `--use-deprecated=legacy-certs` is given.
    Default,
    /// With `--use-feature=truststore`.
    Feature,
}

fn path<'de, D: serde::Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Vec::deserialize(from).map(|bytes| OsString::from_vec(bytes).into())
}

fn paths<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    let all: Vec<Vec<u8>> = Vec::deserialize(from)?;
    Ok(all.into_iter().map(|bytes| OsString::from_vec(bytes).into()).collect())
}

/// Whether the `--proxy` or `--no-proxy-env` makes this pip ignore the environment.
#[must_use]
pub fn ignores_environment(options: &Options, version: Option<PipVersion>) -> bool {
    let version = version.unwrap_or(EMPTY_PROXY_COUNTS);
    let is_given = options.last("--proxy").is_some_and(|url| !url.is_empty());
    let is_stated = options.is_set("--proxy") || options.is_on("--no-proxy-env");
    (is_given && version >= PROXY_COUNTS_ALONE) || (is_stated && version >= EMPTY_PROXY_COUNTS)
}

/// Returns whom this pip trusts. `bundle` is the bundle that the environment names.
#[must_use]
pub fn trust(
    options: &Options,
    bundle: Option<PathBuf>,
    network: Option<&Network>,
    version: Option<PipVersion>,
) -> Trust {
    let bundle = bundle.filter(|_| !ignores_environment(options, version));
    let named = bundle.or_else(|| options.last("--cert").map(PathBuf::from));
    let Some(network) = network else {
        // A pip that tells nothing: only what the user named, else the platform's.
        return named.map_or_else(Trust::default, Trust::only);
    };
    let has = |option: &str, name: &str| options.all(option).iter().any(|value| value == name);
    let (is_system, is_with_certifi) = match network.truststore {
        None => (false, false),
        Some(Truststore::Default) => (!has("--use-deprecated", "legacy-certs"), true),
        Some(Truststore::Feature) => (has("--use-feature", "truststore"), false),
    };
    let certifi = network.certifi.clone();
    let mut bundles: Vec<_> = named.into_iter().collect();
    if bundles.is_empty() || (is_system && is_with_certifi) {
        bundles.push(certifi);
    }
    Trust {
        platform: is_system && network.openssl.is_empty(),
        bundles,
        defaults: if is_system { network.openssl.clone() } else { Vec::new() },
    }
}
