//! HTTP: whole answers within their bounds, faults survived or reported, nothing endless.

use std::time::{Duration, Instant};

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::http::redact::Redacted;
use pypi_verify_now::http::settings::{Patience, Transport};
use pypi_verify_now::http::{Client, Host, HttpError, Piece};
use ureq::Error;
use ureq::unversioned::resolver::{DefaultResolver, Resolver as _};
use url::Url;

use crate::support::index::{DistFile, Fault, LoopbackIndex};

const LIMIT: u64 = 1 << 20;

/// pip's settings with tiny pauses between attempts.
pub fn hasty() -> Transport {
    let patience = Patience {
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        document: Duration::from_secs(20),
        download: Duration::from_secs(20),
    };
    Transport { patience, ..Transport::default() }
}

/// A transport that waits a fifth of a second for a sign of life.
fn impatient() -> Transport {
    Transport { timeout: Duration::from_millis(200), ..hasty() }
}

fn index() -> LoopbackIndex {
    LoopbackIndex::builder().file("aa", DistFile::new("aa-1.0.whl", "a wheel")).start()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub fn get(transport: &Transport, address: &str) -> Result<String, HttpError> {
    let client = Client::new(transport);
    let response = client.get(&url(address), "*/*", LIMIT)?;
    Ok(String::from_utf8(response.body).unwrap())
}

pub fn download(transport: &Transport, address: &str) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    let sink = |piece: Piece<'_>| {
        match piece {
            Piece::Start => bytes.clear(),
            Piece::Bytes(more) => bytes.extend_from_slice(more),
        }
        Ok(())
    };
    Client::new(transport).download(&url(address), sink, LIMIT)?;
    Ok(bytes)
}

#[test]
fn answer_has_its_body_content_type_and_url() {
    let index = index();
    let client = Client::new(&hasty());
    let address = url(&index.file_url("aa-1.0.whl"));
    let response = client.get(&address, "text/x-test", LIMIT).unwrap();
    assert_eq!(response.body, b"a wheel");
    assert_eq!(response.content_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(response.url, address);
    let request = index.requests().remove(0);
    assert_eq!(request.header("accept"), Some("text/x-test"));
    let agent = concat!("pypi-verify-now/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(agent));
}

#[test]
fn requests_of_all_threads_share_few_connections() {
    let index = index();
    let client = Client::new(&hasty());
    let address = url(&index.file_url("aa-1.0.whl"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    client.get(&address, "*/*", LIMIT).unwrap();
                    client.get(&url(&index.at("/nothing")), "*/*", LIMIT).unwrap_err();
                }
            });
        }
    });
    assert_eq!(index.requests().len(), 80);
    assert!(index.connections() <= 4, "{} connections", index.connections());
}

#[test]
fn gzip_is_decoded_within_the_bound_of_its_content() {
    let index = LoopbackIndex::builder()
        .gzip()
        .file("aa", DistFile::new("small", "a wheel"))
        .file("aa", DistFile::new("bomb", vec![0; 2 << 20]))
        .start();
    assert_eq!(get(&hasty(), &index.file_url("small")).unwrap(), "a wheel");
    let error = get(&hasty(), &index.file_url("bomb")).unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { limit: LIMIT, .. }), "{error}");
}

#[test]
fn download_asks_for_the_file_as_it_is() {
    let index = LoopbackIndex::builder().gzip().file("aa", DistFile::new("f", "a wheel")).start();
    assert_eq!(download(&hasty(), &index.file_url("f")).unwrap(), b"a wheel");
    assert_eq!(index.requests()[0].header("accept-encoding"), Some("identity"));
}

#[test]
fn transient_errors_are_retried() {
    for code in [429, 500, 502, 503, 520, 527] {
        let index = index();
        index.fault_times("/files/aa-1.0.whl", 2, Fault::status(code));
        assert_eq!(get(&hasty(), &index.file_url("aa-1.0.whl")).unwrap(), "a wheel", "{code}");
        assert_eq!(index.count("/files/aa-1.0.whl"), 3, "{code}");
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    for code in [400, 401, 403, 404, 410, 413, 451, 501, 504, 524] {
        let index = index();
        index.fault("/files/aa-1.0.whl", Fault::status(code));
        let error = get(&hasty(), &index.file_url("aa-1.0.whl")).unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.is_not_found(), code == 404);
        assert_eq!(index.count("/files/aa-1.0.whl"), 1, "{code}");
    }
}

