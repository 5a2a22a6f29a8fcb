//! A private certificate authority for https on 127.0.0.1, and what it signs.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate that signs itself, with `CA:TRUE` as `openssl req -x509` writes it, for 127.0.0.1
/// after `change`; and a server that shows it.
pub fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), server(certificate.der().clone(), &key, None))
}

/// An authority that no machine trusts by itself.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The name by which OpenSSL finds an authority of this subject in a directory
    /// (`openssl x509 -hash`).
    pub const HASHED_NAME: &str = "ab151876.0";

    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // What OpenSSL asks for: a name unlike those it signs for, and, strictly read, its use.
        params.distinguished_name.push(DnType::CommonName, "the tests' own authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Its certificate, as a CA bundle.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate and its key in one PEM text, as `--client-cert` takes it.
    pub fn client_pem(&self) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        certificate.pem() + &key.serialize_pem()
    }

    /// A server at 127.0.0.1 that this authority vouches for.
    pub fn server(&self) -> Arc<ServerConfig> {
        self.serve(None)
    }

    /// Returns a server that talks only to clients with a certificate of this authority.
    pub fn server_for_its_clients(&self) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        self.serve(Some(roots))
    }

    fn serve(&self, clients: Option<RootCertStore>) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server(certificate.der().clone(), &key, clients)
    }
}

fn server(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    clients: Option<RootCertStore>,
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap(),
        ),
    };
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}
