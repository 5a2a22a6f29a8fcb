//! Targets of redirects.
//!
//! Owns the rule which redirects are followed: to http and https only, and none from https to http,
//! since the answer could then be read and changed on the way. A user name and a password in the
//! target are first left out, so that the user's own credentials for that place count. They are
//! used if the target answers with 401, as in pip. Credentials of the first URL are sent again to
//! the same scheme, host and port only.

use url::Url;

use crate::http::HttpError;
use crate::package::userinfo;

/// Resolves the target of a redirect from its `Location`. Returns it without credentials, and with
/// those that it has.
///
/// # Errors
/// There is no target, or it is not followed.
pub(super) fn target(from: &Url, location: Option<&str>) -> Result<(Url, Option<Url>), HttpError> {
    let no = |reason| HttpError::redirect(from, reason);
    let location = location.ok_or_else(|| no("a redirect to nowhere"))?;
    let to = from.join(location).map_err(|_| no("a redirect to an invalid URL"))?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(no("a redirect to another scheme than http and https"));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(no("a redirect from https to http"));
    }
    let mut bare = to.clone();
    userinfo::remove(&mut bare);
    if to.origin() == from.origin() && from.password().is_some() {
        // On the same place the first request's credentials stay, as in requests.
        let _ = bare.set_username(from.username());
        let _ = bare.set_password(from.password());
        return Ok((bare, None));
    }
    let with_credentials = (bare != to).then_some(to);
    Ok((bare, with_credentials))
}
