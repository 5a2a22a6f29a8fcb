//! Installing from source: which archives, directories and URLs are built, what is said of them,
//! and that nothing but the gateway and the user's own files has a say in it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::wheel::Wheel;
use crate::support::world::{OCTO, PIN_AA, World, octo};

const PIPS: [&str; 2] = ["26.3", "24.0"];

/// `src` is an unsigned source that nobody recorded: on the index, as a file and as a directory.
fn world(pip: &str) -> World {
    let world = World::with_pip(pip);
    let built = world.sdist("src", "1.0").build();
    world.write_file(&built.filename, &built.bytes);
    world.sh("tar -xzf src-1.0.tar.gz && mv src-1.0 directory").run().exits(0);
    world.file_on_index(DistFile::new(&built.filename, built.bytes))
}

#[test]
fn unpinned_unsigned_source_is_built_unless_strict() {
    for pip in PIPS {
        let world = world(pip);
        let install = world.pip(["install", "src"]);
        let outcome = world.runs_nothing(install.clone().env("STRICT", "1"), 77);
        outcome.stderr_has("refused: src 1.0").stderr_has("STRICT");
        let outcome = install.run();
        outcome.exits(0).stderr_has("unknown: src 1.0 (the index has no attestation for it)");
        outcome.lacks("127.0.0.1");
        assert_eq!(world.installed(), ["src 1.0"]);
        assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
    }
}

#[test]
fn named_url_is_built_and_reported_unless_strict() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let url = world.index.file_url("src-1.0.tar.gz");
        let named = format!("src @ {url}");
        world.write_file("r.txt", "-e./directory\n");
        world.write_file("s.txt", "./src-1.0.tar.gz --no-binary=x\n");
        for (args, kind) in [
            (&["./directory"][..], "local directory"),
            (&["-e", "directory"], "local directory"),
            (&["-e./directory[x]"], "local directory"),
            (&["-r", "r.txt"], "local directory"),
            (&["./src-1.0.tar.gz"], "local file"),
            (&["src-1.0.tar.gz"], "local file"),
            (&[&url], "file from a URL"),
            (&[&named], "file from a URL"),
        ] {
            let install = world.pip([&["install"], args].concat());
            let outcome = world.runs_nothing(install.clone().env("STRICT", "1"), 77);
            outcome.stderr_has("refused: ").stderr_has(kind);
            install.run().exits(0).stderr_has("unknown: src 1.0 (a ").stderr_has(kind);
            assert!(world.something_ran(), "{args:?}");
            std::fs::remove_file(world.marker()).unwrap();
            world.plain_pip(["uninstall", "--yes", "src"]).run().exits(0);
        }
    }
}

#[test]
fn named_repository_is_built_unless_strict() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let git = "cd directory && git init -q && git add . && \
                   git -c user.name=x -c user.email=x@x.example commit -qm x";
        world.sh(git).run().exits(0);
        let url = format!("git+file://{}/directory", world.project().display());
        for place in [url.clone(), format!("{url}#egg=src")] {
            let install = world.pip(["install", &place]);
            world.runs_nothing(install.env("STRICT", "1"), 77).stderr_has("version control");
        }
        let outcome = world.pip(["install", &url]).run();
        outcome.exits(0).stderr_has("unknown: src 1.0 (version control");
        assert_eq!(world.installed(), ["src 1.0"]);
    }
}

#[test]
fn sources_from_configuration_are_judged_before_the_build() {
    let world = world("26.3").wheel(Wheel::new("bb", "1.0"));
    let install = world.pip(["install", "bb"]).env("PIP_EDITABLE", "./directory");
    world.runs_nothing(install.clone().env("STRICT", "1"), 77).stderr_has("local directory");
    install.run().exits(0).stderr_has("src 1.0 (a local directory");
}

#[test]
fn url_readable_by_pip_alone_is_not_built() {
    let world = world("26.3");
    let uri = format!("file://{}/directory", world.project().display());
    let group = format!("[dependency-groups]\ng = ['src @ {uri}']\n");
    world.write_file("pyproject.toml", group);
    world.write_file("s.py", format!("# /// script\n# dependencies = ['src @ {uri}']\n# ///\n"));
    for args in [["--group", "g"], ["--requirements-from-script", "s.py"]] {
        let run = world.pip([&["install"], &args[..]].concat());
        world.runs_nothing(run, 77).stderr_has("directory, a place that you did not name");
    }
}

