//! pip's settings: the order of precedence, and values as `pip config list` writes them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::{Proxy, Trust};
use pypi_verify_now::pip::command_line::invocation::{Invocation, classify};
use pypi_verify_now::pip::configuration::Configuration;
use pypi_verify_now::pip::options::Options;
use pypi_verify_now::pip::settings::{FileLines, Settings, Surroundings};

use crate::support::index::{DistFile, LoopbackIndex};

/// The options of a `pip install` with these words and this configuration.
fn options(config: &str, words: &str) -> Options {
    let argv: Vec<_> =
        ["install"].into_iter().chain(words.split_whitespace()).map(OsString::from).collect();
    let Invocation::Install(arguments) = classify(&argv) else { panic!("{words}") };
    Options::new(&arguments, Configuration::parse(config))
}

fn merged(config: &str, words: &str, lines: &FileLines) -> Settings {
    let surroundings = Surroundings {
        default_index: Some("https://default.example/simple".into()),
        default_cache: Some("/cache".into()),
        ..Surroundings::default()
    };
    Settings::merge(&options(config, words), lines, &surroundings).unwrap()
}

fn indexes(settings: &Settings) -> Vec<&str> {
    settings.indexes.iter().map(url::Url::as_str).collect()
}

#[test]
fn sources_of_settings_have_their_precedence() {
    let global = "global.index-url='https://g.example/'\n";
    let install = "install.index-url='https://i.example/'\n";
    let variable = ":env:.index-url='https://e.example/'\n";
    let none = FileLines::default();
    assert_eq!(indexes(&merged("", "", &none)), ["https://default.example/simple"]);
    assert_eq!(indexes(&merged(global, "", &none)), ["https://g.example/"]);
    assert_eq!(indexes(&merged(&[install, global].concat(), "", &none)), ["https://i.example/"]);
    let all = [variable, install, global].concat();
    assert_eq!(indexes(&merged(&all, "", &none)), ["https://e.example/"]);
    assert_eq!(indexes(&merged(&all, "-i https://c.example/", &none)), ["https://c.example/"]);
}

#[test]
fn extra_indexes_add_up_and_requirements_files_name_the_first() {
    let config = "global.extra-index-url='https://x.example/ https://y.example/'\n";
    let lines = FileLines {
        index_url: Some("https://file.example/".into()),
        extra_index_urls: vec!["https://extra.example/".into()],
        ..FileLines::default()
    };
    let given = "-i https://c.example/ --extra-index-url=https://z.example/";
    let of = |hosts: &[&str]| -> Vec<String> {
        hosts.iter().map(|host| format!("https://{host}.example/")).collect()
    };
    // As pip's `req_file.handle_option_line` has it, the others are gone.
    assert_eq!(indexes(&merged(config, given, &lines)), of(&["file", "extra"]));
    let lines = FileLines { index_url: None, ..lines };
    assert_eq!(indexes(&merged(config, given, &lines)), of(&["c", "x", "y", "z", "extra"]));
}

#[test]
fn no_index_removes_all_indexes() {
    let none = FileLines::default();
    assert!(merged("", "--no-index", &none).indexes.is_empty());
    assert!(merged(":env:.no-index='true'\n", "", &none).indexes.is_empty());
    let lines = FileLines { no_index: true, ..FileLines::default() };
    assert!(merged("", "", &lines).indexes.is_empty());
}

#[test]
fn network_options_are_read() {
    let config = "global.cert='/ca.pem'\nglobal.timeout='3'\nglobal.trusted-host='a b:1'\n";
    let words = "--proxy http://p.example --retries=1 --client-cert /c.pem";
    let transport = merged(config, words, &FileLines::default()).transport;
    assert_eq!(transport.trust, Trust::only("/ca.pem".into()));
    assert_eq!(transport.client_certificate, Some(PathBuf::from("/c.pem")));
    assert_eq!(transport.proxy, Proxy::Url("http://p.example".into()));
    assert_eq!((transport.timeout, transport.retries), (Duration::from_secs(3), 1));
    assert_eq!(transport.trusted_hosts, ["a", "b:1"]);
}

#[test]
fn password_without_a_user_name_serves_the_host_of_its_index() {
    let files = LoopbackIndex::builder().file("aa", DistFile::new("f", "a wheel"));
    let index = files.basic_auth("", "tok3n").start();
    for (password, is_right) in [("tok3n", true), ("other", false)] {
        let url = index.url_with_credentials("", password);
        let settings = merged("", &format!("-i {url}"), &FileLines::default());
        let client = Client::new(&settings.transport);
        let file = url::Url::parse(&index.file_url("f")).unwrap();
        assert_eq!(client.get(&file, "*/*", 100).is_ok(), is_right, "{password}");
    }
}

