//! The gateway: who it answers, what it makes of pages, and that no byte passes unjudged.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::gateway::{Handover, Judging, MAX_HEAD, MAX_HEADERS, MAX_LINE};
use pypi_verify_now::http::settings::Transport;
use pypi_verify_now::package::digest::Sha256;
use serde_json::Value;
use url::Url;

use crate::support::gateway::{Gate, Reply, give, quick, refuse};
use crate::support::index::{DistFile, Fault, Hash, LoopbackIndex};
use crate::support::venv::Python;

const WHEEL: &str = "aa-1.0-py3-none-any.whl";
const METADATA: &str = "Metadata-Version: 2.1\nName: aa\nVersion: 1.0\n";

/// An index with one wheel and its METADATA.
fn index() -> LoopbackIndex {
    LoopbackIndex::builder().file("aa", DistFile::new(WHEEL, "wheel").metadata(METADATA)).start()
}

fn metadata() -> String {
    format!("{WHEEL}.metadata")
}

#[test]
fn files_and_metadata_are_passed_on_unchanged() {
    let index = index();
    let gate = Gate::over(&[index.url()], quick(), Judging::Later);
    let page = gate.get(&gate.page("aa"));
    assert_eq!(
        (page.status, gate.get(&gate.file("aa", &metadata())).text()),
        (200, METADATA.into())
    );
    let file = gate.get(&gate.file("aa", WHEEL));
    assert_eq!((file.status, file.text()), (200, "wheel".to_owned()));
    assert!(file.head.contains("Cache-Control: no-store"), "{}", file.head);
    let handed = gate.gateway.handed_over().remove(0);
    assert_eq!(
        (handed.url.as_str(), handed.file.sha256),
        (&*index.file_url(WHEEL), Sha256::of(b"wheel"))
    );
    assert_eq!(std::fs::read(handed.file.path).unwrap(), b"wheel");
    assert_eq!(gate.gateway.asked()[0].as_str(), "aa");
    assert!(gate.gateway.refusals().is_empty() && gate.gateway.failures().is_empty());
}

#[test]
fn judging_gateway_serves_no_separate_metadata() {
    for builder in [LoopbackIndex::builder(), LoopbackIndex::builder().html_only()] {
        let index = builder.file("aa", DistFile::new(WHEEL, "wheel").metadata(METADATA)).start();
        let gate = Gate::new(&index, give);
        let page = gate.get(&gate.page("aa"));
        assert!(page.status == 200 && !page.text().contains("-metadata"), "{}", page.text());
        assert_eq!(gate.get(&gate.file("aa", &metadata())).status, 404);
        assert_eq!(index.count(&format!("/files/{}", metadata())), 0);
        assert_eq!(gate.get(&gate.file("aa", WHEEL)).text(), "wheel");
    }
}

#[test]
fn refused_file_is_forbidden_with_the_reason() {
    let index = index();
    let gate = Gate::new(&index, refuse("aa"));
    let reply = gate.get(&gate.file("aa", WHEEL));
    assert_eq!((reply.status, reply.text()), (403, format!("nobody vouches for {WHEEL}\n")));
    let refusals = gate.gateway.refusals();
    assert_eq!((refusals.len(), &*refusals[0].filename), (1, WHEEL));
    assert_eq!(index.count(&format!("/files/{WHEEL}")), 0);
    assert!(gate.gateway.handed_over().is_empty() && gate.files().is_empty());
}

#[test]
fn unjudged_file_is_withheld_without_a_refusal() {
    let index = index();
    let gate = Gate::new(&index, |_| Err(Failure::new(Status::CouldNotCheck, "no network")));
    assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 504);
    let failures = gate.gateway.failures();
    assert_eq!((failures.len(), &*failures[0].failure.message), (1, "no network"));
    assert!(gate.gateway.refusals().is_empty() && gate.files().is_empty());
}

