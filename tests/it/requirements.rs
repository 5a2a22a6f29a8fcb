//! Requirements files: which indexes they name, in pip's grammar and order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::pip::marker::Environment;
use pypi_verify_now::pip::requirements::{
    self, Compared, Hashes, Inclusion, IndexLines, MAX_DEPTH, MAX_FILES, Outcome, Source,
};
use pypi_verify_now::pip::target::Target;
use sha2::Digest as _;

use crate::support::sandbox::Sandbox;

/// Reads the files, of which the first is named on the command line. `TOKEN` is the one variable.
fn read(files: &[(&str, &[u8])]) -> IndexLines {
    let stored: BTreeMap<Source, Vec<u8>> =
        files.iter().map(|(name, bytes)| (Source::parse(name), bytes.to_vec())).collect();
    let variable = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
    requirements::read(
        &[(Inclusion::Requirements, Source::parse(files[0].0))],
        |s| stored.get(s).cloned().ok_or(()),
        variable,
    )
}

/// Whether every file could be read.
fn complete(found: &IndexLines) -> bool {
    found.files.iter().all(|(_, outcome)| *outcome == Outcome::Read)
}

/// The indexes in effect where the command line names `before`.
fn indexes<'a>(found: &'a IndexLines, before: &'a str) -> Vec<&'a str> {
    if found.no_index {
        return Vec::new();
    }
    let first = found.index_url.as_deref().unwrap_or(before);
    std::iter::once(first).chain(found.extra_index_urls.iter().map(String::as_str)).collect()
}

fn lines(text: &str) -> IndexLines {
    read(&[("req.txt", text.as_bytes())])
}

fn index_of(text: &str) -> Option<String> {
    lines(text).index_url
}

#[test]
fn every_option_about_indexes_is_found() {
    let found = lines(
        "flask\n-i https://a.example/simple\n--extra-index-url https://b.example/\n\
         --find-links ./wheels\n--trusted-host a.example\nrequests>=2 # --no-index\n",
    );
    assert_eq!(found.index_url.as_deref(), Some("https://a.example/simple"));
    assert_eq!(found.extra_index_urls, ["https://b.example/"]);
    assert_eq!(found.find_links[0].value, "./wheels");
    assert_eq!(found.find_links[0].file, Source::Path("req.txt".into()));
    assert_eq!(found.trusted_hosts, ["a.example"]);
    assert!(!found.no_index && complete(&found) && !found.remote());
}

#[test]
fn every_way_of_writing_an_index_is_read() {
    for line in [
        "-i https://a",
        "-ihttps://a",
        "--index-url https://a",
        "--index-url=https://a",
        "--pypi-url https://a",
        "--index https://a",
        "  -i https://a  ",
        "-i 'https://a'",
        "-i \"https://a\"",
        "-i https://\"a\"",
        "-i https://b -i https://a",
        "--pre -i https://a word",
        "-i https://a # why",
        "-i \\\nhttps://a",
        "-i htt\\\nps://a",
        "--ind\\\nex-url https://a",
        "flask\r\n-i https://a\r\n",
        "flask\r-i https://a",
        "flask\x0c-i https://a",
        "flask\u{2028}-i https://a",
        "# a comment that ends in \\\n-i https://a",
    ] {
        assert_eq!(index_of(line).as_deref(), Some("https://a"), "{line:?}");
    }
}

#[test]
fn lines_that_pip_reads_otherwise_are_not_indexes() {
    for line in [
        "",
        "# -i https://a",
        "flask # \n #-i https://a",
        "flask -i https://a",
        "-e . -i https://a",
        "-r other.txt -i https://a",
        "flask \\\n-i https://a",
        "-i 'https://a",
        "-i",
        "--new -i https://a",
        "--pre=1 -i https://a",
        "-- -i https://a",
        "--e -i https://a",
        "-i \"\"",
    ] {
        assert_eq!(index_of(line), None, "{line:?}");
    }
}

