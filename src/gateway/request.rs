//! Reads one HTTP request from a connection.
//!
//! Owns the bounds on the size of a request's head and on the time that it takes. A request with a
//! body is malformed: indexes answer only requests without one.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Maximum size of a request's head, in bytes; pip's have under one KiB.
pub const MAX_HEAD: usize = 32 * 1024;
/// Maximum size of a request's first line, in bytes.
pub const MAX_LINE: usize = 8 * 1024;
/// Maximum number of headers of a request; pip sends about ten.
pub const MAX_HEADERS: usize = 100;
/// Maximum silence between two requests on a connection. A build between them takes its time; a
/// client that comes back later opens a new connection.
pub const IDLE: Duration = Duration::from_secs(5 * 60);
/// Maximum time for the head of a request to arrive.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// The parts of a request that the gateway uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Request target as it was sent, with its query.
    pub(super) target: String,
    /// Value of `Host`, if the request has exactly one.
    pub(super) host: Option<String>,
    /// Whether the client keeps the connection open for another request.
    pub(super) keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Other,
}

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    Request,
    Line,
    Head,
    Slow,
}

impl Malformed {
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Request => 400,
            Self::Slow => 408,
            Self::Line => 414,
            Self::Head => 431,
        }
    }
}

/// Reads the next request. `pending` holds bytes that arrived after the previous one. Returns
/// `None` if the client has closed the connection.
pub(super) fn next(
    stream: &mut TcpStream,
    pending: &mut Vec<u8>,
) -> io::Result<Option<Result<Request, Malformed>>> {
    let mut buffer = [0; 4096];
    let mut deadline = None;
    loop {
        if let Some(end) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = pending.split_off(end.saturating_add(4));
            let head = std::mem::replace(pending, rest);
            return Ok(Some(read(&head)));
        }
        let line_ended = pending.contains(&b'\n');
        if !line_ended && pending.len() > MAX_LINE {
            return Ok(Some(Err(Malformed::Line)));
        }
        if pending.len() > MAX_HEAD {
            return Ok(Some(Err(Malformed::Head)));
        }
        if !pending.is_empty() && deadline.is_none() {
            deadline = Instant::now().checked_add(HEAD_TIME);
        }
        let wait = deadline.map_or(IDLE, |end| end.saturating_duration_since(Instant::now()));
        if wait.is_zero() {
            return Ok(Some(Err(Malformed::Slow)));
        }
        stream.set_read_timeout(Some(wait))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(read) => pending.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if deadline.is_some() => return Ok(Some(Err(Malformed::Slow))),
            Err(error) => return Err(error),
        }
    }
}

/// Parses the whole head of a request (RFC 9112, 2 to 5).
///
/// 1. The head is UTF-8, and each of its lines ends in CRLF. A bare CR or LF, which `httparse`
///    admits in part, is a line end to some programs and a character to others (request smuggling).
/// 2. `httparse` parses the head. It refuses folded lines and blanks before a colon, by which two
///    programs would read different headers.
/// 3. The head announces no body, which would be read as the next request (request smuggling).
fn read(head: &[u8]) -> Result<Request, Malformed> {
    if std::str::from_utf8(head).is_err() || !has_whole_line_ends(head) {
        return Err(Malformed::Request);
    }
    if head.iter().position(|byte| *byte == b'\r').is_some_and(|length| length > MAX_LINE) {
        return Err(Malformed::Line);
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::Head),
        _ => return Err(Malformed::Request),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(Malformed::Request);
    };
    let mut keep = version == 1;
    let mut hosts = Vec::new();
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).map_err(|_| Malformed::Request)?;
        let value = value.trim_matches([' ', '\t']);
        match header.name.to_ascii_lowercase().as_str() {
            "host" => hosts.push(value),
            "connection" => keep &= !value.to_ascii_lowercase().contains("close"),
            "transfer-encoding" => return Err(Malformed::Request),
            "content-length" if value != "0" => return Err(Malformed::Request),
            _ => {}
        }
    }
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ => Method::Other,
    };
    let host = match hosts.as_slice() {
        [host] => Some((*host).to_owned()),
        _ => None,
    };
    Ok(Request { method, target: target.to_owned(), host, keep })
}

/// Whether CR and LF occur only as CRLF, and not at the start, where `httparse` skips empty lines.
fn has_whole_line_ends(head: &[u8]) -> bool {
    let bare =
        |pair: &[u8]| matches!(pair, [before, after] if (*before == b'\r') != (*after == b'\n'));
    !head.starts_with(b"\r") && !head.starts_with(b"\n") && !head.windows(2).any(bare)
}
