//! Ways around a verdict that an index, a package or a project might try where something is built.

use sha2::Digest as _;

use crate::support::index::{DistFile, Fault, LoopbackIndex};
use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::{PIN_AA, World, octo, signed};

const PIN_HELPER: &str = "helper https://github.com/octo/example\n";

/// A build requirement that says when it is imported.
fn helper(world: &World) -> Wheel {
    let code = format!("open({:?}, 'a').write('helper')\n", world.marker());
    Wheel::new("helper", "1.0").file("helper.py", &code)
}

/// A project of the user's own whose backend imports `helper`, which `requires` names.
fn project(world: &World, requires: &str) {
    let sdist = Sdist::new("mine", "1.0", &world.path("mine-ran"));
    let built = sdist.build_requires(requires).backend("import helper").build();
    world.write_file(&built.filename, &built.bytes);
    world.sh("tar -xzf mine-1.0.tar.gz && rm mine-1.0.tar.gz").run().exits(0);
}

#[test]
fn wheel_that_a_build_names_by_url_is_not_imported() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_HELPER);
        let (wheel, plain) = (helper(&world).build(), Wheel::new("plain", "1.0").build());
        let file = world.write_file(&wheel.filename, &wheel.bytes);
        let world = world
            .file_on_index(DistFile::new(&wheel.filename, wheel.bytes))
            .file_on_index(DistFile::new(&plain.filename, plain.bytes));
        let url = world.index.file_url(&wheel.filename);
        let named = world.index.file_url(&plain.filename);
        for place in [format!("file://{}", file.display()), url] {
            project(&world, &format!("helper @ {place}"));
            for args in [&["./mine-1.0"][..], &["./mine-1.0", &named]] {
                let run = world.pip([&["install"], args].concat());
                world.runs_nothing(run, 77).stderr_has("helper");
            }
        }
    }
}

#[test]
fn dependency_injected_into_metadata_is_not_built() {
    for pip in ["26.3", "24.0"] {
        let world =
            World::with_pip(pip).trust(&format!("{PIN_AA}bb https://github.com/octo/example\n"));
        let evil = world.sdist("evil", "1.0");
        let aa = Sdist::new("aa", "1.0", &world.path("aa-ran")).requires("bb");
        let bb = Wheel::new("bb", "1.0").build();
        let bb = signed(
            DistFile::new(&bb.filename, bb.bytes)
                .metadata(&format!("{}Requires-Dist: evil\n", bb.metadata)),
            &octo(),
        );
        let world = world.signed_source(aa, &octo()).file_on_index(bb).source(evil);
        let outcome = world.pip(["install", "aa"]).run();
        assert!(!world.something_ran(), "{outcome}");
        outcome.exits(0);
        assert_eq!(world.installed(), ["aa 1.0", "bb 1.0"]);
    }
}

#[test]
fn build_constraint_does_not_bypass_the_gateway() {
    let world = World::with_pip("26.3").trust(PIN_HELPER);
    let wheel = helper(&world).build();
    let file = world.write_file(&format!("links/{}", wheel.filename), &wheel.bytes);
    project(&world, "helper");
    let install = world.pip(["install", "--build-constraint", "b.txt", "./mine-1.0"]);
    world.write_file("b.txt", "--find-links ./links\n");
    world.runs_nothing(install.clone(), 1).stderr_has("No matching distribution found for helper");
    world.write_file("b.txt", format!("helper @ file://{}\n", file.display()));
    world.runs_nothing(install.clone(), 77).stderr_has("signature expected");
    // What it is for still works.
    let new = Wheel::new("helper", "2.0").file("helper.py", "raise Exception('new')");
    let old = Wheel::new("helper", "1.0");
    let world = world.signed(old, &octo()).signed(new, &octo());
    world.write_file("b.txt", "helper<2\n");
    install.run().exits(0);
}

#[test]
fn file_of_find_links_does_not_replace_a_signed_one() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(&format!("{PIN_AA}{PIN_HELPER}"));
        let evil = helper(&world).build();
        world.write_file(&format!("links/{}", evil.filename), &evil.bytes);
        let sdist = Sdist::new("aa", "1.0", &world.path("aa-ran")).build_requires("helper");
        let good = Wheel::new("helper", "1.0");
        let world = world.signed_source(sdist, &octo()).signed(good, &octo());
        world.write_file("r.txt", "-f ./links\naa\n");
        for args in [&["-f", "links", "aa"][..], &["-r", "r.txt"]] {
            let run = world.pip([&["install"], args].concat());
            world.runs_nothing(run, 77).stderr_has("refused: helper 1.0");
        }
        world.pip(["install", "aa"]).run().exits(0);
    }
}

