//! The sha256 of a file's bytes, and other claims about them.
//!
//! Owns the value that connects lock, attestation, cache and pin. A [`Sha256`] must never be made
//! from another algorithm's digest: an index's md5 or sha512 has a type of its own ([`claims`]).

mod claims;

use std::fmt;
use std::io::{self, Read};

pub use claims::{Algorithm, Claims, Computed, Contradiction, Hasher, NotADigest, OtherDigest};

/// Number of bytes of a file that are read at once.
const CHUNK: usize = 128 * 1024;

/// A sha256 digest, 32 bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// A text that is not a valid sha256.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a sha256 (64 hexadecimal digits)")]
pub struct NotASha256(String);

impl Sha256 {
    /// Returns the digest of these 32 bytes, computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Computes the digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Computes the digest of all bytes of `reader`.
    ///
    /// # Errors
    /// Reading fails.
    pub fn of_reader(reader: &mut impl std::io::Read) -> std::io::Result<Self> {
        Hasher::new(&Claims::default()).read(reader).map(|computed| computed.sha256)
    }

    /// Parses 64 hexadecimal digits of either case.
    ///
    /// # Errors
    /// The text has another length or another character.
    pub fn parse(text: &str) -> Result<Self, NotASha256> {
        let wrong = || NotASha256(text.to_owned());
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or_else(wrong)?;
                *byte = *byte << 4 | u8::try_from(value).map_err(|_| wrong())?;
            }
        }
        Ok(Self(bytes))
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// Returns bytes as hexadecimal digits in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads `reader` to its end and passes its bytes on, a piece at a time.
///
/// # Errors
/// Reading fails.
pub fn read_pieces(reader: &mut impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => each(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
