//! One answer, and how it is written.
//!
//! Owns the bytes on the wire: an answer leaves in one write, a file in as few as there are chunks.
//! Nothing of it may be kept by anybody.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// How much of a file is written at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    content_type: String,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Bytes(Arc<Vec<u8>>),
    File(PathBuf),
}

/// Whether the body follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Head,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Keep,
    Close,
}

impl Answer {
    /// A status with a line for people. What the line quotes of others is escaped.
    pub(super) fn text(status: u16, line: &str) -> Self {
        let safe = |c: char| if c.is_control() { ' ' } else { c };
        let line: String = line.chars().map(safe).chain(['\n']).collect();
        let body = Body::Bytes(Arc::new(line.into_bytes()));
        Self { status, content_type: "text/plain; charset=utf-8".to_owned(), body }
    }

    /// 200 with these bytes.
    pub(super) fn bytes(content_type: &str, bytes: Arc<Vec<u8>>) -> Self {
        // A header ends where its line does.
        let content_type = content_type.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
        Self { status: 200, content_type: content_type.collect(), body: Body::Bytes(bytes) }
    }

    /// 200 with the bytes of a file.
    pub(super) fn file(path: PathBuf) -> Self {
        let content_type = "application/octet-stream".to_owned();
        Self { status: 200, content_type, body: Body::File(path) }
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut impl Write, extent: Extent, then: Then) -> io::Result<()> {
        match &self.body {
            Body::Bytes(bytes) => {
                let mut message = self.head(bytes.len() as u64, then);
                if extent == Extent::Whole {
                    message.extend_from_slice(bytes);
                }
                out.write_all(&message)
            }
            Body::File(path) => {
                let mut file = File::open(path)?;
                let length = file.metadata()?.len();
                let mut message = self.head(length, then);
                if extent == Extent::Head {
                    return out.write_all(&message);
                }
                let mut sent = 0_u64;
                loop {
                    let before = message.len();
                    (&mut file).take(CHUNK as u64).read_to_end(&mut message)?;
                    let read = message.len().saturating_sub(before) as u64;
                    out.write_all(&message)?;
                    sent = sent.saturating_add(read);
                    message.clear();
                    if read == 0 && sent != length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    if sent >= length {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn head(&self, length: u64, then: Then) -> Vec<u8> {
        let Self { status, content_type, .. } = self;
        let reason = reason(*status);
        let close = if then == Then::Close { "Connection: close\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\nCache-Control: no-store\r\n{close}\r\n"
        )
        .into_bytes()
    }
}

/// The words beside a status (RFC 9110, 15); pip shows them.
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Refused By pypi-verify-now",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        504 => "Could Not Check",
        _ => "No",
    }
}
