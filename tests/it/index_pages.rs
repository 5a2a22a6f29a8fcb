//! Index pages: what is read of JSON and HTML, and what is refused.

use proptest::prelude::*;
use pypi_verify_now::index::page::{Beside, Page, PageError, PageFile, is_same_place};
use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::terminal::escape::blanked;
use url::Url;

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "text/html; charset=utf-8";
const BASE: &str = "https://me:secret@index.example/simple/aa/";
const FILE: &str = "https://files.example/aa-1.0.whl";
const DIGEST: &str = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn parse(content_type: &str, text: &str) -> Result<Page, PageError> {
    Page::parse(content_type, &url(BASE), text.as_bytes())
}

/// A JSON page with one file, `aa-1.0.whl` at `FILE`, and these further members.
fn json(members: &str) -> String {
    format!(
        r#"{{"meta": {{"api-version": "1.3"}}, "name": "aa", "files": [
            {{"filename": "aa-1.0.whl", "url": "{FILE}", "hashes": {{}}{members}}}]}}"#
    )
}

fn html(attributes: &str) -> String {
    format!(r#"<!DOCTYPE html><html><body><a {attributes}>aa-1.0.whl</a></body></html>"#)
}

fn aa(page: &Page) -> Result<Option<PageFile>, PageError> {
    page.file("aa-1.0.whl", &url(FILE))
}

#[test]
fn json_and_html_pages_read_alike() {
    let in_json = json(&format!(
        r#", "hashes": {{"sha256": "{DIGEST}", "md5": "00"}}, "yanked": "broken",
           "provenance": "https://index.example/p?a=1&b=2""#
    ))
    .replace(r#""hashes": {}, "#, "");
    let in_html = html(&format!(
        r#"href="{FILE}#sha256={DIGEST}&md5=00" data-yanked="broken"
           data-provenance="https://index.example/p?a=1&amp;b=2""#
    ));
    let (one, two) = (parse(JSON, &in_json).unwrap(), parse(HTML, &in_html).unwrap());
    let file = aa(&one).unwrap().unwrap();
    assert_eq!(aa(&two).unwrap().unwrap(), file);
    assert_eq!(file.sha256, Some(Sha256::parse(DIGEST).unwrap()));
    assert_eq!(file.other_hashes, [("md5".to_owned(), "00".to_owned())]);
    assert_eq!(file.provenance, Some(url("https://index.example/p?a=1&b=2")));
    assert_eq!(file.yanked.as_deref(), Some("broken"));
}

#[test]
fn entry_with_name_and_url_alone_is_a_file() {
    for page in [parse(JSON, &json("")), parse(HTML, &html(&format!("href={FILE}")))] {
        let page = page.unwrap();
        let file = aa(&page).unwrap().unwrap();
        assert_eq!((file.sha256, &file.provenance, &file.yanked), (None, &None, &None));
    }
}

#[test]
fn links_resolve_without_the_credentials_of_the_page() {
    let in_json = json(r#", "provenance": "../../p""#).replace(FILE, "../../f/aa-1.0.whl");
    let in_html = html(r#"href="../../f/aa-1.0.whl" data-provenance="../../p""#);
    for page in [parse(JSON, &in_json).unwrap(), parse(HTML, &in_html).unwrap()] {
        let file = page.files().next().unwrap();
        assert_eq!(file.url, url("https://index.example/f/aa-1.0.whl"));
        assert_eq!(file.provenance, Some(url("https://index.example/p")));
    }
}

#[test]
fn base_of_a_html_page_holds_for_every_link() {
    let page = "<a href=aa-1.0.whl data-provenance=p></a>
        <base href=https://files.example/><base href=/x/>";
    let page = parse(HTML, page).unwrap();
    assert_eq!(page.files().next().unwrap().provenance, Some(url("https://files.example/p")));
    assert!(aa(&page).unwrap().is_some());
}

#[test]
fn invalid_provenance_link_is_an_error() {
    for link in ["", "  ", "ftp://index.example/p", "file:///p", "data:,{}", "http://[::"] {
        let in_json = json(&format!(r#", "provenance": "{link}""#));
        let in_html = html(&format!(r#"href={FILE} data-provenance="{link}""#));
        for page in [parse(JSON, &in_json).unwrap(), parse(HTML, &in_html).unwrap()] {
            let error = aa(&page).unwrap_err();
            assert!(matches!(error, PageError::Entry { .. }), "{link:?}: {error}");
        }
    }
    let null = parse(JSON, &json(r#", "provenance": null"#)).unwrap();
    assert_eq!(aa(&null).unwrap().unwrap().provenance, None);
}

#[test]
fn invalid_digest_is_an_error() {
    let in_json = json(r#", "hashes": {"sha256": "00"}"#).replace(r#""hashes": {}, "#, "");
    let in_html = html(&format!("href={FILE}#sha256=00"));
    let twice = html(&format!("href={FILE}#sha256={DIGEST}&sha256={}", "0".repeat(64)));
    for page in [parse(JSON, &in_json), parse(HTML, &in_html), parse(HTML, &twice)] {
        assert!(aa(&page.unwrap()).is_err());
    }
}

#[test]
fn malformed_entry_does_not_affect_others() {
    let page = json("").replace(
        r#""files": ["#,
        r#""files": [{"filename": "bb-1.0.whl", "url": "http://[::", "hashes": {}},"#,
    );
    let page = parse(JSON, &page).unwrap();
    assert!(aa(&page).unwrap().is_some());
    assert!(page.file("bb-1.0.whl", &url(FILE)).is_err());
}

#[test]
fn two_entries_of_one_file_must_agree() {
    let anchor = format!("<a href={FILE}>x</a>");
    let twice = parse(HTML, &format!("{anchor}{anchor}")).unwrap();
    assert!(aa(&twice).unwrap().is_some());
    let disagreeing = format!("{anchor}<a href={FILE} data-provenance=/p>x</a>");
    assert!(aa(&parse(HTML, &disagreeing).unwrap()).is_err());
}

#[test]
fn file_is_found_by_name_and_place() {
    let page = parse(JSON, &json("")).unwrap();
    assert!(page.file("aa-2.0.whl", &url(FILE)).unwrap().is_none());
    assert!(page.file("aa-1.0.whl", &url("https://other.example/aa-1.0.whl")).unwrap().is_none());
}

#[test]
fn file_is_found_by_name_and_digest() {
    let (right, wrong) = (Sha256::parse(DIGEST).unwrap(), Sha256::of(b""));
    let page = parse(HTML, &html(&format!("href={FILE}#sha256={DIGEST}"))).unwrap();
    assert!(page.file_with("aa-1.0.whl", &right).unwrap().is_some());
    assert!(page.file_with("aa-1.0.whl", &wrong).unwrap().is_none());
    let silent = parse(HTML, &html(&format!("href={FILE}"))).unwrap();
    assert!(silent.file_with("aa-1.0.whl", &wrong).unwrap().is_some());
}

/// The right side is what pip's `_ensure_quoted_url` makes of the left.
#[test]
fn links_are_quoted_as_pip_quotes_them() {
    for (link, quoted) in [
        ("a-1+cu.whl", "a-1%2Bcu.whl"),
        ("a-1&#43;cu.whl", "a-1%2Bcu.whl"),
        ("a-1%2bcu.whl", "a-1%2Bcu.whl"),
        ("a b/%41(1)!.whl", "a%20b/A%281%29%21.whl"),
        ("x@1/a%2fb%2Fc.whl?q=a+b", "x@1/a%2Fb%2Fc.whl?q=a+b"),
        ("%7Eme/~you/a:b,c;d=e.whl", "~me/~you/a%3Ab%2Cc%3Bd%3De.whl"),
        ("\u{e9}.whl", "%C3%A9.whl"),
        ("a%25b.whl", "a%25b.whl"),
    ] {
        let page = parse(HTML, &html(&format!("href=\"/d/{link}\""))).unwrap();
        let file = page.files().next().unwrap();
        assert_eq!(file.url.as_str(), format!("https://index.example/d/{quoted}"), "{link}");
    }
}

#[test]
fn places_are_compared_as_pip_writes_them() {
    let same = |one: &str, other: &str| is_same_place(&url(one), &url(other));
    assert!(same("https://f.example/a-1+cu.whl", "https://f.example:443/a-1%2Bcu.whl#sha256=0"));
    assert!(same("https://f.example/a", "https://me:secret@f.example/a"));
    for other in [
        "http://f.example/a",
        "https://f.example:8443/a",
        "https://g.example/a",
        "https://f.example/a?b",
        "https://f.example/a/",
        "https://f.example/%2561",
    ] {
        assert!(!same("https://f.example/a", other), "{other}");
    }
    assert!(!same("https://f.example/a/b", "https://f.example/a%2Fb"));
}

#[test]
fn scripts_and_comments_are_not_files() {
    let anchor = format!("<a href={FILE}>x</a>");
    for page in [
        format!("<!-- {anchor} -->"),
        format!("<script>'{anchor}'</script>"),
        format!("<style>{anchor}</style>"),
        format!("<textarea>{anchor}</textarea>"),
        "<a href=/>home</a><a name=x>y</a><a href>z</a><a href=mailto:me@index.example>m</a>"
            .into(),
    ] {
        assert_eq!(parse(HTML, &page).unwrap().files().count(), 0, "{page}");
    }
}

#[test]
fn bytes_that_are_no_json_page_are_refused() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let truncated = &json("")[..100];
    let files_twice = json("").replace(r#""name": "aa","#, r#""files": [],"#);
    for text in [
        "",
        "null",
        "<html></html>",
        "[]",
        deep.as_str(),
        truncated,
        files_twice.as_str(),
        &(json("") + "x"),
        r#"{"files": {}}"#,
        r#"{"files": null}"#,
    ] {
        let error = parse(JSON, text).unwrap_err();
        assert!(matches!(error, PageError::Json(_)), "{text:.40}: {error}");
    }
}

/// Members that pip does not read, or reads in any type.
#[test]
fn members_that_pip_does_not_need_may_be_missing_or_odd() {
    for page in [
        json("").replace(r#""meta": {"api-version": "1.3"}, "#, ""),
        json("").replace("\"1.3\"", "1.3"),
        json("").replace(r#"{"api-version": "1.3"}"#, "null"),
        json("").replace(r#""filename": "aa-1.0.whl", "#, ""),
        json("").replace(r#""aa-1.0.whl","#, "7,"),
        json("").replace(r#", "hashes": {}"#, ""),
        json("").replace(r#""hashes": {}"#, r#""hashes": null"#),
        json("").replace(r#""hashes": {}"#, r#""hashes": {"sha256": ""}"#),
        json("").replace(r#""hashes": {}"#, r#""hashes": {"blake2b": "00", "sha256": null}"#),
        json(r#", "size": "1024""#),
        json(r#", "size": -1"#),
        json(r#", "size": 1.5"#),
        json(r#", "provenance": null, "yanked": null, "requires-python": 3, "size": null"#),
    ] {
        let read = parse(JSON, &page).unwrap_or_else(|error| panic!("{page}: {error}"));
        let file = aa(&read).unwrap().unwrap_or_else(|| panic!("{page}"));
        assert_eq!((file.sha256, file.size, file.yanked), (None, None, None), "{page}");
    }
    for empty in ["{}", r#"{"meta": {"api-version": "1.0"}}"#] {
        assert_eq!(parse(JSON, empty).unwrap().files().count(), 0);
    }
    let empty_in_html = parse(HTML, &html(&format!("href={FILE}#sha256="))).unwrap();
    assert_eq!(aa(&empty_in_html).unwrap().unwrap().sha256, None);
}

/// A statement that cannot be read is not an absent one: the file's entry is an error.
#[test]
fn broken_entry_is_an_error_for_its_file_only() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let good = r#"{"filename": "bb-1.0.whl", "url": "https://files.example/bb-1.0.whl"}"#;
    for broken in [
        json(r#", "provenance": false"#),
        json(r#", "provenance": {"a": 1}"#),
        json(r#", "provenance": "a", "provenance": null"#),
        json(&format!(r#", "url": "{FILE}""#)),
        json(r#", "url": "https://evil.example/""#),
        json(&format!(r#", "url": 7, "url": "{FILE}""#)),
        json(&format!(r#", "provenance": {deep}"#)),
        json("").replace(r#""hashes": {}"#, r#""hashes": []"#),
        json("").replace(r#""hashes": {}"#, r#""hashes": "sha256=00""#),
        json("").replace(r#""hashes": {}"#, r#""hashes": {"md5": "0", "md5": "1"}"#),
    ] {
        let page = parse(JSON, &broken.replace("}]}", &format!("}}, {good}, 7, null, []]}}")));
        let page = page.unwrap_or_else(|error| panic!("{broken:.300}: {error}"));
        let error = aa(&page).unwrap_err();
        assert!(matches!(error, PageError::Entry { .. }), "{broken:.300}: {error}");
        assert!(page.file_named("bb-1.0.whl").unwrap().is_some());
    }
    let nameless = json("").replace(&format!(r#""url": "{FILE}", "#), "");
    assert_eq!(parse(JSON, &nameless).unwrap().files().count(), 0, "pip skips it as well");
}

/// pip reads the name of a file from its URL, and ignores the member `filename`.
#[test]
fn file_has_the_name_in_its_url() {
    let page = parse(JSON, &json("").replace(r#""aa-1.0.whl","#, r#""cc-1.0.whl","#)).unwrap();
    assert!(aa(&page).unwrap().is_some());
    assert_eq!(page.file_named("cc-1.0.whl"), Ok(None));
}

#[test]
fn of_one_name_at_two_urls_the_last_is_the_one_named() {
    let page = format!("<a href={FILE}>x</a><a href=/mirror/aa-1.0.whl>y</a>");
    let page = parse(HTML, &page).unwrap();
    let named = page.file_named("aa-1.0.whl").unwrap().unwrap();
    assert_eq!(named.url, url("https://index.example/mirror/aa-1.0.whl"));
    assert!(aa(&page).unwrap().is_some());
    let disagreeing = format!(
        "<a href=/x/aa-1.0.whl>x</a><a href={FILE}#sha256={DIGEST}>x</a>\
         <a href={FILE}#sha256={}>y</a>",
        "0".repeat(64)
    );
    assert!(parse(HTML, &disagreeing).unwrap().file_named("aa-1.0.whl").is_err());
}

#[test]
fn deep_nesting_in_unknown_fields_is_skipped() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let page = parse(JSON, &json(&format!(r#", "unknown": {deep}"#))).unwrap();
    assert!(aa(&page).unwrap().is_some());
    assert_eq!(parse(HTML, &"<a>".repeat(200_000)).unwrap().files().count(), 0);
}

#[test]
fn another_major_version_is_refused() {
    let later = json("").replace("1.3", "2.0");
    assert!(matches!(parse(JSON, &later), Err(PageError::Version(_))));
    assert!(parse(JSON, &json("").replace("1.3", "1.99")).is_ok());
    let meta =
        |version: &str| format!(r#"<meta name="pypi:repository-version" content="{version}">"#);
    assert!(matches!(parse(HTML, &meta("2.0")), Err(PageError::Version(_))));
    assert!(parse(HTML, &meta("1.4")).is_ok());
}

#[test]
fn another_content_type_is_refused() {
    for content_type in ["", "text/plain", "application/octet-stream", "text/html+x", "\u{1b}[2J"] {
        let error = parse(content_type, &json("")).unwrap_err();
        assert!(matches!(error, PageError::ContentType(_)), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    for content_type in ["TEXT/HTML", "application/vnd.pypi.simple.v1+html;charset=x"] {
        assert!(parse(content_type, "").is_ok());
    }
}

#[test]
fn number_of_files_of_a_page_is_bounded() {
    let page = "<a href=x>".repeat(250_001);
    assert_eq!(parse(HTML, &page), Err(PageError::TooMany));
}

#[test]
fn mirror_has_no_control_characters() {
    let evil = "x\n\u{1b}[A\u{202e}pypi-verify-now: verified";
    let file = |name: &str| {
        serde_json::json!({
            "filename": name, "url": escape_in_url(name), "hashes": {}, "yanked": evil,
            "requires-python": evil,
            evil: [{"a": evil}], "size": 1,
        })
    };
    let page = serde_json::json!({
        "meta": {"api-version": "1.4"}, "files": [file("aa-1\u{1b}[A.whl"), file("aa-1.whl")],
        "project-status": {"status": "archived", "reason": evil}, "versions": [evil],
    });
    let anchor = format!(
        "<a href='aa-1%1b%5BA.whl'>x</a><a href='aa-1.whl' data-yanked='{evil}' \
         data-requires-python='{evil}'>{evil}</a>"
    );
    for (kind, page) in [(JSON, page.to_string()), (HTML, anchor)] {
        let link = |name: &str| format!("http://127.0.0.1:9/{}", escape_in_url(name));
        let mirror = Page::mirror(kind, &url(BASE), page.as_bytes(), Beside::Kept, &link).unwrap();
        assert_eq!(mirror.page.files().count(), 2, "what the page says is known to us as it is");
        let again = Page::parse(&mirror.content_type, &url(BASE), &mirror.body).unwrap();
        let [file] = &again.files().collect::<Vec<_>>()[..] else { panic!("{again:?}") };
        let shown = "x  [A pypi-verify-now: verified";
        assert_eq!((file.filename.as_str(), file.yanked.as_deref()), ("aa-1.whl", Some(shown)));
        assert_eq!(file.requires_python.as_deref(), Some(shown));
        let body = String::from_utf8(mirror.body).unwrap();
        assert!(!body.contains(['\u{1b}', '\u{202e}']) && !body.contains("\\u00"), "{body}");
        assert!(!body.contains("\\n"), "{body}");
    }
}

fn escape_in_url(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

proptest! {
    #[test]
    fn mirror_has_the_entries_of_the_page(
        name in "[a-z<>&\"'+ %]{1,9}", yanked: Option<String>, python: String, fragment in "(#[a-z=&]{0,9})?",
    ) {
        let page = serde_json::json!({"meta": {"api-version": "1.1"}, "name": "aa", "files": [{
            "filename": name, "url": format!("{}{fragment}", escape_in_url(&name)), "hashes": {"sha256": DIGEST, "md5": "0"},
            "yanked": yanked, "requires-python": python, "core-metadata": {"sha256": DIGEST},
            "provenance": "p",
        }]});
        let link = |name: &str| format!("http://127.0.0.1:9/x/{}", escape_in_url(name));
        let mirror = Page::mirror(JSON, &url(BASE), page.to_string().as_bytes(), Beside::Kept, &link).unwrap();
        let again = Page::parse(&mirror.content_type, &url("http://127.0.0.1:9/"), &mirror.body).unwrap();
        let text = |text: &Option<String>| text.as_deref().map(blanked);
        let moved = |file: PageFile| PageFile {
            url: url(&link(&file.filename)),
            provenance: None,
            yanked: text(&file.yanked),
            requires_python: text(&file.requires_python),
            ..file
        };
        let expected: Vec<_> = mirror.page.files().map(moved).collect();
        prop_assert_eq!(again.files().collect::<Vec<_>>(), expected);
        prop_assert!(!String::from_utf8_lossy(&mirror.body).contains("index.example"));
    }

    #[test]
    fn mirror_of_html_has_the_entries_of_the_page(python in "[ -~]{0,9}", yanked in "[ -~]{0,9}") {
        let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
        let page = html(&format!(
            "href='{FILE}#sha256={DIGEST}' data-requires-python=\"{}\" data-yanked=\"{}\" \
             data-core-metadata='sha256={DIGEST}' data-provenance='p' onclick='x' $='y'",
            escape(&python), escape(&yanked),
        ));
        let link = |name: &str| format!("http://127.0.0.1:9/{name}");
        let mirror = Page::mirror(HTML, &url(BASE), page.as_bytes(), Beside::Kept, &link).unwrap();
        let again = Page::parse(&mirror.content_type, &url(BASE), &mirror.body).unwrap();
        let file = mirror.page.files().next().unwrap();
        let expected = PageFile { url: url(&link("aa-1.0.whl")), provenance: None, ..file };
        prop_assert_eq!(again.files().collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>, html in "(<(a|base|meta|/a)( (href|data-provenance)=[\"'a&#;:/.%]{0,9}){0,3}>?){0,9}") {
        for content_type in [JSON, HTML] {
            let _ = Page::parse(content_type, &url(BASE), &bytes);
            let _ = Page::parse(content_type, &url(BASE), html.as_bytes());
            let _ = Page::mirror(content_type, &url(BASE), &bytes, Beside::LeftOut, &str::to_owned);
            let _ = Page::mirror(content_type, &url(BASE), html.as_bytes(), Beside::LeftOut, &str::to_owned);
        }
    }
}
