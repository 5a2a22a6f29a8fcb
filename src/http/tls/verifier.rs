//! Decides whether a server's certificate is accepted.
//!
//! 1. webpki builds a chain to a trusted certificate, and checks names, dates and purposes of it.
//! 2. A certificate that is itself, byte for byte, one of those that the user or pip named needs no
//!    chain, as in OpenSSL. webpki refuses it if it may sign other ones (`CA:TRUE`, which
//!    `openssl req -x509` writes). Its name, its dates and its purpose are checked here.
//!
//! Each named certificate is an anchor for webpki too, which looks neither at its dates nor at its
//! `CA` flag. So the holder of its key can sign for other hosts; OpenSSL would refuse that.
//!
//! The signatures of a handshake are always checked with the key of the certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier as PlatformVerifier;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use crate::http::HttpError;
use crate::http::settings::Trust;
use crate::http::tls::{roots, wrong};

/// Purposes of a certificate that allow it to a server: `serverAuth`, and any.
const FOR_SERVERS: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"),
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
];

/// Verifier that trusts the named certificates, and those of the platform if the settings say so.
#[derive(Debug)]
pub(super) struct NamedCertificates {
    chains: Arc<dyn ServerCertVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl NamedCertificates {
    /// Reads the certificates.
    ///
    /// # Errors
    /// A bundle cannot be used, or there is no certificate at all.
    pub(super) fn new(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Self, HttpError> {
        let none = |reason: String| wrong("certificates of this machine", "".as_ref(), reason);
        let named = roots::read(trust)?;
        let chains: Arc<dyn ServerCertVerifier> = if trust.platform {
            let verifier =
                PlatformVerifier::new_with_extra_roots(named.clone(), Arc::clone(provider));
            Arc::new(verifier.map_err(|error| none(error.to_string()))?)
        } else {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(named.iter().cloned());
            let builder =
                WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider));
            builder.build().map_err(|error| none(error.to_string()))?
        };
        Ok(Self { chains, named })
    }
}

impl ServerCertVerifier for NamedCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chained = self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match chained {
            Err(_) if self.named.iter().any(|named| named == end_entity) => {
                verify_named(end_entity, server_name, now)
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Verifies a certificate that is itself a trusted one: its name, its dates, its purpose.
fn verify_named(
    der: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    rustls::client::verify_server_name(&ParsedCertificate::try_from(der)?, server_name)?;
    let malformed = |error| Error::from(CertificateError::Other(OtherError(Arc::new(error))));
    let certificate = Certificate::from_der(der).map_err(malformed)?.tbs_certificate;
    let validity = certificate.validity;
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired.into());
    }
    if let Some((_, ExtendedKeyUsage(purposes))) = certificate.get().map_err(malformed)?
        && !purposes.iter().any(|purpose| FOR_SERVERS.contains(purpose))
    {
        return Err(CertificateError::InvalidPurpose.into());
    }
    Ok(ServerCertVerified::assertion())
}

/// Verifier for a `--trusted-host`: accepts every certificate, and each signature with it, since
/// the key is anybody's.
#[derive(Debug)]
pub(super) struct Unverified;

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        vec![
            Scheme::RSA_PKCS1_SHA1,
            Scheme::RSA_PKCS1_SHA256,
            Scheme::RSA_PKCS1_SHA384,
            Scheme::RSA_PKCS1_SHA512,
            Scheme::ECDSA_NISTP256_SHA256,
            Scheme::ECDSA_NISTP384_SHA384,
            Scheme::ECDSA_NISTP521_SHA512,
            Scheme::RSA_PSS_SHA256,
            Scheme::RSA_PSS_SHA384,
            Scheme::RSA_PSS_SHA512,
            Scheme::ED25519,
            Scheme::ED448,
        ]
    }
}
