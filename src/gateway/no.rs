//! Why there is nothing to hand over.
//!
//! Owns what the failures of indexes, pages and files come to for who asked.

use crate::failure::{Failure, Status};
use crate::http::HttpError;
use crate::index::IndexError;
use crate::wheelhouse::WheelhouseError;

/// Why there is nothing to hand over.
#[derive(Debug, Clone)]
pub(super) enum No {
    /// The index has no such thing.
    Absent,
    /// It is not handed over, for this reason.
    Refused(String),
    /// It could not be found out; the status of the index's answer where that was the reason.
    Unknown { code: Option<u16>, failure: Failure },
    /// The index answers with something of this type that is no page.
    Other { content_type: String },
}

impl No {
    pub(super) fn unclear(message: String) -> Self {
        Self::Unknown { code: None, failure: Failure::new(Status::CouldNotCheck, message) }
    }

    pub(super) fn of_http(error: &HttpError) -> Self {
        if error.is_not_found() {
            return Self::Absent;
        }
        Self::Unknown { code: error.code(), failure: Failure::from(error) }
    }

    pub(super) fn of_index(error: IndexError) -> Self {
        let code = match &error {
            IndexError::Http(error) => error.code(),
            _ => None,
        };
        Self::Unknown { code, failure: error.into() }
    }

    pub(super) fn of_wheelhouse(error: WheelhouseError) -> Self {
        match error {
            WheelhouseError::Mismatch { .. } => Self::Refused(error.to_string()),
            WheelhouseError::Http(error) => Self::of_http(&error),
            error => Self::Unknown { code: None, failure: error.into() },
        }
    }
}
