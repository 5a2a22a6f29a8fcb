//! `pip install -U pip`: the pip that resolves and installs is the one that is replaced.

use crate::support::wheel::Wheel;
use crate::support::world::{World, mallory, octo};

const PIN_PIP: &str = "pip https://github.com/octo/example\n";

fn pip() -> Wheel {
    Wheel::new("pip", "99.0")
}

fn has_pip(world: &World, version: &str) -> bool {
    let info = format!("pip-{version}.dist-info");
    world.venv().site_packages().join(info).exists()
}

#[test]
fn pip_replaces_itself() {
    for version in ["26.3", "24.0", "22.3"] {
        for name in ["pip", "pip3"] {
            let world = World::with_pip(version).signed(pip(), &octo()).trust(PIN_PIP);
            let upgraded = world.run(name, ["install", "-U", "pip"]).run();
            upgraded.exits(0).stderr_has("verified: pip 99.0");
            upgraded.stdout_has("Successfully installed pip-99.0");
            assert!(has_pip(&world, "99.0") && !has_pip(&world, version), "{upgraded}");
        }
    }
}

#[test]
fn pip_of_another_publisher_is_refused() {
    for version in ["26.3", "24.0"] {
        let world = World::with_pip(version).signed(pip(), &mallory()).trust(PIN_PIP);
        world.refuses(["install", "--upgrade", "pip"], 77).stderr_has("changed publisher");
        assert!(has_pip(&world, version));
    }
}
