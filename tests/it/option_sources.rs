//! An option counts in the same way wherever pip lets it be set: on the command line, in the
//! environment, in a configuration file.

use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::pip::command_line::invocation::{Invocation, classify};
use pypi_verify_now::pip::configuration::Configuration;
use pypi_verify_now::pip::options::Options;

use crate::support::index::LoopbackIndex;
use crate::support::twin::world;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, dist, octo, signed};

/// The options of `pip install` with these words and the output of `pip config list`.
fn options(words: &str, configuration: &str) -> Options {
    let argv: Vec<_> =
        ["install"].into_iter().chain(words.split_whitespace()).map(Into::into).collect();
    let Invocation::Install(arguments) = classify(&argv) else { panic!("{words}") };
    Options::new(&arguments, Configuration::parse(configuration))
}

#[test]
fn flag_is_on_if_its_highest_source_says_so() {
    for (words, configuration, is_on) in [
        ("", "", false),
        ("--dry-run", "", true),
        ("", "global.dry-run='yes'", true),
        ("", "global.dry-run='yes'\ninstall.dry-run='no'", false),
        ("", "install.dry-run='no'\n:env:.dry-run='1'", true),
        ("--dry-run", ":env:.dry-run='0'", true),
        ("", ":env:.dry-run='perhaps'", false),
        ("", "lock.dry-run='yes'", false),
    ] {
        assert_eq!(options(words, configuration).is_on("--dry-run"), is_on, "{configuration}");
    }
}

#[test]
fn every_spelling_of_an_option_is_the_option() {
    let last = |words: &str, configuration: &str| {
        let last = options(words, configuration).last("--index-url").map(ToOwned::to_owned);
        last.map(|value| value.into_string().unwrap())
    };
    let config = "global.index-url='https://global.example/'\n:env:.pypi-url='https://e.example/'";
    assert_eq!(last("", config).as_deref(), Some("https://e.example/"));
    assert_eq!(
        last("--pypi-url https://c.example/", config).as_deref(),
        Some("https://c.example/")
    );
    assert!(options("", ":env:.only-dependencies='1'").is_on("--only-deps"));
    assert!(!options("", ":env:.only='1'").is_on("--only-deps"));
}

#[test]
fn values_add_up_as_pip_adds_them() {
    let all = |name: &str, configuration: &str| {
        options("-c z --no-binary z --group z", configuration).all(name).join("|")
    };
    let config = |key: &str| format!("global.{key}='a'\n:env:.{key}='b c'");
    assert_eq!(all("--constraint", &config("constraint")), "b|c|z");
    assert_eq!(all("--no-binary", &config("no-binary")), "a|b c|z");
    assert_eq!(all("--group", ""), "z");
}

#[test]
fn counted_options_add_the_command_line_to_the_configuration() {
    for (words, configuration, count) in [
        ("", "", 0),
        ("-qq", "", 2),
        ("", ":env:.quiet='2'", 2),
        ("", ":env:.quiet='true'", 1),
        ("-q", ":env:.quiet='1'", 2),
        ("-q", ":env:.quiet='no'", 1),
    ] {
        assert_eq!(options(words, configuration).count("--quiet"), count, "{configuration}");
    }
}

#[test]
fn warnings_are_silent_if_both_sources_together_are_quiet_enough() {
    let file = signed(dist(Wheel::new("aa", "1.0")), &octo()).yanked("broken");
    for (quiet, is_silent) in [("0", false), ("1", true)] {
        let world = World::before("26.3", LoopbackIndex::builder().file("aa", file.clone()));
        let world = world.trust(PIN_AA);
        let outcome = world.pip(["install", "-q", "aa==1.0"]).env("PIP_QUIET", quiet).run();
        assert_eq!(!outcome.exits(0).stderr.contains("yanked"), is_silent, "{outcome}");
    }
}

#[test]
fn dependencies_alone_are_installed_if_a_variable_says_so() {
    for variable in ["PIP_ONLY_DEPS", "PIP_ONLY_DEPENDENCIES"] {
        let world = world("26.3").env(variable, "1");
        world.pip(["install", "aa"]).run().exits(0);
        assert_eq!(world.installed(), ["bb 2.0"], "{variable}");
    }
    let world = world("26.3").pip_conf("[install]\nonly-deps = yes\n");
    world.pip(["install", "aa"]).run().exits(0);
    assert_eq!(world.installed(), ["bb 2.0"]);
}

#[test]
fn dry_run_of_a_source_installs_nothing_wherever_it_is_asked_for() {
    for (variable, configuration, installed) in [
        ("PIP_DRY_RUN", "", &[][..]),
        ("NOTHING", "[install]\ndry-run = yes\n", &[]),
        ("NOTHING", "", &["src 1.0"]),
    ] {
        for requirement in ["src", "./src-1.0"] {
            let world = World::new().env(variable, "1").pip_conf(configuration);
            let built = world.sdist("src", "1.0").build();
            world.write_file(&built.filename, &built.bytes);
            world.sh("tar -xzf src-1.0.tar.gz").run().exits(0);
            let sdist = world.sdist("src", "1.0");
            let world = world.source(sdist);
            world.pip(["install", requirement]).run().exits(0);
            assert_eq!(world.installed(), installed, "{variable} {configuration} {requirement}");
        }
    }
}

#[test]
fn hashes_cannot_be_switched_off_by_a_configuration_file() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let world = world.pip_conf("[install]\nno-require-hashes = yes\n");
    world.pip(["install", "aa"]).run().exits(0);
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn lock_named_by_a_variable_is_not_read_by_the_pip_that_installs() {
    for (variable, words) in
        [("NOTHING", &["install", "-r", "pylock.toml"][..]), ("PIP_REQUIREMENT", &["install"])]
    {
        let wheel = dist(Wheel::new("aa", "1.0"));
        let sha256 = Sha256::of(&wheel.bytes);
        let world = World::new().file_on_index(signed(wheel, &octo())).trust(PIN_AA);
        let name = "aa-1.0-py3-none-any.whl";
        let lock = format!(
            "lock-version = '1.0'\ncreated-by = 'hand'\n[[packages]]\nname = 'aa'\n\
             version = '1.0'\n[[packages.wheels]]\nname = '{name}'\nurl = '{}'\n\
             hashes = {{sha256 = '{sha256}'}}\n",
            world.index.file_url(name)
        );
        let world = world.file("pylock.toml", lock).env(variable, "pylock.toml");
        world.pip(words).run().exits(0);
        assert_eq!(world.installed(), ["aa 1.0"]);
        // By the pip that answers and by us. The pip that installs has our file.
        assert_eq!(world.index.count(&format!("/files/{name}")), 2, "{variable}");
    }
}
