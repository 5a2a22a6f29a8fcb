//! Requirements files as private copies: word for word what is required, and no place to look in.

use std::collections::BTreeMap;
use std::path::Path;

use pypi_verify_now::pip::requirements::{Closed, NotClosed, Source, closed};

/// The copies of these files, of which the first is named. Variables: `TOKEN`, `LINES`, `HASH`.
fn copies(files: &[(&str, &[u8])]) -> Result<Closed, NotClosed> {
    let stored: BTreeMap<Source, Vec<u8>> =
        files.iter().map(|(name, bytes)| (Source::parse(name), bytes.to_vec())).collect();
    let variable = |name: &str| match name {
        "TOKEN" => Some("s3cret".to_owned()),
        "LINES" => Some("aa\n-i https://evil.example".to_owned()),
        "HASH" => Some("aa #".to_owned()),
        "AGAIN" => Some("${TOKEN}".to_owned()),
        _ => None,
    };
    let first = [Source::parse(files[0].0)];
    closed(&first, Path::new("/run"), |s| stored.get(s).cloned().ok_or(()), variable)
}

/// The copy of one file.
#[track_caller]
fn copy(text: &str) -> String {
    let closed = copies(&[("r.txt", text.as_bytes())]).unwrap();
    assert_eq!(closed.roots, [Path::new("/run/requirements-1.txt")]);
    closed.copies[0].1.clone()
}

#[test]
fn requirements_stay_word_for_word() {
    for line in [
        "aa",
        "aa[x] >= 1.0, < 2 ; python_version > '3'",
        "aa==1.0 --hash=sha256:00 --hash=sha256:11",
        "-e ./dir[x]",
        "--editable=git+https://h.example/x#egg=aa",
        "aa @ https://h.example/aa-1.0.tar.gz#sha256=00",
        "./dir with blanks/aa-1.0.tar.gz",
        "aa --config-settings=x=y",
        "größe",
    ] {
        assert_eq!(copy(line), format!("{line}\n"));
    }
    assert_eq!(copy("# a\naa # b\n\n  bb  \ncc==\\\n1.0\n"), "\naa\n\nbb\ncc==1.0\n");
    assert_eq!(copy("aa==${TOKEN} # ${TOKEN}\nbb==${UNSET}"), "aa==s3cret\nbb==${UNSET}\n");
}

#[test]
fn options_about_indexes_are_removed() {
    for line in [
        "-i https://evil.example",
        "-ihttps://evil.example",
        "--index-url=https://evil.example",
        "--pypi-url https://evil.example",
        "--ind https://evil.example",
        "--extra-index-url 'https://evil.example'",
        "--extra https://evil.example",
        "-f ./links",
        "--find-links=https://evil.example/links.html",
        "--no-index",
        "--trusted-host evil.example",
        "-i \\\nhttps://evil.example",
        "-i https://evil.example --no-index --trusted-host=evil.example",
        "\u{feff}-i https://evil.example",
        "-i https://${TOKEN}.example",
    ] {
        // The lines behind it keep their numbers.
        let blank = "\n".repeat(line.lines().count());
        assert_eq!(copy(&format!("{line}\naa\n")), format!("{blank}aa\n"), "{line}");
    }
}

#[test]
fn other_options_of_such_a_line_stay() {
    assert_eq!(copy("--pre -i https://evil.example"), "--pre\n");
    assert_eq!(copy("-f x --no-binary 'a a,b' --pre"), "--no-binary 'a a,b' --pre\n");
    assert_eq!(
        copy("--only-binary :all:\n--require-hashes"),
        "--only-binary ':all:'\n--require-hashes\n"
    );
    assert_eq!(copy("--config-settings \"a='b'\""), "--config-settings 'a='\"'\"'b'\"'\"''\n");
}