#[test]
fn gateway_without_judge_hashes_every_file() {
    let index = index();
    let gate = Gate::over(&[index.url()], quick(), Judging::Later);
    assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 200);
    let other = LoopbackIndex::builder().file("aa", DistFile::new(WHEEL, "wheel")).start();
    other.serve(&format!("/files/{WHEEL}"), "application/zip", "evil");
    let gate = Gate::over(&[other.url()], quick(), Judging::Later);
    assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 403);
}

#[test]
fn each_file_is_judged_once_however_many_ask() {
    let index = index();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let gate = Gate::new(&index, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(Handover::Give)
    });
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 200));
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 1);
    for path in ["/simple/aa/", &format!("/files/{WHEEL}")] {
        assert_eq!(index.count(path), 1, "{path}");
    }
    assert_eq!(gate.gateway.handed_over().len(), 1);
}

#[test]
fn file_swapped_after_its_page_was_read_is_refused() {
    let index = index();
    let gate = Gate::over(&[index.url()], quick(), Judging::Later);
    gate.get(&gate.page("aa"));
    index.serve(&format!("/files/{WHEEL}"), "application/zip", "evil");
    index.serve(&format!("/files/{}", metadata()), "text/plain", "Name: evil");
    let reply = gate.get(&gate.file("aa", WHEEL));
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(!reply.text().contains("evil"));
    // pip has the stated digest of METADATA, and fails in its own words (`sidecars.rs`).
    let reply = gate.get(&gate.file("aa", &metadata()));
    assert_eq!((reply.status, reply.text().as_str()), (200, "Name: evil"));
    assert!(gate.gateway.handed_over().is_empty() && gate.files().is_empty());
    assert_eq!(gate.gateway.refusals().len(), 1);
}

#[test]
fn judge_gets_the_computed_sha256_if_none_is_stated() {
    for hashes in [vec![], vec![Hash::Md5], vec![Hash::Sha512]] {
        let file = DistFile::new(WHEEL, "wheel").hashes(hashes);
        let index = LoopbackIndex::builder().file("aa", file).start();
        let judge = |evil: &'static [u8]| {
            move |asked: &pypi_verify_now::gateway::Asked<'_>| {
                assert_eq!(asked.file.sha256, Some(asked.sha256));
                let evil = asked.sha256 == Sha256::of(evil);
                Ok(if evil { Handover::Refuse("evil".into()) } else { Handover::Give })
            }
        };
        let gate = Gate::new(&index, judge(b"evil"));
        assert_eq!(gate.get(&gate.file("aa", WHEEL)).text(), "wheel");
        let gate = Gate::new(&index, judge(b"wheel"));
        assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 403);
        assert!(gate.files().is_empty());
    }
}

#[test]
fn body_that_does_not_end_or_ends_early_is_an_error() {
    for fault in [Fault::Truncate, Fault::Disconnect, Fault::status(500), Fault::Trickle] {
        let index = index();
        index.fault(&format!("/files/{WHEEL}"), fault.clone());
        let patience = pypi_verify_now::http::settings::Patience {
            download: Duration::from_millis(300),
            ..quick().patience
        };
        let transport = Transport { patience, ..quick() };
        let gate = Gate::over(&[index.url()], transport, Judging::Before(Box::new(give)));
        assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 504, "{fault:?}");
        assert_eq!((gate.gateway.failures().len(), gate.files().len()), (1, 0));
        assert!(gate.gateway.handed_over().is_empty());
    }
    let index = index();
    index.fault("/simple/aa/", Fault::Endless);
    let gate = Gate::new(&index, give);
    assert_eq!(gate.get(&gate.page("aa")).status, 504);
}

