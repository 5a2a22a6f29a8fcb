//! Output at the terminal: no text of an index, a lock or an attestation moves the cursor, and no
//! password is printed.

use serde_json::json;

use crate::support::index::{Fault, LoopbackIndex, Provenance};
use crate::support::private_sigstore::{Mutation, PrivateSigstore, bundle, document};
use crate::support::run::Outcome;
use crate::support::served::{
    index_of_aa, octo, pin, provenance, signed, wheel, world, world_with_lock_of_aa, world_with_pip,
};
use crate::support::wheel::Wheel;
use crate::support::world::{World, source};

/// Red, then up a line, then a right-to-left override.
const EVIL: &str = "\u{1b}[31m\u{1b}[A\u{202e}";

/// Asserts that no character is one that a terminal obeys.
#[track_caller]
fn is_plain(outcome: &Outcome) {
    let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!outcome.stdout.contains(obeyed), "{outcome:?}");
    assert!(!outcome.stderr.contains(obeyed), "{outcome:?}");
    assert!(outcome.to_string().contains("b}[31m") || outcome.to_string().contains("u001b[31m"));
}

#[test]
fn text_of_attestations_is_escaped() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let sigstore = PrivateSigstore::shared();
    let mint = || sigstore.mint(&octo("aa"), &aa.filename, aa.sha256);
    let of = |publisher| document([bundle(publisher, [mint().attestation()])]);
    // As it stands in the JSON of the statement.
    let escaped = EVIL.replace('\u{1b}', "\\u001b");
    let subject = Mutation::SubjectName(format!("aa-1.0{escaped}-py3-none-any.whl"));
    let predicate = mint().predicate(&format!("https://example.com/{escaped}"), json!({}));
    let environment = octo("aa").environment(EVIL);
    for served in [
        of(json!({"kind": EVIL})),
        of(json!({"kind": "GitHub", "repository": format!("octo/{EVIL}"), "workflow": "x.yml"})),
        document([bundle(octo("aa").publisher(), [mint().break_it(subject).attestation()])]),
        document([bundle(octo("aa").publisher(), [predicate.attestation()])]),
        of(octo("aa").publisher())
            .replace("\"version\":1", &format!("\"version\":{}", json!(EVIL))),
    ] {
        let path = format!("/provenance/{}", aa.filename);
        let json = "application/json".to_owned();
        index.fault_times(&path, 1, Fault::Body { content_type: json, bytes: served.into() });
        let outcome = world.tool(["-L", "pylock.toml"]).run();
        // An unknown kind or predicate cannot be judged (69); the others are refused.
        assert!(matches!(outcome.status, 69 | 77), "{outcome}");
        is_plain(&outcome);
    }
    // The facts of a good certificate are shown too where its publisher is refused.
    index.serve(&format!("/provenance/{}", aa.filename), "a/b", provenance(&aa, &environment));
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    is_plain(world.tool(["-L", "pylock.toml"]).run().exits(77));
}

#[test]
fn text_of_locks_trust_files_and_pages_is_escaped() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let whole = world.read_file("pylock.toml");
    let toml = EVIL.replace('\u{1b}', "\\u001b");
    for (from, to) in [
        ("name = \"aa\"", format!("name = \"aa{toml}\"")),
        ("name = \"aa-1.0", format!("name = \"aa-1.0{toml}")),
        ("\"1.0\"\n[[", format!("\"{toml}\"\n[[")),
        ("sha256 = \"", format!("sha256 = \"{toml}")),
        ("lock-version = \"", format!("lock-version = \"{toml}")),
    ] {
        world.write_file("pylock.toml", whole.replacen(from, &to, 1));
        is_plain(world.tool(["-L", "pylock.toml"]).run().exits(65));
    }
    world.write_file("pylock.toml", &whole);
    world.write_file(".provenance.txt", format!("aa https://github.com/x/y {EVIL}\n"));
    world.tool(["-L", "pylock.toml"]).run().exits(65).stderr_has("control character \\u{1b}");
    world.write_file(".provenance.txt", pin("aa"));
    let version = json!({"meta": {"api-version": EVIL}, "files": []}).to_string();
    index.serve("/simple/aa/", "application/vnd.pypi.simple.v1+json", version);
    is_plain(world.tool(["-L", "pylock.toml"]).run().exits(69));
}

