//! HTTP as pip speaks it: bytes of files as they are sent, broken transfers that are continued,
//! cookies of a run, credentials in redirects, SOCKS.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use pypi_verify_now::http::settings::{Patience, Proxy, Transport};
use pypi_verify_now::http::{Client, HttpError, Piece};
use url::Url;

use crate::http::{download, get, hasty};
use crate::support::index::{DistFile, Fault, LoopbackIndex};
use crate::support::proxy;

const FILE: &str = "/files/aa-1.0.whl";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn index() -> LoopbackIndex {
    LoopbackIndex::builder()
        .ranges()
        .file("aa", DistFile::new("aa-1.0.whl", "a long wheel"))
        .start()
}

/// Servers send an archive with the encoding of its file name (`AddEncoding gzip`).
#[test]
fn file_is_not_decoded_whatever_its_header_says() {
    let bytes = gzip(b"a tar");
    let index = LoopbackIndex::builder().file("aa", DistFile::new("aa.tar.gz", bytes.clone()));
    let index = index.start();
    for encoding in ["gzip", "x-gzip", "deflate", "br"] {
        index.fault_times("/files/aa.tar.gz", 1, Fault::header("Content-Encoding", encoding));
        assert_eq!(download(&hasty(), &index.file_url("aa.tar.gz")).unwrap(), bytes, "{encoding}");
    }
}

