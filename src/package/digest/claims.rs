//! Claims about a file's bytes besides their sha256: digests of other algorithms, and the size.
//!
//! Owns which algorithms can be compared, and the one pass over the bytes that computes them all.
//! Claims are only ever compared: a sha256 comes from the bytes.

use std::fmt;
use std::io::{self, Read};

use sha2::digest::DynDigest;

use crate::package::digest::{CHUNK, Sha256};

/// Hash algorithms other than sha256 that pip takes from a URL or a page (`models/link.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5: whoever makes a file can make a second one with its digest.
    Md5,
    /// SHA-1, of which the same is true.
    Sha1,
    /// SHA-224, which pip does not take for `--hash`.
    Sha224,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha384, Self::Sha512];

    /// Reads a name as Python's `hashlib` writes it. `None` for sha256, which is no claim of this
    /// kind, and for every algorithm that cannot be computed here.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name as Python's `hashlib` writes it.
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

    /// Whether a digest of it is enough to know a file by, as pip has it for `--hash`.
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

/// A digest of another algorithm than sha256, with its digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherDigest {
    algorithm: Algorithm,
    digits: String,
}

/// A text that is no digest of the algorithm it is stated for.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a {} ({} hexadecimal digits)", .algorithm.name(), .digits)]
pub struct NotADigest {
    text: String,
    algorithm: Algorithm,
    digits: usize,
}

impl OtherDigest {
    /// Reads hexadecimal digits of either case.
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

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Claims of a document about one file's bytes. All of them must hold: pip takes a file for which
/// any one of several digests is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Claims {
    /// The digests, of which several may be of one algorithm.
    pub digests: Vec<OtherDigest>,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// A claim that the bytes do not bear out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The algorithm of the digest, or `size`.
    pub property: &'static str,
    /// The value that was claimed.
    pub expected: String,
    /// The value of the bytes.
    pub got: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, expected, got } = self;
        write!(f, "expected {property} {expected}, got {got}")
    }
}

impl Claims {
    /// Whether there is no claim at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.size.is_none()
    }

    /// Holds the claims, and the sha256 if one is stated, against what was computed for them.
    ///
    /// # Errors
    /// The first that is another, the sha256 before all others.
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

/// Computes over bytes what the claims about them have to be held against.
pub struct Hasher {
    sha256: sha2::Sha256,
    others: Vec<(Algorithm, Box<dyn DynDigest>)>,
    size: u64,
}

/// The sha256 of some bytes, and whatever else was claimed about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The sha256.
    pub sha256: Sha256,
    digests: Vec<OtherDigest>,
    size: u64,
}

impl Hasher {
    /// A hasher that has seen no bytes yet. Computes an algorithm only if it is claimed.
    #[must_use]
    pub fn new(claims: &Claims) -> Self {
        let is_claimed = |algorithm: &Algorithm| {
            claims.digests.iter().any(|claimed| claimed.algorithm == *algorithm)
        };
        let others = Algorithm::ALL.into_iter().filter(is_claimed);
        let others = others.map(|algorithm| (algorithm, algorithm.hasher())).collect();
        Self { sha256: sha2::Sha256::default(), others, size: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.sha256, bytes);
        self.others.iter_mut().for_each(|(_, hasher)| hasher.update(bytes));
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// The result over all bytes.
    #[must_use]
    pub fn finish(self) -> Computed {
        let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let other = |(algorithm, hasher): (Algorithm, Box<dyn DynDigest>)| OtherDigest {
            algorithm,
            digits: digits(&hasher.finalize()),
        };
        Computed {
            sha256: Sha256::from_bytes(sha2::Digest::finalize(self.sha256).into()),
            digests: self.others.into_iter().map(other).collect(),
            size: self.size,
        }
    }

    /// The result over everything that `reader` gives, from the bytes seen so far on.
    ///
    /// # Errors
    /// Reading fails.
    pub fn read(mut self, reader: &mut impl Read) -> io::Result<Computed> {
        let mut buffer = vec![0_u8; CHUNK];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(self.finish()),
                Ok(count) => self.update(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
