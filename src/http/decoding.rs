//! Decoder for the `Content-Encoding` of pages and documents (RFC 9110, 8.4).
//!
//! Supports gzip and deflate, also several in a row, as urllib3 does without further libraries. An
//! encoding with another name leaves the bytes as they are, so that the parser of the document
//! reports them. Files are never decoded: pip reads their raw bytes whatever the header says, and
//! some servers send `Content-Encoding: gzip` for a `.tar.gz` that is stored as it is.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Value of `Accept-Encoding` for an answer that will be decoded.
pub(super) const ACCEPTED: &str = "gzip, deflate";
/// Maximum number of encodings of one answer; urllib3 accepts as many.
const MAX_ENCODINGS: usize = 5;

/// Returns a reader of the decoded bytes.
///
/// # Errors
/// There are too many encodings, or the first bytes cannot be read.
pub(super) fn reader<'r>(
    raw: impl Read + 'r,
    content_encoding: &str,
) -> io::Result<Box<dyn Read + 'r>> {
    let names: Vec<_> = content_encoding.split(',').map(str::trim).collect();
    if names.len() > MAX_ENCODINGS {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too many encodings"));
    }
    let mut reader: Box<dyn Read + 'r> = Box::new(raw);
    // The last encoding was applied last, so that it is removed first.
    for name in names.into_iter().rev() {
        reader = match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(BufReader::new(reader))),
            "deflate" => deflate(BufReader::new(reader))?,
            _ => reader,
        };
    }
    Ok(reader)
}

/// Decodes deflate. Its bytes should have a zlib header (RFC 9110, 8.4.1.2), which some servers
/// omit.
fn deflate<'r>(mut raw: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let first = raw.fill_buf()?.first().copied();
    // The low four bits are the method, 8 for deflate (RFC 1950, 2.2).
    if first.is_some_and(|byte| byte & 0x0f == 8) {
        return Ok(Box::new(ZlibDecoder::new(raw)));
    }
    Ok(Box::new(DeflateDecoder::new(raw)))
}