#[test]
fn later_index_takes_the_place_of_all_before_it() {
    let found = lines("--extra-index-url https://x\n-i https://a\n--extra-index-url https://b");
    assert_eq!(indexes(&found, "https://cli"), ["https://a", "https://b"]);
    let found = lines("--extra-index-url https://b");
    assert_eq!(indexes(&found, "https://cli"), ["https://cli", "https://b"]);
    let found = lines("--no-index\n-i https://a");
    assert!(indexes(&found, "https://cli").is_empty());
}

#[test]
fn variables_are_expanded_where_pip_expands_them() {
    let url = |text| index_of(&format!("-i https://{text}@a"));
    assert_eq!(url("${TOKEN}").as_deref(), Some("https://s3cret@a"));
    assert_eq!(url("${TOKEN}:${TOKEN}").as_deref(), Some("https://s3cret:s3cret@a"));
    for untouched in ["${token}", "$TOKEN", "${UNSET}", "${TOKEN", "${TOKEN-}"] {
        assert_eq!(url(untouched), Some(format!("https://{untouched}@a")));
    }
}

#[test]
fn nested_files_are_read_where_they_are_included() {
    let found = read(&[
        (
            "dir/req.txt",
            b"-i https://a\n-r sub/more.txt\n-c c.txt -c ignored.txt\n--requirement=/abs.txt",
        ),
        ("dir/sub/more.txt", b"-i https://b\n-r ../last.txt"),
        ("dir/sub/../last.txt", b"--extra-index-url https://c"),
        ("dir/c.txt", b"--trusted-host c"),
        ("/abs.txt", b"--no-index"),
    ]);
    assert_eq!(found.index_url.as_deref(), Some("https://b"));
    assert_eq!(found.extra_index_urls, ["https://c"]);
    assert_eq!((found.trusted_hosts.as_slice(), found.no_index), (&["c".to_owned()][..], true));
    assert_eq!(found.files.len(), 5);
    assert!(complete(&found));
}

#[test]
fn urls_include_relative_to_themselves_and_count_as_remote() {
    let found = read(&[
        ("https://h.example/d/req.txt", b"-r more.txt\n-r /top.txt"),
        ("https://h.example/d/more.txt", b"-i https://a"),
        ("https://h.example/top.txt", b"--pre"),
    ]);
    assert_eq!(found.index_url.as_deref(), Some("https://a"));
    assert!(found.remote() && complete(&found));

    let found =
        read(&[("req.txt", b"-c FILE:///abs/c.txt"), ("file:///abs/c.txt", b"-i https://a")]);
    assert_eq!(found.index_url.as_deref(), Some("https://a"));
    assert_eq!(found.files[1].0.local_path(), Some(PathBuf::from("/abs/c.txt")));
    assert!(!found.remote());
}

#[test]
fn unreadable_file_is_noted() {
    let found = read(&[("req.txt", b"-r gone.txt\n-i https://a")]);
    assert_eq!(found.files[1], (Source::Path("gone.txt".into()), Outcome::NotRead));
    assert_eq!(found.index_url.as_deref(), Some("https://a"));
    assert!(!complete(&found));
}

#[test]
fn cycle_ends_and_is_noted() {
    let found = read(&[("a.txt", b"-r b.txt\n-i https://a"), ("b.txt", b"-r a.txt")]);
    assert_eq!(found.files[2], (Source::Path("a.txt".into()), Outcome::OutOfBounds));
    assert_eq!(found.index_url.as_deref(), Some("https://a"));
    assert!(!complete(&found));
}

#[test]
fn depth_and_number_of_files_are_bounded() {
    let mut count = 0;
    let endless = |source: &Source| -> Result<Vec<u8>, ()> {
        count += 1;
        let Source::Path(path) = source else { return Err(()) };
        let name = path.display();
        Ok(format!("-r {name}a\n-r {name}b\n").into_bytes())
    };
    let found =
        requirements::read(&[(Inclusion::Requirements, Source::parse("x"))], endless, |_| None);
    assert!(!complete(&found) && found.files.len() == MAX_FILES + 1 && count <= MAX_FILES);

    let chain = |source: &Source| -> Result<Vec<u8>, ()> {
        let Source::Path(path) = source else { return Err(()) };
        Ok(format!("-r {}a", path.display()).into_bytes())
    };
    let found =
        requirements::read(&[(Inclusion::Requirements, Source::parse("x"))], chain, |_| None);
    assert!(!complete(&found) && found.files.len() == MAX_DEPTH + 1);
}

