//! Cached answers of an index: when one may stand for a new answer, and when it must not.

use std::path::{Path, PathBuf};

use pypi_verify_now::cache::{Cache, CacheEntry, CacheKind};
use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::Transport;
use pypi_verify_now::index::{Index, IndexError};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::name::PackageName;
use tempfile::TempDir;
use url::Url;

use crate::http::hasty;
use crate::support::gateway::Gate;
use crate::support::index::{Builder, DistFile, Fault, LoopbackIndex};

const WHEEL: &str = "aa-1.0-py3-none-any.whl";
const PAGE: &str = "/simple/aa/";
const DOCUMENT: &str = "/provenance/aa-1.0-py3-none-any.whl";

/// An index with a page and a document, and a cache directory that the runs share.
struct World {
    index: LoopbackIndex,
    place: TempDir,
}

/// The first version of the document.
fn file(document: &str) -> DistFile {
    DistFile::new(WHEEL, "wheel").provenance(document)
}

impl World {
    fn new(builder: Builder) -> Self {
        let index = builder.file("aa", file("{\"first\": 1}")).start();
        Self { index, place: TempDir::new().unwrap() }
    }

    /// A run of its own: how many files the page has.
    fn page(&self) -> Result<Option<usize>, IndexError> {
        self.run(&Transport::default(), |index| {
            let page = index.page(&Url::parse(&self.index.url()).unwrap(), &aa())?;
            Ok(page.map(|page| page.files().count()))
        })
    }

    /// A run of its own: the document.
    fn document(&self) -> Result<Option<String>, IndexError> {
        self.run(&Transport::default(), |index| self.document_on(index))
    }

    fn document_on(&self, index: &Index<'_>) -> Result<Option<String>, IndexError> {
        let url = Url::parse(&self.index.at(DOCUMENT)).unwrap();
        let document = index.provenance(&url)?;
        Ok(document.map(|document| String::from_utf8(document).unwrap()))
    }

