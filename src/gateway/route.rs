//! The paths of a gateway: `/TOKEN/INDEX/NAME/` and `/TOKEN/INDEX/file/NAME/FILENAME`.
//!
//! Owns their format in both directions. `TOKEN` is random and new in each run, `INDEX` the number
//! of an index. Pure but for the random token.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::package::digest::hex;
use crate::package::name::PackageName;

/// Number of random bytes in a token.
const TOKEN_BYTES: usize = 16;
/// Characters that are escaped in a path: all but the unreserved ones (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Suffix of a file's path under which its METADATA is served (PEP 658).
pub(super) const METADATA: &str = ".metadata";

/// Secret first part of every path of one run: 32 hexadecimal digits.
pub(super) struct Token(String);

/// Target of a path. Indexes are numbered from 0 in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The page of a project.
    Page { index: usize, name: PackageName },
    /// A file of a project, or the METADATA beside it.
    File { index: usize, name: PackageName, filename: String },
}

impl Token {
    /// Makes a new random token.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// Returns the path of an index.
    pub(super) fn index_path(&self, index: usize) -> String {
        format!("/{}/{index}/", self.0)
    }

    /// Returns the path of a file.
    pub(super) fn file_path(&self, index: usize, name: &PackageName, filename: &str) -> String {
        let escaped = utf8_percent_encode(filename, ESCAPED);
        format!("/{}/{index}/file/{name}/{escaped}", self.0)
    }

    /// Returns the target of a path, or `None` if this gateway did not write the path.
    pub(super) fn route(&self, path: &str) -> Option<Route> {
        let (token, rest) = path.strip_prefix('/')?.split_once('/')?;
        if !self.is(token) {
            return None;
        }
        let parts: Vec<&str> = rest.split('/').collect();
        // Only the canonical form counts: `+1` and `01` are not indexes of ours.
        let number = |text: &str| text.parse().ok().filter(|n: &usize| n.to_string() == *text);
        match *parts.as_slice() {
            [index, name, ""] => {
                Some(Route::Page { index: number(index)?, name: PackageName::parse(name).ok()? })
            }
            [index, "file", name, filename] if !filename.is_empty() => {
                let filename = percent_decode_str(filename).decode_utf8().ok()?.into_owned();
                let (index, name) = (number(index)?, PackageName::parse(name).ok()?);
                Some(Route::File { index, name, filename })
            }
            _ => None,
        }
    }

    /// Compares in constant time, so that response times do not reveal the token.
    fn is(&self, other: &str) -> bool {
        let differ = |(a, b): (u8, u8)| a ^ b;
        self.0.len() == other.len()
            && self.0.bytes().zip(other.bytes()).map(differ).fold(0, |all, one| all | one) == 0
    }
}
