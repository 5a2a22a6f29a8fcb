//! The way to an index: the network, and what came from there before.
//!
//! Owns when what is kept may stand for an answer. A page is asked for each time; its index may say
//! that it is still the same (304). A document counts for as long as its server says, and then the
//! same holds for it. That there is none is never remembered. Nothing that was fetched with
//! credentials is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::cache::{Cache, Entry, Kind};
use crate::http::validity::Validity;
use crate::http::{Client, HttpError, Renewed, Response, USER_AGENT};
use crate::index::page::MAX_PAGE;
use crate::index::{MAX_PROVENANCE, is_web_page};
use crate::package::digest::Sha256;

/// What pages are asked as: JSON first (PEP 691, "Version + Format Selection").
const ACCEPT_PAGE: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// What provenance documents are asked as.
const ACCEPT_DOCUMENT: &str =
    "application/vnd.pypi.integrity.v1+json, application/json;q=0.5, */*;q=0.1";

/// The way to the indexes of a run.
pub(super) struct Way<'c> {
    client: &'c Client,
    cache: Option<Cache>,
    memory: Memory,
    /// Whether something that is kept stood for an answer.
    remembered: AtomicBool,
}

/// What becomes of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Counts,
    /// Everything is fetched, and kept in its place.
    Distrusted,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The page of a project.
    Page,
    /// A provenance document.
    Document,
}

/// What came.
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

/// An answer that is kept.
struct Kept {
    note: Note,
    entry: Entry,
}

/// What is noted about it.
#[derive(Serialize, Deserialize)]
struct Note {
    content_type: String,
    validity: Validity,
}

impl What {
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

    const fn kind(self) -> Kind {
        match self {
            Self::Page => Kind::Pages,
            Self::Document => Kind::Documents,
        }
    }

    /// Under what it is kept: what was asked, where, and as whom (`Vary`).
    fn key(self, url: &Url) -> Sha256 {
        Sha256::of(format!("{USER_AGENT}\n{}\n{url}", self.accept()).as_bytes())
    }
}

impl<'c> Way<'c> {
    pub(super) fn new(client: &'c Client, cache: Option<Cache>) -> Self {
        let remembered = AtomicBool::new(false);
        Self { client, cache, memory: Memory::Counts, remembered }
    }

    /// The same way, on which nothing counts that is kept.
    pub(super) fn anew(&self) -> Self {
        let remembered = AtomicBool::new(false);
        Self { cache: self.cache.clone(), memory: Memory::Distrusted, remembered, ..*self }
    }

    /// Whether something that is kept stood for an answer, here or wherever else the same client
    /// has asked: pages go from hand to hand in a run.
    pub(super) fn has_remembered(&self) -> bool {
        self.remembered.load(Ordering::SeqCst) || self.client.has_confirmed()
    }

    /// Something that is kept stood for an answer elsewhere, and that answer is used here.
    pub(super) fn has_now_remembered(&self) {
        self.remembered.store(true, Ordering::SeqCst);
    }

    /// What is at this URL; nothing where the server says 404.
    pub(super) fn ask(&self, what: What, url: &Url) -> Result<Option<Answer>, HttpError> {
        // As it is kept: without credentials, and without what is not sent.
        let mut bare = url.clone();
        bare.set_fragment(None);
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let key = what.key(&bare);
        let answered = match self.kept(what, &key) {
            Some(kept)
                if what == What::Document && kept.note.validity.is_fresh(SystemTime::now()) =>
            {
                return Ok(Some(self.remember(bare, kept)));
            }
            Some(kept) => {
                let known = &kept.note.validity;
                match self.client.renew(url, what.accept(), what.limit(), known) {
                    Ok(Renewed::Unchanged(validity)) => {
                        self.keep_on(what, &key, &kept, validity);
                        return Ok(Some(self.remember(bare, kept)));
                    }
                    Ok(Renewed::Changed(response)) => Ok(response),
                    Err(error) => Err(error),
                }
            }
            None if self.memory == Memory::Distrusted => {
                self.client.get_past_caches(url, what.accept(), what.limit())
            }
            None => self.client.get(url, what.accept(), what.limit()),
        };
        match answered {
            Ok(response) => Ok(Some(self.keep(what, &key, response))),
            Err(error) if error.is_not_found() => {
                self.forget(what, &key);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn kept(&self, what: What, key: &Sha256) -> Option<Kept> {
        if self.memory == Memory::Distrusted {
            return None;
        }
        let entry = self.cache.as_ref()?.read(what.kind(), key)?;
        let note = serde_json::from_str(&entry.note).ok()?;
        Some(Kept { note, entry })
    }

    fn remember(&self, url: Url, kept: Kept) -> Answer {
        self.remembered.store(true, Ordering::SeqCst);
        Answer { url, content_type: kept.note.content_type, bytes: kept.entry.bytes }
    }

    /// Keeps an answer, if that is allowed, and hands it on.
    fn keep(&self, what: What, key: &Sha256, response: Response) -> Answer {
        let Response { url, content_type, body, validity } = response;
        let (content_type, bytes) = (content_type.unwrap_or_default(), body);
        let is_document = what == What::Document && !is_web_page(&content_type);
        let validity = validity.filter(|it| is_document || what == What::Page && it.etag.is_some());
        let Some((cache, validity)) = self.cache.as_ref().zip(validity) else {
            self.forget(what, key);
            return Answer { url, content_type, bytes };
        };
        let note = Note { content_type, validity };
        let mut entry = Entry { note: String::new(), bytes };
        if let Ok(text) = serde_json::to_string(&note) {
            entry.note = text;
            cache.write(what.kind(), key, &entry);
        }
        Answer { url, content_type: note.content_type, bytes: entry.bytes }
    }

    /// Keeps on what its server has confirmed. A page is asked for each time whatever it says.
    fn keep_on(&self, what: What, key: &Sha256, kept: &Kept, validity: Option<Validity>) {
        let Some(validity) = validity else { return self.forget(what, key) };
        let note = Note { content_type: kept.note.content_type.clone(), validity };
        let changes = what == What::Document || note.validity.etag != kept.note.validity.etag;
        if let (true, Some(cache), Ok(note)) = (changes, &self.cache, serde_json::to_string(&note))
        {
            cache.write(what.kind(), key, &Entry { note, bytes: kept.entry.bytes.clone() });
        }
    }

    fn forget(&self, what: What, key: &Sha256) {
        if let Some(cache) = &self.cache {
            cache.forget(what.kind(), key);
        }
    }
}
