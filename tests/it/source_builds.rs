//! Build requirements, those that only the backend names included, are judged before they are
//! imported, and recorded with the rest.

use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::{OCTO, PIN_AA, World, mallory, octo};

const PIPS: [&str; 3] = ["26.3", "25.1", "24.0"];
const PINS: &str = "aa https://github.com/octo/example\nhelper https://github.com/octo/example\n";

/// A build requirement that says when it is imported.
fn helper(world: &World) -> Wheel {
    let code = format!("open({:?}, 'a').write('helper')\n", world.path("helped"));
    Wheel::new("helper", "1.0").file("helper.py", &code)
}

/// Sources of `aa` that need it: as `pyproject.toml` says, or as the backend says.
fn sources(world: &World) -> [Sdist; 2] {
    let aa = world.sdist("aa", "1.0");
    let asks = "def get_requires_for_build_wheel(config_settings=None): return ['helper']\n\
                def get_requires_for_build_editable(config_settings=None): return ['helper']\n";
    let uses = "import sys\nif 'build_wheel' in sys.argv: import helper";
    [aa.clone().build_requires("helper").backend("import helper"), aa.backend(asks).backend(uses)]
}

fn helped(world: &World) -> bool {
    world.path("helped").exists()
}

#[test]
fn signed_source_with_signed_build_requirements_is_installed() {
    for pip in PIPS {
        for number in [0, 1] {
            let world = World::with_pip(pip).trust(PINS);
            let (helper, source) = (helper(&world), sources(&world)[number].clone());
            let world = world.signed(helper, &octo()).signed_source(source, &octo());
            let outcome = world.pip(["install", "aa"]).run();
            outcome.exits(0).stderr_has("verified: ").stderr_has("aa 1.0").stderr_has("helper 1.0");
            assert_eq!(world.installed(), ["aa 1.0"]);
            assert!(helped(&world) && world.leftovers().is_empty(), "{:?}", world.leftovers());
        }
    }
}

#[test]
fn unsigned_build_requirement_on_record_is_not_imported() {
    for pip in PIPS {
        for number in [0, 1] {
            let world = World::with_pip(pip).trust(PINS);
            let (helper, source) = (helper(&world), sources(&world)[number].clone());
            let world = world.wheel(helper).signed_source(source, &octo());
            let outcome = world.leaves_all_as_it_was(world.pip(["install", "aa"]), 77);
            outcome.stderr_has("refused: helper 1.0").stderr_has("signature expected");
            assert!(!helped(&world));
        }
    }
}

#[test]
fn build_requirement_of_another_publisher_is_not_imported() {
    for pip in PIPS {
        for number in [0, 1] {
            let world = World::with_pip(pip).trust(PINS);
            let (helper, source) = (helper(&world), sources(&world)[number].clone());
            let world = world.signed(helper, &mallory()).signed_source(source, &octo());
            let outcome = world.leaves_all_as_it_was(world.pip(["install", "aa"]), 77);
            outcome.stderr_has("refused: helper 1.0").stderr_has("changed publisher");
            assert!(!helped(&world));
        }
    }
}

#[test]
fn unpinned_unsigned_build_requirement_is_imported_unless_strict() {
    let world = World::new().trust(PIN_AA);
    let (helper, source) = (helper(&world), sources(&world)[0].clone());
    let world = world.wheel(helper).signed_source(source, &octo());
    let install = world.pip(["install", "aa"]);
    let outcome = world.leaves_all_as_it_was(install.clone().env("STRICT", "1"), 77);
    outcome.stderr_has("refused: helper 1.0");
    assert!(!helped(&world));
    install.run().exits(0).stderr_has("unknown: helper 1.0");
}

#[test]
fn build_requirement_of_a_local_directory_is_judged() {
    let world = World::new().trust("helper https://github.com/octo/example\n");
    let built = sources(&world)[0].clone().build();
    world.write_file(&built.filename, &built.bytes);
    world.sh("tar -xzf aa-1.0.tar.gz").run().exits(0);
    let helper = helper(&world);
    let world = world.wheel(helper);
    for args in [&["install", "./aa-1.0"][..], &["install", "-e", "./aa-1.0"]] {
        let outcome = world.leaves_all_as_it_was(world.pip(args), 77);
        outcome.stderr_has("refused: helper 1.0");
        assert!(!helped(&world));
    }
}

