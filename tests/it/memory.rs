//! Memory that texts of strangers take: a bound on the text is one on the memory only if no byte of
//! it costs many. Allocations are counted, so that no test depends on the machine.

use std::fmt::Write as _;

use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::index::page::{Beside, Page, PageError, ROOM};
use pypi_verify_now::package::lock::Lock;
use serde_json::json;
use url::Url;

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "text/html";

/// How many bytes may be held at once for a byte of text, itself included.
const FACTOR: f64 = 8.0;
/// How many bytes of text each shape has, at least.
const SIZE: usize = 200_000;

/// Holds the most bytes that are held at once while `read` runs, those of `text` included, against
/// [`FACTOR`]; `room` does not count.
#[track_caller]
fn stays_within(what: &str, room: usize, text: &str, read: impl FnOnce(&[u8])) {
    let most = allocation_counter::measure(|| read(text.as_bytes())).bytes_max;
    let (own, room) = (text.len() as u64, room as u64);
    let factor = (own + most.saturating_sub(room)) as f64 / own as f64;
    println!("{factor:4.1} {what}");
    assert!(factor <= FACTOR, "{factor:.1} bytes for a byte of {what}");
}

fn repeated(start: &str, item: &str, end: &str) -> String {
    let items = item.repeat(SIZE / item.len() + 1);
    format!("{start}{}{end}", items.trim_end_matches(','))
}

/// Objects with one member each, of a key that occurs once.
fn keys() -> String {
    let mut text = String::new();
    for n in 0_u32.. {
        if text.len() > SIZE {
            break;
        }
        write!(text, "\"{n:x}\":0,").unwrap();
    }
    format!("{{{}}}", text.trim_end_matches(','))
}

/// JSON values of hostile shape, as (name, text).
fn values() -> Vec<(&'static str, String)> {
    let nested = "[".repeat(100) + &"]".repeat(100) + ",";
    vec![
        ("empty lists", repeated("[", "[],", "]")),
        ("empty objects", repeated("[", "{},", "]")),
        ("small objects", repeated("[", "{\"a\":0},", "]")),
        ("small numbers", repeated("[", "0,", "]")),
        ("empty texts", repeated("[", "\"\",", "]")),
        ("nested lists", repeated("[", &nested, "]")),
        ("one text", repeated("\"", "x", "\"")),
        ("one text of escapes", repeated("\"", "\\n", "\"")),
        ("one text of long escapes", repeated("\"", "\\u00e9", "\"")),
        ("many keys", keys()),
    ]
}

fn base() -> Url {
    Url::parse(&format!("https://index.example/{}/simple/aa/", "x".repeat(2_000))).unwrap()
}

/// A page with these files and further members.
fn page(files: &str, members: &str) -> String {
    format!(
        "{{\"files\":[{}],\"meta\":{{\"api-version\":\"1.0\"}}{members}}}",
        files.trim_matches(',')
    )
}

/// Files in which each of these keys has this value.
fn file(keys: &[&str], value: &str) -> String {
    let others = |(key, usual): &(&str, &str)| {
        let value = if keys.contains(key) { value } else { usual };
        format!("\"{key}\":{value}")
    };
    let usual = [("filename", "\"\""), ("url", "\"\""), ("hashes", "{}")];
    let mut members: Vec<_> = usual.iter().map(others).collect();
    let more = keys.iter().filter(|key| usual.iter().all(|(usual, _)| usual != *key));
    members.extend(more.map(|key| format!("\"{key}\":{value}")));
    format!("{{{}}},", members.join(","))
}

