//! Certificates that vouch for servers, read from the files that pip reads.
//!
//! A bundle is a PEM file, or a directory as OpenSSL has them: in it, only files named by the hash
//! of a subject count (`5ed36f99.0`).

use std::collections::BTreeSet;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::http::HttpError;
use crate::http::settings::Trust;
use crate::http::tls::wrong;

const WHAT: &str = "CA bundle";

/// Reads all certificates that these settings name.
///
/// # Errors
/// A bundle that must be there cannot be read, or holds no certificate.
pub(super) fn read(trust: &Trust) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let mut all = BTreeSet::new();
    for path in &trust.bundles {
        all.extend(bundle(path)?);
    }
    // OpenSSL passes over those of its own places that cannot be read.
    all.extend(trust.defaults.iter().filter_map(|path| bundle(path).ok()).flatten());
    Ok(all.into_iter().map(CertificateDer::from).collect())
}

fn bundle(path: &Path) -> Result<Vec<Vec<u8>>, HttpError> {
    let no = |reason: String| wrong(WHAT, path, reason);
    let mut found = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(|error| no(error.to_string()))? {
            let Ok(entry) = entry else { continue };
            if !is_hashed(&entry.file_name().to_string_lossy()) {
                continue;
            }
            if let Ok(bytes) = std::fs::read(entry.path()) {
                found.extend(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
            }
        }
    } else {
        let bytes = std::fs::read(path).map_err(|error| no(error.to_string()))?;
        for der in CertificateDer::pem_slice_iter(&bytes) {
            found.push(der.map_err(|_| no("it is not a PEM file".to_owned()))?);
        }
    }
    // Certificates that webpki cannot use as an anchor are left out, as by OpenSSL.
    found.retain(|der| rustls::RootCertStore::empty().add(der.clone()).is_ok());
    if found.is_empty() {
        return Err(no("it holds no certificate".to_owned()));
    }
    Ok(found.into_iter().map(|der| der.to_vec()).collect())
}

/// Whether a file has the name that OpenSSL looks up: eight hexadecimal digits, a point, a number.
fn is_hashed(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
