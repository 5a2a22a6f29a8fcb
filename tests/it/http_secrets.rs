//! HTTP: who is trusted, who gets whose credentials, and which way requests go.

use std::path::PathBuf;

use base64::Engine as _;
use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::http::settings::{Proxy, ProxyVariables, Transport, Trust};
use pypi_verify_now::http::{Client, HttpError};
use tempfile::TempDir;
use url::Url;

use crate::http::hasty;
use crate::support::index::{DistFile, Fault, LoopbackIndex};
use crate::support::proxy;
use crate::support::tls::Authority;

const FILE: &str = "/files/aa-1.0.whl";

fn plain() -> LoopbackIndex {
    LoopbackIndex::builder().file("aa", DistFile::new("aa-1.0.whl", "a wheel")).start()
}

fn guarded() -> LoopbackIndex {
    let file = DistFile::new("aa-1.0.whl", "a wheel");
    LoopbackIndex::builder().basic_auth("me", "p@ss word").file("aa", file).start()
}

fn secure(authority: &Authority) -> LoopbackIndex {
    let file = DistFile::new("aa-1.0.whl", "a wheel");
    LoopbackIndex::builder().tls(authority.server()).file("aa", file).start()
}

fn get(transport: &Transport, address: &str) -> Result<Vec<u8>, HttpError> {
    let client = Client::new(&Transport { retries: 0, ..transport.clone() });
    Ok(client.get(&Url::parse(address).unwrap(), "*/*", 1000)?.body)
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn with_netrc(dir: &TempDir, text: &str) -> Transport {
    Transport { netrc: Some(file(dir, "netrc", text)), ..hasty() }
}

fn sent(index: &LoopbackIndex) -> Option<String> {
    let request = index.requests().pop().unwrap();
    let token = request.header("authorization")?.strip_prefix("Basic ")?.to_owned();
    let bytes = base64::prelude::BASE64_STANDARD.decode(token).unwrap();
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn credentials_in_the_url_are_sent_and_never_shown() {
    let index = guarded();
    let address = index.at(FILE).replace("http://", "http://me:p%40ss%20word@");
    let response = Client::new(&hasty()).get(&Url::parse(&address).unwrap(), "*/*", 9).unwrap();
    assert_eq!(response.body, b"a wheel");
    assert_eq!(response.url.as_str(), index.at(FILE));
    let wrong = get(&hasty(), &address.replace("me:p", "you:q")).unwrap_err();
    assert_eq!(wrong.code(), Some(401));
    assert!(!wrong.to_string().contains("word") && wrong.to_string().contains("***@"), "{wrong}");
}

#[test]
fn index_url_lends_its_credentials_to_its_host_and_port() {
    let (index, other) = (guarded(), plain());
    let credentials = vec![Url::parse(&index.url_with_credentials("me", "p@ss word")).unwrap()];
    let transport = Transport { credentials, ..hasty() };
    assert_eq!(get(&transport, &index.at(FILE)).unwrap(), b"a wheel");
    get(&transport, &other.at(FILE)).unwrap();
    assert_eq!(sent(&other), None);
}

#[test]
fn index_with_the_longest_path_lends_credentials() {
    let index = plain();
    let root = Url::parse(&index.at("/")).unwrap();
    let index_url = |user: &str, path: &str| {
        let mut url = root.join(path).unwrap();
        url.set_username(user).unwrap();
        url
    };
    let credentials = vec![index_url("one", "files/"), index_url("two", "simple/")];
    let transport = Transport { credentials, ..hasty() };
    get(&transport, &index.at(FILE)).unwrap();
    assert_eq!(sent(&index).as_deref(), Some("one:"));
    get(&transport, &index.at("/simple/aa/")).unwrap();
    assert_eq!(sent(&index).as_deref(), Some("two:"));
}

#[test]
fn netrc_serves_its_machine_and_the_default_serves_the_rest() {
    let dir = TempDir::new().unwrap();
    let index = guarded();
    let mine = with_netrc(&dir, "machine 127.0.0.1 login me password \"p@ss word\"\n");
    assert_eq!(get(&mine, &index.at(FILE)).unwrap(), b"a wheel");
    let default = with_netrc(&dir, "default login me password \"p@ss word\"\n");
    assert_eq!(get(&default, &index.at(FILE)).unwrap(), b"a wheel");
    let other = with_netrc(&dir, "machine index.example login me password \"p@ss word\"\n");
    assert_eq!(get(&other, &index.at(FILE)).unwrap_err().code(), Some(401));
    assert_eq!(sent(&index), None);
}

#[test]
fn malformed_or_missing_netrc_counts_as_empty() {
    let dir = TempDir::new().unwrap();
    let index = plain();
    get(&with_netrc(&dir, "machine 127.0.0.1 secret nonsense"), &index.at(FILE)).unwrap();
    assert_eq!(sent(&index), None);
    let absent = Transport { netrc: Some(dir.path().join("none")), ..hasty() };
    get(&absent, &index.at(FILE)).unwrap();
}

#[test]
fn redirect_does_not_forward_credentials() {
    let (index, other) = (plain(), plain());
    index.fault("/away", Fault::redirect(other.at(FILE)));
    let away = index.at("/away").replace("http://", "http://me:secret@");
    get(&hasty(), &away).unwrap();
    assert_eq!(sent(&index).as_deref(), Some("me:secret"));
    assert_eq!(sent(&other), None);
}

#[test]
fn redirected_host_gets_its_own_credentials() {
    let (index, other) = (plain(), guarded());
    index.fault("/away", Fault::redirect(other.at(FILE).replace("http://", "http://x:y@")));
    let credentials = vec![Url::parse(&other.url_with_credentials("me", "p@ss word")).unwrap()];
    let transport = Transport { credentials, ..hasty() };
    assert_eq!(get(&transport, &index.at("/away")).unwrap(), b"a wheel");
    assert_eq!(sent(&other).as_deref(), Some("me:p@ss word"));
}

#[test]
fn server_with_unknown_authority_is_refused() {
    let index = secure(&Authority::new());
    let error = get(&hasty(), &index.at(FILE)).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error}");
    assert_eq!(Failure::from(error).status, Status::CouldNotCheck);
    assert_eq!(index.requests().len(), 0);
}

#[test]
fn only_authorities_of_the_ca_bundle_are_accepted() {
    let dir = TempDir::new().unwrap();
    let (mine, foreign) = (Authority::new(), Authority::new());
    let bundle = file(&dir, "ca.pem", &(foreign.pem() + &mine.pem()));
    let transport = Transport { trust: Trust::only(bundle), ..hasty() };
    assert_eq!(get(&transport, &secure(&mine).at(FILE)).unwrap(), b"a wheel");
    let stranger = secure(&Authority::new());
    let error = get(&transport, &stranger.at(FILE)).unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error}");
}