    fn run<T>(&self, transport: &Transport, ask: impl FnOnce(&Index<'_>) -> T) -> T {
        let transport =
            Transport { retries: 0, credentials: transport.credentials.clone(), ..hasty() };
        let client = Client::new(&transport);
        ask(&Index::with_cache(&client, Cache::open(self.place.path())))
    }

    /// Another document from now on.
    fn publish(&self, document: &str) {
        self.index.edit(|projects| projects.get_mut("aa").unwrap()[0] = file(document));
    }

    /// The file of the only entry.
    fn entry(&self) -> PathBuf {
        let mut files = files(self.place.path());
        files.retain(|path| path.to_string_lossy().contains("sha256"));
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    /// The entries of a kind.
    fn entries(&self, kind: CacheKind) -> usize {
        let usage = Cache::open(self.place.path()).unwrap().usage();
        usage.into_iter().find(|usage| usage.kind == kind).unwrap().entries
    }
}

fn aa() -> PackageName {
    PackageName::parse("aa").unwrap()
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn page_is_asked_for_each_time_and_sent_only_if_it_changed() {
    for control in ["", "max-age=600", "no-cache"] {
        let world = World::new(LoopbackIndex::builder().etags().cache_control(control));
        for _ in 0..3 {
            assert_eq!(world.page().unwrap(), Some(1));
        }
        assert_eq!((world.index.count(PAGE), world.index.unchanged(PAGE)), (3, 2), "{control}");
        world.index.add_file("aa", DistFile::new("aa-2.0-py3-none-any.whl", "two"));
        assert_eq!(world.page().unwrap(), Some(2));
        assert_eq!((world.page().unwrap(), world.index.unchanged(PAGE)), (Some(2), 3));
        world.index.edit(|projects| drop(projects.remove("aa")));
        assert_eq!(world.page().unwrap(), None);
        assert_eq!(world.entries(CacheKind::Pages), 0);
    }
}

#[test]
fn document_counts_for_as_long_as_its_server_says() {
    for (control, asked, unchanged) in [
        ("max-age=600", 1, 0),
        ("max-age=0", 3, 2),
        ("no-cache", 3, 2),
        ("", 3, 2),
        ("no-store", 3, 0),
    ] {
        let world = World::new(LoopbackIndex::builder().etags().cache_control(control));
        for _ in 0..3 {
            assert_eq!(world.document().unwrap().unwrap(), "{\"first\": 1}");
        }
        let index = &world.index;
        assert_eq!(
            (index.count(DOCUMENT), index.unchanged(DOCUMENT)),
            (asked, unchanged),
            "{control}"
        );
        world.publish("{\"second\": 2}");
        let is_new = world.document().unwrap().unwrap().contains("second");
        assert_eq!(is_new, control != "max-age=600", "{control}");
    }
}

#[test]
fn without_an_etag_everything_is_fetched_again() {
    let world = World::new(LoopbackIndex::builder());
    for _ in 0..2 {
        world.page().unwrap();
        world.document().unwrap();
    }
    assert_eq!((world.index.count(PAGE), world.index.count(DOCUMENT)), (2, 2));
    assert!(files(world.place.path()).is_empty());
}

#[test]
fn missing_document_is_never_cached() {
    let world = World::new(LoopbackIndex::builder().etags().cache_control("max-age=600"));
    world.index.fault_times(DOCUMENT, 1, Fault::status(404));
    assert_eq!(world.document().unwrap(), None);
    assert!(world.document().unwrap().is_some());
}

#[test]
fn refused_document_is_fetched_past_every_cache() {
    let world = World::new(LoopbackIndex::builder().etags().cache_control("max-age=600"));
    world.document().unwrap();
    world.publish("{\"second\": 2}");
    world.run(&Transport::default(), |index| {
        assert!(world.document_on(index).unwrap().unwrap().contains("first"));
        assert!(index.has_used_cached_answer());
        let anew = index.bypassing_cache();
        assert!(world.document_on(&anew).unwrap().unwrap().contains("second"));
        assert!(!anew.has_used_cached_answer());
    });
    let last = world.index.requests().pop().unwrap();
    assert_eq!(
        (last.header("if-none-match"), last.header("cache-control")),
        (None, Some("no-cache"))
    );
    // And takes the place of the other.
    assert!(world.document().unwrap().unwrap().contains("second"));
}

#[test]
fn tampered_entry_is_fetched_again_and_replaced() {
    for kind in [CacheKind::Pages, CacheKind::Documents] {
        let world = World::new(LoopbackIndex::builder().etags().cache_control("max-age=600"));
        let ask = || match kind {
            CacheKind::Pages => assert_eq!(world.page().unwrap(), Some(1)),
            _ => assert!(world.document().unwrap().unwrap().contains("first")),
        };
        ask();
        let (entry, sent) = (world.entry(), world.index.requests().len());
        let whole = std::fs::read(&entry).unwrap();
        for broken in [&whole[..whole.len() - 1], b"", &[&whole[..], b"x"].concat()] {
            std::fs::write(&entry, broken).unwrap();
            ask();
            assert!(world.index.requests().pop().unwrap().header("if-none-match").is_none());
            assert!(entry.exists());
        }
        assert_eq!(world.index.requests().len(), sent + 3);
    }
}

#[test]
fn answers_to_credentials_are_not_cached() {
    let builder = LoopbackIndex::builder().etags().cache_control("max-age=600");
    let world = World::new(builder.basic_auth("someone", "secret"));
    let with = Url::parse(&world.index.url_with_credentials("someone", "secret")).unwrap();
    let transport = Transport { credentials: vec![with.clone()], ..Transport::default() };
    for _ in 0..2 {
        world.run(&transport, |index| {
            assert!(index.page(&with, &aa()).unwrap().is_some());
            assert!(world.document_on(index).unwrap().is_some());
        });
    }
    assert_eq!((world.index.count(PAGE), world.index.count(DOCUMENT)), (2, 2));
    assert!(files(world.place.path()).is_empty());
}

#[test]
fn redirected_answers_are_not_cached() {
    let builder = LoopbackIndex::builder().etags().cache_control("max-age=600");
    let world = World::new(builder);
    world.index.serve("/elsewhere", "application/json", "{}");
    world.index.fault(DOCUMENT, Fault::redirect(world.index.at("/elsewhere")));
    world.document().unwrap().unwrap();
    assert!(files(world.place.path()).is_empty());
}

#[test]
fn web_page_in_place_of_a_document_is_not_cached() {
    let world = World::new(LoopbackIndex::builder());
    let headers = [("Content-Type", "text/html"), ("Cache-Control", "max-age=600")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    world.index.fault_times(DOCUMENT, 1, Fault::Status { code: 200, headers });
    assert!(matches!(world.document(), Err(IndexError::WebPage { .. })));
    assert!(world.document().unwrap().unwrap().contains("first"));
}

#[test]
fn unasked_304_is_an_error() {
    let world = World::new(LoopbackIndex::builder().cache_control("max-age=1"));
    // This one is kept, without anything by which it could be asked for.
    world.document().unwrap();
    let entry = world.entry();
    let text = std::fs::read_to_string(&entry).unwrap();
    let rest = text.split_once('\n').unwrap().1.replace("\"fresh\":1", "\"fresh\":0");
    std::fs::write(entry, format!("{}\n{rest}", Sha256::of(rest.as_bytes()))).unwrap();
    world.index.fault(PAGE, Fault::status(304));
    world.index.fault(DOCUMENT, Fault::status(304));
    for error in [world.page().map(drop).unwrap_err(), world.document().map(drop).unwrap_err()] {
        assert!(matches!(&error, IndexError::Http(error) if error.code() == Some(304)), "{error}");
    }
}

#[test]
fn unwritable_cache_is_not_an_error() {
    let world = World::new(LoopbackIndex::builder().etags().cache_control("max-age=600"));
    std::fs::write(world.place.path().join("pypi-verify-now"), "a file").unwrap();
    for _ in 0..2 {
        assert_eq!(world.page().unwrap(), Some(1));
        assert!(world.document().unwrap().is_some());
    }
    assert_eq!(world.index.count(DOCUMENT), 2);
}

#[test]
fn gateway_caches_metadata_and_revalidates_pages() {
    let text = "Metadata-Version: 2.1\nName: aa\nVersion: 1.0\n";
    let file = DistFile::new(WHEEL, "wheel").metadata(text);
    let index = LoopbackIndex::builder().etags().file("aa", file).start();
    let (place, beside) = (TempDir::new().unwrap(), format!("{WHEEL}.metadata"));
    let ask = || {
        let gate = Gate::keeping(&index, place.path());
        assert_eq!(gate.get(&gate.page("aa")).status, 200);
        assert_eq!(gate.get(&gate.file("aa", &beside)).text(), text);
        assert_eq!(gate.get(&gate.file("aa", WHEEL)).text(), "wheel");
    };
    ask();
    ask();
    let counts =
        [PAGE, &format!("/files/{beside}"), &format!("/files/{WHEEL}")].map(|p| index.count(p));
    assert_eq!((counts, index.unchanged(PAGE)), ([2, 1, 1], 1));
    // What is kept under its name, and is something else, is fetched again.
    let cache = Cache::open(place.path()).unwrap();
    let other = CacheEntry { note: String::new(), bytes: b"Name: evil".to_vec() };
    cache.write(CacheKind::Metadata, &Sha256::of(text.as_bytes()), &other);
    ask();
    assert_eq!(index.count(&format!("/files/{beside}")), 2);
}

#[test]
fn metadata_with_a_wrong_digest_is_not_cached() {
    let file = DistFile::new(WHEEL, "wheel").metadata("Name: aa\n");
    let index = LoopbackIndex::builder().file("aa", file).start();
    let (place, beside) = (TempDir::new().unwrap(), format!("{WHEEL}.metadata"));
    index.serve(&format!("/files/{beside}"), "text/plain", "Name: evil\n");
    let gate = Gate::keeping(&index, place.path());
    // pip has the stated digest too, and fails in its own words.
    assert_eq!(gate.get(&gate.file("aa", &beside)).body, b"Name: evil\n");
    assert!(files(place.path()).is_empty());
}
