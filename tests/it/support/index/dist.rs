//! One distribution file as the index knows it: bytes, and what the page says about them.

use sha2::Digest as _;

/// A file of a project. Plain fields, so that any builder of wheels can feed it.
#[derive(Debug, Clone)]
pub struct DistFile {
    /// As on the page.
    pub filename: String,
    /// The bytes that are served.
    pub bytes: Vec<u8>,
    /// The METADATA text to serve beside it (PEP 658); absent: the index offers none.
    pub metadata: Option<String>,
    /// The hashes the page states, in this order, computed from `bytes` where not given.
    pub hashes: Vec<Hash>,
    /// The reason, when yanked (PEP 592).
    pub yanked: Option<String>,
    /// The provenance document.
    pub provenance: Provenance,
    /// `requires-python`.
    pub requires_python: Option<String>,
    /// Another URL than the index's own, such as one of a file host.
    pub url: Option<String>,
    /// Another size than that of the bytes, as the page states it.
    pub size: Option<u64>,
}

/// A hash that the page states.
#[derive(Debug, Clone)]
pub enum Hash {
    Sha256,
    Sha512,
    Md5,
    /// Any algorithm with any digits, right or wrong.
    Given(&'static str, String),
}

/// The provenance of a file on the index.
#[derive(Debug, Clone)]
pub enum Provenance {
    /// No key on the page, 404 at its path.
    None,
    /// A document, linked from the page.
    Document(Vec<u8>, Link),
    /// A link alone: to a 404, to another server, to nonsense.
    Link(String),
}

/// How the page links to the document.
#[derive(Debug, Clone, Copy)]
pub enum Link {
    /// `http://…`, as the standard asks.
    Absolute,
    /// Relative to the page, as some servers do.
    Relative,
}

impl DistFile {
    /// A file with its sha256 on the page and nothing else.
    pub fn new(filename: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            filename: filename.to_owned(),
            bytes: bytes.into(),
            metadata: None,
            hashes: vec![Hash::Sha256],
            yanked: None,
            provenance: Provenance::None,
            requires_python: None,
            url: None,
            size: None,
        }
    }

    /// Offers METADATA beside the file (PEP 658).
    pub fn metadata(mut self, text: &str) -> Self {
        self.metadata = Some(text.to_owned());
        self
    }

    /// States these hashes, none included.
    pub fn hashes(mut self, hashes: impl Into<Vec<Hash>>) -> Self {
        self.hashes = hashes.into();
        self
    }

    /// Has a provenance document, linked absolutely.
    pub fn provenance(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.provenance = Provenance::Document(document.into(), Link::Absolute);
        self
    }

    /// Has a provenance document, linked relatively.
    pub fn relative_provenance(mut self, document: impl Into<Vec<u8>>) -> Self {
        self.provenance = Provenance::Document(document.into(), Link::Relative);
        self
    }

    /// The page links to a document at this URL, whatever is there.
    pub fn provenance_link(mut self, url: impl Into<String>) -> Self {
        self.provenance = Provenance::Link(url.into());
        self
    }

    /// Is yanked for this reason.
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    /// Is served from another URL.
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The stated hashes as (algorithm, digits).
    pub(super) fn stated(&self) -> Vec<(&'static str, String)> {
        let stated = |hash: &Hash| match hash {
            Hash::Sha256 => ("sha256", hex::encode(sha2::Sha256::digest(&self.bytes))),
            Hash::Sha512 => ("sha512", hex::encode(sha2::Sha512::digest(&self.bytes))),
            Hash::Md5 => ("md5", hex::encode(super::md5::digest(&self.bytes))),
            Hash::Given(algorithm, digits) => (*algorithm, digits.clone()),
        };
        self.hashes.iter().map(stated).collect()
    }
}
