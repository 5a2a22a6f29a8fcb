//! An answer of the index before it is sent.

use super::Fault;

/// An answer, and what is wrong with how it is sent.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) sending: Sending,
}

pub(super) enum Sending {
    Whole,
    Half,
    Endless,
    Trickle,
    Nothing,
    Disconnect,
}

impl Answer {
    pub(super) fn status(code: u16) -> Self {
        let body = format!("status {code}\n").into_bytes();
        Self { code, headers: Vec::new(), body, sending: Sending::Whole }
    }

    pub(super) fn ok(content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { code: 200, headers, body, sending: Sending::Whole }
    }

    pub(super) fn with(mut self, name: &str, value: String) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }

    pub(super) fn from_fault(fault: Fault, right: Self) -> Self {
        match fault {
            Fault::Status { code, headers } => Self { headers, ..Self::status(code) },
            Fault::Headers(more) => {
                let headers = right.headers.into_iter().chain(more).collect();
                Self { headers, ..right }
            }
            Fault::Body { content_type, bytes } => Self::ok(&content_type, bytes),
            Fault::Hang => Self { sending: Sending::Nothing, ..right },
            Fault::Trickle => Self { sending: Sending::Trickle, ..right },
            Fault::Disconnect => Self { sending: Sending::Disconnect, ..right },
            Fault::Truncate => Self { sending: Sending::Half, ..right },
            Fault::Endless => Self { sending: Sending::Endless, ..right },
        }
    }

    /// Status line and headers; the length unless the body has none.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.code, "Loopback");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match self.sending {
            Sending::Endless | Sending::Trickle => head += "Connection: close\r\n",
            _ => head += &format!("Content-Length: {}\r\n", self.body.len()),
        }
        (head + "\r\n").into_bytes()
    }
}