#[test]
fn files_that_are_included_are_copied_too() {
    let closed = copies(&[
        ("d/r.txt", b"-r sub/a.txt\n-cc.txt\naa\n--requirement=https://h.example/u.txt\n"),
        ("d/sub/a.txt", b"-i https://evil.example\nbb\n-r ../c.txt\n"),
        ("d/c.txt", b"--no-index\ncc<2\n"),
        ("d/sub/../c.txt", b"--no-index\ncc<2\n"),
        ("https://h.example/u.txt", b"-r v.txt\n-f https://evil.example\n"),
        ("https://h.example/v.txt", b"vv\n"),
    ]);
    let text: BTreeMap<_, _> = closed.unwrap().copies.into_iter().collect();
    let all: Vec<&str> = text.values().map(String::as_str).collect();
    assert!(all.iter().all(|text| !text.contains("evil") && !text.contains("no-index")), "{all:?}");
    let first = &text[Path::new("/run/requirements-1.txt")];
    assert_eq!(
        first,
        "-r '/run/requirements-2.txt'\n-c '/run/requirements-4.txt'\naa\n\
         -r '/run/requirements-5.txt'\n"
    );
    assert_eq!(text[Path::new("/run/requirements-2.txt")], "\nbb\n-r '/run/requirements-3.txt'\n");
    assert_eq!(text[Path::new("/run/requirements-6.txt")], "vv\n");
}

#[test]
fn private_directory_may_have_any_name() {
    let read = |source: &Source| {
        let text: &[u8] = if *source == Source::parse("r.txt") { b"-r s.txt\n" } else { b"aa\n" };
        Ok::<_, ()>(text.to_vec())
    };
    for (directory, path) in [("/o'b", "'/o'\"'\"'b/"), ("/a b", "'/a b/"), ("/\"", "'/\"/")] {
        let sources = [Source::parse("r.txt")];
        let closed = closed(&sources, Path::new(directory), read, |_| None).unwrap();
        assert_eq!(closed.copies[1].1, format!("-r {path}requirements-2.txt'\n"));
    }
    let comment = closed(&[Source::parse("r.txt")], Path::new("/a #b"), read, |_| None);
    assert!(matches!(comment, Err(NotClosed::Line { .. })), "{comment:?}");
}

#[test]
fn uncopyable_file_is_an_error() {
    let missing = copies(&[("r.txt", b"-r not-there.txt\n")]).unwrap_err();
    assert!(matches!(missing, NotClosed::NotRead(name) if name == "not-there.txt"));
    let circle = copies(&[("r.txt", b"-r s.txt\n"), ("s.txt", b"-r r.txt\n")]).unwrap_err();
    assert!(matches!(circle, NotClosed::OutOfBounds(_)));
    let encoding = copies(&[("r.txt", b"# coding: utf-7\naa\n")]).unwrap_err();
    assert!(matches!(encoding, NotClosed::Encoding { .. }));
}

#[test]
fn unknown_options_are_not_copied() {
    for line in ["--new-option x --index-url https://evil.example", "-i", "--no-index=1", "-i 'x"] {
        let error = copies(&[("r.txt", line.as_bytes())]).unwrap_err();
        assert!(matches!(error, NotClosed::Line { .. }), "{line}");
    }
}

#[test]
fn variables_add_no_lines_or_comments() {
    for line in ["${LINES}", "${HASH}frag", "x ${AGAIN}", "--pre --no-binary '${LINES}'"] {
        let error = copies(&[("r.txt", line.as_bytes())]);
        assert!(matches!(error, Err(NotClosed::Line { .. })), "{line}: {error:?}");
    }
}

#[test]
fn encodings_are_read_as_pip_reads_them() {
    let utf16: Vec<u8> =
        "\u{feff}aa\n-i https://evil.example\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let closed = copies(&[("r.txt", &utf16)]).unwrap();
    assert_eq!(closed.copies[0].1, "aa\n");
    let latin = copies(&[("r.txt", b"# coding: latin-1\ngr\xf6\xdfe\n")]).unwrap();
    assert_eq!(latin.copies[0].1, "\ngröße\n");
}
