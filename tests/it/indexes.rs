//! Indexes: who is asked, how often, and what counts as an answer.

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::Transport;
use pypi_verify_now::index::page::PageFile;
use pypi_verify_now::index::{Index, IndexError, MAX_PROVENANCE, SecondSource};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::package::plain_filename::FileName;
use tempfile::TempDir;
use url::Url;

use crate::http::hasty;
use crate::support::index::{DistFile, Fault, LoopbackIndex};

const WHEEL: &str = "aa-1.0-py3-none-any.whl";
const PAGE: &str = "/simple/aa/";

fn client() -> Client {
    Client::new(&Transport { retries: 0, ..hasty() })
}

fn aa() -> PackageName {
    PackageName::parse("aa").unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// An index with one wheel that has a provenance document.
fn index() -> LoopbackIndex {
    LoopbackIndex::builder().file("aa", DistFile::new(WHEEL, "wheel").provenance("{}")).start()
}

/// An index that lists the wheel of `other`, at its place there.
fn mirror_of(other: &LoopbackIndex) -> LoopbackIndex {
    let file = DistFile::new(WHEEL, "wheel").at(other.file_url(WHEEL));
    LoopbackIndex::builder().file("aa", file).start()
}

fn locate(indexes: &[&LoopbackIndex], file: &str) -> Result<Option<PageFile>, IndexError> {
    let urls: Vec<Url> = indexes.iter().map(|index| url(&index.url())).collect();
    let listed = Index::new(&client()).listing(&urls, &aa(), WHEEL, &url(file));
    listed.map(|listed| listed.map(|listed| listed.file))
}

#[test]
fn page_is_asked_as_json_first_and_read_in_either_format() {
    let html = LoopbackIndex::builder().html_only();
    let html = html.file("aa", DistFile::new(WHEEL, "wheel").relative_provenance("{}")).start();
    for index in [index(), html] {
        let client = client();
        let page = Index::new(&client).page(&url(&index.url()), &aa()).unwrap().unwrap();
        let file = page.file(WHEEL, &url(&index.file_url(WHEEL))).unwrap().unwrap();
        assert_eq!(file.sha256, Some(Sha256::of(b"wheel")));
        let link = index.at(&format!("/provenance/{WHEEL}"));
        assert_eq!(file.provenance, Some(url(&link)));
        let accept = index.requests()[0].header("accept").unwrap().to_owned();
        assert!(accept.starts_with("application/vnd.pypi.simple.v1+json,"), "{accept}");
    }
}

#[test]
fn last_slash_of_an_index_url_does_not_matter() {
    let index = index();
    let client = client();
    let asks = Index::new(&client);
    for text in [index.url(), index.url().trim_end_matches('/').to_owned()] {
        assert!(asks.page(&url(&text), &aa()).unwrap().is_some());
    }
    assert_eq!(index.paths(), [PAGE]);
}

#[test]
fn page_is_fetched_once_for_all_callers() {
    let index = index();
    let client = client();
    let asks = Index::new(&client);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| asks.page(&url(&index.url()), &aa()).unwrap().unwrap());
        }
    });
    assert_eq!(index.count(PAGE), 1);
}

#[test]
fn page_that_failed_is_not_asked_for_again() {
    let index = index();
    index.fault_times(PAGE, 1, Fault::status(403));
    let client = client();
    let asks = Index::new(&client);
    for _ in 0..2 {
        asks.page(&url(&index.url()), &aa()).unwrap_err();
    }
    assert_eq!(index.count(PAGE), 1);
}

#[test]
fn unknown_project_has_no_page() {
    let index = LoopbackIndex::builder().start();
    assert!(Index::new(&client()).page(&url(&index.url()), &aa()).unwrap().is_none());
}

#[test]
fn other_status_than_404_is_could_not_check() {
    for fault in [
        Fault::status(401),
        Fault::status(403),
        Fault::status(410),
        Fault::status(503),
        Fault::status(204),
        Fault::Truncate,
        Fault::Disconnect,
        Fault::Endless,
        Fault::deep_json(200_000),
        Fault::Body { content_type: "text/plain".into(), bytes: b"hello".to_vec() },
    ] {
        let index = index();
        index.fault(PAGE, fault.clone());
        let error = locate(&[&index], &index.file_url(WHEEL)).unwrap_err();
        assert_eq!(Failure::from(error).status, Status::CouldNotCheck, "{fault:?}");
    }
}

#[test]
fn login_page_lists_no_file() {
    let index = index();
    index.fault(PAGE, Fault::html("<h1>Log in</h1><a href=/login>here</a>"));
    assert_eq!(locate(&[&index], &index.file_url(WHEEL)).unwrap(), None);
}

#[test]
fn index_on_the_host_of_the_file_is_asked_first() {
    let (first, second) = (index(), index());
    let file = locate(&[&first, &second], &second.file_url(WHEEL)).unwrap().unwrap();
    assert_eq!(file.url.as_str(), second.file_url(WHEEL));
    assert_eq!((first.paths(), second.paths()), (vec![], vec![PAGE.to_owned()]));
}

#[test]
fn index_that_listed_the_host_before_is_asked_first() {
    let (files, first, second) = (index(), index(), LoopbackIndex::builder().start());
    for (name, wheel) in [("aa", WHEEL), ("bb", "bb.whl")] {
        second.add_file(name, DistFile::new(wheel, "wheel").at(files.file_url(wheel)));
    }
    let urls = [url(&first.url()), url(&second.url())];
    let client = client();
    let asks = Index::new(&client);
    let bb = PackageName::parse("bb").unwrap();
    asks.listing(&urls, &aa(), WHEEL, &url(&files.file_url(WHEEL))).unwrap().unwrap();
    asks.listing(&urls, &bb, "bb.whl", &url(&files.file_url("bb.whl"))).unwrap().unwrap();
    assert_eq!(first.paths(), [PAGE]);
    assert_eq!(second.paths(), [PAGE, "/simple/bb/"]);
}