/// JSON pages of hostile shape.
fn json_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for (name, value) in values() {
        pages.push((format!("a page with {name}"), page("", &format!(",\"x\":{value}"))));
        for key in ["x", "yanked", "hashes", "requires-python", "core-metadata", "upload-time"] {
            pages.push((format!("a file with {name} as {key}"), page(&file(&[key], &value), "")));
        }
        if value.starts_with('"') {
            for key in ["filename", "url", "provenance"] {
                let text = page(&file(&[key], &value), "");
                pages.push((format!("a file with {name} as {key}"), text));
            }
        }
    }
    // As many as a page may have, and not one more.
    let many = |item: String| page(&item.repeat((SIZE / item.len()).min(200_000)), "");
    pages.push(("small files".to_owned(), many(file(&[], ""))));
    pages.push(("files of one letter".to_owned(), many(file(&["filename", "url"], "\"x\""))));
    let keys = ["yanked", "requires-python", "provenance"];
    pages.push(("files of empty texts".to_owned(), many(file(&keys, "\"\""))));
    let escapes = ["filename", "url", "yanked"];
    pages.push(("files of escapes".to_owned(), many(file(&escapes, "\"\\n\\n\\n\\n\\n\""))));
    let digests = many(file(&["hashes"], "{\"sha256\":\"\",\"sha384\":\"\",\"sha512\":\"\"}"));
    pages.push(("files of empty digests".to_owned(), digests));
    pages
}

