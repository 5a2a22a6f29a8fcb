//! Code of a recorded project does not run before it is verified, however the user, a requirements
//! file or a package asks for it: no build backend, no `setup.py`, no version control program.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::index::DistFile;
use crate::support::private_sigstore::Mutation;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, mallory, octo, signed, source};

const PIPS: [&str; 3] = ["26.3", "25.1", "24.0"];

/// `aa` is on record, and there is an unsigned source of it: on the index, as a file, as a
/// directory. Packages that need it have wheels.
fn world(pip: &str) -> World {
    let world = World::with_pip(pip).trust(PIN_AA);
    let sdist = world.sdist("aa", "1.0");
    let built = sdist.clone().build();
    world.write_file(&built.filename, &built.bytes);
    let url = world.index.file_url(&built.filename);
    let by_url = Wheel::new("by-url", "1.0").requires(&format!("aa @ {url}"));
    world.source(sdist).wheel(Wheel::new("needs", "1.0").requires("aa")).wheel(by_url)
}

#[test]
fn unsigned_source_of_a_pinned_project_never_runs() {
    for pip in PIPS {
        let world = world(pip);
        let url = world.index.file_url("aa-1.0.tar.gz");
        let (named, egg) = (format!("aa @ {url}"), format!("{url}#egg=aa"));
        for args in [
            &["aa"][..],
            &["aa==1.0"],
            &["--no-binary", ":all:", "aa"],
            &["needs"],
            &["./aa-1.0.tar.gz"],
            &[&url],
            &[&named],
            &[&egg],
        ] {
            let outcome = world.runs_nothing(world.pip([&["install"], args].concat()), 77);
            outcome.stderr_has("refused: ").stderr_has("signature expected");
            outcome.stderr_has("https://github.com/octo/example");
            let is_url = args.iter().any(|arg| arg.contains("://"));
            assert!(is_url || world.index.count("/files/aa-1.0.tar.gz") == 0, "it was fetched");
        }
    }
}

#[test]
fn signed_source_runs() {
    for pip in PIPS {
        let world = World::with_pip(pip).trust(PIN_AA);
        let sdist = world.sdist("aa", "1.0");
        let world =
            world.signed_source(sdist, &octo()).wheel(Wheel::new("needs", "1.0").requires("aa"));
        let outcome = world.pip(["install", "needs"]).run();
        outcome.exits(0).stderr_has("verified: aa 1.0, built by https://github.com/octo/example");
        assert_eq!(world.installed(), ["aa 1.0", "needs 1.0"]);
        assert!(world.something_ran());
        assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
    }
}

#[test]
fn source_of_another_publisher_never_runs() {
    for pip in PIPS {
        let world = World::with_pip(pip).trust(PIN_AA);
        let sdist = world.sdist("aa", "1.0");
        let needs = Wheel::new("needs", "1.0").requires("aa");
        let world = world.signed_source(sdist, &mallory()).wheel(needs);
        for args in [&["aa"][..], &["--no-binary=aa", "aa==1.0"], &["needs"]] {
            let outcome = world.runs_nothing(world.pip([&["install"], args].concat()), 77);
            outcome.stderr_has("changed publisher").stderr_has("mallory/example");
        }
    }
}

#[test]
fn source_whose_attestation_is_of_other_bytes_never_runs() {
    for pip in PIPS {
        let world = World::with_pip(pip).trust(PIN_AA);
        let honest = signed(source(world.sdist("aa", "1.0")), &octo());
        let other = source(world.sdist("aa", "1.0").backend("evil = True"));
        let swapped = DistFile { bytes: other.bytes, ..honest };
        let needs = Wheel::new("needs", "1.0").requires("aa");
        let world = world.file_on_index(swapped).wheel(needs);
        for what in ["aa==1.0", "needs"] {
            let outcome = world.runs_nothing(world.pip(["install", what]), 77);
            outcome.stderr_has("invalid attestation");
        }
    }
}

#[test]
fn bytes_that_are_swapped_behind_the_page_never_run() {
    for pip in PIPS {
        let world = World::with_pip(pip).trust(PIN_AA);
        let other = world.sdist("aa", "1.0").backend("evil = 1");
        let honest = world.sdist("aa", "1.0");
        let world = world.signed_source(honest, &octo());
        world.index.serve("/files/aa-1.0.tar.gz", "application/gzip", other.build().bytes);
        world.runs_nothing(world.pip(["install", "aa"]), 77).stderr_has("aa-1.0.tar.gz");
    }
}

#[test]
fn installing_run_asks_no_index() {
    for pip in PIPS {
        let world = World::with_pip(pip).trust(PIN_AA);
        // The first thing that the second build does is to look where it could ask.
        let asks = "import os, sys\nif 'build_wheel' in sys.argv:\n    \
                    assert os.environ['PIP_NO_INDEX'] == '1' and 'PIP_INDEX_URL' not in os.environ";
        let sdist = world.sdist("aa", "1.0").backend(asks);
        let world = world.signed_source(sdist, &octo());
        world.pip(["install", "aa"]).run().exits(0);
        assert_eq!(world.index.count("/files/aa-1.0.tar.gz"), 1);
    }
}

#[test]
fn zip_archive_is_a_source_like_any_other() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        world.write_file("aa-1.0.tar.gz", world.sdist("aa", "1.0").build().bytes);
        let zip = "import tarfile\nfrom zipfile import ZipFile\n\
                   t, z = tarfile.open('aa-1.0.tar.gz'), ZipFile('aa-1.0.zip', 'w')\n\
                   for m in t: z.writestr(m.name, t.extractfile(m).read())\nz.close()";
        world.run("python3", ["-c", zip]).run().exits(0);
        let bytes = std::fs::read(world.project().join("aa-1.0.zip")).unwrap();
        let world = world.file_on_index(DistFile::new("aa-1.0.zip", bytes));
        for what in ["aa", "./aa-1.0.zip"] {
            let outcome = world.runs_nothing(world.pip(["install", what]), 77);
            outcome.stderr_has("signature expected");
        }
    }
}

