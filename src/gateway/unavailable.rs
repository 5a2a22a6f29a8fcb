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
    /// The page of a project could not be fetched. pip passes over such a page.
    PassedOver { code: Option<u16>, failure: Failure },
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

    /// Converts an error of a request for a page.
    pub(super) fn of_page(error: IndexError) -> Self {
        match &error {
            IndexError::Http(http) if is_passed_over(http) => {
                Self::PassedOver { code: http.code(), failure: error.into() }
            }
            IndexError::Http(http) => Self::Failed { code: http.code(), failure: error.into() },
            _ => Self::Failed { code: None, failure: error.into() },
        }
    }

    pub(super) fn of_wheelhouse(error: WheelhouseError) -> Self {
        match error {
            WheelhouseError::Mismatch { .. } => Self::Refused(error.to_string()),
            WheelhouseError::Http(error) => Self::of_http(&error),
            error => Self::Failed { code: None, failure: error.into() },
        }
    }
}

/// Returns whether pip goes on without a page after such an error. A page that pip may be able to
/// read is not passed over.
const fn is_passed_over(error: &HttpError) -> bool {
    matches!(
        error,
        HttpError::Status { .. }
            | HttpError::Unreachable { .. }
            | HttpError::TimedOut { .. }
            | HttpError::Tls { .. }
            | HttpError::Redirect { .. }
    )
}
