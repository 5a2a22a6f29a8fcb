//! Reasons why the gateway cannot hand over a page or a file.
//!
//! Owns the mapping from errors of indexes, pages and the wheelhouse to answers of the gateway.

use crate::failure::{Failure, Status};
use crate::http::HttpError;
use crate::index::IndexError;
use crate::wheelhouse::WheelhouseError;

/// Why a page or a file is not handed over.
#[derive(Debug, Clone)]
pub(super) enum Unavailable {
    /// The index does not list it (404).
    Missing,
    /// The file was refused for this reason.
    Refused(String),
    /// The request failed. `code` is the status of the index's answer, if that was the reason.
    Failed { code: Option<u16>, failure: Failure },
    /// The index answers with this content type, which is not one of an index page.
    NotAPage { content_type: String },
}

impl Unavailable {
    pub(super) fn failed(message: String) -> Self {
        Self::Failed { code: None, failure: Failure::new(Status::CouldNotCheck, message) }
    }

    pub(super) fn of_http(error: &HttpError) -> Self {
        if error.is_not_found() {
            return Self::Missing;
        }
        Self::Failed { code: error.code(), failure: Failure::from(error) }
    }

    pub(super) fn of_index(error: IndexError) -> Self {
        let code = match &error {
            IndexError::Http(error) => error.code(),
            _ => None,
        };
        Self::Failed { code, failure: error.into() }
    }

    pub(super) fn of_wheelhouse(error: WheelhouseError) -> Self {
        match error {
            WheelhouseError::Mismatch { .. } => Self::Refused(error.to_string()),
            WheelhouseError::Http(error) => Self::of_http(&error),
            error => Self::Failed { code: None, failure: error.into() },
        }
    }
}