#[test]
fn lock_with_a_source_is_refused_with_a_hint() {
    let world = world("26.3");
    let sha256 = world.sdist("src", "1.0").build().sha256;
    let url = world.index.file_url("src-1.0.tar.gz");
    let lock = format!(
        "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'src'\nversion = '1.0'\n\
         [packages.sdist]\nname = 'src-1.0.tar.gz'\nurl = '{url}'\n\
         [packages.sdist.hashes]\nsha256 = '{sha256}'\n"
    );
    world.write_file("pylock.toml", lock);
    let outcome = world.runs_nothing(world.pip(["install", "-r", "pylock.toml"]), 65);
    outcome.stderr_has("pylock.toml: building").stderr_has("requirements file");
}

#[test]
fn no_binary_of_a_line_counts_as_requested() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let sdist = world.sdist("aa", "1.0");
        let world = world.signed_source(sdist, &octo()).signed(Wheel::new("aa", "1.0"), &octo());
        world.write_file("r.txt", "--no-binary aa\naa\n");
        world.pip(["install", "-r", "r.txt"]).run().exits(0);
        assert!(world.something_ran());
        assert_eq!(world.installed(), ["aa 1.0"]);
    }
}

#[test]
fn built_wheel_in_pips_cache_is_not_taken_for_a_source() {
    for pip in ["26.3", "24.0"] {
        // The real thing first, so that the cache has what pip would look for.
        let world = world(pip);
        let url = format!("src @ {}", world.index.file_url("src-1.0.tar.gz"));
        for what in ["src", &url] {
            world.plain_pip(["install", what]).run().exits(0);
            world.plain_pip(["uninstall", "--yes", "src"]).run().exits(0);
        }
        let evil = Wheel::new("src", "1.0").file("evil.py", "").build();
        let cache = world.path("home/.cache/pip");
        let poisoned = wheels_below(&cache);
        assert!(!poisoned.is_empty());
        poisoned.iter().for_each(|path| std::fs::write(path, &evil.bytes).unwrap());
        let shown = cache.display().to_string();
        for args in [
            &["src"][..],
            &[&url],
            &[&url, "--cache-dir", &shown],
            &[&url, "--isolated", "--index-url", &world.index.url()],
        ] {
            world.pip([&["install"], args].concat()).run().exits(0);
            assert!(!world.venv().site_packages().join("evil.py").exists(), "{args:?}");
            world.plain_pip(["uninstall", "--yes", "src"]).run().exits(0);
        }
        // So it is a poison.
        world.plain_pip(["install", &url]).run().exits(0);
        assert!(world.venv().site_packages().join("evil.py").exists());
    }
}

fn wheels_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(wheels_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "whl") {
            found.push(path);
        }
    }
    found
}

#[test]
fn source_in_a_find_links_directory_is_judged_like_any_other() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        for name in ["aa", "src"] {
            let built = world.sdist(name, "1.0").build();
            world.write_file(&format!("links/{}", built.filename), &built.bytes);
        }
        let links = world.project().join("links").display().to_string();
        world.write_file("aa.txt", "-f ./links\naa\n");
        world.write_file("src.txt", "-f ./links\nsrc\n");
        let by_variable = |name| world.pip(["install", name]).env("PIP_FIND_LINKS", &links);
        for run in [
            by_variable("aa"),
            world.pip(["install", "-f", "links", "aa"]),
            world.pip(["install", "--no-index", "-f", "links", "aa"]),
            world.pip(["install", "-r", "aa.txt"]),
            by_variable("src").env("STRICT", "1"),
        ] {
            world.runs_nothing(run, 77).stderr_has("refused: ");
        }
        for run in [
            by_variable("src"),
            world.pip(["install", "--no-index", "-f", "links", "src"]),
            world.pip(["install", "-r", "src.txt"]),
        ] {
            run.run().exits(0).stderr_has("unknown: src 1.0 (a local file");
            assert_eq!(world.installed(), ["src 1.0"]);
            world.plain_pip(["uninstall", "--yes", "src"]).run().exits(0);
        }
    }
}

#[test]
fn unrequested_file_beside_the_source_is_not_refused() {
    let world = World::new().trust(PIN_AA);
    for name in ["aa", "src"] {
        let built = world.sdist(name, "1.0").build();
        world.write_file(&format!("links/{}", built.filename), &built.bytes);
    }
    world.pip(["install", "-f", "links", "src"]).run().exits(0).lacks("refused");
    assert_eq!(world.installed(), ["src 1.0"]);
}

