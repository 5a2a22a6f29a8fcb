//! Settings count by the rules of the very pip that is run: the options that it has, the section of
//! its subcommand, and the pips that it starts for a build.

use std::collections::BTreeSet;
use std::fs;

use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::twin::{But, same};
use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::{PIN_AA, World, octo};

/// An index with a signed `aa` that needs `bb`, and `cc` with a pre-release.
fn world(pip: &str) -> World {
    let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0").requires("bb"), &octo());
    let world = world.wheel(Wheel::new("bb", "1.0")).wheel(Wheel::new("cc", "1.0"));
    world.wheel(Wheel::new("cc", "2.0a1")).trust(PIN_AA)
}

/// A way to set options: a variable and its value, and the text of `pip.conf`.
type Setting = (&'static str, &'static str, &'static str);

/// A world and its twin with the same variable and the same configuration file.
fn both(world: World, (variable, value, configuration): Setting) -> (World, Sandbox) {
    let twin = world.twin();
    let world = world.env(variable, value);
    let twin = twin.env(variable, value);
    if configuration.is_empty() {
        return (world, twin);
    }
    (world.pip_conf(configuration), twin.pip_conf(configuration))
}

#[test]
fn cache_is_off_with_every_boolean() {
    let settings: [Setting; 5] = [
        ("PIP_NO_CACHE_DIR", "off", ""),
        ("PIP_NO_CACHE_DIR", "0", ""),
        ("PIP_NO_CACHE_DIR", "true", ""),
        ("NOTHING", "", "[global]\nno-cache-dir = false\n"),
        ("NOTHING", "", ""),
    ];
    for setting in settings {
        let (world, twin) = both(world("26.3"), setting);
        same(&world, &twin, &["install", "aa"], But::Nothing).exits(0);
        let is_kept = setting == ("NOTHING", "", "");
        assert_eq!(world.path("home/.cache").exists(), is_kept, "{setting:?}");
    }
}

#[test]
fn option_that_this_pip_lacks_is_ignored_as_by_pip() {
    let settings: [Setting; 4] = [
        ("PIP_BUILD_CONSTRAINT", "none.txt", ""),
        ("PIP_ONLY_DEPS", "1", ""),
        ("PIP_GROUP", "test", "[global]\nuploaded-prior-to = 2020-01-01\n"),
        ("NOTHING", "", "[install]\nbuild-constraint = none.txt\nrequirements-from-script = x\n"),
    ];
    for setting in settings {
        for args in [&["install", "aa"][..], &["install", "--no-binary", "dd", "aa", "dd"]] {
            let world = world("24.0");
            world.source_beside(world.sdist("dd", "1.0"));
            let (world, twin) = both(world, setting);
            let outcome = same(&world, &twin, args, But::Requested);
            assert_eq!(outcome.status, 0, "{setting:?} {args:?}: {outcome}");
        }
    }
}

#[test]
fn download_and_wheel_read_their_own_section() {
    let rows: [(Setting, &[&str], &[&str]); 14] = [
        (("NOTHING", "", "[install]\nuser = true\n"), &["download", "aa"], &["aa", "bb"]),
        (("PIP_USER", "1", ""), &["download", "aa"], &["aa", "bb"]),
        (("PIP_USER", "1", ""), &["wheel", "aa"], &["aa", "bb"]),
        (("NOTHING", "", "[install]\nno-deps = yes\n"), &["wheel", "aa"], &["aa", "bb"]),
        (("NOTHING", "", "[wheel]\nno-deps = yes\n"), &["wheel", "aa"], &["aa"]),
        (("NOTHING", "", "[install]\npre = yes\n"), &["download", "cc"], &["cc-1.0"]),
        (("NOTHING", "", "[download]\npre = yes\n"), &["download", "cc"], &["cc-2.0a1"]),
        (("NOTHING", "", "[download]\npre = yes\n"), &["wheel", "cc"], &["cc-1.0"]),
        (("NOTHING", "", "[wheel]\nwheel-dir = sub\n"), &["wheel", "cc"], &["sub"]),
        (("PIP_DEST", "sub", ""), &["download", "cc"], &["sub"]),
        (("PIP_TARGET", "sub", ""), &["download", "cc"], &["cc-1.0"]),
        (("PIP_PREFIX", "sub", "[global]\nroot = x\n"), &["wheel", "cc"], &["cc-1.0"]),
        (
            ("NOTHING", "", "[install]\nindex-url = http://127.0.0.1:9/\n"),
            &["wheel", "cc"],
            &["cc"],
        ),
        (
            ("PIP_PLATFORM", "any", "[download]\nonly-binary = :all:\npython-version = 3.8\n"),
            &["download", "cc"],
            &["cc-1.0"],
        ),
    ];
    for (setting, args, files) in rows {
        let world = world("26.3");
        let (world, twin) = both(world, setting);
        let outcome = same(&world, &twin, args, But::Nothing);
        assert_eq!(outcome.status, 0, "{setting:?} {args:?}: {outcome}");
        let all = fs::read_dir(world.project()).unwrap();
        let names: Vec<_> = all.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        let names: Vec<_> = names.iter().filter(|name| !name.starts_with('.')).collect();
        let is_there = |file: &&str| names.iter().any(|name| name.starts_with(file));
        assert!(files.iter().all(is_there) && names.len() == files.len(), "{names:?}");
        assert!(world.installed().is_empty());
    }
}

#[test]
fn download_and_wheel_of_older_pips_read_their_own_section() {
    for pip in ["25.3", "25.1", "24.0", "22.3"] {
        for args in [["download", "cc"], ["wheel", "cc"]] {
            let configuration = "[install]\nuser = true\npre = yes\n";
            let (world, twin) = both(world(pip), ("PIP_NO_DEPS", "1", configuration));
            same(&world, &twin, &args, But::Nothing).exits(0);
            assert!(world.project().join("cc-1.0-py3-none-any.whl").exists(), "{pip} {args:?}");
        }
    }
}

#[test]
fn download_for_another_python_resolves_as_itself() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip).env("PIP_USER", "1");
        let python = world.venv().python();
        let args = ["--python", python.to_str().unwrap(), "download", "aa"];
        world.pip(args).run().exits(0).stderr_has("verified: aa 1.0");
        assert!(world.project().join("aa-1.0-py3-none-any.whl").exists());
    }
}

