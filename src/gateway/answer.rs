//! HTTP answers of the gateway and how they are written to a connection.
//!
//! Owns the bytes on the wire. Head and body leave in one write; a file leaves in chunks. Every
//! answer has `Cache-Control: no-store`, since no client may keep it.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Number of bytes of a file that are written at once.
const CHUNK: usize = 256 * 1024;

/// An HTTP answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    content_type: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Arc<Vec<u8>>),
    File(PathBuf),
}

/// Whether the body follows the head (GET) or not (HEAD).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Sent,
    Omitted,
}

/// Whether the connection stays open after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepAlive {
    Keep,
    Close,
}

impl Answer {
    /// Makes an answer with this status and one line of text. Control characters in the line become
    /// spaces, since it may quote text of an index.
    pub(super) fn text(status: u16, line: &str) -> Self {
        let safe = |c: char| if c.is_control() { ' ' } else { c };
        let line: String = line.chars().map(safe).chain(['\n']).collect();
        let content = Content::Bytes(Arc::new(line.into_bytes()));
        Self { status, content_type: "text/plain; charset=utf-8".to_owned(), content }
    }

    /// Makes an answer with status 200 and these bytes.
    pub(super) fn bytes(content_type: &str, bytes: Arc<Vec<u8>>) -> Self {
        // Other characters are removed: a line feed would end the header and begin another one.
        let content_type = content_type.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
        Self { status: 200, content_type: content_type.collect(), content: Content::Bytes(bytes) }
    }

    /// Makes an answer with status 200 and the bytes of a file.
    pub(super) fn file(path: PathBuf) -> Self {
        let content_type = "application/octet-stream".to_owned();
        Self { status: 200, content_type, content: Content::File(path) }
    }

    /// Writes the answer to a connection.
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        body: Body,
        keep_alive: KeepAlive,
    ) -> io::Result<()> {
        match &self.content {
            Content::Bytes(bytes) => {
                let mut message = self.head(bytes.len() as u64, keep_alive);
                if body == Body::Sent {
                    message.extend_from_slice(bytes);
                }
                out.write_all(&message)
            }
            Content::File(path) => {
                let mut file = File::open(path)?;
                let length = file.metadata()?.len();
                let mut message = self.head(length, keep_alive);
                if body == Body::Omitted {
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

    fn head(&self, length: u64, keep_alive: KeepAlive) -> Vec<u8> {
        let Self { status, content_type, .. } = self;
        let reason = reason(*status);
        let close = if keep_alive == KeepAlive::Close { "Connection: close\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\nCache-Control: no-store\r\n{close}\r\n"
        )
        .into_bytes()
    }
}

/// Returns the reason phrase of a status (RFC 9110, 15); pip shows it to the user.
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