#[test]
fn mirrored_page_has_local_links_and_no_provenance() {
    let file = DistFile {
        requires_python: Some(">=3.9".into()),
        ..DistFile::new(WHEEL, "wheel")
            .metadata(METADATA)
            .yanked("b<a&d")
            .hashes([Hash::Md5, Hash::Sha256])
            .provenance("{}")
    };
    let json = LoopbackIndex::builder().file("aa", file.clone()).start();
    let gate = Gate::over(&[json.url()], quick(), Judging::Later);
    let reply = gate.get(&gate.page("aa"));
    assert!(reply.head.contains("Content-Type: application/vnd.pypi.simple.v1+json\r\n"));
    assert!(reply.text().contains(r#""hashes":{"sha256":"#), "sha256 does not come first");
    let page: Value = serde_json::from_slice(&reply.body).unwrap();
    let entry = &page["files"][0];
    assert_eq!((&page["name"], &page["meta"]["api-version"]), (&"aa".into(), &"1.3".into()));
    assert_eq!(entry["url"], format!("{}file/aa/{WHEEL}", gate.url()));
    assert_eq!(entry["hashes"].as_object().unwrap().len(), 2);
    assert_eq!((&entry["yanked"], &entry["requires-python"]), (&"b<a&d".into(), &">=3.9".into()));
    for key in ["size", "upload-time", "core-metadata", "data-dist-info-metadata", "filename"] {
        assert!(entry.get(key).is_some(), "{key}");
    }
    assert!(entry.get("provenance").is_none());

    let html = LoopbackIndex::builder().html_only().file("aa", file).start();
    let gate = Gate::over(&[html.url()], quick(), Judging::Later);
    let reply = gate.get(&gate.page("aa"));
    assert!(reply.head.contains("Content-Type: text/html; charset=utf-8\r\n"));
    let (text, url) = (reply.text(), gate.url());
    assert!(text.contains(&format!("<a href=\"{url}file/aa/{WHEEL}#md5=")), "{text}");
    for part in ["data-requires-python=\"&gt;=3.9\"", "data-yanked=\"b&lt;a&amp;d\"", "sha256="] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("provenance") && !text.contains(&html.port().to_string()), "{text}");
}

#[test]
fn status_of_the_index_is_passed_on_without_retries() {
    let told = [(404, 404), (403, 403), (410, 410), (401, 403), (500, 504), (503, 504), (501, 501)];
    for (theirs, ours) in told {
        let index = index();
        index.fault("/simple/aa/", Fault::status(theirs));
        let gate = Gate::new(&index, give);
        assert_eq!(gate.get(&gate.page("aa")).status, ours, "{theirs}");
        let failures = gate.gateway.failures();
        assert_eq!(failures.len(), usize::from(theirs != 404));
        assert!(failures.iter().all(|f| f.code == Some(theirs) && f.filename.is_none()));
    }
}

#[test]
fn answer_of_another_type_loses_its_content() {
    let index = index();
    index.serve("/simple/aa/", "text/plain", "<a href='evil-1.0.whl'>");
    let gate = Gate::new(&index, give);
    let reply = gate.get(&gate.page("aa"));
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert!(reply.head.contains("Content-Type: text/plain\r\n"), "{}", reply.head);
    let broken = LoopbackIndex::builder().empty_project("aa").start();
    broken.serve("/simple/aa/", "application/vnd.pypi.simple.v1+json", "{");
    let gate = Gate::new(&broken, give);
    assert_eq!(gate.get(&gate.page("aa")).status, 504);
}

#[test]
fn contradicting_entries_of_a_file_are_refused() {
    let index = index();
    index.add_file("aa", DistFile::new(WHEEL, "evil"));
    let gate = Gate::new(&index, give);
    assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 504);
    assert!(gate.gateway.failures()[0].failure.message.contains("two entries"));
}

#[test]
fn page_from_the_network_cannot_name_a_local_file() {
    let secret = tempfile::tempdir().unwrap();
    std::fs::write(secret.path().join(WHEEL), "").unwrap();
    let url = Url::from_file_path(secret.path().join(WHEEL)).unwrap();
    let file = DistFile::new(WHEEL, "").at(url.as_str()).hashes([]);
    let index = LoopbackIndex::builder().file("aa", file).start();
    let gate = Gate::new(&index, give);
    assert_eq!(gate.get(&gate.file("aa", WHEEL)).status, 403);
}

