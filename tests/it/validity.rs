//! How long an answer counts: a table of headers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pypi_verify_now::http::validity::{Headers, LONGEST_FRESH, MAX_ETAG, Validity};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn after(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

fn with(cache_control: &str) -> Headers<'_> {
    Headers { cache_control, etag: Some("\"e\""), ..Headers::default() }
}

/// For how long an answer with these headers counts, as found by asking.
fn fresh_for(headers: &Headers<'_>) -> u64 {
    let validity = Validity::read(headers, now()).unwrap();
    (0..200_000).find(|seconds| !validity.is_fresh(after(*seconds))).unwrap()
}

#[test]
fn max_age_of_the_server_is_followed() {
    let longest = LONGEST_FRESH.as_secs();
    for (said, seconds) in [
        ("max-age=600", 600),
        ("public, max-age=600, immutable", 600),
        ("Max-Age=\"600\"", 600),
        ("private,max-age=600", 600),
        ("s-maxage=600", 0),
        ("max-age=600, max-age=5", 5),
        ("max-age=600, no-cache", 0),
        ("no-cache=\"set-cookie\", max-age=600", 0),
        ("max-age=-1", 0),
        ("max-age=much", 0),
        ("max-age", 0),
        ("max-age=31536000", longest),
        ("max-age=99999999999999999999999", 0),
        ("", 0),
    ] {
        assert_eq!(fresh_for(&with(said)), seconds, "{said}");
    }
}

#[test]
fn age_header_shortens_the_validity() {
    for (age, seconds) in [("0", 600), ("590", 10), ("600", 0), ("9999", 0), ("soon", 0)] {
        let headers = Headers { age: Some(age), ..with("max-age=600") };
        assert_eq!(fresh_for(&headers), seconds, "{age}");
    }
}

#[test]
fn answer_from_the_future_is_not_fresh() {
    let validity = Validity::read(&with("max-age=600"), after(60)).unwrap();
    assert!(!validity.is_fresh(now()) && validity.is_fresh(after(60)));
}

#[test]
fn no_store_answers_are_not_kept() {
    assert_eq!(Validity::read(&with("max-age=600, no-store"), now()), None);
    for vary in ["*", "accept, *"] {
        assert_eq!(Validity::read(&Headers { vary, ..with("max-age=600") }, now()), None);
    }
    let long = "x".repeat(MAX_ETAG + 1);
    for etag in [None, Some(&*long)] {
        assert_eq!(Validity::read(&Headers { etag, ..with("") }, now()), None);
        assert!(Validity::read(&Headers { etag, ..with("max-age=1") }, now()).is_some());
    }
}

#[test]
fn confirmation_renews_the_time_and_keeps_the_etag() {
    let first = Validity::read(&with("max-age=600"), now()).unwrap();
    let headers = Headers { cache_control: "max-age=60", ..Headers::default() };
    let second = first.confirmed(&headers, after(1000)).unwrap();
    assert_eq!(second.etag.as_deref(), Some("\"e\""));
    assert!(second.is_fresh(after(1059)) && !second.is_fresh(after(1060)));
    assert_eq!(first.confirmed(&with("no-store"), after(1000)), None);
}
