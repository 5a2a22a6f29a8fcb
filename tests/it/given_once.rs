//! Requirements that come through a pipe: whoever reads them second reads nothing.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::run::Run;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

/// A signed `aa`, and `bb` in two versions.
fn world(pip: &str) -> World {
    let world = World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    world.wheel(Wheel::new("bb", "1.0")).wheel(Wheel::new("bb", "2.0"))
}

fn bash(world: &World, line: &str) -> Run {
    world.run("bash", ["-c", line])
}

#[test]
fn requirements_and_constraints_of_a_pipe_count() {
    for pip in ["26.3", "24.0"] {
        for (line, installed) in [
            ("echo aa | pip install -r /dev/stdin", &["aa 1.0"][..]),
            ("pip install -r <(echo aa)", &["aa 1.0"]),
            ("pip install -r <(echo aa) -r <(echo bb)", &["aa 1.0", "bb 2.0"]),
            ("pip install -Ur <(echo aa) bb --constraint=<(echo 'bb<2')", &["aa 1.0", "bb 1.0"]),
            ("pip install bb -c /dev/null", &["bb 2.0"]),
            ("echo aa >r; pip install -r /dev/stdin <r", &["aa 1.0"]),
        ] {
            let world = world(pip);
            let outcome = bash(&world, line).run();
            outcome.exits(0);
            assert_eq!(world.installed(), installed, "{outcome}");
            assert!(world.leftovers().is_empty());
        }
    }
}

#[test]
fn requirements_of_a_pipe_are_judged() {
    let world = World::new().wheel(Wheel::new("aa", "1.0")).trust(PIN_AA);
    for line in ["pip install -r <(echo aa)", "pip download -d there -r <(echo aa)"] {
        bash(&world, line).run().exits(77).stderr_has("signature expected");
    }
    assert!(world.installed().is_empty());
}

#[test]
fn named_pipe_is_read_once() {
    let world = world("26.3");
    let path = world.project().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    bash(&world, "echo aa >pipe & pip install -r pipe").run().exits(0);
    assert_eq!(world.installed(), ["aa 1.0"]);
    fs::remove_file(path).unwrap();
}

#[test]
fn pipe_beside_an_unknown_option_is_refused() {
    let world = world("26.3");
    let outcome = bash(&world, "pip install --new-thing -r <(echo aa)").run();
    outcome.exits(65).stderr_has("read only once").stderr_has("write it to a file");
    assert!(world.installed().is_empty());
}