#[test]
fn removed_find_links_file_is_named() {
    let world = World::new();
    let built = world.sdist("src", "1.0").build();
    let path = world.write_file(&format!("links/{}", built.filename), &built.bytes);
    let (pip, gone) = (world.venv().bin().join("pip"), path.display());
    let script = format!(
        "#!/bin/sh\n{} \"$@\"\ncase \"$*\" in *report.json*) rm {gone};; esac\n",
        pip.display()
    );
    let fake = world.write_file("fake/pip", script);
    std::fs::set_permissions(fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let search = [world.shims(), world.project().join("fake"), "/usr/bin".into(), "/bin".into()];
    let search = std::env::join_paths(search).unwrap();
    let run = world.pip(["install", "-f", "links", "--no-binary=src", "src"]).env("PATH", search);
    run.run().exits(65).stderr_has(&format!("cannot read file {gone}: "));
    assert!(world.installed().is_empty());
}

#[test]
fn find_links_to_a_file_is_refused() {
    let world = world("26.3");
    let run = world.pip(["install", "src", "-f", &world.index.at("/links.html")]);
    world.runs_nothing(run, 77).stderr_has("find-links must be a directory");
}

#[test]
fn index_lines_do_not_bypass_the_gateway() {
    let world = world("26.3");
    let evil = world.sdist("src", "9.0").build();
    let other =
        LoopbackIndex::builder().file("src", DistFile::new(&evil.filename, evil.bytes)).start();
    let strict = |text: String| {
        world.write_file("r.txt", text);
        world.pip(["install", "-r", "r.txt"]).env("STRICT", "1")
    };
    // A second server is the user's own choice, and judged like the first.
    let run = strict(format!("--extra-index-url {}\nsrc\n", other.url()));
    world.runs_nothing(run, 77).stderr_has("refused: src 9.0");
    // pip itself never speaks to either.
    let from_pip = |index: &LoopbackIndex| {
        let agents = index.requests().into_iter();
        agents
            .filter(|r| r.header("user-agent").is_some_and(|v| !v.contains("pypi-verify-now/")))
            .count()
    };
    let before = from_pip(&other);
    let text = format!("-i {}\n--no-binary :all:\n./directory\nsrc\n", other.url());
    world.write_file("r.txt", text);
    world.pip(["install", "-r", "r.txt"]).run();
    assert_eq!(from_pip(&other), before);
}

#[test]
fn proxies_and_trusted_hosts_do_not_bypass_the_gateway() {
    for pip in ["26.3", "24.0"] {
        // Nothing listens there.
        let nowhere = "http://127.0.0.1:9";
        let world = world(pip);
        let install =
            |args: &[&str]| world.pip([&["install", "--force-reinstall", "src"], args].concat());
        install(&["--trusted-host", "127.0.0.1"]).run().exits(0);
        let run = install(&[]).env("HTTP_PROXY", nowhere).env("ALL_PROXY", nowhere);
        run.clone().env("NO_PROXY", "127.0.0.1").run().exits(0);
        run.env("no_proxy", "*").run().exits(0);
    }
}

/// The environment and arguments of a build, its pip and that pip's parents on one interpreter.
const SPY: &str = r"
import os, sys
def read(pid, what):
    with open(f'/proc/{pid}/{what}', 'rb') as f: return f.read()
pid, seen = os.getpid(), b''
while os.path.realpath(f'/proc/{pid}/exe') == os.path.realpath(sys.executable):
    seen += read(pid, 'cmdline') + read(pid, 'environ')
    pid = int(read(pid, 'stat').rpartition(b')')[2].split()[1])
with open(os.path.join(os.environ['HOME'], 'seen'), 'ab') as f: f.write(seen)
";

#[test]
fn no_build_sees_the_credentials_of_an_index() {
    for pip in PIPS {
        let index = LoopbackIndex::builder().basic_auth("user", "s3cret");
        let world = World::before(pip, index);
        let sdist = world.sdist("src", "1.0").backend(SPY);
        let world = world.source(sdist);
        let url = world.index.url_with_credentials("user", "s3cret");
        world.write_file("r.txt", format!("-i {url}\nsrc\n"));
        let world = world.env("PIP_INDEX_URL", "http://nowhere.invalid/");
        for run in [
            world.pip(["install", "-v", "src"]).env("PIP_INDEX_URL", &url),
            world.pip(["install", "-v", "--index-url", &url, "src"]),
            world.pip(["install", "-v", "-r", "r.txt"]),
        ] {
            run.run().exits(0).lacks("s3cret");
            let seen = std::fs::read(world.path("home/seen")).unwrap();
            let seen = String::from_utf8_lossy(&seen);
            assert!(seen.contains("PIP_INDEX_URL") && seen.contains("--find-links"), "{seen}");
            assert!(!seen.contains("s3cret"), "{seen}");
            world.plain_pip(["uninstall", "--yes", "src"]).run().exits(0);
        }
    }
}

#[test]
fn gateway_url_is_on_no_command_line() {
    for pip in PIPS {
        let world = World::with_pip(pip);
        let spy = SPY.replace(" + read(pid, 'environ')", "");
        let sdist = world.sdist("src", "1.0").backend(&spy);
        let world = world.source(sdist);
        // The pips that pip starts for an isolated build get it there from pip itself.
        world.pip(["install", "--no-build-isolation", "src"]).run().exits(0);
        let seen = std::fs::read(world.path("home/seen")).unwrap();
        let seen = String::from_utf8_lossy(&seen);
        assert!(seen.contains("--dry-run") && !seen.contains("http://127.0.0.1:"), "{seen}");
    }
}

#[test]
fn failed_backend_is_reported_by_pip_and_not_recorded() {
    for (pip, code) in [
        ("26.3", "raise RuntimeError('no luck')"),
        ("24.0", "raise RuntimeError('no luck')"),
        ("26.3", "import sys\nif 'build_wheel' in sys.argv: raise RuntimeError('no luck')"),
    ] {
        let world = World::with_pip(pip);
        let sdist = world.sdist("aa", "1.0").backend(code);
        let world = world.signed_source(sdist, &octo());
        let outcome = world.pip(["install", "aa"]).env("TOFU", "1").run();
        outcome.exits(1);
        assert!(format!("{outcome}").contains("no luck"), "{outcome}");
        // pip names the index that the user knows, not what stands in for it.
        let named = format!("Looking in indexes: {}\n", world.index.url());
        assert!(code.contains("argv") || outcome.stdout.contains(&named), "{outcome}");
        assert_eq!((world.trust_file(), world.installed()), (None, Vec::new()), "{outcome}");
    }
}

#[test]
fn backend_output_is_printed_without_the_gateway_path() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let code = "import os\nsecret = os.path.dirname(os.environ['PIP_INDEX_URL'].rstrip('/'))\n\
                    with open(os.path.join(os.environ['HOME'], 'secret'), 'w') as f: f.write(secret)\n\
                    raise RuntimeError('no luck at ' + secret)";
        let src = world.sdist("src", "1.0").backend(code);
        let world = world.source(src);
        let outcome = world.pip(["install", "src"]).run();
        outcome.exits(1).lacks(&world.read_file("../home/secret"));
        assert!(format!("{outcome}").contains("no luck at the index"), "{outcome}");
    }
}