#[test]
fn directory_of_pem_files_is_a_ca_bundle() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    file(&dir, "README", "notes");
    file(&dir, "0a1b2c3d.0", &authority.pem());
    let transport = Transport { trust: Trust::only(dir.path().into()), ..hasty() };
    assert_eq!(get(&transport, &secure(&authority).at(FILE)).unwrap(), b"a wheel");
}

#[test]
fn invalid_ca_bundle_is_bad_input() {
    let dir = TempDir::new().unwrap();
    let empty = TempDir::new().unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
    for path in [
        dir.path().join("absent.pem"),
        file(&dir, "empty.pem", ""),
        file(&dir, "notes.txt", "no certificate"),
        file(&dir, "broken.pem", broken),
        empty.path().into(),
    ] {
        let transport = Transport { trust: Trust::only(path.clone()), ..hasty() };
        let failure = Failure::from(get(&transport, "https://127.0.0.1:1/").unwrap_err());
        assert_eq!(failure.status, Status::BadInput);
        assert!(failure.message.contains(&path.display().to_string()), "{}", failure.message);
    }
}

#[test]
fn client_certificate_is_sent_on_request() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let aa = DistFile::new("aa-1.0.whl", "a wheel");
    let index =
        LoopbackIndex::builder().tls(authority.server_for_its_clients()).file("aa", aa).start();
    let trust = Trust::only(file(&dir, "ca.pem", &authority.pem()));
    let without = Transport { trust, ..hasty() };
    get(&without, &index.at(FILE)).unwrap_err();
    let client_certificate = Some(file(&dir, "client.pem", &authority.client_pem()));
    let with = Transport { client_certificate, ..without };
    assert_eq!(get(&with, &index.at(FILE)).unwrap(), b"a wheel");
}

#[test]
fn invalid_client_certificate_is_bad_input() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (Authority::new().client_pem(), Authority::new().client_pem());
    let (certificate, _) = one.split_once("-----BEGIN PRIVATE").unwrap();
    let (_, key) = two.split_once("-----BEGIN PRIVATE").unwrap();
    let mixed = format!("{certificate}-----BEGIN PRIVATE{key}");
    for text in ["", certificate, &mixed, &format!("-----BEGIN PRIVATE{key}")] {
        let path = file(&dir, "client.pem", text);
        let transport = Transport { client_certificate: Some(path), ..hasty() };
        let failure = Failure::from(get(&transport, "https://127.0.0.1:1/").unwrap_err());
        assert_eq!(failure.status, Status::BadInput);
        assert!(failure.message.contains("client certificate"), "{}", failure.message);
    }
}