#[test]
fn cache_directory_is_pips_unless_disabled() {
    let none = FileLines::default();
    let cache = |config: &str, words: &str| merged(config, words, &none).cache;
    assert_eq!(cache("", ""), Some(PathBuf::from("/cache")));
    assert_eq!(cache("", "--cache-dir /mine"), Some(PathBuf::from("/mine")));
    assert_eq!(cache("", "--no-cache-dir"), None);
    for word in ["true", "1", "off", "0", "false", "no"] {
        assert_eq!(cache(&format!(":env:.no-cache-dir='{word}'\n"), ""), None, "{word}");
        assert_eq!(cache(&format!("global.no-cache-dir='{word}'\n"), ""), None, "{word}");
    }
    // The two options share one value: the last use counts, and the command line.
    let mine = Some(PathBuf::from("/mine"));
    assert_eq!(cache("", "--cache-dir /mine --no-cache-dir"), None);
    assert_eq!(cache("", "--no-cache-dir --cache-dir /mine"), mine);
    assert_eq!(cache(":env:.no-cache-dir='1'\n", "--cache-dir /mine"), mine);
    assert_eq!(cache(":env:.cache-dir='/mine'\nglobal.no-cache-dir='no'\n", ""), None);
    assert_eq!(cache(":env:.cache-dir='/mine'\n", ""), mine);
    // A directory of that name, for pip too.
    assert_eq!(cache(":env:.cache-dir='false'\n", ""), Some(PathBuf::from("false")));
}

#[test]
fn values_are_read_as_python_writes_them() {
    let text = "For variant 'user', will try loading '/x'\n\
        global.index-url='https://h.example/a\\'b'\n\
        install.extra-index-url='\\nhttps://x.example/\\nhttps://y.example/'\n\
        global.find-links=\"it's\"\nglobal.trusted-host='\\xe9'\nnonsense\n";
    let config = Configuration::parse(text);
    let read = options(text, "");
    assert_eq!(read.configured("--index-url"), Some("https://h.example/a'b"));
    assert_eq!(
        read.configured("--extra-index-url"),
        Some("\nhttps://x.example/\nhttps://y.example/")
    );
    assert_eq!(read.configured("--find-links"), Some("it's"));
    assert_eq!(read.configured("--trusted-host"), Some("é"));
    assert!(config.section("install").is_some() && config.section("lock").is_none());
}

#[test]
fn index_that_is_no_url_is_kept_apart_without_its_password() {
    let options = options("", "-i htps//u:secret@h --extra-index-url https://x.example/simple");
    let settings = Settings::merge(&options, &FileLines::default(), &Surroundings::default());
    let settings = settings.unwrap();
    assert_eq!(settings.indexes[0].as_str(), "https://x.example/simple");
    assert_eq!(settings.indexes.len(), 1);
    assert_eq!(settings.not_urls, ["***@h"]);
}

#[test]
fn each_subcommand_reads_its_own_section() {
    let text = "global.retries='1'\ninstall.retries='2'\nwheel.retries='3'\n:env:.pre='1'\n";
    for (subcommand, retries) in [("install", "2"), ("wheel", "3"), ("download", "1")] {
        let Invocation::Install(arguments) = classify(&[subcommand.into()]) else { panic!() };
        let read = Options::new(&arguments, Configuration::parse(text));
        assert_eq!(read.last("--retries"), Some(OsStr::new(retries)));
        assert!(read.is_on("--pre"));
        assert!(read.configuration().effective_files().any(|it| it == ("retries", retries)));
    }
}

#[test]
fn resume_retries_are_those_of_the_option_or_of_pip() {
    let with = |network: &str, words: &str| {
        let surroundings = Surroundings {
            default_index: Some("https://default.example/simple".into()),
            network: Some(serde_json::from_str(network).unwrap()),
            ..Surroundings::default()
        };
        let settings =
            Settings::merge(&options("", words), &FileLines::default(), &surroundings).unwrap();
        settings.transport.resume_retries
    };
    let of = |resumes: &str| {
        format!(
            r#"{{"certifi": [47], "truststore": null, "openssl": [], "resume_retries": {resumes}}}"#
        )
    };
    assert_eq!(with(&of("0"), ""), 0);
    assert_eq!(with(&of("5"), "--resume-retries 3"), 3);
    assert_eq!(with(&of("null"), "--retries 2"), 2);
}