/// Ways in which a project says its name before anything of it runs.
const STATED: [(&str, &str); 5] = [
    ("pyproject.toml", "[project]\nname = 'Aa'\nversion = '1.0'\n"),
    ("pyproject.toml", "[tool.poetry]\nname = 'aa'\n"),
    ("setup.cfg", "[metadata]\nname = aa\n"),
    ("setup.py", "from setuptools import setup\nsetup(version='1.0', name='aa')\n"),
    ("PKG-INFO", "Metadata-Version: 2.1\nName: AA\nVersion: 1.0\n\nName: zz\n"),
];

#[test]
fn url_with_a_pinned_name_is_not_built() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        for (number, (file, text)) in STATED.iter().enumerate() {
            let directory = format!("place-{number}");
            let backend = format!("open({:?}, 'a')\n", world.marker());
            world.write_file(&format!("{directory}/backend.py"), backend);
            let own = "[build-system]\nrequires = []\nbuild-backend = 'backend'\n\
                       backend-path = ['.']\n";
            world.write_file(&format!("{directory}/pyproject.toml"), own);
            let text =
                if *file == "pyproject.toml" { format!("{own}{text}") } else { text.to_string() };
            world.write_file(&format!("{directory}/{file}"), text);
            let path = format!("./{directory}");
            for args in [&[&*path][..], &["-e", &path]] {
                let outcome = world.runs_nothing(world.pip([&["install"], args].concat()), 77);
                outcome
                    .stderr_has("signature expected")
                    .stderr_has("https://github.com/octo/example");
            }
        }
    }
}

#[test]
fn archive_and_repository_of_a_pinned_name_are_not_built() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let built = world.sdist("aa", "1.0").build();
        world.write_file("main.tar.gz", &built.bytes);
        world.index.serve("/main.tar.gz", "application/gzip", built.bytes);
        let git = "tar -xzf main.tar.gz && cd aa-1.0 && git init -q && git add . && \
                   git -c user.name=x -c user.email=x@x.example commit -qm x";
        world.sh(git).run().exits(0);
        let repository = format!("git+file://{}/aa-1.0", world.project().display());
        for place in ["./main.tar.gz", &world.index.at("/main.tar.gz"), &repository] {
            let outcome = world.runs_nothing(world.pip(["install", place]), 77);
            outcome.stderr_has("signature expected").stderr_has("https://github.com/octo/example");
        }
    }
}

#[test]
fn urls_of_the_users_own_project_are_accepted() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let (zz, wheel) = (world.sdist("zz", "1.0").build(), Wheel::new("yy", "1.0").build());
        let (zz, yy) =
            (DistFile::new(&zz.filename, zz.bytes), DistFile::new(&wheel.filename, wheel.bytes));
        let world = world.file_on_index(zz).file_on_index(yy);
        let url = |file| world.index.file_url(file);
        let project = |needs: &str| {
            let sdist = Sdist::new("mine", "1.0", &world.path("mine-ran"));
            world.write_file("mine.tar.gz", sdist.requires(needs).build().bytes);
            world.sh("rm -rf mine-1.0 && tar -xzf mine.tar.gz").run().exits(0);
        };
        project(&format!("aa @ {}", url("zz-1.0.tar.gz")));
        let install = world.pip(["install", "-e", "./mine-1.0"]);
        world.runs_nothing(install.clone(), 77).stderr_has("signature expected");
        for (needs, unknown) in [("zz", "zz-1.0.tar.gz"), ("yy", "yy-1.0-py3-none-any.whl")] {
            project(&format!("{needs} @ {}", url(unknown)));
            world.leaves_all_as_it_was(install.clone().env("STRICT", "1"), 77);
            let outcome = install.clone().run();
            outcome.exits(0).stderr_has(&format!("{needs} 1.0 (a file from a URL"));
        }
        assert_eq!(world.installed(), ["mine 1.0", "yy 1.0", "zz 1.0"]);
    }
}

/// The client that asks the index while pip resolves: pip itself or the gateway.
#[derive(Clone, Copy)]
enum Led {
    Directly,
    ByTheGateway,
}

#[test]
fn hash_of_the_user_holds_for_later_answers() {
    for (pip, algorithm, led) in [
        ("24.0", "sha256", Led::Directly),
        ("25.1", "sha512", Led::Directly),
        ("26.3", "sha256", Led::Directly),
        ("26.3", "sha512", Led::Directly),
        ("24.0", "sha512", Led::ByTheGateway),
        ("26.3", "sha256", Led::ByTheGateway),
    ] {
        {
            let good = Wheel::new("aa", "1.0").build();
            let evil = Wheel::new("aa", "1.0").file("evil.py", "").build();
            let path = format!("/files/{}", evil.filename);
            let hash = match algorithm {
                "sha256" => good.sha256.to_string(),
                _ => hex::encode(sha2::Sha512::digest(&good.bytes)),
            };
            let world =
                World::with_pip(pip).file_on_index(DistFile::new(&evil.filename, evil.bytes));
            let (line, says) = match led {
                // A line that names the index: the gateway stands in for it, if pip lets it.
                Led::Directly => (format!("-i {}\n", world.index.url()), "aa-1.0-py3-none-any.whl"),
                Led::ByTheGateway => {
                    (String::new(), "aa-1.0-py3-none-any.whl is another file than stated")
                }
            };
            let status = 77;
            world.write_file("r.txt", format!("{line}aa==1.0 --hash={algorithm}:{hash}\n"));
            let bytes = good.bytes;
            let once = Fault::Body { content_type: "application/zip".to_owned(), bytes };
            world.index.fault_times(&path, 1, once.clone());
            world.refuses(["install", "-r", "r.txt"], status).stderr_has(says);
        }
    }
}