#[test]
fn trusted_host_needs_no_certificate_and_every_other_does() {
    let index = secure(&Authority::new());
    let trusting = |host: String| Transport { trusted_hosts: vec![host], ..hasty() };
    let port = index.port();
    for host in ["127.0.0.1".to_owned(), format!("127.0.0.1:{port}")] {
        assert_eq!(get(&trusting(host), &index.at(FILE)).unwrap(), b"a wheel");
    }
    for host in ["127.0.0.1:1".to_owned(), "index.example".to_owned(), "127.0.0.11".to_owned()] {
        let error = get(&trusting(host), &index.at(FILE)).unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. }), "{error}");
    }
}

#[test]
fn redirect_from_https_to_http_is_refused() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let (index, insecure) = (secure(&authority), plain());
    index.fault("/down", Fault::redirect(insecure.at(FILE)));
    let trust = Trust::only(file(&dir, "ca.pem", &authority.pem()));
    let error = get(&Transport { trust, ..hasty() }, &index.at("/down")).unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
    assert_eq!(insecure.requests().len(), 0);
}

#[test]
fn proxy_is_used_with_its_credentials() {
    let (index, proxy) = (plain(), proxy::Proxy::start());
    let url = proxy.url_with_credentials("me", "secret");
    let transport = Transport { proxy: Proxy::Url(url), ..hasty() };
    assert_eq!(get(&transport, &index.at(FILE)).unwrap(), b"a wheel");
    let head = proxy.heads().remove(0);
    assert!(head.contains(&format!("CONNECT 127.0.0.1:{}", index.port())), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic bWU6c2VjcmV0"), "{head}");
}

#[test]
fn proxy_variables_follow_scheme_and_exceptions() {
    let cases = [
        ("http", "", 1),
        ("all", "", 1),
        ("https", "", 0),
        ("http", "*", 0),
        ("http", "index.example, 127.0.0.1", 0),
        ("http", "127.0.0.0/8", 0),
        ("http", "10.0.0.0/8,.0.0.2,0.0.1x", 1),
        ("http", "127.0.0.1:1", 1),
    ];
    for (scheme, no_proxy, proxied) in cases {
        let (index, proxy) = (plain(), proxy::Proxy::start());
        let lookup = |name: &str| match name {
            "NO_PROXY" => Some(no_proxy.to_owned()),
            name => (name == format!("{scheme}_proxy")).then(|| proxy.url()),
        };
        let proxy_variables = ProxyVariables::from_lookup(lookup);
        get(&Transport { proxy_variables, ..hasty() }, &index.at(FILE)).unwrap();
        assert_eq!(proxy.heads().len(), proxied, "{scheme} {no_proxy}");
    }
}

#[test]
fn without_a_proxy_the_variables_do_not_count() {
    let (index, proxy) = (plain(), proxy::Proxy::start());
    let proxy_variables = ProxyVariables { all: Some(proxy.url()), ..ProxyVariables::default() };
    get(&Transport { proxy: Proxy::Direct, proxy_variables, ..hasty() }, &index.at(FILE)).unwrap();
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn proxy_that_cannot_be_used_is_an_error_without_its_secrets() {
    for text in ["quic://me:secret@proxy.example", "ftp://me:secret@proxy.example", "http://"] {
        let transport = Transport { proxy: Proxy::Url(text.to_owned()), ..hasty() };
        let failure = Failure::from(get(&transport, "http://127.0.0.1:1/").unwrap_err());
        assert_eq!(failure.status, Status::BadInput);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
    }
}

#[test]
fn unused_invalid_tls_files_are_ignored() {
    let (index, dir) = (plain(), TempDir::new().unwrap());
    let nowhere = Some(dir.path().join("nowhere.pem"));
    let variables = |lookup: fn(&str) -> Option<String>| Transport {
        proxy_variables: ProxyVariables::from_lookup(lookup),
        ..hasty()
    };
    for transport in [
        Transport { trust: Trust::only(nowhere.clone().unwrap()), ..hasty() },
        Transport { client_certificate: nowhere, ..hasty() },
        variables(|name| (name == "https_proxy").then(|| "::::".to_owned())),
        variables(|name| match name {
            "ALL_PROXY" => Some("ftp://127.0.0.1:1".to_owned()),
            name => (name == "NO_PROXY").then(|| "*".to_owned()),
        }),
    ] {
        assert_eq!(get(&transport, &index.at(FILE)).unwrap(), b"a wheel");
        let tls = get(&transport, "https://127.0.0.1:1/").unwrap_err();
        let excepted = transport.proxy_variables.no_proxy.is_some();
        assert_eq!(Failure::from(tls).status == Status::BadInput, !excepted);
    }
}
