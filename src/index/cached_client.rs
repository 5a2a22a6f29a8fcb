//! HTTP client for indexes that caches answers on disk.
//!
//! Owns the decision when a cached answer may be used:
//!
//! - A page is requested each time, with its `ETag`; 304 means that the cached page is current.
//! - A document is used without a request while it is fresh (RFC 9111), then as a page.
//! - 404 is never cached, nor is an answer that was fetched with credentials.
//!
//! A refusal must not rest on a cached answer. The client notes that it used one, so that the
//! caller can repeat the requests past all caches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::{Cache, CacheEntry, CacheKind};
use crate::http::validity::Validity;
use crate::http::{Client, HttpError, Renewed, Response, USER_AGENT};
use crate::index::page::MAX_PAGE;
use crate::index::{MAX_PROVENANCE, is_web_page};
use crate::package::digest::Sha256;

/// `Accept` of pages: JSON first (PEP 691, "Version + Format Selection").
const ACCEPT_PAGE: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// `Accept` of provenance documents.
const ACCEPT_DOCUMENT: &str =
    "application/vnd.pypi.integrity.v1+json, application/json;q=0.5, */*;q=0.1";

/// HTTP client for indexes with a disk cache.
pub(super) struct CachedClient<'c> {
    client: &'c Client,
    cache: Option<Cache>,
    cache_use: CacheUse,
    /// Whether a cached answer was used.
    used_cached_answer: AtomicBool,
}

/// Whether cached answers are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CacheUse {
    Use,
    /// Cached answers are ignored; fetched answers replace them.
    Bypass,
}

/// Kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// The page of a project.
    Page,
    /// A provenance document.
    Document,
}

/// The answer of an index, from the network or the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexAnswer {
    /// URL of the answer after redirects, without credentials.
    pub url: Url,
    /// `Content-Type`; empty if the answer has none.
    pub content_type: String,
    /// Decompressed bytes.
    pub bytes: Vec<u8>,
}

/// A cached answer.
struct Cached {
    note: Note,
    entry: CacheEntry,
}

/// Metadata of a cached answer.
#[derive(Serialize, Deserialize)]
struct Note {
    content_type: String,
    validity: Validity,
}

impl Resource {
    const fn accept(self) -> &'static str {
        match self {
            Self::Page => ACCEPT_PAGE,
            Self::Document => ACCEPT_DOCUMENT,
        }
    }

    const fn limit(self) -> u64 {
        match self {
            Self::Page => MAX_PAGE,
            Self::Document => MAX_PROVENANCE,
        }
    }

    const fn kind(self) -> CacheKind {
        match self {
            Self::Page => CacheKind::Pages,
            Self::Document => CacheKind::Documents,
        }
    }

    /// Returns the cache key: a hash of `User-Agent`, `Accept` (`Vary`) and URL.
    fn key(self, url: &Url) -> Sha256 {
        Sha256::of(format!("{USER_AGENT}\n{}\n{url}", self.accept()).as_bytes())
    }
}

impl<'c> CachedClient<'c> {
    pub(super) fn new(client: &'c Client, cache: Option<Cache>) -> Self {
        let used_cached_answer = AtomicBool::new(false);
        Self { client, cache, cache_use: CacheUse::Use, used_cached_answer }
    }

    /// Returns a client that ignores cached answers, for requests on which a refusal rests.
    pub(super) fn bypassing_cache(&self) -> Self {
        let used_cached_answer = AtomicBool::new(false);
        Self { cache: self.cache.clone(), cache_use: CacheUse::Bypass, used_cached_answer, ..*self }
    }

    /// Whether a cached answer was used by this client, or confirmed (304) for any user of the same
    /// HTTP client: threads of a run share pages.
    pub(super) fn has_used_cached_answer(&self) -> bool {
        self.used_cached_answer.load(Ordering::SeqCst) || self.client.has_confirmed()
    }

    /// Notes that a cached answer from another thread was used, so that a refusal must fetch again.
    pub(super) fn note_cached_answer_used(&self) {
        self.used_cached_answer.store(true, Ordering::SeqCst);
    }