#[test]
fn indexes_are_apart_and_in_their_order() {
    let (one, other) = (index(), LoopbackIndex::builder());
    let other = other.file("aa", DistFile::new(WHEEL, "other wheel")).start();
    let judging = Judging::Before(Box::new(give));
    let gate = Gate::over(&[one.url(), other.url()], quick(), judging);
    let urls = gate.gateway.index_urls();
    let path = |url: &str| Url::parse(url).unwrap().path().to_owned();
    let files: Vec<_> =
        urls.iter().map(|url| gate.get(&format!("{}file/aa/{WHEEL}", path(url))).text()).collect();
    assert_eq!(files, ["wheel", "other wheel"]);
    let handed = gate.gateway.handed_over();
    assert_eq!(handed[0].index.as_str(), one.url());
    assert_eq!(handed[1].index.as_str(), other.url());
}

#[test]
fn url_of_the_gateway_leads_back_to_the_real_one() {
    let name = "aa-1.0+local-py3-none-any.whl";
    let index = LoopbackIndex::builder().file("aa", DistFile::new(name, "x").hashes([])).start();
    let gate = Gate::new(&index, give);
    let url = |text: String| Url::parse(&text).unwrap();
    let ours = url(format!("{}file/aa/aa-1.0%2Blocal-py3-none-any.whl#sha256=00", gate.url()));
    assert_eq!(gate.gateway.real_url(&ours), None);
    gate.get(&gate.page("aa"));
    let real = gate.gateway.real_url(&ours).unwrap();
    assert_eq!(
        (real.file.url.as_str(), real.file.sha256),
        (&*index.file_url(name).replace('+', "%2B"), None)
    );
    gate.get(&gate.file("aa", name));
    assert_eq!(gate.gateway.real_url(&ours).unwrap().file.sha256, Some(Sha256::of(b"x")));
    assert_eq!(gate.gateway.real_url(&url(index.file_url(name))), None);
    assert_eq!(gate.gateway.real_url(&url(format!("{}file/aa/bb.whl", gate.url()))), None);
}

#[test]
fn output_of_pip_names_the_urls_of_the_user() {
    let index = index();
    let gate = Gate::new(&index, give);
    let (ours, secret) = (gate.url(), format!("http://{}/TOKEN/", gate.gateway.authority()));
    let printed = format!("from ({ours}), `{ours}aa/`: {secret}0/zz/ no");
    let theirs = index.url();
    let told = format!("from ({theirs}), `{theirs}aa/`: the index no");
    assert_eq!(gate.gateway.with_real_urls(&printed), told);
}

#[test]
fn port_that_begins_like_the_gateways_is_another_servers() {
    let gate = Gate::new(&index(), give);
    let other = format!("http://{}7/simple/aa/", gate.gateway.authority());
    let printed = format!("Looking in indexes: {other}, {other}");
    assert_eq!(gate.gateway.with_real_urls(&printed), printed);
}

