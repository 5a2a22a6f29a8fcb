//! The place of a file in a lock: a URL or a path, parsed once, with its spelling kept.

use std::path::Path;

use pypi_verify_now::package::lock::{Lock, Place, Selection};

#[test]
fn text_with_a_scheme_is_a_url_and_any_other_text_is_a_path() {
    for (text, url, is_local) in [
        ("https://h.example/a.whl", Some("https://h.example/a.whl"), false),
        ("HTTPS://me:secret@H.example:443/%61.whl#x", None, false),
        ("https://h.example/a b.whl", Some("https://h.example/a%20b.whl"), false),
        ("file:///file.whl", Some("file:///file.whl"), true),
        ("wheels/a.whl", None, true),
        ("./a.whl", None, true),
    ] {
        let place = Place::parse(text).unwrap();
        assert_eq!(place.as_written(), text);
        assert_eq!(
            (place.is_local(), matches!(place, Place::Path(_))),
            (is_local, is_local && url.is_none())
        );
        if let Some(url) = url {
            assert_eq!(place.url().unwrap().as_str(), url);
        }
        assert_eq!(place, Place::parse(text).unwrap());
    }
    let (one, other) = ("https://h.example/a.whl", "https://H.example/a.whl");
    assert_ne!(Place::parse(one).unwrap(), Place::parse(other).unwrap());
}

#[test]
fn only_an_absolute_path_can_be_fetched() {
    assert_eq!(Place::parse("wheels/a.whl").unwrap().to_url(), None);
    let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join("a b.whl");
    let url = Place::Path(absolute.clone()).to_url().unwrap();
    assert_eq!(url.to_file_path().unwrap(), absolute);
    assert_eq!(Place::of_path(&absolute), Place::from(url));
    assert_eq!(Place::of_path(Path::new("a.whl")), Place::parse("a.whl").unwrap());
}

/// A lock with an archive at this place.
fn locked(place: &str) -> Result<Lock, String> {
    let hashes = format!("{{sha256 = \"{}\"}}", "0".repeat(64));
    let lock = format!(
        "lock-version = \"1.0\"\n[[packages]]\nname = \"aa\"\n\
         archive = {{{place}, hashes = {hashes}}}\n"
    );
    Lock::from_pylock(&lock).map_err(|error| error.to_string())
}

#[test]
fn url_that_is_not_valid_is_refused_and_not_taken_for_a_path() {
    for url in ["https://[::1/aa-1.0.zip", "https://h.example:99999/aa-1.0.zip"] {
        let error = locked(&format!("url = \"{url}\"")).unwrap_err();
        assert!(error.starts_with("package `aa`: its URL is not valid: "), "{error}");
    }
    locked("url = \"https://h.example:999/aa-1.0.zip\"").unwrap();
}

#[test]
fn requirement_line_has_the_spelling_of_the_lock() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = directory.join("wheels/aa-1.0.zip");
    for (stated, written) in [
        ("url = \"https://H.example/%61a-1.0.zip\"", "https://H.example/%61a-1.0.zip"),
        ("path = \"wheels/aa-1.0.zip\"", below.to_str().unwrap()),
    ] {
        let lock = locked(stated).unwrap().below(directory);
        let lines = lock.requirements(Selection::All).unwrap();
        assert_eq!(lines, format!("aa @ {written} --hash=sha256:{}\n", "0".repeat(64)));
    }
}