    /// Requests a URL. Returns `None` if the server answers with 404.
    pub(super) fn ask(
        &self,
        resource: Resource,
        url: &Url,
    ) -> Result<Option<IndexAnswer>, HttpError> {
        // The cache key has neither credentials nor the fragment, which is not sent.
        let mut bare = url.clone();
        bare.set_fragment(None);
        crate::package::userinfo::remove(&mut bare);
        let key = resource.key(&bare);
        let answered = match self.cached(resource, &key) {
            Some(cached)
                if resource == Resource::Document
                    && cached.note.validity.is_fresh(SystemTime::now()) =>
            {
                return Ok(Some(self.use_cached(bare, cached)));
            }
            Some(cached) => {
                let known = &cached.note.validity;
                match self.client.renew(url, resource.accept(), resource.limit(), known) {
                    Ok(Renewed::Unchanged(validity)) => {
                        self.update(resource, &key, &cached, validity);
                        return Ok(Some(self.use_cached(bare, cached)));
                    }
                    Ok(Renewed::Changed(response)) => Ok(response),
                    Err(error) => Err(error),
                }
            }
            None if self.cache_use == CacheUse::Bypass => {
                self.client.get_past_caches(url, resource.accept(), resource.limit())
            }
            None => self.client.get(url, resource.accept(), resource.limit()),
        };
        match answered {
            Ok(response) => Ok(Some(self.store(resource, &key, response))),
            Err(error) if error.is_not_found() => {
                self.forget(resource, &key);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn cached(&self, resource: Resource, key: &Sha256) -> Option<Cached> {
        if self.cache_use == CacheUse::Bypass {
            return None;
        }
        let entry = self.cache.as_ref()?.read(resource.kind(), key)?;
        let note = serde_json::from_str(&entry.note).ok()?;
        Some(Cached { note, entry })
    }

    fn use_cached(&self, url: Url, cached: Cached) -> IndexAnswer {
        self.used_cached_answer.store(true, Ordering::SeqCst);
        IndexAnswer { url, content_type: cached.note.content_type, bytes: cached.entry.bytes }
    }

    /// Caches an answer, if it may be cached, and returns it.
    fn store(&self, resource: Resource, key: &Sha256, response: Response) -> IndexAnswer {
        let Response { url, content_type, body, validity } = response;
        let (content_type, bytes) = (content_type.unwrap_or_default(), body);
        let is_document = resource == Resource::Document && !is_web_page(&content_type);
        let validity =
            validity.filter(|it| is_document || resource == Resource::Page && it.etag.is_some());
        let Some((cache, validity)) = self.cache.as_ref().zip(validity) else {
            self.forget(resource, key);
            return IndexAnswer { url, content_type, bytes };
        };
        let note = Note { content_type, validity };
        let mut entry = CacheEntry { note: String::new(), bytes };
        if let Ok(text) = serde_json::to_string(&note) {
            entry.note = text;
            cache.write(resource.kind(), key, &entry);
        }
        IndexAnswer { url, content_type: note.content_type, bytes: entry.bytes }
    }

    /// Updates a cached answer that its server confirmed (304). A page is requested each time, so
    /// only a changed `ETag` is written.
    fn update(
        &self,
        resource: Resource,
        key: &Sha256,
        cached: &Cached,
        validity: Option<Validity>,
    ) {
        let Some(validity) = validity else { return self.forget(resource, key) };
        let note = Note { content_type: cached.note.content_type.clone(), validity };
        let changes =
            resource == Resource::Document || note.validity.etag != cached.note.validity.etag;
        if let (true, Some(cache), Ok(note)) = (changes, &self.cache, serde_json::to_string(&note))
        {
            cache.write(
                resource.kind(),
                key,
                &CacheEntry { note, bytes: cached.entry.bytes.clone() },
            );
        }
    }

    fn forget(&self, resource: Resource, key: &Sha256) {
        if let Some(cache) = &self.cache {
            cache.forget(resource.kind(), key);
        }
    }
}
