//! Requests that failed for good in this run.
//!
//! Owns the rule that one failure of a URL is final: pip, the gateway, the prefetch and the audit
//! may ask for one URL, and each would repeat all attempts and their pauses. A password that was
//! refused is not sent again to the same URL, since some servers lock an account after a few wrong
//! ones. Statuses such as 404 are not kept: they cost one request, and may change.

use std::collections::HashMap;
use std::sync::Mutex;

use url::Url;

use crate::http::HttpError;
use crate::sync::lock;

/// Failures by URL and `Authorization`.
#[derive(Default)]
pub(super) struct GivenUp(Mutex<HashMap<(Url, Option<String>), HttpError>>);

impl GivenUp {
    /// Returns the failure of an earlier request with the same URL and credentials.
    pub(super) fn of(&self, url: &Url, authorization: Option<&str>) -> Option<HttpError> {
        let failures = lock(&self.0);
        failures.get(&(url.clone(), authorization.map(str::to_owned)))?.again()
    }

    /// Keeps a failure, if its kind is final.
    pub(super) fn note(&self, url: &Url, authorization: Option<String>, error: &HttpError) {
        let is_final = match error {
            HttpError::Status { code, .. } => matches!(code, 401 | 403 | 407 | 429 | 500..),
            _ => true,
        };
        if let Some(error) = error.again().filter(|_| is_final) {
            lock(&self.0).insert((url.clone(), authorization), error);
        }
    }
}
