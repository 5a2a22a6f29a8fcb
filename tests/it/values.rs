//! Names and digests: what reads, what does not, and that reading normalises.

use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::name::PackageName;

#[test]
fn every_spelling_of_a_project_is_one_name() {
    for spelling in ["Foo.Bar", "foo-bar", "FOO__BAR", "foo-_.bar"] {
        assert_eq!(PackageName::parse(spelling).unwrap().as_str(), "foo-bar");
    }
}

#[test]
fn invalid_project_name_is_rejected() {
    for text in ["", "-a", "a-", "a b", "a/b", "../a", "ä", "a\n", "a;b"] {
        assert!(PackageName::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn sha256_reads_in_either_case_and_prints_in_lower() {
    let lower = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";
    assert_eq!(Sha256::parse(&lower.to_uppercase()).unwrap().to_string(), lower);
    assert_eq!(
        Sha256::of(b"").to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn invalid_sha256_is_rejected() {
    for text in [
        "",
        "00",
        &"0".repeat(63),
        &"0".repeat(65),
        &"g".repeat(64),
        &"+0".repeat(32),
        &"é".repeat(32),
    ] {
        assert!(Sha256::parse(text).is_err(), "{text:?}");
    }
}
