//! The ways to an index: certificates and proxies as pip has them, for pip and for us alike.

use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::proxy::Proxy;
use crate::support::run::Run;
use crate::support::sandbox::Sandbox;
use crate::support::served::{
    Before, installed, octo, our_requests, pin, signed, wheel, world, world_with_lock_of_aa,
};
use crate::support::tls::Authority;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo as octo_of_world};

/// An index over TLS whose authority no machine knows, and a world that has its certificate in
/// `ca.pem` but has not been told so.
fn private() -> (LoopbackIndex, Sandbox, String) {
    let (authority, aa) = (Authority::new(), wheel("aa", "1.0"));
    let file = signed(&aa, &octo("aa"));
    let index = LoopbackIndex::builder().tls(authority.server()).file("aa", file).start();
    let world = world_with_lock_of_aa(&index, &aa).file("ca.pem", authority.pem());
    let ca = world.project().join("ca.pem").display().to_string();
    (index, world, ca)
}

#[test]
fn custom_ca_bundle_is_set_as_for_pip() {
    let (index, world, ca) = private();
    let install = |args: &[&str]| world.pip([&["install", "-I", "aa"], args].concat());
    let conf = format!("[global]\ncert = {ca}\nindex-url = {}\n", index.url());
    let configured = world_again(&index, &ca).pip_conf(&conf);
    for run in [
        install(&["--cert", &ca]),
        install(&[]).env("PIP_CERT", &ca),
        install(&[]).env("REQUESTS_CA_BUNDLE", &ca),
        install(&[]).env("CURL_CA_BUNDLE", &ca),
        install(&[]).env("SSL_CERT_FILE", &ca),
        configured.pip(["install", "aa"]),
    ] {
        let before = our_requests(&index).len();
        run.run().exits(0).stderr_has("verified: aa 1.0");
        assert!(our_requests(&index).len() > before);
    }
    assert_eq!(installed(&world), ["aa==1.0"]);
}

fn world_again(index: &LoopbackIndex, ca: &str) -> Sandbox {
    world(index).trust(&pin("aa")).file("ca.pem", std::fs::read(ca).unwrap())
}

#[test]
fn index_without_its_ca_bundle_is_refused() {
    let (index, world, ca) = private();
    let before = Before::of(&world);
    let tool = world.tool(["-L", "pylock.toml", "--retries", "0"]).run();
    tool.exits(69).stderr_has("no secure connection").stderr_has("--cert");
    before.holds(&world, &tool);
    let install = world.pip(["install", "--retries", "0", "aa"]).run();
    before.holds(&world, install.exits(1));
    assert!(index.requests().is_empty());
    let other = world.write_file("other.pem", Authority::new().pem());
    let other = ["-L", "pylock.toml", "--retries", "0", "--cert", other.to_str().unwrap()];
    world.tool(other).run().exits(69).stderr_has("no secure connection");
    world.write_file("ca.pem", "no certificate");
    let none = world.tool(["-L", "pylock.toml", "--cert", &ca]).run();
    none.exits(65).stderr_has("cannot use the CA bundle").stderr_has("ca.pem");
    let gone = world.tool(["-L", "pylock.toml", "--cert", "gone.pem"]).run();
    gone.exits(65).stderr_has("gone.pem");
}

/// Certificates and proxies that are none, where nothing is reached by their means.
const UNUSED: [(&str, &str); 6] = [
    ("PIP_CERT", "nowhere.pem"),
    ("REQUESTS_CA_BUNDLE", "nowhere.pem"),
    ("PIP_CLIENT_CERT", "nowhere.pem"),
    ("ALL_PROXY", "ftp://127.0.0.1:1"),
    ("https_proxy", "::::"),
    ("PIP_PROXY", "ftp://127.0.0.1:1"),
];

#[test]
fn unused_invalid_settings_are_ignored() {
    let (bb, world) = (Wheel::new("bb", "1.0").build(), Sandbox::new());
    world.write_file(&format!("wheels/{}", bb.filename), &bb.bytes);
    for (name, value) in UNUSED {
        let args = ["--no-index", "-f", "wheels", "-I", "bb"];
        world.plain_pip([&["install"], &args[..]].concat()).env(name, value).run().exits(0);
        world.pip([&["install"], &args[..]].concat()).env(name, value).run().exits(0);
    }
}

#[test]
fn used_invalid_settings_are_named() {
    let (_index, world, ca) = private();
    for (name, value) in UNUSED {
        let given = |run: Run| {
            let named = if name == "REQUESTS_CA_BUNDLE" { name } else { "PIP_CERT" };
            run.env(named, &ca).env(name, value)
        };
        let what = if value.ends_with("pem") { "nowhere.pem: " } else { "cannot use the proxy" };
        given(world.tool(["-L", "pylock.toml"])).run().exits(65).stderr_has(what);
        // pip asks the index itself then, and has words of its own.
        let install = ["install", "--retries", "0", "aa"];
        let plain = given(world.plain_pip(install)).run();
        assert_ne!(plain.status, 0);
        let ours = given(world.pip(install)).run();
        assert_eq!(ours.stderr, plain.stderr, "{name}={value}");
        ours.exits(plain.status);
    }
}

#[test]
fn trusted_host_needs_no_certificate_but_an_attestation() {
    let (index, world, _) = private();
    world.pip(["install", "--trusted-host", "127.0.0.1", "aa"]).run().exits(0);
    let host = format!("127.0.0.1:{}", index.port());
    let tool = ["-L", "pylock.toml", "--retries", "0"];
    world.tool(tool).env("PIP_TRUSTED_HOST", &host).run().exits(0);
    world.tool(tool).env("PIP_TRUSTED_HOST", "127.0.0.1:1").run().exits(69);
    world.write_file(".provenance.txt", "aa https://github.com/octo/other\n");
    let outcome = world.pip(["install", "-I", "--trusted-host", "127.0.0.1", "aa"]).run();
    outcome.exits(77).stderr_has("changed publisher");
}