/// A package that is refused is refused whichever subcommand fetches it.
#[test]
fn download_and_wheel_are_verified() {
    for args in [["download", "aa"], ["wheel", "aa"]] {
        for pip in ["26.3", "24.0"] {
            let world = World::with_pip(pip).wheel(Wheel::new("aa", "1.0")).trust(PIN_AA);
            let world = world.env("PIP_USER", "1");
            let outcome = world.leaves_all_as_it_was(world.pip(args), 77);
            outcome.stderr_has("signature expected");
            let source = World::with_pip(pip).trust(PIN_AA);
            let aa = source.sdist("aa", "1.0");
            let source = source.source(aa);
            source.runs_nothing(source.pip(args), 77);
            assert!(!source.project().join("aa-1.0.tar.gz").exists());
        }
    }
}

#[test]
fn only_the_hooks_that_pip_calls_are_called() {
    let calls = |sandbox: &Sandbox| -> BTreeSet<String> {
        let text = fs::read_to_string(sandbox.path("hooks")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    for pip in ["26.3", "25.1", "24.0"] {
        for args in [&["wheel", "-e", "./local-1.0"][..], &["download", "-r", "r.txt"]] {
            let world = World::with_pip(pip).file("r.txt", "-e ./local-1.0\n");
            let twin = world.twin();
            for sandbox in [&*world, &twin] {
                let log =
                    format!("open({:?}, 'a').write(sys.argv[1] + '\\n')", sandbox.path("hooks"));
                let local = Sdist::new("local", "1.0", &sandbox.path("ran"));
                let local = local.backend("import sys").backend(&log).build();
                sandbox.write_file(&local.filename, &local.bytes);
                sandbox.sh("tar -xzf local-1.0.tar.gz && rm local-1.0.tar.gz").run().exits(0);
            }
            let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
            assert_eq!(ours.status, plain.status, "pip {pip} {args:?}: {ours}\n{plain}");
            assert_eq!(calls(&world), calls(&twin), "pip {pip} {args:?}: {ours}");
            assert!(!calls(&world).iter().any(|hook| hook.contains("editable")), "{ours}");
        }
    }
}

/// A source whose build works with the older `helper` alone.
fn world_with_helper(pip: &str) -> World {
    let world = World::with_pip(pip);
    let new = Wheel::new("helper", "2.0").file("helper.py", "raise Exception('too new')");
    let old = Wheel::new("helper", "1.0").file("helper.py", "");
    let sdist = world.sdist("src", "1.0").build_requires("helper").backend("import helper");
    world.wheel(new).wheel(old).source(sdist).file("c.txt", "helper<2\n")
}

#[test]
fn configured_constraints_hold_in_builds_where_pip_says_so() {
    let settings: [(Setting, &[&str]); 6] = [
        (("PIP_CONSTRAINT", "c.txt", ""), &["install", "src"]),
        (("NOTHING", "", "[global]\nconstraint = c.txt\n"), &["install", "src"]),
        (("NOTHING", "", "[install]\nconstraint = c.txt\n"), &["install", "src"]),
        (("PIP_CONSTRAINT", "c.txt", ""), &["wheel", "src"]),
        (("NOTHING", "", "[wheel]\nconstraint = c.txt\n"), &["wheel", "src"]),
        (("NOTHING", "", ""), &["install", "-c", "c.txt", "src"]),
    ];
    for pip in ["26.3", "26.1", "24.0"] {
        for (setting, args) in settings {
            let (world, twin) = both(world_with_helper(pip), setting);
            let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
            assert_eq!(
                ours.status, plain.status,
                "pip {pip} {setting:?} {args:?}: {ours}\n{plain}"
            );
        }
    }
}

/// A constraint that holds in a build does not lead past the gateway.
#[test]
fn configured_constraint_does_not_name_another_index() {
    for pip in ["26.1", "24.0"] {
        let elsewhere = World::new().wheel(Wheel::new("helper", "1.0"));
        let world = World::with_pip(pip);
        let sdist = world.sdist("src", "1.0").build_requires("helper").backend("import helper");
        let url = elsewhere.index.url();
        let world = world.source(sdist).file("c.txt", format!("--index-url {url}\nhelper<2\n"));
        let outcome = world.pip(["install", "src"]).env("PIP_CONSTRAINT", "c.txt").run();
        assert_ne!(outcome.status, 0, "{outcome}");
        assert_eq!(elsewhere.index.count("/files/helper-1.0-py3-none-any.whl"), 0, "{outcome}");
    }
}

/// Runs a command that pip refuses for its options, and compares the two refusals.
fn refused_alike(world: &World, twin: &Sandbox, args: &[&str]) -> Outcome {
    let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
    assert_ne!(plain.status, 0, "{plain}");
    assert_eq!((ours.status, &ours.stderr), (plain.status, &plain.stderr), "{args:?}");
    assert!(world.installed().is_empty() && world.leftovers().is_empty());
    ours
}

#[test]
fn options_for_another_platform_need_a_target_first() {
    for pip in ["26.3", "24.0", "22.3"] {
        for (setting, args) in [
            (("NOTHING", "", ""), &["install", "--python-version", "3.8", "--no-deps", "aa"][..]),
            (("NOTHING", "", ""), &["install", "--platform", "any", "--only-binary=:all:", "aa"]),
            (("PIP_ABI", "none", "[install]\nno-deps = yes\n"), &["install", "aa"]),
            (("NOTHING", "", ""), &["install", "--python-version", "3.8", "--no-deps", "nothing"]),
        ] {
            let (world, twin) = both(world(pip), setting);
            let world = world.trust("");
            refused_alike(&world, &twin, args).stderr_has("--target");
            assert_eq!(world.trust_file().as_deref(), Some(""), "{args:?}");
        }
    }
    // A dry run of the user's own needs none.
    let (world, twin) = both(world("26.3"), ("NOTHING", "", ""));
    let dry = ["install", "--dry-run", "--python-version", "3.8", "--no-deps", "aa"];
    same(&world, &twin, &dry, But::Nothing).exits(0);
}

#[test]
fn deprecated_behaviour_is_pips() {
    for pip in ["26.3", "24.0"] {
        for args in [
            &["install", "--use-deprecated", "legacy-resolver", "aa"][..],
            &["install", "--use-deprecated=legacy-resolver", "cc", "aa"],
            &["download", "--use-deprecated=legacy-resolver", "aa"],
        ] {
            let (world, twin) = both(world(pip), ("NOTHING", "", ""));
            let outcome = same(&world, &twin, args, But::Requested);
            assert_eq!(outcome.status, 0, "pip {pip} {args:?}: {outcome}");
        }
        let (world, twin) = both(world(pip), ("NOTHING", "", ""));
        refused_alike(&world, &twin, &["install", "--use-deprecated", "no-such-thing", "aa"]);
    }
}

#[test]
fn refreshed_package_is_asked_for_again() {
    let args = ["install", "--refresh-package", "cc", "cc"];
    let (world, twin) = both(world("26.3"), ("NOTHING", "", ""));
    same(&world, &twin, &["install", "cc"], But::Nothing).exits(0);
    world.wheel_beside(Wheel::new("cc", "1.5"));
    same(&world, &twin, &[&args[..], &["-U"]].concat(), But::Nothing).exits(0);
    assert_eq!(world.installed(), ["cc 1.5"]);
    let (world, twin) = both(self::world("24.0"), ("NOTHING", "", ""));
    refused_alike(&world, &twin, &args).stderr_has("no such option");
}
