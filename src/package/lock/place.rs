//! The place of a file: its URL or its path, parsed once, when the document is read.
//!
//! Keeps the spelling of the document, since pip compares and records URLs as they are written. A
//! text with a scheme is a URL; any other text is a path. Pure.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use url::{ParseError, Url};

use crate::package::lock::without_userinfo;

/// The place of a file. May contain credentials, so it must not be printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A URL; a `file:` URL names a file on this machine.
    Url(WrittenUrl),
    /// A path on this machine, as a lock file may state it.
    Path(PathBuf),
}

/// A URL with the spelling of its document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WrittenUrl {
    url: Url,
    /// The spelling, if it is another than that of `url`. Locks are long, and most have the same.
    spelling: Option<Box<str>>,
}

impl Place {
    /// Reads a URL or a path.
    ///
    /// # Errors
    /// The text has a scheme and is not a valid URL.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match Url::parse(text) {
            Ok(url) => {
                let spelling = (url.as_str() != text).then(|| text.into());
                Ok(Self::Url(WrittenUrl { url, spelling }))
            }
            Err(ParseError::RelativeUrlWithoutBase) => Ok(Self::Path(PathBuf::from(text))),
            Err(error) => Err(error),
        }
    }

    /// Returns the place of a file on this machine: its `file:` URL, as pip writes it, or the path
    /// itself if the path is not absolute.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        Url::from_file_path(path).map_or_else(|()| Self::Path(path.to_owned()), Self::from)
    }

    /// Returns the URL. Returns `None` if the place is written as a path.
    #[must_use]
    pub const fn url(&self) -> Option<&Url> {
        match self {
            Self::Url(written) => Some(&written.url),
            Self::Path(_) => None,
        }
    }

    /// Returns the URL from which the file can be fetched. Returns `None` if the place is a path
    /// that is not absolute.
    #[must_use]
    pub fn to_url(&self) -> Option<Url> {
        match self {
            Self::Url(written) => Some(written.url.clone()),
            Self::Path(path) => Url::from_file_path(path).ok(),
        }
    }

    /// Returns the text as the document writes it.
    #[must_use]
    pub fn as_written(&self) -> Cow<'_, str> {
        match self {
            Self::Url(WrittenUrl { url, spelling }) => {
                Cow::Borrowed(spelling.as_deref().unwrap_or(url.as_str()))
            }
            Self::Path(path) => path.to_string_lossy(),
        }
    }

    /// Returns this place with `USER:PASSWORD@` in its URL.
    #[must_use]
    pub fn with_userinfo(&self, userinfo: &str) -> Self {
        match self {
            Self::Url(WrittenUrl { url, .. }) => {
                let bare = without_userinfo(&self.as_written());
                let spelling = bare.replacen("://", &format!("://{userinfo}@"), 1);
                Self::Url(WrittenUrl { url: url.clone(), spelling: Some(spelling.into()) })
            }
            Self::Path(path) => Self::Path(path.clone()),
        }
    }

    /// Returns whether the file is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.url().is_none_or(|url| url.scheme() == "file")
    }
}

impl From<Url> for Place {
    fn from(url: Url) -> Self {
        Self::Url(WrittenUrl { url, spelling: None })
    }
}
