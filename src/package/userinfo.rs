//! The user name and password in a URL.
//!
//! Must not decide which URL may keep them.

use url::Url;

/// Removes user name and password from a URL.
pub fn remove(url: &mut Url) {
    // Only a URL without a host refuses, and such a URL has no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}
