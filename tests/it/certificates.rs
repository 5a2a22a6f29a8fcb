//! Servers that pip trusts, by its version, its options and the variables. Requests of this program
//! trust the same servers, and no other ones.

use std::sync::Arc;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use rustls::ServerConfig;

use crate::support::index::LoopbackIndex;
use crate::support::run::{Outcome, Run};
use crate::support::sandbox::Sandbox;
use crate::support::served::lock;
use crate::support::tls::{Authority, self_signed};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

/// A world whose index shows this certificate, and its twin. `ca.pem` is what vouches for the
/// index, `other.pem` vouches for nobody.
fn worlds(pip: &str, ca: &str, server: Arc<ServerConfig>) -> (World, Sandbox) {
    let world = World::before(pip, LoopbackIndex::builder().tls(server))
        .signed(Wheel::new("aa", "1.0"), &octo())
        .trust(PIN_AA)
        .file("ca.pem", ca)
        .file("other.pem", Authority::new().pem());
    let twin = world.twin();
    (world, twin)
}

/// Runs pip in both worlds, each with its own paths for `DIR`. Returns our outcome.
#[track_caller]
fn both(world: &World, twin: &Sandbox, variables: &[(&str, &str)], words: &[&str]) -> Outcome {
    let run = |sandbox: &Sandbox, run: fn(&Sandbox, Vec<String>) -> Run| {
        let place = |text: &&str| text.replace("DIR", sandbox.project().to_str().unwrap());
        let install = ["install", "-I", "--retries", "0"];
        let args = install.iter().chain(words).chain(&["aa"]).map(place).collect();
        let run = run(sandbox, args);
        variables.iter().fold(run, |run, (name, value)| run.env(name, place(value))).run()
    };
    let plain = run(twin, |it, args| it.plain_pip(args));
    let ours = run(world, |it, args| it.pip(args));
    assert_eq!(plain.status, ours.status, "{variables:?} {words:?}: {plain}\n{ours}");
    if ours.status == 0 {
        ours.stderr_has("verified: aa 1.0");
    }
    ours
}

const CERT: &[&str] = &["--cert", "DIR/ca.pem"];

#[test]
fn certificate_that_is_itself_named_is_accepted() {
    for pip in ["26.3", "24.0"] {
        let (pem, server) = self_signed(|_| {});
        let (world, twin) = worlds(pip, &pem, server);
        both(&world, &twin, &[], CERT).exits(0);
        both(&world, &twin, &[("REQUESTS_CA_BUNDLE", "DIR/ca.pem")], &[]).exits(0);
        both(&world, &twin, &[], &["--cert", "DIR/other.pem"]).exits(1);
        // A certificate of the same name from another key is another one.
        let (other, _) = self_signed(|_| {});
        for world in [&*world, &twin] {
            world.write_file("ca.pem", &other);
        }
        both(&world, &twin, &[], CERT).exits(1);
    }
}

type Change = fn(&mut CertificateParams);

/// Faults of a certificate, and the hint for each.
const FAULTS: [(&str, Change); 4] = [
    ("subjectAltName", |params| {
        params.subject_alt_names = vec![SanType::DnsName("elsewhere.example".try_into().unwrap())];
    }),
    ("clock", |params| params.not_after = date_time_ymd(2020, 1, 1)),
    ("clock", |params| params.not_before = date_time_ymd(3000, 1, 1)),
    ("serverAuth", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    }),
];

/// Has the tool look for evidence on the index.
fn check(world: &World, args: &[&str]) -> Outcome {
    let aa = Wheel::new("aa", "1.0").build();
    world.write_file("pylock.toml", lock(&world.index, [("aa", vec![&aa])]));
    world.tool([&["-L", "pylock.toml", "--retries", "0"], args].concat()).run()
}

#[test]
fn authority_that_is_shown_as_a_server_has_to_be_named() {
    let (pem, server) = self_signed(|_| {});
    let (world, _) = worlds("26.3", &pem, server);
    check(&world, &["--cert", "other.pem"]).exits(69).stderr_has("exactly this one with --cert");
    check(&world, &["--cert", "ca.pem"]).exits(0);
}

#[test]
fn named_certificate_vouches_for_its_name_time_and_purpose_alone() {
    for (hint, change) in FAULTS {
        let (pem, server) = self_signed(change);
        let (world, twin) = worlds("26.3", &pem, server);
        both(&world, &twin, &[], CERT).exits(1);
        check(&world, &["--cert", "ca.pem"]).exits(69).stderr_has(hint);
        assert!(world.index.requests().is_empty());
    }
}

/// A pip, the variables, the options, and whether the index is trusted then.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str], bool);

const CA: &str = "DIR/ca.pem";
const OTHER: &str = "DIR/other.pem";

const CASES: [Case; 19] = [
    ("26.3", &[("SSL_CERT_FILE", CA)], &[], true),
    ("24.0", &[("SSL_CERT_FILE", CA)], &[], false),
    ("26.3", &[("SSL_CERT_FILE", CA)], &["--use-deprecated", "legacy-certs"], false),
    ("26.3", &[("SSL_CERT_FILE", CA), ("PIP_USE_DEPRECATED", "legacy-certs")], &[], false),
    // What is named is added to the system's, or stands in place of certifi's.
    ("26.3", &[("SSL_CERT_FILE", CA)], &["--cert", OTHER], true),
    ("24.0", &[("SSL_CERT_FILE", CA)], &["--cert", OTHER], false),
    ("26.3", &[("SSL_CERT_FILE", CA), ("PIP_CERT", OTHER)], &[], true),
    ("26.3", &[("SSL_CERT_FILE", CA), ("REQUESTS_CA_BUNDLE", OTHER)], &[], true),
    ("26.3", &[("SSL_CERT_FILE", OTHER)], CERT, true),
    ("26.3", &[("SSL_CERT_DIR", "DIR/certs")], &[], true),
    ("26.3", &[("SSL_CERT_DIR", "DIR")], &[], false),
    ("26.3", &[], &["--cert", "DIR/certs"], true),
    // The variables stand before the option, unless a proxy makes pip ignore them.
    ("26.3", &[("REQUESTS_CA_BUNDLE", OTHER)], CERT, false),
    ("24.0", &[("REQUESTS_CA_BUNDLE", CA)], &["--cert", OTHER], true),
    ("24.0", &[("CURL_CA_BUNDLE", CA)], &["--cert", OTHER], true),
    ("26.3", &[("REQUESTS_CA_BUNDLE", OTHER), ("CURL_CA_BUNDLE", CA)], &[], false),
    ("26.3", &[("REQUESTS_CA_BUNDLE", OTHER)], &["--cert", CA, "--proxy", ""], true),
    ("24.0", &[("REQUESTS_CA_BUNDLE", OTHER)], &["--cert", CA, "--proxy", ""], false),
    ("26.3", &[("REQUESTS_CA_BUNDLE", OTHER)], &["--cert", CA, "--no-proxy-env"], true),
];

#[test]
fn servers_are_trusted_as_by_the_pip_that_is_there() {
    for pip in ["26.3", "24.0"] {
        let authority = Authority::new();
        let (world, twin) = worlds(pip, &authority.pem(), authority.server());
        for sandbox in [&*world, &twin] {
            sandbox.write_file(&format!("certs/{}", Authority::HASHED_NAME), authority.pem());
        }
        for (_, variables, words, is_trusted) in CASES.iter().filter(|case| case.0 == pip) {
            let outcome = both(&world, &twin, variables, words);
            assert_eq!(
                outcome.status,
                i32::from(!is_trusted),
                "{variables:?} {words:?}: {outcome}"
            );
        }
    }
}