#[test]
fn source_that_builds_another_name_is_not_installed() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let liar = world.sdist("aa", "1.0").build();
        let world = world.file_on_index(DistFile::new("src-1.0.tar.gz", liar.bytes));
        let outcome = world.pip(["install", "src"]).run();
        assert!(outcome.status != 0 && world.installed().is_empty(), "{outcome}");
    }
}

#[test]
fn newer_unsigned_source_that_pip_tries_first_never_runs() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let (old, new) = (world.sdist("aa", "1.0"), world.sdist("aa", "2.0"));
        let world = world.signed_source(old, &octo()).source(new);
        // 1.0 is what pip would end with; 2.0 is what it would build on the way there.
        world.write_file("c.txt", "bb==1.0\n");
        let needs = |version: &str, aa: &str| Wheel::new("bb", version).requires(aa);
        let world = world.wheel(needs("1.0", "aa<2")).wheel(needs("2.0", "aa>=2"));
        for args in [&["aa"][..], &["aa", "bb"]] {
            let run = world.pip([&["install"], args].concat());
            world.runs_nothing(run, 77).stderr_has("refused: aa 2.0");
        }
        world.pip(["install", "aa==1.0", "bb", "-c", "c.txt"]).run().exits(0);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    }
}

#[test]
fn source_that_a_package_names_by_its_place_never_runs() {
    for pip in PIPS {
        let world = world(pip);
        let outcome = world.pip(["install", "by-url"]);
        let outcome = world.runs_nothing(outcome, 77);
        outcome.stderr_has("error: pip would have");
        // Nor where the user named another place.
        let mine = world.sdist("mine", "1.0").build();
        world.write_file(&mine.filename, &mine.bytes);
        let plain = Wheel::new("plain", "1.0").build();
        let world = world.file_on_index(DistFile::new(&plain.filename, plain.bytes));
        let url = world.index.file_url(&plain.filename);
        let run = world.pip(["install", "--no-binary", "zz", &url, "by-url"]);
        world.runs_nothing(run, 77);
    }
}

#[test]
fn repository_that_a_package_names_is_not_fetched() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let git = world.venv().bin().join("git");
        std::fs::write(&git, format!("#!/bin/sh\necho >>{}\n", world.marker().display())).unwrap();
        std::fs::set_permissions(git, Permissions::from_mode(0o755)).unwrap();
        let bad = Wheel::new("bad", "1.0").requires("zz @ git+https://git.example/zz.git");
        let world = world.wheel(bad);
        let run = world.pip(["install", "bad"]);
        world.runs_nothing(run, 77).stderr_has("error: pip would have run git");
        // Named by the user it is another matter, but for STRICT and for who is on record.
        let run = world.pip(["install", "zz @ git+https://git.example/zz.git"]);
        world.runs_nothing(run.clone().env("STRICT", "1"), 77).stderr_has("version control");
        let world = world.trust("zz https://github.com/octo/example\n");
        world.runs_nothing(run, 77).stderr_has("signature expected");
    }
}

#[test]
fn disguised_source_of_a_pinned_project_never_runs() {
    let world = world("26.3");
    std::fs::create_dir(world.project().join("a b")).unwrap();
    std::fs::copy(world.project().join("aa-1.0.tar.gz"), world.project().join("a b/aa-1.0.tar.gz"))
        .unwrap();
    let url = world.index.file_url("aa-1.0.tar.gz");
    let encoded = world.index.file_url("%61a-1.0.tar.gz");
    let (other, egg) = (format!("zz @ {url}"), format!("{url}#egg=zz"));
    let file = format!("file://{}/aa-1.0.tar.gz", world.project().display());
    world.write_file("e.txt", "./aa-1.0.tar.gz ; python_version > '3'\n");
    for args in [
        &["./a b/aa-1.0.tar.gz"][..],
        &[&encoded],
        &[&other],
        &[&egg],
        &[&file],
        &["-r", "e.txt"],
        &["aa-1.0.tar.gz"],
    ] {
        world.runs_nothing(world.pip([&["install"], args].concat()), 77);
    }
}

#[test]
fn setup_py_of_a_recorded_project_is_not_run_either() {
    let world = World::with_pip("24.0").trust(PIN_AA);
    let sdist = world.sdist("aa", "1.0").setup_py();
    let world = world.source(sdist);
    world.runs_nothing(world.pip(["install", "aa"]), 77);
    world.runs_nothing(world.pip(["install", "--no-build-isolation", "aa"]), 77);
}

#[test]
fn build_within_pips_own_process_is_judged_too() {
    let world = world("26.3");
    let run = world.pip(["install", "--use-feature=inprocess-build-deps", "aa"]);
    world.runs_nothing(run, 77).stderr_has("signature expected");
}

#[test]
fn broken_attestation_does_not_fall_back_to_a_source() {
    let world = World::new().trust(PIN_AA);
    let sdist = world.sdist("aa", "1.0");
    let world = world.signed_source(sdist, &octo()).broken(
        Wheel::new("aa", "1.0"),
        &octo(),
        Mutation::Signature,
    );
    world.runs_nothing(world.pip(["install", "aa"]), 77).stderr_has("invalid attestation");
}
