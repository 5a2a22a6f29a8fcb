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
fn read(head: &[u8]) -> Result<Request, Malformed> {
    let text = std::str::from_utf8(head).map_err(|_| Malformed::Request)?;
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default();
    if line.len() > MAX_LINE {
        return Err(Malformed::Line);
    }
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::Request);
    };
    let mut keep = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        _ => return Err(Malformed::Request),
    };
    let mut hosts = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or(Malformed::Request)?;
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts.push(value),
            "connection" => keep &= !value.to_ascii_lowercase().contains("close"),
            // A body would be read as the next request (request smuggling).
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