#[test]
fn byte_order_marks_and_declared_encodings_are_heeded() {
    let text = "-i https://a";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe", utf16.as_slice()].concat(),
        [b"\xfe\xff", utf16_be.as_slice()].concat(),
        [b"# -*- coding: latin-1 -*- \xe9\n", text.as_bytes()].concat(),
        [b"# \xe9, not declared\n", text.as_bytes()].concat(),
    ] {
        let found = read(&[("req.txt", &bytes)]);
        assert_eq!(found.index_url.as_deref(), Some("https://a"), "{bytes:?}");
        assert!(complete(&found));
    }
}

/// In UTF-7 `+AC0-i` is `-i`: a reader that does not know the encoding would miss the line.
#[test]
fn encoding_that_could_hide_a_line_is_noted() {
    let found = lines("# vim: fileencoding=utf-7\n+AC0-i https://a");
    assert_eq!(found.files[0].1, Outcome::UnknownEncoding("utf-7".into()));
    assert!(!complete(&found));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&[("req.txt", &bytes)]);
    }

    #[test]
    fn arbitrary_lines_do_not_panic(text in "([-a-z=\\\\'\"#$ {}A\n\r\u{85}é]|-i |--index|\\$\\{TOKEN\\}){0,60}") {
        lines(&text);
    }
}

/// pip's own reading of files given as a JSON list of texts: for each `error`, or the indexes and
/// trusted hosts after it, the command line naming the index `cli`.
const PIPS_OWN_READING: &str = r"
import contextlib, io, json, os, sys
from pip._internal.models.search_scope import SearchScope
from pip._internal.req import req_file
os.environ['TOKEN'] = 's3cret'

class World:
    format_control = release_control = None
    find_links = property(lambda self: self.search_scope.find_links)
    index_urls = property(lambda self: self.search_scope.index_urls)
    def __init__(self):
        self.search_scope, self.hosts = SearchScope(find_links=[], index_urls=['cli'], no_index=False), []
    def add_trusted_host(self, host, source): self.hosts.append(host)
    def __getattr__(self, name): return lambda *ignored: None

def reading(text):
    req_file.get_file_content = lambda url, session, **kw: (url, text if url == 'req.txt' else '')
    world = World()
    try:
        for _ in req_file.parse_requirements('req.txt', session=world, finder=world): pass
    except Exception: return 'error'
    return [world.index_urls, world.hosts]

with contextlib.redirect_stderr(io.StringIO()):
    answers = [reading(text) for text in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
";

fn piece() -> impl Strategy<Value = String> {
    let names = [
        "-i",
        "--index-url",
        "--index",
        "--extra-index-url",
        "--extra",
        "--no-index",
        "--no-i",
        "--trusted-host",
        "-f",
        "--find-links",
        "-r",
        "-c",
        "-e",
        "--pre",
        "--hash",
        "--",
    ];
    let values =
        ["u", "https://v", "'a b'", "\"c\\d\"", "x\\y", "${TOKEN}", "${", "flask", "''", "'"];
    let glue =
        [" ", " ", " ", "=", "\n", "\n", "\\\n", "\r\n", "\t", " # ", "#", "\u{85}", "\\", "é"];
    prop_oneof![
        3 => prop::sample::select(names.to_vec()),
        3 => prop::sample::select(values.to_vec()),
        5 => prop::sample::select(glue.to_vec()),
    ]
    .prop_map(str::to_owned)
}

#[test]
fn thousands_of_files_read_as_pip_reads_them() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(piece(), 1..14).prop_map(|pieces| pieces.concat());
    let texts: Vec<String> =
        (0..8_000).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let mut compared = 0;
    for (text, answer) in texts.iter().zip(pips_own_reading(&texts)) {
        if answer != "error" {
            compared += 1;
            let found = lines(text);
            let ours = serde_json::json!([indexes(&found, "cli"), found.trusted_hosts]);
            assert_eq!(ours, answer, "{text:?}");
        }
    }
    assert!(compared > 2_000, "pip read only {compared} of the files");
}

