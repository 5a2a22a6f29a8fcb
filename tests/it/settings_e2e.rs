//! Our own settings, end to end: whose file counts, which variable wins, who is asked, what `-q`
//! and `off` do.

use crate::support::answers;
use crate::support::private_sigstore::Mutation;
use crate::support::run::Run;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::Wheel;
use crate::support::world::{MALLORY, OCTO, PIN_AA, World, mallory, octo};

fn at_a_terminal(world: &Sandbox, answer: &str, args: &[&str]) -> Run {
    answers::at_a_terminal(world, &[("[y/N]", answer)], args)
}

fn world() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &octo())
}

#[test]
fn filename_names_the_trust_file() {
    let world = world().trust("aa https://github.com/mallory/example\n");
    let world = world.file("etc/trust.txt", PIN_AA).env("FILENAME", "etc/trust.txt");
    world.pip(["install", "aa"]).run().exits(0).stderr_has(&format!("built by {OCTO}"));
}

#[test]
fn trust_on_first_use_writes_to_the_named_file_alone() {
    let own = "# ours\nzz https://github.com/octo/zz\n";
    let world = world().trust(own).env("FILENAME", "other.txt");
    world.pip(["install", "aa"]).env("TOFU", "1").run().exits(0);
    assert_eq!(world.read_file(".provenance.txt"), own);
    assert!(world.read_file("other.txt").contains(OCTO));
    // Whom the named file binds stays bound.
    let evil = World::new().signed(Wheel::new("aa", "1.0"), &mallory());
    let evil = evil.file("other.txt", PIN_AA).env("FILENAME", "other.txt").env("TOFU", "1");
    evil.refuses(["install", "aa"], 77).stderr_has(MALLORY).stderr_has("other.txt, line 1");
    assert_eq!(evil.read_file("other.txt"), PIN_AA);
}

#[test]
fn filename_of_another_file_is_an_error_and_keeps_it() {
    let world = world().env("TOFU", "1");
    for (name, text) in [
        ("requirements.txt", "aa\n"),
        ("README.md", "# The project\n\nIt is about `aa`.\n"),
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        ("aa.bin", "\0\u{1}\n"),
    ] {
        let path = world.write_file(name, text);
        let run = world.pip(["install", "aa"]).env("FILENAME", name);
        world.leaves_all_as_it_was(run, 65).stderr_has(name).stderr_has("line ");
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
    let run = world.pip(["install", "aa"]).env("FILENAME", "..");
    world.leaves_all_as_it_was(run, 65);
    assert!(world.index.requests().is_empty());
}

#[test]
fn long_names_win_over_the_short_ones() {
    let unknown = World::new().wheel(Wheel::new("bb", "1.0")).env("PYPI_VERIFY_NOW_STRICT", "1");
    unknown.env("STRICT", "0").refuses(["install", "bb"], 77).stderr_has("STRICT");
    let unrecorded = world().env("PYPI_VERIFY_NOW_TOFU", "0").env("TOFU", "1");
    unrecorded.refuses(["install", "aa"], 77).stderr_has("not recorded");
    let world = world().file("right.txt", PIN_AA).file("wrong.txt", "nonsense\n");
    let world = world.env("PYPI_VERIFY_NOW_FILENAME", "right.txt").env("FILENAME", "wrong.txt");
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn switched_off_shim_installs_with_a_warning() {
    let world = World::new().broken(Wheel::new("aa", "1.0"), &octo(), Mutation::Signature);
    let world = world.trust(PIN_AA).env("PYPI_VERIFY_NOW", "off");
    let run = world.pip(["install", "-q", "aa"]).run();
    run.exits(0).stderr_has("warning").stderr_has("this install is not verified");
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn quiet_hides_good_news_and_keeps_refusals() {
    let world = world().wheel(Wheel::new("bb", "1.0")).env("TOFU", "1");
    let quiet = world.pip(["install", "-q", "aa", "bb"]).run();
    assert_eq!((quiet.status, quiet.stdout.as_str(), quiet.stderr.as_str()), (0, "", ""));
    let evil = World::new().signed(Wheel::new("aa", "1.0"), &mallory()).trust(PIN_AA);
    let refusal = evil.refuses(["install", "-qq", "aa"], 77);
    refusal.stderr_has("changed publisher").stderr_has(MALLORY).stderr_has("accept");
}

#[test]
fn user_at_a_terminal_is_asked() {
    let world = world();
    let asked = at_a_terminal(&world, "n", &["pip", "install", "aa"]);
    let asked = world.leaves_all_as_it_was(asked, 77);
    asked.stdout_has(&format!("aa 1.0 is built by {OCTO}")).stdout_has("not recorded");
    let asked = at_a_terminal(&world, "yes", &["pip", "install", "aa"]).run();
    asked.exits(0).stdout_has("Successfully installed aa-1.0");
    assert_eq!(world.trust_file().unwrap(), format!("aa {OCTO}\n"));
    assert_eq!(world.installed(), ["aa 1.0"]);
}

#[test]
fn changed_publisher_is_refused_without_a_question() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &mallory()).trust(PIN_AA);
    let refusal = at_a_terminal(&world, "yes", &["pip", "install", "aa"]);
    world.leaves_all_as_it_was(refusal, 77).lacks("[y/N]").stdout_has("changed publisher");
}

#[test]
fn no_input_asks_no_question() {
    let world = world().file("no-input.conf", "[install]\nno-input = true\n");
    let install = |args| at_a_terminal(&world, "yes", args);
    for run in [
        install(&["pip", "install", "--no-input", "aa"]),
        install(&["pip", "install", "aa"]).env("CI", "1"),
        install(&["pip", "install", "aa"]).env("PIP_NO_INPUT", "1"),
        install(&["sh", "-c", "pip install aa </dev/null"]),
        install(&["pip", "install", "aa"]).env("PIP_CONFIG_FILE", "no-input.conf"),
    ] {
        world.leaves_all_as_it_was(run, 77).lacks("[y/N]").stdout_has("TOFU=1");
    }
    let asked = install(&["pip", "install", "aa"]).env("PIP_NO_INPUT", "n").run();
    asked.exits(0).stdout_has("[y/N]");
}

#[test]
fn switches_take_the_words_that_pip_takes() {
    let world = World::new().wheel(Wheel::new("bb", "1.0"));
    let install = |name: &str, word: &str| {
        let target = ["install", "--dry-run", "--no-deps", "bb"];
        world.pip(target).env(name, word).run()
    };
    for word in ["n", "F", "off", ""] {
        install("STRICT", word).exits(0);
    }
    for word in ["y", "T", "on"] {
        install("STRICT", word).exits(77).stderr_has("STRICT asks for one");
    }
    for name in ["STRICT", "TOFU", "PYPI_VERIFY_NOW_STRICT", "PYPI_VERIFY_NOW_TOFU"] {
        let before = world.index.requests().len();
        let outcome = install(name, "ture");
        outcome.exits(2).stderr_has(&format!("{name}=ture is neither on nor off"));
        outcome.stderr_has(&format!("hint: switch it on with {name}=1"));
        assert_eq!(world.index.requests().len(), before);
    }
    world.tool(["bb"]).env("TOFU", "maybe").run().exits(2).stderr_has("TOFU=maybe");
    // The long name wins, so the other is not read; and what installs nothing reads neither.
    let won = world.pip(["install", "--dry-run", "bb"]).env("TOFU", "maybe");
    won.env("PYPI_VERIFY_NOW_TOFU", "off").run().exits(0);
    world.pip(["list"]).env("TOFU", "maybe").run().exits(0);
}
