//! Faults of an index.

/// One way to answer badly, played by [`super::LoopbackIndex::fault`].
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, these headers, a short body.
    Status { code: u16, headers: Vec<(String, String)> },
    /// Says nothing, until the client gives up or the index is dropped.
    Hang,
    /// Answers the head, then one byte now and then, for ever.
    Trickle,
    /// Closes the connection without a word.
    Disconnect,
    /// Announces the whole body, sends the half of it and closes.
    Truncate,
    /// A body without an end.
    Endless,
    /// The right answer with these further headers.
    Headers(Vec<(String, String)>),
    /// 200 with another body than the right one.
    Body { content_type: String, bytes: Vec<u8> },
}

impl Fault {
    /// This status and nothing else.
    pub fn status(code: u16) -> Self {
        Self::Status { code, headers: Vec::new() }
    }

    /// This status with `Retry-After`.
    pub fn retry_after(code: u16, value: &str) -> Self {
        Self::Status { code, headers: vec![("Retry-After".to_owned(), value.to_owned())] }
    }

    /// 302 to another URL.
    pub fn redirect(url: impl Into<String>) -> Self {
        Self::Status { code: 302, headers: vec![("Location".to_owned(), url.into())] }
    }

    /// The right answer with one more header.
    pub fn header(name: &str, value: &str) -> Self {
        Self::Headers(vec![(name.to_owned(), value.to_owned())])
    }

    /// A page of HTML, such as the login of a captive network.
    pub fn html(text: &str) -> Self {
        Self::Body { content_type: "text/html; charset=utf-8".to_owned(), bytes: text.into() }
    }

    /// JSON nested this deep, under the content type of a simple page.
    pub fn deep_json(depth: usize) -> Self {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        let content_type = "application/vnd.pypi.simple.v1+json".to_owned();
        Self::Body { content_type, bytes: text.into() }
    }
}