/// HTML pages of hostile shape.
fn html_pages() -> Vec<(String, String)> {
    let many = |item: &str| item.repeat((SIZE / item.len() + 1).min(250_000));
    let mut attributes = String::new();
    (0_u32..30_000).for_each(|n| write!(attributes, "{n:x} ").unwrap());
    let quotes = "'\"'".replace('"', &"\"".repeat(40));
    [
        ("short links", many("<a href=x>")),
        ("links to a directory", many("<a href=/>")),
        ("links of nothing", many("<a href=#>")),
        ("links that are too long", many(&format!("<a href={}>", "x".repeat(9_000)))),
        ("links that are just not", many(&format!("<a href={}>", "x".repeat(8_000)))),
        ("links of letters to be escaped", many(&format!("<a href=\"{}\">", "é".repeat(100)))),
        ("quotes to be escaped", many(&format!("<a href=x data-yanked={quotes}>"))),
        ("empty attributes", many("<a href=x data-yanked data-provenance data-requires-python>")),
        ("one tag of many attributes", format!("<a {attributes}>")),
        ("a link of many attributes", format!("<a href=x {attributes}>")),
        ("one link", format!("<a href={}>", "x".repeat(SIZE))),
        ("one attribute", format!("<a href=x data-yanked='{}'>", "x".repeat(SIZE))),
        ("one name", format!("<{}>", "x".repeat(SIZE))),
        ("one text", "x".repeat(SIZE)),
        ("one comment", format!("<!--{}-->", "x".repeat(SIZE))),
        ("entities", "&amp;".repeat(SIZE / 5)),
        ("tags", "<b>".repeat(SIZE / 3)),
        ("errors", "<\0".repeat(SIZE / 2)),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

/// Reads a page, and does with it what the program does.
fn look_at(content_type: &str, bytes: &[u8]) -> Result<(), PageError> {
    let page = Page::parse(content_type, &base(), bytes)?;
    let _ = page.file_named("x");
    assert!(page.files().count() <= 250_000);
    Ok(())
}

fn link(_: &str) -> String {
    format!("http://127.0.0.1:40000/{}/0/file/aa/x", "0".repeat(32))
}

#[test]
fn page_takes_at_most_eight_times_its_bytes() {
    for (content_type, pages) in [(JSON, json_pages()), (HTML, html_pages())] {
        for (name, text) in pages {
            stays_within(&name, 0, &text, |bytes| drop(look_at(content_type, bytes)));
        }
    }
}

#[test]
fn page_and_mirror_take_at_most_eight_times_the_page() {
    for (content_type, pages) in [(JSON, json_pages()), (HTML, html_pages())] {
        for (name, text) in pages {
            stays_within(&format!("{name}, mirrored"), ROOM, &text, |bytes| {
                drop(Page::mirror(content_type, &base(), bytes, Beside::Kept, &link));
            });
        }
    }
}

#[test]
fn mirror_out_of_proportion_is_refused() {
    let mirror = |text: &str| Page::mirror(HTML, &base(), text.as_bytes(), Beside::Kept, &link);
    let short = "<a href=x>".repeat(200_000);
    assert!(matches!(mirror(&short), Err(PageError::Growth(_))));
    assert!(mirror(&"<a href=x>".repeat(5_000)).is_ok());
    let name = "aa-1.0-py3-none-any.whl";
    let ordinary = format!("<a href=\"{name}\">{name}</a>\n").repeat(100_000);
    assert!(mirror(&ordinary).is_ok());
}

#[test]
fn links_longer_than_a_request_are_dropped() {
    let (long, name) = ("x".repeat(9_000), "aa-1.0.whl");
    let read =
        |content_type: &str, text: String| Page::parse(content_type, &base(), text.as_bytes());
    let files = read(JSON, page(&file(&["url"], &format!("\"{long}\"")), "")).unwrap();
    assert!(matches!(files.file_named(&long), Err(PageError::Entry { .. })));
    let html = read(HTML, format!("<a href={long}/{name}><a href=b>")).unwrap();
    assert_eq!(html.files().count(), 1);
    let based = format!("<a href=x><base href={long}>");
    assert!(matches!(read(HTML, based), Err(PageError::Base)));
    let far = Url::parse(&format!("https://index.example/{long}")).unwrap();
    assert!(matches!(Page::parse(HTML, &far, b""), Err(PageError::Base)));
}

/// Provenance documents of hostile shape.
fn documents() -> Vec<(String, String)> {
    let attestation = json!({
        "version": 1,
        "verification_material": {"certificate": "AAAA", "transparency_entries": [{}]},
        "envelope": {"statement": "AAAA", "signature": "AAAA"},
    });
    let whole = json!({"version": 1, "attestation_bundles": [
        {"publisher": {"kind": "GitHub"}, "attestations": [attestation]},
    ]});
    let whole = whole.to_string();
    let mut documents = Vec::new();
    for (name, value) in values() {
        for (place, text) in [
            ("a document", whole.replacen('{', &format!("{{\"x\":{value},"), 1)),
            ("a version", whole.replace("\"version\":1", &format!("\"version\":{value}"))),
            ("a publisher", whole.replace("{\"kind\":\"GitHub\"}", &value)),
            ("a kind", whole.replace("\"GitHub\"", &value)),
            ("a log entry", whole.replace("[{}]", &format!("[{value}]"))),
            ("log entries", whole.replace("[{}]", &value)),
            (
                "an envelope",
                whole.replace("{\"signature\"", &format!("{{\"x\":{value},\"signature\"")),
            ),
            ("a certificate", whole.replacen("\"AAAA\"", &value, 1)),
            ("bundles", format!("{{\"version\":1,\"attestation_bundles\":{value}}}")),
            ("attestations", {
                let bundle = format!("{{\"attestations\":{value}}}");
                format!("{{\"version\":1,\"attestation_bundles\":[{bundle}]}}")
            }),
        ] {
            documents.push((format!("{name} as {place}"), text));
        }
    }
    documents
}

#[test]
fn document_takes_at_most_eight_times_its_bytes() {
    for (name, text) in documents() {
        stays_within(&name, 0, &text, |bytes| drop(Document::parse(bytes)));
    }
}

#[test]
fn report_takes_at_most_eight_times_its_bytes() {
    for (name, value) in values() {
        let text = format!(
            "{{\"version\":\"1\",\"install\":[{{\"download_info\":{{\"url\":\"https://f.example/aa-1.0.tar.gz\",\
             \"archive_info\":{{}}}},\"is_direct\":false,\"metadata\":{{\"name\":\"aa\",\"version\":\"1.0\",\
             \"x\":{value}}}}}]}}"
        );
        stays_within(&format!("{name} in a report"), 0, &text, |bytes| {
            Lock::from_report(bytes).unwrap();
        });
    }
}