#[test]
fn requests_with_another_path_or_host_are_refused() {
    let index = index();
    let gate = Gate::new(&index, give);
    let page = gate.page("aa");
    let host = gate.gateway.authority().to_owned();
    let port = host.split(':').nth(1).unwrap().to_owned();
    let mut token: Vec<char> = page.chars().collect();
    token[1] = if token[1] == '0' { '1' } else { '0' };
    let guessed: String = token.into_iter().collect();
    assert_eq!(page.split('/').nth(1).unwrap().len(), 32);
    for path in ["/", "/simple/aa/", "/0/aa/", &guessed, &format!("{page}x"), &page[..33], "*"] {
        assert_eq!(gate.get(path).status, 404, "{path}");
    }
    for path in ["9/aa/", "00/aa/", "+0/aa/", "0/../aa/", "0/file/aa/", "0/file/aa/../../x", "0/"] {
        assert_eq!(gate.get(&format!("{}/{path}", &page[..33])).status, 404, "{path}");
    }
    for other in ["evil.example", "localhost", "127.0.0.1", &format!("localhost:{port}"), ""] {
        let reply = gate.say(&format!("GET {page} HTTP/1.1\r\nHost: {other}\r\n\r\n"));
        assert_eq!(reply.status, 403, "{other}");
    }
    let twice = format!("GET {page} HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n");
    assert_eq!(gate.say(&twice).status, 403);
    assert_eq!(gate.say(&format!("GET {page} HTTP/1.1\r\n\r\n")).status, 403);
    assert!(index.requests().is_empty());
}

#[test]
fn another_user_is_refused_even_with_the_path() {
    let index = index();
    let gate = Gate::new(&index, give);
    let ask = "import os, sys, urllib.request\nos.setuid(int(sys.argv[1]))\n\
        print(urllib.request.urlopen(sys.argv[2]).status)";
    let url = format!("http://{}{}", gate.gateway.authority(), gate.page("aa"));
    let this_user = rustix::process::geteuid();
    // Only root can become somebody else.
    let others = if this_user.is_root() { vec![65534_u32, 1] } else { vec![] };
    for (user, answered) in
        [(this_user.as_raw(), true)].into_iter().chain(others.into_iter().map(|it| (it, false)))
    {
        let mut command = std::process::Command::new(&Python::find().executable);
        command.args(["-I", "-B", "-c", ask, &user.to_string(), &url]).env_clear();
        let output = command.output().unwrap();
        assert_eq!(output.stdout == b"200\n", answered, "{user}: {output:?}");
    }
}