#[test]
fn file_with_the_users_own_hash_is_installed() {
    for pip in ["26.3", "24.0"] {
        let aa = Wheel::new("aa", "1.0").build();
        let hash = hex::encode(sha2::Sha512::digest(&aa.bytes));
        let other = "0".repeat(64);
        let world = World::with_pip(pip).file_on_index(DistFile::new(&aa.filename, aa.bytes));
        world.write_file("r.txt", format!("aa==1.0 --hash=sha256:{other} --hash sha512:{hash}\n"));
        world.pip(["install", "-r", "r.txt"]).run().exits(0);
    }
}

#[test]
fn replaced_index_is_not_asked() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let (evil, good) = (world.sdist("src", "9.0"), world.sdist("src", "1.0").build());
        let good = DistFile::new(&good.filename, good.bytes);
        let other = LoopbackIndex::builder().file("src", good).start();
        let world = world.source(evil);
        world.write_file("r.txt", format!("-i {}\nsrc\n", other.url()));
        let extra = ["--extra-index-url", &world.index.url()];
        let install = world.pip([&["install", "-r", "r.txt"][..], &extra].concat());
        install.run().exits(0);
        assert_eq!((world.installed(), world.index.paths()), (vec!["src 1.0".to_owned()], vec![]));
    }
}

#[test]
fn requirement_that_the_index_alone_states_is_unknown_at_most() {
    for (pip, installed) in [("26.3", ""), ("26.1", "bb 1.0 evil 1.0"), ("24.0", "bb 1.0 evil 1.0")]
    {
        let world = World::with_pip(pip).trust("bb https://github.com/octo/example\n");
        let bb = Wheel::new("bb", "1.0").build();
        let said = format!("{}Requires-Dist: evil\n", bb.metadata);
        let bb = signed(DistFile::new(&bb.filename, bb.bytes).metadata(&said), &octo());
        let world = world.file_on_index(bb).wheel(Wheel::new("evil", "1.0"));
        let install = world.pip(["install", "bb"]);
        let outcome = world.leaves_all_as_it_was(install.clone().env("STRICT", "1"), 77);
        outcome.stderr_has("refused: evil 1.0");
        let outcome = install.run();
        if installed.is_empty() {
            // This pip compares the two.
            outcome.exits(1).stderr_has("has inconsistent Requires-Dist");
        } else {
            outcome.exits(0).stderr_has("unknown: evil 1.0");
        }
        assert_eq!(world.installed().join(" "), installed);
    }
}

/// pip up to 25.2 follows a link of an archive out of its directory while it unpacks, which is
/// before any code of the archive would be started and refused.
#[test]
fn archive_that_metadata_names_is_not_unpacked_before_a_verdict() {
    let world = World::with_pip("24.0");
    let outside = world.path("outside");
    std::fs::create_dir(&outside).unwrap();
    let pack = "import io, sys, tarfile
archive = tarfile.open('x-1.0.tar.gz', 'w:gz')
link = tarfile.TarInfo('x-1.0/l'); link.type = tarfile.SYMTYPE; link.linkname = sys.argv[1]
archive.addfile(link)
for name in ('x-1.0/l/evil', 'x-1.0/setup.py'):
    archive.addfile(tarfile.TarInfo(name), io.BytesIO())
archive.close()";
    let python = world.venv().bin().join("python");
    let target = outside.to_str().unwrap().to_owned();
    world.run(python, ["-c", pack, &target]).run().exits(0);
    let bytes = std::fs::read(world.project().join("x-1.0.tar.gz")).unwrap();
    world.index.serve("/files/x-1.0.tar.gz", "application/gzip", bytes);
    let requirement = format!("x @ {}", world.index.at("/files/x-1.0.tar.gz"));
    let world = world.wheel(Wheel::new("cc", "1.0").requires(&requirement));
    world.pip(["install", "cc"]).run();
    assert!(!outside.join("evil").exists());
    let recorded = world.trust("cc https://github.com/octo/example\n");
    recorded.pip(["install", "cc"]).run();
    assert!(!outside.join("evil").exists());
    // The archive is what it is meant to be.
    recorded.plain_pip(["install", "--no-build-isolation", "cc"]).run();
    assert!(outside.join("evil").exists());
}
