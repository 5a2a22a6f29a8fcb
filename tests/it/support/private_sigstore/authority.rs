//! The certificate authority (Fulcio) with the CT log's timestamp (RFC 6962) in what it issues.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
    PublicKeyData, SanType, SerialNumber, SigningKey, date_time_ymd,
};

use super::SIGNED_AT;
use super::encoding::{der, first_inside, flipped, sha256};
use super::mutation::Mutation;
use super::signer::{San, Signer};

const FULCIO: [u64; 8] = [1, 3, 6, 1, 4, 1, 57264, 1];
const SCT_LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
const UTF8_STRING: u8 = 0x0c;
const OCTET_STRING: u8 = 0x04;

/// How long before the signature a certificate begins, and how long it lives: as Fulcio's do.
const ISSUED_BEFORE: Duration = Duration::from_secs(5);
pub(super) const LIFE: Duration = Duration::from_secs(600);

pub(super) struct Authority {
    root: Vec<u8>,
    intermediate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let root_params = ca("private root");
        let root = root_params.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root_params, root_key);

        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params = ca("private intermediate");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let intermediate = params.signed_by(&key, &root_issuer).unwrap();
        Self {
            root: root.der().to_vec(),
            intermediate: intermediate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(super) fn root(&self) -> &[u8] {
        &self.root
    }

    pub(super) fn intermediate(&self) -> &[u8] {
        &self.intermediate
    }

    /// A signing certificate for `key`, DER.
    pub(super) fn issue(
        &self,
        signer: &Signer,
        key: &KeyPair,
        ct: &KeyPair,
        mutation: &Mutation,
    ) -> Vec<u8> {
        let mut params = leaf(signer);
        if matches!(mutation, Mutation::NoCodeSigning) {
            params.extended_key_usages.clear();
        }
        if matches!(mutation, Mutation::OtherKeyUsage) {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
        let precertificate = params.signed_by(key, &self.issuer).unwrap();
        if matches!(mutation, Mutation::MissingSct) {
            return precertificate.der().to_vec();
        }
        let mut tbs = first_inside(precertificate.der()).to_vec();
        if matches!(mutation, Mutation::SctOfAnotherCertificate) {
            tbs = flipped(tbs);
        }
        let other = super::p256();
        let ct = if matches!(mutation, Mutation::SctOfUnknownLog) { &other } else { ct };
        let mut list = self.sct_list(&tbs, ct);
        if matches!(mutation, Mutation::BadSct) {
            // The last byte belongs to the signature.
            *list.last_mut().unwrap() ^= 1;
        }
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&SCT_LIST, der(OCTET_STRING, &list)));
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    /// A list of one signed certificate timestamp over a precertificate (RFC 6962, 3.2 and 3.3).
    fn sct_list(&self, tbs: &[u8], ct: &KeyPair) -> Vec<u8> {
        let milliseconds = (SIGNED_AT as u64 * 1000).to_be_bytes();
        let mut signed = vec![0, 0];
        signed.extend_from_slice(&milliseconds);
        signed.extend_from_slice(&[0, 1]);
        signed.extend_from_slice(&sha256(&self.issuer.key().subject_public_key_info()));
        signed.extend_from_slice(&(tbs.len() as u32).to_be_bytes()[1..]);
        signed.extend_from_slice(tbs);
        signed.extend_from_slice(&[0, 0]);
        let signature = ct.sign(&signed).unwrap();

        let mut sct = vec![0];
        sct.extend_from_slice(&sha256(&ct.subject_public_key_info()));
        sct.extend_from_slice(&milliseconds);
        sct.extend_from_slice(&[0, 0, 4, 3]);
        sct.extend_from_slice(&(signature.len() as u16).to_be_bytes());
        sct.extend_from_slice(&signature);

        let mut list = ((sct.len() + 2) as u16).to_be_bytes().to_vec();
        list.extend_from_slice(&(sct.len() as u16).to_be_bytes());
        list.extend_from_slice(&sct);
        list
    }
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params
}

fn leaf(signer: &Signer) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from_slice(&[0x20, 0x25, 0x06, 0x02]));
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.not_before =
        date_time_ymd(1970, 1, 1) + Duration::from_secs(SIGNED_AT as u64) - ISSUED_BEFORE;
    params.not_after = params.not_before + LIFE;
    params.subject_alt_names = vec![match signer.san() {
        San::Uri(uri) => SanType::URI(uri.try_into().unwrap()),
        San::Email(address) => SanType::Rfc822Name(address.try_into().unwrap()),
    }];
    // `.1` to `.6` hold bare bytes, from `.8` on a DER UTF8String.
    for (number, value) in signer.extensions() {
        let mut oid = FULCIO.to_vec();
        oid.push(number);
        let content =
            if number < 8 { value.into_bytes() } else { der(UTF8_STRING, value.as_bytes()) };
        params.custom_extensions.push(CustomExtension::from_oid_content(&oid, content));
    }
    params
}