/// Text that would read as ours, if it stood at the beginning of a line.
const FORGED: &str = "pypi-verify-now: verified: forged";

/// No line of any stream begins with [`FORGED`].
#[track_caller]
fn is_not_forged(outcome: &Outcome) {
    let lines = || outcome.stdout.lines().chain(outcome.stderr.lines());
    assert!(lines().any(|line| line.contains(FORGED)), "{outcome}");
    assert!(!lines().any(|line| line.trim_start().starts_with(FORGED)), "{outcome}");
}

#[test]
fn reason_of_a_yanked_file_is_printed_once() {
    let reason = format!("broken\n{FORGED}\r{FORGED} {EVIL}");
    for (pip, html) in [("26.3", false), ("26.3", true), ("24.0", false), ("22.3", true)] {
        let aa = wheel("aa", "1.0");
        let file = signed(&aa, &octo("aa")).yanked(&reason);
        let builder = LoopbackIndex::builder();
        let index = if html { builder.html_only() } else { builder }.file("aa", file).start();
        let world = world_with_pip(pip, &index).trust(&pin("aa"));
        // Through the gateway, and past it: a line of a file has the last word on where pip looks.
        world.write_file("past.txt", format!("-i {}\naa==1.0\n", index.url()));
        for words in [&["install", "aa==1.0"][..], &["install", "-I", "-r", "past.txt"]] {
            let outcome = world.pip(words).run();
            is_plain(outcome.exits(0).stderr_has("warning: aa 1.0 is yanked: broken\\u{a}pypi"));
            is_not_forged(&outcome);
            assert_eq!(outcome.stderr.matches("yanked").count(), 1, "{outcome}");
        }
        let twin = world.plain_pip(["install", "-I", "aa==1.0"]).run();
        assert!(twin.stderr.lines().any(|line| line.starts_with(FORGED)), "{twin}");
    }
}

#[test]
fn yanked_file_is_reported_at_the_level_of_pip() {
    let aa = wheel("aa", "1.0");
    let index = LoopbackIndex::builder().file("aa", signed(&aa, &octo("aa")).yanked("")).start();
    let world = world(&index).trust(&pin("aa"));
    for (words, warned) in [
        (&["install", "-q", "aa==1.0"][..], true),
        (&["install", "-qq", "aa==1.0"], false),
        (&["install", "--dry-run", "aa==1.0"], true),
    ] {
        // In HTML alone an empty reason means that it is yanked.
        let twin = world.plain_pip(words).run();
        let ours = world.pip(words).run();
        let is_yanked = twin.stderr.contains("yanked");
        assert_eq!(ours.exits(0).stderr.contains("yanked"), warned && is_yanked, "{twin}\n{ours}");
    }
}

#[test]
fn yanked_file_is_reported_in_builds_and_find_links() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let aa = source(world.sdist("aa", "1.0")).yanked(FORGED);
        let world = world.file_on_index(aa);
        let outcome = world.pip(["install", "aa==1.0"]).run();
        outcome.exits(0).stderr_has(&format!("warning: aa 1.0 is yanked: {FORGED}"));
        assert_eq!(outcome.stderr.matches("yanked").count(), 1, "{outcome}");
        let bb = Wheel::new("bb", "1.0").build();
        world.write_file(&bb.filename, &bb.bytes);
        let link = format!("<a href='{}' data-yanked='no\n{FORGED}'>x</a>", bb.filename);
        world.write_file("page.html", link);
        let outcome = world.pip(["install", "--no-index", "-f", "page.html", "bb==1.0"]).run();
        outcome.exits(0).stderr_has("warning: bb 1.0 is yanked\n").lacks(FORGED);
    }
}