#[test]
fn client_certificate_is_shown_by_pip_and_by_us() {
    let (authority, aa) = (Authority::new(), wheel("aa", "1.0"));
    let server = authority.server_for_its_clients();
    let index = LoopbackIndex::builder().tls(server).file("aa", signed(&aa, &octo("aa"))).start();
    let world = world_with_lock_of_aa(&index, &aa)
        .file("ca.pem", authority.pem())
        .file("client.pem", authority.client_pem())
        .env("PIP_CERT", "ca.pem");
    world.pip(["install", "--client-cert", "client.pem", "aa"]).run().exits(0);
    let tool = ["-L", "pylock.toml", "--retries", "0"];
    world.tool(tool).env("PIP_CLIENT_CERT", "client.pem").run().exits(0);
    world.tool(tool).run().exits(69);
}

#[test]
fn proxy_takes_pips_requests_and_ours() {
    let (index, world, ca) = private();
    let world = world.env("PIP_CERT", &ca);
    let conf = format!("[global]\ncert = {ca}\nindex-url = {}\nproxy = ", index.url());
    let install = || world.pip(["install", "-I", "aa"]);
    let (a, b, c, d) = (Proxy::start(), Proxy::start(), Proxy::start(), Proxy::start());
    for (proxy, run) in [
        (&a, world.pip(["install", "-I", "--proxy", &a.url(), "aa"])),
        (&b, install().env("HTTPS_PROXY", b.url())),
        (&c, install().env("ALL_PROXY", c.url_with_credentials("me", "sekret"))),
        (&d, world_again(&index, &ca).pip_conf(&(conf + &d.url())).pip(["install", "aa"])),
    ] {
        let before = index.connections();
        run.run().exits(0).lacks("sekret");
        let heads = proxy.heads();
        assert_eq!(heads.len(), index.connections() - before, "{heads:?}");
        assert!(!heads.is_empty() && heads.iter().all(|head| head.starts_with("CONNECT ")));
    }
    let expected = "bWU6c2VrcmV0"; // me:sekret
    assert!(c.heads().iter().all(|head| head.contains(expected)), "{:?}", c.heads());
}

#[test]
fn no_proxy_hosts_are_reached_directly() {
    let (index, world, ca) = private();
    let proxy = Proxy::start();
    let world = world.env("PIP_CERT", &ca).env("HTTPS_PROXY", proxy.url());
    let excepted = world.pip(["install", "aa"]).env("NO_PROXY", "index.example,127.0.0.1");
    excepted.run().exits(0);
    world.pip(["install", "-I", "--proxy", "", "aa"]).run().exits(0);
    assert!(proxy.heads().is_empty() && index.connections() >= 2);
    let dead = world.tool(["-L", "pylock.toml", "--retries", "0", "--proxy", "http://127.0.0.1:1"]);
    dead.run().exits(69).stderr_has("cannot reach").stderr_has("--proxy");
}

/// A world whose requirement `bb` lies on a page of another server, which is `localhost` to it.
fn with_links_elsewhere() -> (World, LoopbackIndex, String) {
    let bb = Wheel::new("bb", "1.0").build();
    let other = LoopbackIndex::builder().file("bb", DistFile::new(&bb.filename, bb.bytes)).start();
    let page = format!("http://localhost:{}/simple/bb/", other.port());
    (World::new().signed(Wheel::new("aa", "1.0"), &octo_of_world()).trust(PIN_AA), other, page)
}

#[test]
fn no_proxy_counts_for_requests_of_pip() {
    for (name, value, proxied) in [
        ("NO_PROXY", "localhost,127.0.0.1", false),
        ("no_proxy", "localhost,127.0.0.1", false),
        ("NO_PROXY", "*", false),
        ("NO_PROXY", "127.0.0.1", true),
    ] {
        let ((world, _other, page), proxy) = (with_links_elsewhere(), Proxy::start());
        let world = world.env("HTTP_PROXY", &proxy.url()).env("http_proxy", &proxy.url());
        let run = world.pip(["install", "--retries", "0", "-f", &page, "aa"]).env(name, value);
        run.run().exits(0);
        assert_eq!(!proxy.heads().is_empty(), proxied, "{name}={value}: {:?}", proxy.heads());
    }
}

#[test]
fn proxy_option_serves_requests_of_pip() {
    for (pip, args) in [
        ("26.3", &["-f", "PAGE", "aa"][..]),
        ("26.3", &["bb @ FILE"]),
        ("24.0", &["bb @ FILE"]),
        ("26.3", &["--no-binary=aa", "bb @ FILE"]),
    ] {
        let (_, other, page) = with_links_elsewhere();
        let (world, proxy) = (World::with_pip(pip), Proxy::start());
        let file = format!("http://localhost:{}/files/bb-1.0-py3-none-any.whl", other.port());
        let url = proxy.url();
        let words = [&["install", "--retries", "0", "--proxy", &url], args].concat();
        let words = words.iter().map(|word| word.replace("PAGE", &page).replace("FILE", &file));
        world.pip(words).run();
        let heads = proxy.heads();
        assert!(heads.iter().any(|head| head.contains("://localhost:")), "{args:?}: {heads:?}");
        assert!(other.requests().is_empty());
    }
}
