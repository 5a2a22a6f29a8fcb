//! Settings of one fetch, which all its requests share.
//!
//! Owns the choice whether a body is decoded, and whether a cached answer makes the request
//! conditional. The module sends nothing.

use crate::http::deadline::Deadline;
use crate::http::decoding;
use crate::http::validity::Validity;

/// Settings that all requests of one fetch share.
pub(super) struct Ask<'a> {
    pub(super) accept: &'a str,
    pub(super) body: BodyForm,
    pub(super) limit: u64,
    pub(super) deadline: Deadline,
    pub(super) earlier: Earlier<'a>,
}

/// Whether a body is passed on as it was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// As it was sent, whatever `Content-Encoding` says: a file.
    Raw,
    /// Without its `Content-Encoding`: a page or a document.
    Decoded,
}

impl BodyForm {
    pub(super) const fn accepted_encoding(self) -> &'static str {
        match self {
            Self::Raw => "identity",
            Self::Decoded => decoding::ACCEPTED,
        }
    }
}

/// A cached answer for a conditional request.
#[derive(Clone, Copy)]
pub(super) enum Earlier<'a> {
    Nothing,
    /// If this cached answer is current, the server need not send it again.
    Answer(&'a Validity),
    /// Cached answers are ignored, and caches on the way are told to do so.
    Distrusted,
}
