//! TLS settings of the agents: whom they trust, and which client certificate they show.
//!
//! Reads the user's certificates when a connection first needs them, and makes a configuration of
//! rustls. The rules of a handshake are in `verifier.rs`, the connection is in `connector.rs`.

mod connector;
pub(super) mod hint;
mod roots;
mod verifier;

use std::path::Path;
use std::sync::{Arc, OnceLock};

pub(super) use connector::TlsConnector;
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use verifier::{NamedCertificates, Unverified};

use crate::http::HttpError;
use crate::http::settings::Transport;

/// TLS configurations of a run, each made once.
#[derive(Default)]
pub(super) struct Configurations {
    verified: OnceLock<Arc<ClientConfig>>,
    unverified: OnceLock<Arc<ClientConfig>>,
}

impl Configurations {
    /// Returns the configuration for servers that are trusted without a certificate, or for all
    /// other ones.
    ///
    /// # Errors
    /// A certificate that the user named cannot be used.
    pub(super) fn of(
        &self,
        is_trusted_host: bool,
        transport: &Transport,
    ) -> Result<Arc<ClientConfig>, HttpError> {
        let place = if is_trusted_host { &self.unverified } else { &self.verified };
        if let Some(made) = place.get() {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(configuration(is_trusted_host, transport)?);
        Ok(Arc::clone(place.get_or_init(|| made)))
    }
}

fn configuration(is_trusted_host: bool, transport: &Transport) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("TLS library", Path::new(""), error.to_string()))?
        .dangerous();
    let builder = if is_trusted_host {
        builder.with_custom_certificate_verifier(Arc::new(Unverified))
    } else {
        let named = NamedCertificates::new(&transport.trust, &provider)?;
        builder.with_custom_certificate_verifier(Arc::new(named))
    };
    let Some(path) = &transport.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let (chain, key) = client_certificate(path)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| wrong("client certificate", path, error.to_string()))
}

/// Reads the certificate chain and the private key of one PEM file.
fn client_certificate(
    path: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), HttpError> {
    let wrong = |reason: &str| wrong("client certificate", path, reason.to_owned());
    let bytes = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| wrong("it is not a PEM file"))?;
    let key =
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| wrong("it holds no private key"))?;
    Ok((chain, key))
}

fn wrong(what: &'static str, path: &Path, reason: String) -> HttpError {
    HttpError::Setting { what, file: path.display().to_string(), reason }
}