#[test]
fn download_and_wheel_give_the_same_verdicts() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip).trust(PIN_AA);
        let (bad, good) = (world.sdist("aa", "2.0"), world.sdist("aa", "1.0"));
        let world = world.source(bad).signed_source(good, &octo());
        for subcommand in ["download", "wheel"] {
            world.runs_nothing(world.pip([subcommand, "aa"]), 77).stderr_has("refused: aa 2.0");
            let strict = world.pip([subcommand, "src"]).env("STRICT", "1");
            world.runs_nothing(strict, 77);
        }
        world.pip(["download", "aa==1.0", "src"]).run().exits(0).stderr_has("verified: aa 1.0");
        assert!(world.project().join("aa-1.0.tar.gz").exists());
        world.pip(["wheel", "aa==1.0"]).run().exits(0).stderr_has(OCTO);
        assert!(world.project().join("aa-1.0-py3-none-any.whl").exists());
    }
}

#[test]
fn section_of_the_configuration_counts_for_its_own_subcommand() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let sdist = world.sdist("aa", "1.0").requires("bb");
        let wheel = Wheel::new("aa", "1.0").requires("bb");
        let world = world.signed_source(sdist, &octo()).signed(wheel, &octo());
        let world = world.pip_conf("[wheel]\nno-binary = aa\nno-deps = true\n");
        world.pip(["wheel", "aa"]).run().exits(0).lacks("bb 1.0");
        assert!(world.something_ran());
        std::fs::remove_file(world.marker()).unwrap();
        let world = world.wheel(Wheel::new("bb", "1.0"));
        world.pip(["download", "aa"]).run().exits(0).stderr_has("bb 1.0");
        assert!(!world.something_ran());
    }
}

#[test]
fn source_of_a_lock_is_detected_without_pips_output() {
    let world = World::new();
    let aa = world.sdist("aa", "1.0").build();
    let (name, url, sha256) = (&aa.filename, world.index.file_url(&aa.filename), aa.sha256);
    let text = format!(
        "lock-version = '1.0'\ncreated-by = 'pip'\n[[packages]]\nname = 'aa'\nversion = '1.0'\n\
         sdist = {{name = '{name}', url = '{url}', hashes = {{sha256 = '{sha256}'}}}}\n"
    );
    world.write_file("pylock.toml", text);
    let run = world.pip(["install", "-r", "pylock.toml"]).run();
    run.exits(65).stderr_has("building the sources of a lock is not supported");
    world.write_file("pylock.No sources permitted for.toml", "[[");
    let other = ["install", "-r", "pylock.No sources permitted for.toml"];
    world.pip(other).run().exits(1).lacks("building the sources of a lock");
}