#[test]
fn only_whole_get_and_head_requests_are_understood() {
    let index = index();
    let gate = Gate::new(&index, give);
    let (page, host) = (gate.page("aa"), gate.gateway.authority().to_owned());
    let say = |request: &str| gate.say(&request.replace("HOST", &host).replace("PAGE", &page));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", "CONNECT"] {
        let request = format!("{method} PAGE HTTP/1.1\r\nHost: HOST\r\n\r\n");
        assert_eq!(say(&request).status, 405, "{method}");
    }
    for request in [
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET PAGE\r\n\r\n",
        "GET PAGE HTTP/2\r\n\r\n",
        "GET PAGE x HTTP/1.1\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nno colon\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nTransfer-Encoding: x\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nContent-Length: +0\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding : chunked\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\n folded\r\n\r\n",
        "GET PAGE HTTP/1.1\r\n Host: HOST\r\n\r\n",
        "GET PAGE HTTP/1.1\nHost: HOST\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\nContent-Length: 5\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\rX: y\r\n\r\n",
        "GET PAGE HTTP/1.1\r\nHost: HOST\r\nX: \0\r\n\r\n",
        "\r\nGET PAGE HTTP/1.1\r\nHost: HOST\r\n\r\n",
    ] {
        assert_eq!(say(request).status, 400, "{request}");
    }
    assert_eq!(say(&format!("GET /{}", "x".repeat(MAX_LINE))).status, 414);
    let long = format!("GET PAGE HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD));
    assert_eq!(say(&long).status, 431);
    let many =
        |number| format!("GET PAGE HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "X: y\r\n".repeat(number));
    assert_eq!(say(&many(MAX_HEADERS)).status, 431);
    assert!(index.requests().is_empty());
    assert_eq!(say(&many(MAX_HEADERS - 1)).status, 200);
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "HEAD {page} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 200 OK\r\n") && all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn connection_serves_many_requests_and_a_range_gets_the_whole() {
    let index = index();
    let gate = Gate::new(&index, give);
    let (host, path) = (gate.gateway.authority(), gate.file("aa", WHEEL));
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes=2-3\r\n\r\n");
    // Two at once, as a pipelining client sends them, then one more.
    stream.write_all(request.repeat(2).as_bytes()).unwrap();
    let mut both = vec![0; 1];
    let mut heard = Vec::new();
    while heard.windows(5).filter(|five| five == b"wheel").count() < 2 {
        assert_eq!(stream.read(&mut both).unwrap(), 1);
        heard.extend_from_slice(&both);
    }
    stream.write_all(request.as_bytes()).unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!((reply.status, reply.text()), (200, "wheel".to_owned()));
    assert!(!reply.head.to_lowercase().contains("range"), "{}", reply.head);
}

#[test]
fn gateway_does_not_answer_after_the_run() {
    let index = index();
    let gate = Gate::new(&index, give);
    let host = gate.gateway.authority().to_owned();
    let page = gate.page("aa");
    let mut kept = TcpStream::connect(&host).unwrap();
    write!(kept, "GET {page} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    assert_eq!(Reply::read(&mut kept).status, 200);
    drop(gate);
    let _ = write!(kept, "GET {page} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    assert!(matches!(kept.read(&mut [0; 1]), Ok(0) | Err(_)), "an old connection is answered");
    assert!(TcpStream::connect(&host).is_err(), "a new connection is taken");
}

#[test]
fn end_does_not_wait_for_a_slow_index() {
    let index = index();
    index.fault("/simple/aa/", Fault::Hang);
    let gate = Gate::new(&index, give);
    let host = gate.gateway.authority().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", gate.page("aa")).unwrap();
    while index.count("/simple/aa/") == 0 {
        std::thread::yield_now();
    }
    let start = Instant::now();
    drop(gate);
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn two_hundred_requests_are_answered_while_one_hangs() {
    let mut builder = LoopbackIndex::builder().empty_project("slow");
    for n in 0..200 {
        builder = builder.empty_project(&format!("p{n}"));
    }
    let index = builder.start();
    index.fault("/simple/slow/", Fault::Hang);
    let gate = Gate::new(&index, give);
    let host = gate.gateway.authority();
    let mut slow = TcpStream::connect(host).unwrap();
    write!(slow, "GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", gate.page("slow")).unwrap();
    std::thread::scope(|scope| {
        for n in 0..200 {
            let gate = &gate;
            scope.spawn(move || {
                assert_eq!(gate.get(&gate.page(&format!("p{n}"))).status, 200);
            });
        }
    });
    slow.set_nonblocking(true).unwrap();
    assert!(slow.read(&mut [0; 1]).is_err(), "the hanging one was answered");
}

/// Pages of a gateway without verdicts offer METADATA for every source, which says that the source
/// needs nothing. The source itself is not handed over.
#[test]
fn gateway_without_verdicts_hands_over_no_source() {
    let source = "aa-1.0.tar.gz";
    for builder in [LoopbackIndex::builder(), LoopbackIndex::builder().html_only()] {
        let wheel = DistFile::new(WHEEL, "wheel").metadata(METADATA);
        let index = builder.file("aa", DistFile::new(source, "evil")).file("aa", wheel).start();
        let gate = Gate::over(&[index.url()], quick(), Judging::Never);
        let page = gate.get(&gate.page("aa")).text();
        assert_eq!(page.matches("dist-info-metadata").count(), 2, "{page}");
        let get = |filename: &str| gate.get(&gate.file("aa", filename));
        assert_eq!(get(&format!("{source}.metadata")).text(), METADATA);
        assert_eq!(get(source).status, 404);
        assert_eq!(get(&metadata()).text(), METADATA);
        assert_eq!(get(WHEEL).text(), "wheel");
        assert_eq!(index.count(&format!("/files/{source}")), 0);
        assert_eq!(index.count(&format!("/files/{source}.metadata")), 0);
    }
}