fn pips_own_reading(texts: &[String]) -> Vec<serde_json::Value> {
    let sandbox = Sandbox::new();
    let python = sandbox.run(sandbox.venv().python(), ["-c", PIPS_OWN_READING]);
    let said = python.stdin(&serde_json::to_string(texts).unwrap()).run();
    serde_json::from_str(&said.exits(0).stdout).unwrap()
}

/// Returns whether version 1 of a project may have the bytes `x`, on a Python for Linux.
fn fit(hashes: &Hashes, name: &str, sha256: &Sha256) -> bool {
    let markers = [("os_name", "posix"), ("python_version", "3.11")];
    let markers = markers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let environment = Environment::of(&Target { markers, ..Target::default() });
    let (name, environment) = (&PackageName::parse(name).unwrap(), &environment);
    let file = Compared { name, version: Some("1"), sha256, environment };
    hashes.fit(file, || Ok(&b"x"[..])).unwrap()
}

#[test]
fn hashes_are_read_and_one_of_each_line_must_fit() {
    let right = Sha256::of(b"x");
    let sha384 = hex::encode(sha2::Sha384::digest(b"x")).to_uppercase();
    let (zeros, md5) = ("0".repeat(64), "9dd4e461268c8034f5c8564e155c67a6");
    for (line, fits) in [
        ("aa".to_owned(), true),
        (format!("bb --hash=sha256:{zeros}"), true),
        (format!("aa --hash=md5:{md5}"), true),
        (format!("aa==1 --hash=sha256:{right}"), true),
        (format!("A_a[x]>=1 ; python_version > '3' --hash=sha256:{zeros}"), true),
        (format!("Aa[x]>=1 ; python_version > '3' --hash=sha256:{zeros}"), false),
        (format!("aa --hash sha256:{zeros} \\\n --hash 'sha384:{sha384}'"), true),
        (format!("aa --hash=sha512:{}", "0".repeat(128)), false),
        (format!("aa --hash=sha256:{zeros}\naa --hash=sha256:{right}"), false),
        (format!("aa --hash=sha256:{right}\nAa --hash=sha384:{sha384}"), true),
        (format!("aa ; os_name == 'nt' --hash=sha256:{zeros}\naa --hash=sha256:{right}"), true),
        (format!("aa ; unknown == 'x' --hash=sha256:{zeros}"), false),
        (format!("aa[x]==2 ; unknown == 'x' --hash=sha256:{zeros}"), true),
        (format!("aa @ https://x/;y ; os_name == 'nt' --hash=sha256:{zeros}"), true),
        (format!("aa @ https://x/;os_name=='nt' --hash=sha256:{zeros}"), false),
    ] {
        let found = lines(&line).hashes;
        assert_eq!(fit(&found, "aa", &right), fits, "{line}");
    }
}

#[test]
fn hashes_of_a_lock_count_as_well() {
    let right = Sha256::of(b"x");
    let text = format!(
        "lock-version = '1.0'\n[[packages]]\nname = 'Aa'\n[packages.sdist]\nhashes = {{sha512 = '0'}}\n\
         [[packages.wheels]]\nhashes = {{md5 = '1', sha256 = '{right}'}}\n\
         [[packages]]\nname = 'bb'\narchive = {{hashes = {{sha512 = '0'}}}}\n"
    );
    let found = read(&[("dir/pylock.x.toml", text.as_bytes())]);
    for (name, fits) in [("aa", true), ("bb", false), ("cc", true)] {
        assert_eq!(fit(&found.hashes, name, &right), fits, "{name}");
    }
    assert!(found.requirements.is_empty());
}