#[test]
fn page_is_decoded_by_its_header() {
    let (index, text) = (index(), b"<a href=x>x</a>");
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(text).unwrap();
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    raw.write_all(text).unwrap();
    for (encoding, bytes) in [
        ("gzip", gzip(text)),
        ("GZIP", [gzip(&text[..5]), gzip(&text[5..])].concat()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("gzip, x-gzip", gzip(&gzip(text))),
        ("identity", text.to_vec()),
    ] {
        index.edit(|projects| projects.get_mut("aa").unwrap()[0].bytes = bytes);
        index.fault_times(FILE, 1, Fault::header("Content-Encoding", encoding));
        let page = get(&hasty(), &index.at(FILE)).unwrap();
        assert_eq!(page.as_bytes(), text, "{encoding}");
    }
}

#[test]
fn broken_or_endless_encodings_are_errors() {
    let index = index();
    for encoding in ["gzip", "deflate", "gzip, gzip, gzip, gzip, gzip, gzip"] {
        index.fault_times(FILE, 2, Fault::header("Content-Encoding", encoding));
        let error = get(&Transport { retries: 1, ..hasty() }, &index.at(FILE)).unwrap_err();
        assert!(matches!(error, HttpError::Truncated { .. }), "{encoding}: {error}");
    }
}

#[test]
fn broken_transfer_is_continued_where_it_broke() {
    let index = index();
    index.fault_times(FILE, 2, Fault::Truncate);
    let mut bytes = Vec::new();
    let mut starts = 0;
    let sink = |piece: Piece<'_>| {
        match piece {
            Piece::Start => starts += 1,
            Piece::Bytes(more) => bytes.extend_from_slice(more),
        }
        Ok(())
    };
    Client::new(&hasty()).download(&Url::parse(&index.at(FILE)).unwrap(), sink, 1 << 20).unwrap();
    assert_eq!((bytes.as_slice(), starts), (&b"a long wheel"[..], 1));
    let ranges: Vec<_> =
        index.requests().iter().map(|it| it.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=6-".to_owned()), Some("bytes=9-".to_owned())]);
    assert!(index.requests()[1].header("if-range").is_some());
}

/// The file has changed meanwhile: no part of the old one is kept.
#[test]
fn file_that_changed_is_fetched_from_its_start() {
    let index = index();
    index.fault_times(FILE, 1, Fault::Truncate);
    index.after(FILE, 1, |projects| {
        projects.get_mut("aa").unwrap()[0].bytes = b"another wheel".to_vec();
    });
    assert_eq!(download(&hasty(), &index.at(FILE)).unwrap(), b"another wheel");
}

#[test]
fn server_that_continues_at_another_place_is_asked_from_the_start() {
    let index = index();
    index.fault_times(FILE, 1, Fault::Truncate);
    let headers = vec![("Content-Range".to_owned(), "bytes 0-11/12".to_owned())];
    index.fault_times(FILE, 1, Fault::Status { code: 206, headers });
    assert_eq!(download(&hasty(), &index.at(FILE)).unwrap(), b"a long wheel");
    assert_eq!(index.requests()[2].header("range"), None);
    // Nobody asked for a part.
    index.fault(FILE, Fault::Status { code: 206, headers: Vec::new() });
    assert_eq!(download(&hasty(), &index.at(FILE)).unwrap_err().code(), Some(206));
}

#[test]
fn resumed_file_has_the_limit_of_the_whole() {
    let index = index();
    index.fault_times(FILE, 1, Fault::Truncate);
    let error =
        Client::new(&hasty()).download(&Url::parse(&index.at(FILE)).unwrap(), |_| Ok(()), 11);
    assert!(matches!(error, Err(HttpError::TooLarge { limit: 11, .. })));
}

#[test]
fn failure_is_final_for_its_url() {
    let index = index();
    index.fault_times(FILE, 3, Fault::status(502));
    let client = Client::new(&Transport { retries: 2, ..hasty() });
    let address = Url::parse(&index.at(FILE)).unwrap();
    for _ in 0..3 {
        assert_eq!(client.get(&address, "*/*", 100).unwrap_err().code(), Some(502));
        let downloaded = client.download(&address, |_| Ok(()), 100);
        assert_eq!(downloaded.unwrap_err().code(), Some(502));
    }
    assert_eq!(index.count(FILE), 3);
    // Another client, or another status, asks again.
    assert!(get(&hasty(), &index.at(FILE)).is_ok());
    index.fault_times(FILE, 1, Fault::status(404));
    let client = Client::new(&hasty());
    assert_eq!(client.get(&address, "*/*", 100).unwrap_err().code(), Some(404));
    assert!(client.get(&address, "*/*", 100).is_ok());
}

#[test]
fn refused_password_is_not_sent_again() {
    let index = LoopbackIndex::builder().basic_auth("me", "sekret");
    let index = index.file("aa", DistFile::new("aa-1.0.whl", "a wheel")).start();
    let wrong = index.url_with_credentials("me", "wrong").replace("/simple/", FILE);
    let (client, wrong) = (Client::new(&hasty()), Url::parse(&wrong).unwrap());
    for _ in 0..3 {
        assert_eq!(client.get(&wrong, "*/*", 100).unwrap_err().code(), Some(401));
    }
    assert_eq!(index.count(FILE), 1);
    // The right one, learned later, is sent.
    let address = Url::parse(&index.at(FILE)).unwrap();
    assert!(client.get(&address, "*/*", 100).is_err());
    let right = index.url_with_credentials("me", "sekret");
    client.add_credentials(vec![Url::parse(&right).unwrap()]);
    assert!(client.get(&address, "*/*", 100).is_ok());
}

#[test]
fn cookie_is_sent_for_the_rest_of_the_run() {
    let index = index();
    let headers = [("Location", "aa-1.0.whl"), ("Set-Cookie", "session=abc; Path=/")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    index.fault_times(FILE, 1, Fault::Status { code: 302, headers });
    let client = Client::new(&hasty());
    for _ in 0..2 {
        client.get(&Url::parse(&index.at(FILE)).unwrap(), "*/*", 100).unwrap();
    }
    let cookies: Vec<_> =
        index.requests().iter().map(|it| it.header("cookie").map(str::to_owned)).collect();
    let session = Some("session=abc".to_owned());
    assert_eq!(cookies, [None, session.clone(), session]);
    let other = LoopbackIndex::builder().start();
    let elsewhere = other.at(FILE).replace("127.0.0.1", "localhost");
    let _ = client.get(&Url::parse(&elsewhere).unwrap(), "*/*", 100);
    assert_eq!(other.requests()[0].header("cookie"), None, "another host");
}

#[test]
fn credentials_in_a_redirect_are_used_for_its_target() {
    let guarded = LoopbackIndex::builder().basic_auth("me", "sekret");
    let index = guarded.file("aa", DistFile::new("aa-1.0.whl", "a wheel")).start();
    let front = LoopbackIndex::builder().start();
    let target = index.url_with_credentials("me", "sekret").replace("/simple/", FILE);
    front.fault("/x", Fault::redirect(target));
    assert_eq!(download(&hasty(), &front.at("/x")).unwrap(), b"a wheel");
    let response = Client::new(&hasty()).get(&Url::parse(&front.at("/x")).unwrap(), "*/*", 100);
    let response = response.unwrap();
    assert!(!response.url.as_str().contains("sekret"), "the place is told without them");
    assert_eq!(response.validity, None, "never kept");
    assert_eq!(index.count(FILE), 4, "first without them");
    assert!(front.requests().iter().all(|it| it.header("authorization").is_none()));
}

#[test]
fn credentials_of_a_url_stay_on_its_place() {
    let guarded = LoopbackIndex::builder().basic_auth("me", "sekret");
    let index = guarded.file("aa", DistFile::new("aa-1.0.whl", "a wheel")).start();
    index.fault("/x", Fault::redirect(index.at(FILE)));
    let address = index.url_with_credentials("me", "sekret").replace("/simple/", "/x");
    assert_eq!(download(&hasty(), &address).unwrap(), b"a wheel");
    assert_eq!(index.requests().len(), 2);
}

#[test]
fn date_in_retry_after_is_waited_for_and_bounded() {
    let index = index();
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(86_400));
    index.fault_times(FILE, 1, Fault::retry_after(503, &date));
    index.fault_times(FILE, 1, Fault::retry_after(413, "0"));
    index.fault_times(FILE, 1, Fault::retry_after(429, "Thu, 01 Jan 1970 00:00:00 GMT"));
    index.fault_times(FILE, 1, Fault::retry_after(503, "soon"));
    let patience = Patience { longest_pause: Duration::from_millis(150), ..hasty().patience };
    let began = Instant::now();
    get(&Transport { patience, ..hasty() }, &index.at(FILE)).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert_eq!(index.count(FILE), 5);
}

#[test]
fn socks_proxy_is_used() {
    let (index, proxy) = (index(), proxy::Proxy::start_socks());
    let transport = Transport { proxy: Proxy::Url(proxy.socks_url()), ..hasty() };
    assert_eq!(download(&transport, &index.at(FILE)).unwrap(), b"a long wheel");
    assert_eq!(proxy.heads(), [format!("127.0.0.1:{}", index.port())]);
    let local = proxy.socks_url().replace("socks5h", "socks5");
    let transport = Transport { proxy: Proxy::Url(local), ..hasty() };
    let by_name = index.at(FILE).replace("127.0.0.1", "localhost");
    assert_eq!(download(&transport, &by_name).unwrap(), b"a long wheel");
    drop(index);
    assert!(download(&Transport { retries: 0, ..transport }, &by_name).is_err());
}

#[test]
fn broken_transfers_are_continued_as_often_as_allowed() {
    for (resume_retries, breaks, arrives) in [(2, 2, true), (2, 3, false), (0, 1, false)] {
        let index = index();
        index.fault_times(FILE, breaks, Fault::Truncate);
        let transport = Transport { retries: 1, resume_retries, ..hasty() };
        let file = download(&transport, &index.at(FILE));
        assert_eq!(file.is_ok(), arrives, "{resume_retries} {breaks}");
        assert_eq!(index.count(FILE), usize::try_from(resume_retries).unwrap() + 1);
    }
    // Each of them has all retries, and a page is fetched again within its retries.
    let index = index();
    for fault in [Fault::status(502), Fault::Truncate, Fault::status(502), Fault::Truncate] {
        index.fault_times(FILE, 1, fault);
    }
    let transport = Transport { retries: 1, resume_retries: 2, ..hasty() };
    assert_eq!(download(&transport, &index.at(FILE)).unwrap(), b"a long wheel");
    index.fault_times(FILE, 2, Fault::Truncate);
    assert!(get(&transport, &index.at(FILE)).is_err());
}