#[test]
fn build_requirement_that_is_a_source_itself_is_judged() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PINS);
        let (source, helper) = (sources(&world)[0].clone(), world.sdist("helper", "1.0"));
        let world = world.source(helper).signed_source(source, &octo());
        world.runs_nothing(world.pip(["install", "aa"]), 77).stderr_has("refused: helper 1.0");
    }
}

#[test]
fn build_requirement_by_its_url_is_not_built() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).trust(PIN_AA);
        let helper = world.sdist("helper", "1.0");
        let url = world.index.file_url("helper-1.0.tar.gz");
        let source = world.sdist("aa", "1.0").build_requires(&format!("helper @ {url}"));
        let world = world.source(helper).signed_source(source, &octo());
        let run = world.pip(["install", "aa"]);
        world.runs_nothing(run, 77).stderr_has("error: pip would have");
    }
}

#[test]
fn first_use_records_source_and_build_requirements() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip);
        let (helper, source) = (helper(&world), sources(&world)[0].clone());
        let world = world.signed(helper, &octo()).signed_source(source, &octo());
        let install = world.pip(["install", "aa"]);
        world.runs_nothing(install.clone(), 77).stderr_has("publisher not recorded");
        install.env("TOFU", "1").run().exits(0);
        assert_eq!(world.trust_file(), Some(format!("aa {OCTO}\nhelper {OCTO}\n")));
        assert_eq!(world.installed(), ["aa 1.0"]);
    }
}

#[test]
fn first_use_records_no_publisher_after_a_refusal() {
    let world = World::new().trust("helper https://github.com/octo/example\n");
    let (helper, source) = (helper(&world), sources(&world)[0].clone());
    let world = world.wheel(helper).signed_source(source, &octo());
    let run = world.pip(["install", "aa"]).env("TOFU", "1");
    world.leaves_all_as_it_was(run, 77).stderr_has("refused: helper 1.0");
    assert!(!helped(&world));
}

#[test]
fn pip_started_by_a_build_uses_the_gateway() {
    let world = World::new().trust("helper https://github.com/octo/example\n");
    let nested = "import os, subprocess, sys\n\
        subprocess.run([os.environ['TEST_PYTHON'], '-m', 'pip', 'download', '--no-deps', \
        '-d', os.environ['HOME'], 'helper'])";
    let (helper, source) = (helper(&world), world.sdist("src", "1.0").backend(nested));
    let world = world.wheel(helper).source(source);
    let python = world.venv().python();
    let run = world.pip(["install", "--no-build-isolation", "src"]).env("TEST_PYTHON", python);
    world.leaves_all_as_it_was(run, 77).stderr_has("refused: helper 1.0");
    assert!(!world.path("home/helper-1.0-py3-none-any.whl").exists());
}

/// Runs a command at a terminal of its own, and answers every question.
pub const AT_A_TERMINAL: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
said, answered = b'', 0
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    said += chunk
    if said.count(b'[y/N]') > answered:
        os.write(terminal, sys.argv[1].encode() + b'\\n')
        answered += 1
    if not chunk:
        break
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(said)
sys.exit(status)
";

#[test]
fn consent_at_the_terminal_builds_in_one_run() {
    let world = World::new();
    let (helper, source) = (helper(&world), sources(&world)[0].clone());
    let world = world.signed(helper, &octo()).signed_source(source, &octo());
    let answering =
        |answer| world.run("python3", ["-c", AT_A_TERMINAL, answer, "pip", "install", "aa"]);
    world.runs_nothing(answering("n"), 77);
    answering("y").run().exits(0).stdout_has("aa 1.0 is built by").stdout_has("helper 1.0 is");
    assert_eq!(world.trust_file(), Some(format!("aa {OCTO}\nhelper {OCTO}\n")));
    assert_eq!(world.installed(), ["aa 1.0"]);
}
