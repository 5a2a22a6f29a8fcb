//! Cached evidence of an earlier run is verified again, saves requests, and is never the ground of
//! a refusal.

use pypi_verify_now::cache::CacheKind;

use crate::support::index::{Builder, DistFile, Fault, LoopbackIndex};
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    installed, lock, octo, our_requests, pin, signed, unsigned, wheel, world,
};
use crate::support::wheel::{Distribution, Sdist, Wheel};

const PAGE: &str = "/simple/aa/";
const DOCUMENT: &str = "/provenance/aa-1.0-py3-none-any.whl";

/// An index whose answers count for ten minutes, and a world with a lock of its `aa`, which is
/// bound to its usual builder.
struct World {
    index: LoopbackIndex,
    aa: Distribution,
    sandbox: Sandbox,
}

impl World {
    fn new(file: impl Fn(&Distribution) -> DistFile) -> Self {
        let aa = wheel("aa", "1.0");
        let index = lasting().file("aa", file(&aa)).start();
        let sandbox = world(&index).trust(&pin("aa"));
        sandbox.write_file("pylock.toml", lock(&index, [("aa", vec![&aa])]));
        Self { index, aa, sandbox }
    }

    fn verify(&self, status: i32) -> Outcome {
        let outcome = self.sandbox.tool(["-L", "pylock.toml"]).run();
        outcome.exits(status);
        outcome
    }

    /// The index serves this file of `aa` from now on.
    fn publish(&self, file: DistFile) {
        self.index.edit(|projects| projects.get_mut("aa").unwrap()[0] = file);
    }
}

fn lasting() -> Builder {
    LoopbackIndex::builder().etags().cache_control("max-age=600")
}

#[test]
fn evidence_is_kept_and_verified_again() {
    let world = World::new(|aa| signed(aa, &octo("aa")));
    world.verify(0).stdout_has("OK: aa 1.0");
    world.verify(0).stdout_has("OK: aa 1.0");
    assert_eq!(our_requests(&world.index), [PAGE, DOCUMENT, PAGE]);
    assert_eq!(world.index.unchanged(PAGE), 1);
    world.sandbox.write_file(".provenance.txt", pin("aa").replace("octo/aa", "octo/other"));
    world.verify(77).stdout_has("FAIL: aa 1.0");
}

#[test]
fn second_install_only_revalidates_pages() {
    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    let index = lasting().file("aa", signed(&aa, &octo("aa")));
    let index = index.file("bb", signed(&wheel("bb", "1.0"), &octo("bb"))).start();
    let first = world(&index).trust(&(pin("aa") + &pin("bb")));
    first.pip(["install", "aa"]).run().exits(0);
    let before = index.requests().len();
    let cache = first.path("home/.cache/pip");
    let second = world(&index).trust(&(pin("aa") + &pin("bb"))).env("PIP_CACHE_DIR", cache);
    second.pip(["install", "aa"]).run().exits(0);
    let mut asked = index.paths().split_off(before);
    asked.sort();
    assert_eq!(asked, [PAGE, "/simple/bb/"]);
    assert!(asked.iter().all(|page| index.unchanged(page) == 1));
    assert_eq!(installed(&second), ["aa==1.0", "bb==1.0"]);
}

#[test]
fn document_of_another_publisher_is_fetched_again() {
    let world = World::new(|aa| signed(aa, &octo("other")));
    world.verify(77);
    // Still the same: refused, and it was asked.
    world.verify(77);
    assert_eq!(world.index.count(DOCUMENT), 2);
    world.publish(signed(&world.aa, &octo("aa")));
    world.verify(0).stdout_has("OK: aa 1.0");
    // Now this one is kept.
    world.verify(0);
    assert_eq!(world.index.count(DOCUMENT), 3);
}

#[test]
fn malformed_document_is_fetched_again() {
    let world = World::new(|aa| unsigned(aa).provenance("{}"));
    world.verify(77);
    world.publish(signed(&world.aa, &octo("aa")));
    world.verify(0).stdout_has("OK: aa 1.0");
}

