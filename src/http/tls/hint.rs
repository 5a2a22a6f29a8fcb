//! Hints for failed handshakes, by their cause.

use rustls::{AlertDescription as Alert, CertificateError as Certificate, Error};

const UNKNOWN: &str = "if the network has its own certificates, name them with --cert FILE";
const OTHER_NAME: &str = "the certificate is for other hosts; a name that stands only in its \
    subject (CN) does not count: ask for one with a subjectAltName";
const TIME: &str = "check the clock of this machine; else the server needs a new certificate";
const AUTHORITY: &str = "the server shows the certificate of an authority as its own; \
    name exactly this one with --cert FILE";
const PURPOSE: &str = "the certificate is not made for servers: ask for one that is (serverAuth)";
const UNREADABLE: &str = "the certificate is not valid or of an old form: ask for a new one";
const CLIENT: &str = "the server wants a client certificate: name it with --client-cert FILE";
const TOO_OLD: &str = "the server has only old protocols or ciphers; this program has TLS 1.3, \
    and TLS 1.2 with ECDHE and AES-GCM or ChaCha20, but no CBC";
const NO_TLS: &str = "the server does not speak TLS at this port: is the URL an http:// one?";

/// Returns the next step for an error of rustls.
pub(in crate::http) fn of(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::AlertReceived(
            Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity,
        )
        | Error::PeerIncompatible(_) => TOO_OLD,
        Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::AccessDenied,
        ) => CLIENT,
        Error::InvalidMessage(_) => NO_TLS,
        _ => UNKNOWN,
    }
}

fn of_certificate(error: &Certificate) -> &'static str {
    match error {
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => OTHER_NAME,
        Certificate::Expired
        | Certificate::ExpiredContext { .. }
        | Certificate::NotValidYet
        | Certificate::NotValidYetContext { .. } => TIME,
        Certificate::InvalidPurpose | Certificate::InvalidPurposeContext { .. } => PURPOSE,
        Certificate::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => AUTHORITY,
        Certificate::UnknownIssuer | Certificate::Other(_) => UNKNOWN,
        _ => UNREADABLE,
    }
}
