//! The words about an act of pip that the guard refused. Pure.

use std::path::Path;

use url::Url;

use crate::http::redact::{Redacted, redacted_text};
use crate::pip::guard::Blocked;

/// Returns the message about the first refused act whose command line is known.
pub(super) fn message(blocked: &[Blocked]) -> String {
    let first = blocked.iter().find(|b| !b.words.is_empty());
    let Some(Blocked { words, cwd, .. }) = first else {
        return "pip would have started a process to resolve this".to_owned();
    };
    let program = words.first().and_then(|program| Path::new(program).file_name());
    match program.and_then(|name| name.to_str()) {
        Some("connect") => {
            let host = words.get(1).map_or("another host", String::as_str);
            format!("pip would have fetched from {host}, past the indexes")
        }
        Some("take") => {
            let place = words.get(1).map_or("something", String::as_str);
            let place = Url::parse(place)
                .map_or_else(|_| redacted_text(place), |url| Redacted(&url).to_string());
            format!("pip would have taken {place}, a place that you did not name")
        }
        Some("write") => "pip would have written the lock before it is verified".to_owned(),
        Some(vcs @ ("git" | "hg" | "svn" | "bzr")) => {
            format!("pip would have run {vcs} to fetch source code that cannot be verified")
        }
        _ => format!("pip would have built source code in {cwd} before it is verified"),
    }
}