#[test]
fn missing_document_is_asked_for_again() {
    let world = World::new(unsigned);
    world.verify(77);
    world.publish(signed(&world.aa, &octo("aa")));
    // Something on the way says that the page is still the same.
    world.index.fault_times(PAGE, 1, Fault::status(304));
    world.verify(0).stdout_has("OK: aa 1.0");
    assert_eq!(world.index.count(PAGE), 3);
}

#[test]
fn cached_page_does_not_make_a_signed_file_unsigned() {
    let world = World::new(unsigned);
    world.sandbox.write_file(".provenance.txt", "");
    world.verify(0).stdout_has("UNKNOWN: aa 1.0");
    world.publish(signed(&world.aa, &octo("other")));
    world.sandbox.write_file(".provenance.txt", pin("aa"));
    world.verify(77).stdout_has("FAIL: aa 1.0");
}

#[test]
fn only_what_would_be_refused_is_fetched_again() {
    let (aa, bb) = (wheel("aa", "1.0"), wheel("bb", "1.0"));
    let index = lasting().file("aa", signed(&aa, &octo("aa"))).file("bb", unsigned(&bb)).start();
    let text = lock(&index, [("aa", vec![&aa]), ("bb", vec![&bb])]);
    let world = world(&index).trust(&(pin("aa") + &pin("bb"))).file("pylock.toml", text);
    for _ in 0..2 {
        world
            .tool(["-L", "pylock.toml"])
            .run()
            .exits(77)
            .stdout_has("OK: aa")
            .stdout_has("FAIL: bb");
    }
    let counts = ["aa", "bb"].map(|name| index.count(&format!("/simple/{name}/")));
    assert_eq!((counts, index.count(DOCUMENT)), ([2, 3], 1));
}

#[test]
fn refusals_of_a_build_do_not_rest_on_the_cache() {
    let sandbox = Sandbox::new();
    let sdist = Sdist::new("aa", "1.0", &sandbox.path("ran")).build();
    let index = lasting().file("aa", signed(&sdist, &octo("other"))).start();
    let world = world(&index).trust(&pin("aa"));
    let install = world.pip(["install", "--no-deps", "--no-build-isolation", "aa"]);
    install.clone().run().exits(77).stderr_has("octo/other");
    let document = "/provenance/aa-1.0.tar.gz";
    install.clone().run().exits(77);
    let refused = index.count(document);
    index.edit(|projects| projects.get_mut("aa").unwrap()[0] = signed(&sdist, &octo("aa")));
    let outcome = install.run();
    assert!(index.count(document) > refused, "{outcome}");
    outcome.lacks("octo/other");
}

#[test]
fn no_secret_is_in_the_cache() {
    let aa = wheel("aa", "1.0");
    let index =
        lasting().basic_auth("someone", "hidden").file("aa", signed(&aa, &octo("aa"))).start();
    let world = world(&index).trust(&pin("aa"));
    let url = index.url_with_credentials("someone", "hidden");
    world.pip(["install", "aa"]).env("PIP_INDEX_URL", url).run().exits(0);
    let found =
        world.sh("cd ../home/.cache/pip/pypi-verify-now && find . -type f -exec cat {} + -print");
    let found = found.run();
    found.stdout_has(&aa.sha256.to_string());
    for secret in ["someone", "hidden", "c29tZW9uZTpoaWRkZW4", CacheKind::Pages.name()] {
        found.lacks(secret);
    }
}

#[test]
fn many_files_are_asked_for_over_few_connections_and_compressed() {
    let wheels: Vec<_> = (0..40).map(|n| wheel(&format!("p{n}"), "1.0")).collect();
    let names: Vec<_> = (0..40).map(|n| format!("p{n}")).collect();
    let add = |builder: Builder, n: usize| builder.file(&names[n], signed(&wheels[n], &octo("aa")));
    let index = (0..40).fold(lasting().gzip(), add).start();
    let text = lock(&index, names.iter().map(String::as_str).zip(wheels.iter().map(|w| vec![w])));
    let world = world(&index).file("pylock.toml", text);
    world.tool(["-L", "pylock.toml"]).env("TOFU", "1").run().exits(0);
    let requests = index.requests();
    assert_eq!(requests.len(), 80);
    assert!(
        requests.iter().all(|request| request.header("accept-encoding") == Some("gzip, deflate"))
    );
    assert!(index.connections() <= 16, "{}", index.connections());
}