#[test]
fn equal_filename_at_another_url_is_another_file() {
    let (first, second) = (index(), index());
    assert_eq!(locate(&[&first], &second.file_url(WHEEL)).unwrap(), None);
}

#[test]
fn failing_index_is_ignored_if_another_lists_the_file() {
    let (files, broken) = (index(), LoopbackIndex::builder().start());
    broken.fault(PAGE, Fault::status(403));
    let mirror = mirror_of(&files);
    let file = locate(&[&broken, &mirror], &files.file_url(WHEEL)).unwrap();
    assert!(file.is_some());
    assert_eq!(broken.count(PAGE), 1);
}

#[test]
fn failing_index_is_an_error_if_no_other_lists_the_file() {
    let (files, broken) = (index(), LoopbackIndex::builder().start());
    broken.fault(PAGE, Fault::status(403));
    let empty = LoopbackIndex::builder().empty_project("aa").start();
    for order in [[&broken, &empty], [&empty, &broken]] {
        assert!(locate(&order, &files.file_url(WHEEL)).is_err());
    }
}

#[test]
fn only_404_means_no_document() {
    let index = index();
    let link = url(&index.at(&format!("/provenance/{WHEEL}")));
    let client = client();
    let asks = Index::new(&client);
    assert_eq!(asks.provenance(&link).unwrap().unwrap(), b"{}");
    let accept = index.requests()[0].header("accept").unwrap().to_owned();
    assert!(accept.starts_with("application/vnd.pypi.integrity.v1+json,"), "{accept}");
    assert_eq!(asks.provenance(&url(&index.at("/nothing"))).unwrap(), None);
    for code in [401, 403, 410, 500, 204] {
        index.fault_times(&format!("/provenance/{WHEEL}"), 1, Fault::status(code));
        let error = asks.provenance(&link).unwrap_err();
        assert_eq!(Failure::from(error).status, Status::CouldNotCheck, "{code}");
    }
}

#[test]
fn document_that_is_too_large_is_could_not_check() {
    let index = index();
    let bytes = vec![b' '; usize::try_from(MAX_PROVENANCE).unwrap() + 1];
    index.serve("/p", "application/json", bytes);
    let error = Index::new(&client()).provenance(&url(&index.at("/p"))).unwrap_err();
    assert_eq!(Failure::from(error).status, Status::CouldNotCheck);
}

#[test]
fn directory_is_an_index_as_in_pip() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("aa")).unwrap();
    let page = format!("<a href=../{WHEEL} data-provenance=../p.json>x</a>");
    std::fs::write(dir.path().join("aa/index.html"), page).unwrap();
    std::fs::write(dir.path().join("p.json"), "{}").unwrap();
    let index_url = Url::from_directory_path(dir.path()).unwrap();
    let client = client();
    let asks = Index::new(&client);
    let place = index_url.join(WHEEL).unwrap();
    let indexes = std::slice::from_ref(&index_url);
    let listed = asks.listing(indexes, &aa(), WHEEL, &place).unwrap().unwrap();
    assert_eq!(asks.provenance(&listed.file.provenance.unwrap()).unwrap().unwrap(), b"{}");
    let bb = PackageName::parse("bb").unwrap();
    assert!(asks.page(&index_url, &bb).unwrap().is_none());
}

#[test]
fn index_over_http_cannot_point_at_local_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let link = Url::from_file_path(file.path()).unwrap();
    let index = LoopbackIndex::builder()
        .file("aa", DistFile::new(WHEEL, "wheel").provenance_link(link.as_str()))
        .start();
    assert!(locate(&[&index], &index.file_url(WHEEL)).is_err());
}

fn second(source: &SecondSource, bytes: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
    let filename = FileName::parse(WHEEL).unwrap();
    Index::new(&client()).second(source, &aa(), &filename, &Sha256::of(bytes))
}

#[test]
fn directory_is_a_second_source() {
    let dir = TempDir::new().unwrap();
    let source = SecondSource::Directory(dir.path().into());
    let put = |suffix: &str| std::fs::write(dir.path().join(format!("{WHEEL}.{suffix}")), suffix);
    assert_eq!(second(&source, b"").unwrap(), None);
    put("attestation").unwrap();
    assert_eq!(second(&source, b"").unwrap(), Some(b"attestation".to_vec()));
    put("publish.attestation").unwrap();
    assert_eq!(second(&source, b"").unwrap(), Some(b"publish.attestation".to_vec()));
    put("provenance").unwrap();
    assert_eq!(second(&source, b"").unwrap(), Some(b"provenance".to_vec()));
}

#[test]
fn second_source_that_cannot_be_read_is_could_not_check() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join(format!("{WHEEL}.provenance"))).unwrap();
    for directory in [dir.path().to_owned(), dir.path().join("absent")] {
        let error = second(&SecondSource::Directory(directory), b"").unwrap_err();
        assert_eq!(Failure::from(error).status, Status::CouldNotCheck);
    }
}

#[test]
fn another_index_is_a_second_source_for_the_same_bytes() {
    let index = index();
    let source = SecondSource::Index(url(&index.url()));
    let found = second(&source, b"wheel").unwrap();
    assert_eq!(found, Some(b"{}".to_vec()));
    assert_eq!(second(&source, b"other bytes").unwrap(), None);
    let without = LoopbackIndex::builder().drops_provenance();
    let without = without.file("aa", DistFile::new(WHEEL, "wheel").provenance("{}")).start();
    let source = SecondSource::Index(url(&without.url()));
    assert_eq!(second(&source, b"wheel").unwrap(), None);
}
