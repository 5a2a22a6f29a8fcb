//! Claims about a file's bytes besides their sha256: digests of other algorithms, and the size.
//!
//! Owns the list of algorithms that can be compared, and computes all claimed digests in one pass
//! over the bytes. A claim is only ever compared; a sha256 must be computed from the bytes.

use std::fmt;
use std::io::{self, Read};

use sha2::digest::DynDigest;

use crate::package::digest::{Sha256, hex, read_pieces};

/// Hash algorithms other than sha256 that pip reads from a URL or a page (`models/link.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5. Two files with one digest can be made, so it identifies no file.
    Md5,
    /// SHA-1. Two files with one digest can be made, so it identifies no file.
    Sha1,
    /// SHA-224, which pip does not accept for `--hash`.
    Sha224,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha384, Self::Sha512];

    /// Returns the algorithm of a name in Python's `hashlib`. Returns `None` for sha256, which has
    /// a type of its own, and for an algorithm that this program cannot compute.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the name in Python's `hashlib`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns whether a digest of this algorithm identifies a file, by pip's rule for `--hash`.
    #[must_use]
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::Sha384 | Self::Sha512)
    }

    fn hasher(self) -> Box<dyn DynDigest> {
        match self {
            Self::Md5 => Box::<md5::Md5>::default(),
            Self::Sha1 => Box::<sha1::Sha1>::default(),
            Self::Sha224 => Box::<sha2::Sha224>::default(),
            Self::Sha384 => Box::<sha2::Sha384>::default(),
            Self::Sha512 => Box::<sha2::Sha512>::default(),
        }
    }
}

/// A digest of an algorithm other than sha256, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherDigest {
    algorithm: Algorithm,
    digits: String,
}

/// A text that is not a valid digest of its stated algorithm.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a {} ({} hexadecimal digits)", .algorithm.name(), .digits)]
pub struct NotADigest {
    text: String,
    algorithm: Algorithm,
    digits: usize,
}

impl OtherDigest {
    /// Parses hexadecimal digits of either case.
    ///
    /// # Errors
    /// The text has another length or another character.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, NotADigest> {
        let digits = algorithm.hasher().output_size() * 2;
        if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotADigest { text: text.to_owned(), algorithm, digits });
        }
        Ok(Self { algorithm, digits: text.to_ascii_lowercase() })
    }

    /// Returns the algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Claims of a document about one file's bytes. All of them must be true. (pip is less strict: it
/// accepts a file if one of several digests is right.)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Claims {
    /// The digests; several may be of one algorithm.
    pub digests: Vec<OtherDigest>,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// A claim that is false for the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The algorithm of the digest, or `size`.
    pub property: &'static str,
    /// The value that was claimed.
    pub expected: String,
    /// The value computed from the bytes.
    pub got: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, expected, got } = self;
        write!(f, "expected {property} {expected}, got {got}")
    }
}

impl Claims {
    /// Returns whether there is no claim at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.size.is_none()
    }

    /// Compares the claims, and the sha256 if one is stated, with the computed values.
    ///
    /// # Errors
    /// Returns the first value that differs; the sha256 is compared first.
    pub fn hold(&self, sha256: Option<&Sha256>, computed: &Computed) -> Result<(), Contradiction> {
        let no = |property, expected: String, got: String| {
            Err(Contradiction { property, expected, got })
        };
        if let Some(stated) = sha256.filter(|stated| **stated != computed.sha256) {
            return no("sha256", stated.to_string(), computed.sha256.to_string());
        }
        for claimed in &self.digests {
            let of_kind = |it: &&OtherDigest| it.algorithm == claimed.algorithm;
            let got = computed.digests.iter().find(of_kind).map(|got| got.digits.as_str());
            if got != Some(&claimed.digits) {
                let got = got.unwrap_or("none").to_owned();
                return no(claimed.algorithm.name(), claimed.digits.clone(), got);
            }
        }
        match self.size {
            Some(size) if size != computed.size => {
                no("size", size.to_string(), computed.size.to_string())
            }
            _ => Ok(()),
        }
    }
}

/// Computes the digests and the size that the claims are compared with.
pub struct Hasher {
    sha256: sha2::Sha256,
    others: Vec<(Algorithm, Box<dyn DynDigest>)>,
    size: u64,
}

/// The sha256 of some bytes, and the values for the other claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The sha256.
    pub sha256: Sha256,
    digests: Vec<OtherDigest>,
    size: u64,
}

impl Hasher {
    /// Creates a hasher that has read no bytes yet. An algorithm is computed only if it is claimed.
    #[must_use]
    pub fn new(claims: &Claims) -> Self {
        let is_claimed = |algorithm: &Algorithm| {
            claims.digests.iter().any(|claimed| claimed.algorithm == *algorithm)
        };
        let others = Algorithm::ALL.into_iter().filter(is_claimed);
        let others = others.map(|algorithm| (algorithm, algorithm.hasher())).collect();
        Self { sha256: sha2::Sha256::default(), others, size: 0 }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.sha256, bytes);
        self.others.iter_mut().for_each(|(_, hasher)| hasher.update(bytes));
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// Returns the result over all bytes.
    #[must_use]
    pub fn finish(self) -> Computed {
        let other = |(algorithm, hasher): (Algorithm, Box<dyn DynDigest>)| OtherDigest {
            algorithm,
            digits: hex(&hasher.finalize()),
        };
        Computed {
            sha256: Sha256::from_bytes(sha2::Digest::finalize(self.sha256).into()),
            digests: self.others.into_iter().map(other).collect(),
            size: self.size,
        }
    }

    /// Reads `reader` to its end, and returns the result over all bytes, those added before
    /// included.
    ///
    /// # Errors
    /// Reading fails.
    pub fn read(mut self, reader: &mut impl Read) -> io::Result<Computed> {
        read_pieces(reader, |bytes| self.update(bytes))?;
        Ok(self.finish())
    }
}
