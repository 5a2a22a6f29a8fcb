//! Publishers' URLs: what trust files may hold, and which spellings are one publisher.

use std::collections::HashSet;

use proptest::prelude::*;
use pypi_verify_now::attestation::publisher::PublisherUrl;

fn url(text: &str) -> PublisherUrl {
    PublisherUrl::parse(text).unwrap()
}

const CIRCLECI: &str =
    "https://circleci.com/api/v2/projects/fdd9283f-e619/pipeline-definitions/8e4f8ab2-8d7c";

#[test]
fn each_kind_of_publisher_has_a_url_that_prints_as_written() {
    for text in [
        "https://github.com/Octo-Cat/Hello.World_1",
        "https://gitlab.com/group/project",
        "https://gitlab.com/group/sub/deeper/project",
        "mailto:919436158236-compute@developer.gserviceaccount.com",
        CIRCLECI,
    ] {
        assert_eq!(url(text).to_string(), text);
    }
    assert_eq!(url("https://github.com/o/r/").to_string(), "https://github.com/o/r");
}

#[test]
fn github_and_gitlab_ignore_case() {
    for (one, other) in [
        ("https://github.com/Octo/Example", "https://GitHub.com/octo/example/"),
        ("https://gitlab.com/Group/Sub/Project", "https://gitlab.com/group/sub/project"),
    ] {
        assert_eq!(url(one), url(other));
        assert_eq!(HashSet::from([url(one), url(other)]).len(), 1);
    }
}

#[test]
fn other_publishers_are_not_equal() {
    for (one, other) in [
        ("https://github.com/o/r", "https://github.com/o/r2"),
        ("https://github.com/o/r", "https://gitlab.com/o/r"),
        ("https://github.com/o-r/x", "https://github.com/o/r-x"),
        ("https://gitlab.com/g/p", "https://gitlab.com/g/p/p"),
        ("mailto:a@example.com", "mailto:A@example.com"),
        (CIRCLECI, &CIRCLECI.replace("fdd", "FDD")),
    ] {
        assert_ne!(url(one), url(other));
    }
}

#[test]
fn invalid_publisher_url_is_rejected() {
    for text in [
        "",
        "github.com/o/r",
        "http://github.com/o/r",
        "HTTPS://github.com/o/r",
        "https://github.com",
        "https://github.com/",
        "https://github.com/o",
        "https://github.com/o/",
        "https://github.com/o/r/x",
        "https://github.com/o/r//",
        "https://github.com//r",
        "https://github.com/o/r.git",
        "https://github.com/o/..",
        "https://github.com/./r",
        "https://github.com/o/r?x=1",
        "https://github.com/o/r#x",
        "https://github.com/o/r%20",
        "https://github.com/o/r r",
        "https://github.com/o/r\n",
        "https://github.com/o/\u{430}",
        "https://github.com:443/o/r",
        "https://user@github.com/o/r",
        "https://github.com.evil.example/o/r",
        "https://github.com@evil.example/o/r",
        "https://www.github.com/o/r",
        "https://github.com\\o\\r",
        "https://gitlab.com/project",
        "https://gitlab.com/group//project",
        "https://gitlab.com/group/project/-/",
        "https://gitlab.example/group/project",
        "https://codeberg.org/o/r",
        "https://circleci.com/",
        "https://circleci.com/api/v2/projects/p/pipeline-definitions/",
        "https://circleci.com/api/v2/projects//pipeline-definitions/d",
        "https://circleci.com/api/v1/projects/p/pipeline-definitions/d",
        "mailto:",
        "mailto:a",
        "mailto:@example.com",
        "mailto:a@",
        "mailto:a@b@example.com",
        "mailto:a@example.com?subject=x",
        "mailto:a@example.com,b@example.com",
        "mailto:a b@example.com",
        &format!("https://github.com/o/{}", "r".repeat(2000)),
    ] {
        assert!(PublisherUrl::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn error_shows_the_expected_form() {
    for (text, reason) in [
        ("https://gitlab.example/g/p", "only github.com, gitlab.com and circleci.com"),
        ("https://user:secret@github.com/o/r", "it has credentials"),
        ("https://github.com/o/r.git", "without .git"),
        ("https://github.com/o", "https://github.com/OWNER/REPO"),
    ] {
        let error = PublisherUrl::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

proptest! {
    #[test]
    fn printed_publisher_reads_back_equal(text in "https://(github|gitlab)\\.com/[A-Za-z0-9-]{1,8}/[A-Za-z0-9._-]{1,8}/?|\\PC{0,40}") {
        if let Ok(url) = PublisherUrl::parse(&text) {
            prop_assert_eq!(&PublisherUrl::parse(url.as_str()).unwrap(), &url);
            prop_assert_eq!(&PublisherUrl::parse(&url.to_string().replace("GIT", "git")).unwrap(), &url);
        }
    }
}
