//! The few encodings that the parts of the instance share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pypi_verify_now::package::digest::Sha256;

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    *Sha256::of(bytes).as_bytes()
}

/// A DER value of `tag`.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        out.push(0x80 | length.len() as u8);
        out.extend_from_slice(length);
    }
    out.extend_from_slice(content);
    out
}

/// The first value inside the outer SEQUENCE, header and all: of a certificate its TBSCertificate.
pub(super) fn first_inside(der: &[u8]) -> &[u8] {
    let inside = &der[header(der).0..];
    let (header, length) = header(inside);
    &inside[..header + length]
}

fn header(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length =
                der[2..2 + count].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// Returns the bytes with one bit of the middle one turned.
pub(super) fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

/// Returns the base64 text of the bytes with one bit turned.
pub(super) fn flipped_base64(text: &str) -> String {
    base64(flipped(STANDARD.decode(text).unwrap()))
}