#[test]
fn retries_are_bounded() {
    let index = index();
    index.fault("/files/aa-1.0.whl", Fault::status(503));
    let transport = Transport { retries: 2, ..hasty() };
    let error = get(&transport, &index.file_url("aa-1.0.whl")).unwrap_err();
    assert_eq!(error.code(), Some(503));
    assert_eq!(index.count("/files/aa-1.0.whl"), 3);
}

#[test]
fn retry_after_is_respected_and_bounded() {
    let index = index();
    index.fault_times("/files/aa-1.0.whl", 1, Fault::retry_after(429, "86400"));
    let patience = Patience { longest_pause: Duration::from_millis(150), ..hasty().patience };
    let began = Instant::now();
    let transport = Transport { patience, ..hasty() };
    get(&transport, &index.file_url("aa-1.0.whl")).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn broken_connections_are_retried() {
    for fault in [Fault::Disconnect, Fault::Truncate, Fault::Hang] {
        let index = index();
        index.fault_times("/files/aa-1.0.whl", 1, fault.clone());
        let address = index.file_url("aa-1.0.whl");
        assert_eq!(download(&impatient(), &address).unwrap(), b"a wheel", "{fault:?}");
        assert!(index.count("/files/aa-1.0.whl") >= 2, "{fault:?}");
    }
}

#[test]
fn truncated_answer_is_an_error() {
    let index = index();
    index.fault("/files/aa-1.0.whl", Fault::Truncate);
    let transport = Transport { retries: 1, ..hasty() };
    for error in [
        get(&transport, &index.file_url("aa-1.0.whl")).unwrap_err(),
        download(&transport, &index.file_url("aa-1.0.whl")).unwrap_err(),
    ] {
        assert!(matches!(error, HttpError::Truncated { .. }), "{error}");
    }
}

#[test]
fn broken_compression_is_an_error() {
    let index = index();
    let path = "/files/aa-1.0.whl";
    let headers = vec![("Content-Encoding".to_owned(), "gzip".to_owned())];
    index.fault(path, Fault::Status { code: 200, headers });
    let error = get(&Transport { retries: 0, ..hasty() }, &index.at(path)).unwrap_err();
    assert!(matches!(error, HttpError::Truncated { .. }), "{error}");
}

#[test]
fn silent_server_times_out() {
    let index = index();
    index.fault("/files/aa-1.0.whl", Fault::Hang);
    let transport = Transport { retries: 0, ..impatient() };
    let error = get(&transport, &index.file_url("aa-1.0.whl")).unwrap_err();
    assert!(matches!(error, HttpError::TimedOut { .. }), "{error}");
}

#[test]
fn trickling_answer_times_out() {
    let index = index();
    index.fault("/files/aa-1.0.whl", Fault::Trickle);
    let document = Duration::from_millis(300);
    let patience = Patience { document, download: document, ..hasty().patience };
    let transport = Transport { timeout: Duration::from_secs(60), patience, ..hasty() };
    for error in [
        get(&transport, &index.file_url("aa-1.0.whl")).unwrap_err(),
        download(&transport, &index.file_url("aa-1.0.whl")).unwrap_err(),
    ] {
        assert!(matches!(error, HttpError::TimedOut { .. }), "{error}");
    }
    assert_eq!(index.count("/files/aa-1.0.whl"), 2);
}

#[test]
fn trickling_body_of_an_error_is_bounded() {
    let index = index();
    index.fault("/nothing", Fault::Trickle);
    // Only the bound on the body of an error ends it.
    let patience = Patience { document: Duration::from_secs(3600), ..hasty().patience };
    let transport = Transport { patience, ..hasty() };
    let error = get(&transport, &index.at("/nothing")).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(index.count("/nothing"), 1);
}

#[test]
fn all_redirects_and_attempts_share_one_time() {
    let latency = Duration::from_millis(200);
    let index = LoopbackIndex::builder().latency(latency).start();
    index.fault("/loop", Fault::redirect("loop"));
    let patience = Patience { document: latency * 3, ..hasty().patience };
    let error = get(&Transport { patience, ..hasty() }, &index.at("/loop")).unwrap_err();
    assert!(matches!(error, HttpError::TimedOut { .. }), "{error}");
}

#[test]
fn endless_answer_ends_at_its_bound() {
    let index = index();
    index.fault("/files/aa-1.0.whl", Fault::Endless);
    let error = get(&hasty(), &index.file_url("aa-1.0.whl")).unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { .. }), "{error}");
    assert_eq!(index.count("/files/aa-1.0.whl"), 1);
}

