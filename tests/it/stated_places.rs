//! URLs that somebody states for a project, in METADATA or in the user's words: what they may hold,
//! and that the bytes behind them are held to what the user said of them.

use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::lock::Lock;

use crate::support::wheel::Wheel;
use crate::support::world::World;

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const XX: &str = "/elsewhere/xx-1.0-py3-none-any.whl";

/// A report of one file that was named by this URL, with these digests (as JSON).
fn named(url: &str, digests: &str) -> Result<Lock, String> {
    let url = serde_json::to_string(url).unwrap();
    let text = format!(
        r#"{{"version": "1", "install": [{{"download_info": {{"url": {url},
            "archive_info": {{"hashes": {{{digests}}}}}}}, "is_direct": true, "requested": false,
            "metadata": {{"name": "xx", "version": "1.0"}}}}]}}"#
    );
    Lock::from_report(text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn url_with_markers_or_options_is_refused() {
    let digest = format!("\"sha256\": \"{ZEROS}\"");
    for (rest, why) in [
        ("?a=b", ""),
        ("?a=$HOME&b={c}", ""),
        ("?sha256sum=1", ""),
        ("#subdirectory=x", ""),
        ("?a\u{c}-rhttp://evil.example/r.txt", "a control character"),
        ("?a\n--no-require-hashes", "a control character"),
        ("?a\u{85}b", "not ASCII"),
        ("?a\u{2028}b", "not ASCII"),
        ("?a --hash=sha256:1", "a blank"),
        ("?a=${SECRET}", "stands for a variable"),
        ("?a&md5=0123", "states a digest"),
        ("?SHA256=0123", "states a digest"),
        ("#sha1=0123", "states a digest"),
    ] {
        let lock = named(&format!("https://h.example/xx-1.0-py3-none-any.whl{rest}"), &digest);
        match (lock, why) {
            (Ok(_), "") => {}
            (Err(text), why) if !why.is_empty() && text.contains(why) => {}
            (outcome, _) => panic!("{rest:?}: {outcome:?}"),
        }
    }
}

#[test]
fn unenforceable_digest_of_the_user_is_an_error() {
    let url = "https://h.example/xx-1.0-py3-none-any.whl";
    let error = named(url, "\"sha512\": \"00\"").unwrap_err();
    assert!(error.contains("digest is of sha512 alone"), "{error}");
    assert!(
        named(url, &format!("\"sha512\": \"{ZEROS}{ZEROS}\", \"sha256\": \"{ZEROS}\"")).is_ok()
    );
    assert!(named(url, "").is_ok());
}

/// An unsigned `aa` that requires `xx` at a place of ours with this query.
fn world(pip: &str, query: &str) -> World {
    let world = World::with_pip(pip);
    let xx = Wheel::new("xx", "1.0").build();
    world.index.serve(XX, "application/zip", xx.bytes);
    let place = world.index.at(&format!("{XX}{query}"));
    world.wheel(Wheel::new("aa", "1.0").requires(&format!("xx @ {place}")))
}

#[test]
fn variable_in_a_url_of_a_package_is_not_expanded() {
    for pip in ["26.3", "25.3"] {
        let world = world(pip, "?t=${SECRET}").env("SECRET", "S3CRET");
        let outcome = world.leaves_all_as_it_was(world.pip(["install", "aa"]), 69);
        outcome.stderr_has("package `xx`: its URL has `${` in it");
        let asked = world.index.requests();
        assert!(asked.iter().any(|request| request.query.contains("SECRET")), "{asked:?}");
        assert!(!asked.iter().any(|request| request.query.contains("S3CRET")), "{asked:?}");
    }
}

#[test]
fn line_break_in_a_url_of_a_package_adds_no_line() {
    for pip in ["26.3", "25.3"] {
        let evil = Wheel::new("evil", "1.0").file("evil.py", "").build();
        let sha256 = Sha256::of(&Wheel::new("xx", "1.0").build().bytes);
        let before = World::with_pip(pip);
        let r = before.index.at("/r.txt");
        let query = format!("?a&sha256={sha256}&\u{c}-r{r}");
        let world = world(pip, &query);
        let file = before.index.file_url(&evil.filename);
        let line = format!("evil @ {file} --hash=sha256:{}\n", Sha256::of(&evil.bytes));
        before.index.serve("/r.txt", "text/plain", line);
        before.index.serve(&format!("/files/{}", evil.filename), "application/zip", evil.bytes);
        let outcome = world.pip(["install", "aa"]).run();
        assert!(outcome.status != 0 && world.installed().is_empty(), "{outcome}");
        assert_eq!(before.index.count("/r.txt"), 0, "{outcome}");
    }
}

#[test]
fn place_with_an_ordinary_query_is_installed() {
    for pip in ["26.3", "25.3"] {
        let world = world(pip, "?t=$HOME&n=1");
        world.pip(["install", "aa"]).run().exits(0).stderr_has("unknown");
        assert_eq!(world.installed(), ["aa 1.0", "xx 1.0"]);
    }
}

fn sha512(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn bytes_are_held_to_the_digest_of_the_users_own_url() {
    let xx = Wheel::new("xx", "1.0").build();
    let sha256 = Sha256::of(&xx.bytes);
    // pip has downloaded it by then, and found it to be what the user said.
    let sha512 = format!("sha512={}", sha512(&xx.bytes));
    for (digest, status) in [(format!("sha256={sha256}"), 0), (sha512, 69)] {
        let world = World::new();
        world.index.serve(XX, "application/zip", xx.bytes.clone());
        let place = format!("xx @ {}#{digest}", world.index.at(XX));
        world.pip(["install", &place]).run().exits(status);
        assert_eq!(world.installed().is_empty(), status != 0);
    }
}

#[test]
fn installed_file_is_kept_as_by_pip() {
    for pip in ["26.3", "24.0"] {
        let xx = Wheel::new("xx", "1.0").build();
        let world = World::with_pip(pip).file(&xx.filename, &xx.bytes);
        let world = world.wheel(Wheel::new("aa", "1.0"));
        let install = |args: &[&str]| {
            world.pip([&["install", "./xx-1.0-py3-none-any.whl"], args].concat()).run()
        };
        install(&[]).exits(0);
        install(&[]).exits(0).stdout_has("xx is already installed with the same version");
        install(&["--report", "-"]).exits(0).stdout_has("\"install\": []");
        install(&["aa"]).exits(0);
        assert_eq!(world.installed(), ["aa 1.0", "xx 1.0"]);
    }
}