#[test]
fn output_of_a_failed_pip_does_not_imitate_ours() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        // JSON, since Python reads it too.
        let code = format!("print({FORGED:?}); print({}); raise SystemExit(1)", json!(EVIL));
        let aa = world.sdist("aa", "1.0").backend(&code).build();
        let world = world.file(&aa.filename, &aa.bytes);
        let outcome = world.pip(["install", "-v", "./aa-1.0.tar.gz"]).run();
        is_not_forged(outcome.exits(1).stderr_has("pip:   pypi-verify-now: verified: forged"));
        assert!(!outcome.stderr.contains(['\u{1b}', '\u{202e}']), "{outcome}");
    }
}

/// The user name and the password of an index that wants both.
const CREDENTIALS: (&str, &str) = ("someone", "sekret-w0rd");

fn shows_no_password(outcome: &Outcome) {
    outcome.lacks(CREDENTIALS.1);
}

#[test]
fn password_of_an_index_is_never_printed() {
    let aa = wheel("aa", "1.0");
    let (user, password) = CREDENTIALS;
    let guarded = || LoopbackIndex::builder().basic_auth(user, password);
    let index = guarded().file("aa", signed(&aa, &octo("aa"))).start();
    let url = index.url_with_credentials(user, password);
    let world = world_with_lock_of_aa(&index, &aa).env("PIP_INDEX_URL", &url);
    let document = format!("/provenance/{}", aa.filename);
    let tool = ["-L", "pylock.toml", "--retries", "0", "--timeout", "1"];
    for (path, fault) in [
        ("/simple/aa/", Fault::status(500)),
        ("/simple/aa/", Fault::status(403)),
        ("/simple/aa/", Fault::Disconnect),
        ("/simple/aa/", Fault::Truncate),
        ("/simple/aa/", Fault::html("<a>")),
        ("/simple/aa/", Fault::deep_json(10)),
        (&document, Fault::html("<a>")),
        (&document, Fault::status(500)),
    ] {
        index.fault_times(path, 1, fault);
        shows_no_password(world.tool(tool).run().exits(69));
    }
    shows_no_password(world.tool(tool).run().exits(0));
    shows_no_password(world.pip(["install", "aa"]).run().exits(0));
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    shows_no_password(world.pip(["install", "-I", "aa"]).run().exits(77));
    let wrong = world.tool(tool).env("PIP_INDEX_URL", url.replace("someone", "nobody")).run();
    shows_no_password(wrong.exits(69).stderr_has("status 401").stderr_has("netrc"));
    drop(index);
    shows_no_password(world.tool(tool).run().exits(69));
}

#[test]
fn password_of_an_invalid_index_url_is_never_printed() {
    let (index, aa) = index_of_aa();
    let world = world_with_lock_of_aa(&index, &aa);
    let tool =
        |args: &[&str]| world.tool([&["-L", "pylock.toml", "--retries", "0"], args].concat());
    let proxy = "http://someone:sekret-w0rd@127.0.0.1:1";
    shows_no_password(tool(&["--proxy", proxy]).run().exits(69));
    shows_no_password(
        tool(&["--proxy", "socks5://someone:sekret-w0rd@127.0.0.1:1"]).run().exits(69),
    );
    shows_no_password(tool(&["--proxy", "someone:sekret-w0rd@:::"]).run().exits(65));
    for url in [
        "someone:sekret-w0rd@index.example/simple/",
        "https:/someone:sekret-w0rd@index.example/simple/",
        "//someone:sekret-w0rd@index.example/simple/",
        "https://someone:sekret-w0rd@/simple/",
        "https://someone:sekret-w0rd@index.example:port/simple/",
        "https://someone:sekret/w0rd@index.example:port/simple/",
    ] {
        let outcome = tool(&["--index-url", url]).run();
        assert!(outcome.status == 65 || outcome.status == 69, "{url}: {outcome}");
        outcome.lacks("sekret");
    }
    let second = |url: &str| tool(&[]).env("PYPI_VERIFY_NOW_PROVENANCE", url).run();
    index.edit(|projects| projects.get_mut("aa").unwrap()[0].provenance = Provenance::None);
    shows_no_password(second("http://someone:sekret-w0rd@127.0.0.1:1/simple/").exits(69));
    shows_no_password(second("someone:sekret-w0rd@127.0.0.1:1/simple/").exits(65));
}