#[test]
fn answer_with_too_large_content_length_is_not_read() {
    let index = index();
    index.edit(|projects| projects.get_mut("aa").unwrap()[0].bytes = vec![0; 2 << 20]);
    let error = get(&hasty(), &index.file_url("aa-1.0.whl")).unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { .. }), "{error}");
}

#[test]
fn unreachable_server_is_could_not_check() {
    let gone = index().file_url("aa-1.0.whl");
    let error = get(&Transport { retries: 1, ..hasty() }, &gone).unwrap_err();
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    let failure = Failure::from(error);
    assert_eq!(failure.status, Status::CouldNotCheck);
    assert!(!failure.hints.is_empty());
}

/// A file that is there to be read, and its URL.
fn local_file() -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = Url::from_file_path(file.path()).unwrap().to_string();
    (file, url)
}

#[test]
fn other_url_schemes_are_refused() {
    let (_file, local) = local_file();
    for address in ["ftp://index.example/a", &local, "data:,x"] {
        let error = get(&hasty(), address).unwrap_err();
        assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    }
}

#[test]
fn redirects_are_followed_to_another_server() {
    let (first, second) = (index(), index());
    first.fault("/old", Fault::redirect(second.file_url("aa-1.0.whl")));
    let response = Client::new(&hasty()).get(&url(&first.at("/old")), "*/*", LIMIT).unwrap();
    assert_eq!(response.body, b"a wheel");
    assert_eq!(response.url.as_str(), second.file_url("aa-1.0.whl"));
}

#[test]
fn circular_redirects_are_bounded() {
    let index = index();
    index.fault("/loop", Fault::redirect("loop"));
    let error = get(&hasty(), &index.at("/loop")).unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
    assert_eq!(index.count("/loop"), 31);
}

#[test]
fn redirects_to_files_or_nowhere_are_refused() {
    let (index, (_file, local)) = (index(), local_file());
    index.fault("/file", Fault::redirect(&local));
    index.fault("/nowhere", Fault::status(302));
    index.fault("/nonsense", Fault::redirect("http://[::"));
    for path in ["/file", "/nowhere", "/nonsense"] {
        let error = get(&hasty(), &index.at(path)).unwrap_err();
        assert!(matches!(error, HttpError::Redirect { .. }), "{path}: {error}");
    }
}

#[test]
fn failed_name_look_up_is_shared_by_its_waiters_alone() {
    let (host, since) = (Host::default(), Instant::now());
    let failed = host.addresses(since, || Err(Error::HostNotFound));
    assert!(matches!(failed, Err(Error::HostNotFound)), "{failed:?}");
    let waited = host.addresses(since, || panic!("it is looked up again"));
    assert!(matches!(waited, Err(Error::HostNotFound)), "{waited:?}");
    let mut found = DefaultResolver::default().empty();
    found.push(([127, 0, 0, 1], 80).into());
    let later = host.addresses(Instant::now(), || Ok(found.clone())).unwrap();
    assert_eq!(later[..], found[..]);
    let known = host.addresses(Instant::now(), || panic!("it is looked up again")).unwrap();
    assert_eq!(known[..], found[..]);
}

#[test]
fn timeout_of_one_request_does_not_end_its_waiters() {
    let (host, since) = (Host::default(), Instant::now());
    let failed = host.addresses(since, || Err(Error::Timeout(ureq::Timeout::Global)));
    assert!(matches!(failed, Err(Error::Timeout(ureq::Timeout::Global))), "{failed:?}");
    let waited = host.addresses(since, || panic!("it is looked up again"));
    assert!(matches!(waited, Err(Error::Timeout(ureq::Timeout::Resolve))), "{waited:?}");
}

#[test]
fn sink_that_fails_ends_the_download() {
    let index = index();
    let full = |_: Piece<'_>| Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
    let client = Client::new(&hasty());
    let error = client.download(&url(&index.file_url("aa-1.0.whl")), full, LIMIT).unwrap_err();
    assert!(matches!(error, HttpError::Sink(_)), "{error}");
    assert_eq!(index.requests().len(), 1);
}

#[test]
fn url_is_shown_without_its_secrets() {
    let shown = |text: &str| Redacted(&url(text)).to_string();
    assert_eq!(shown("https://index.example/simple/"), "https://index.example/simple/");
    assert_eq!(shown("https://me:secret@index.example:8/a"), "https://***@index.example:8/a");
    assert_eq!(shown("https://secret@[::1]/a"), "https://***@[::1]/a");
    assert_eq!(shown("https://index.example/a?token=secret#b"), "https://index.example/a?***");
    assert_eq!(shown("file:///a/b"), "file:/a/b");
}
