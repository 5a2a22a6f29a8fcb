//! The standby: Python starts once for an install, the pip that installs has the user's
//! environment, and a pip that is not a plain script gets no standby.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::run::Run;
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

fn world(pip: &str) -> World {
    World::with_pip(pip).signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA)
}

fn executable(world: &World, path: &str, text: &str) -> String {
    let path = world.write_file(path, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns a `pip install aa` with a pip made of `script`, whose interpreter counts its starts.
fn with_script(world: &World, script: &str) -> Run {
    let (log, python) = (world.path("starts"), world.venv().python());
    let counting =
        format!("#!/bin/sh\necho x >> {}\nexec {} \"$@\"\n", log.display(), python.display());
    let interpreter = executable(world, "fake/python3", &counting);
    executable(world, "fake/pip", &script.replace("PYTHON", &interpreter));
    let search = [world.shims(), world.project().join("fake"), "/usr/bin".into(), "/bin".into()];
    world.pip(["install", "aa"]).env("PATH", std::env::join_paths(search).unwrap())
}

fn starts(world: &World) -> usize {
    fs::read_to_string(world.path("starts")).unwrap().lines().count()
}

const SCRIPT: &str = "#!PYTHON\nimport sys\nfrom pip._internal.cli.main import main\n\
    if __name__ == '__main__':\n    sys.exit(main())\n";

#[test]
fn install_starts_python_once() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        with_script(&world, SCRIPT).run().exits(0).stdout_has("Successfully installed aa-1.0");
        assert_eq!(world.installed(), ["aa 1.0"]);
        assert_eq!(starts(&world), 1);
    }
}

#[test]
fn script_that_does_more_than_call_pip_gets_no_standby() {
    let world = world("26.3");
    let more = SCRIPT.replace("    sys.exit", "    sys.argv.append('--no-deps')\n    sys.exit");
    let world = world.signed(Wheel::new("aa", "2.0").requires("missing"), &octo());
    let outcome = with_script(&world, &more).run();
    outcome.exits(2).stderr_has("no such option: --no-deps");
    assert!(starts(&world) > 0);
}

#[test]
fn installing_pip_has_the_environment_of_the_user() {
    for path in [None, Some("mine")] {
        let world = world("26.3");
        // pip asks for the name of the system, once while it resolves and once in the end.
        let dump = format!("#!/bin/sh\nenv > {}\n", world.path("environment").display());
        executable(&world, "bin/lsb_release", &dump);
        let search =
            [world.shims(), world.venv().bin(), world.project().join("bin"), "/bin".into()];
        let run = world.pip(["install", "aa"]).env("PATH", std::env::join_paths(search).unwrap());
        let run = if let Some(path) = path { run.env("PYTHONPATH", path) } else { run };
        run.run().exits(0);
        let environment = fs::read_to_string(world.path("environment")).unwrap();
        let has = |start: &str| environment.lines().any(|line| line.starts_with(start));
        assert!(!has("PYPI_VERIFY_NOW_GUARD") && !has("PYPI_VERIFY_NOW_STANDBY"));
        let python_path = environment.lines().find_map(|line| line.strip_prefix("PYTHONPATH="));
        assert_eq!(python_path, path);
        assert!(
            !has("PIP_INDEX_URL=http://127.0.0.1")
                || has(&format!("PIP_INDEX_URL={}", world.index.url()))
        );
    }
}

#[test]
fn sitecustomize_of_the_environment_runs_once() {
    let world = world("26.3");
    let done = world.path("done");
    let code = format!("open({:?}, 'a').write('x\\n')\n", done.to_str().unwrap());
    fs::write(world.venv().site_packages().join("sitecustomize.py"), code).unwrap();
    world.pip(["install", "aa"]).run().exits(0);
    assert_eq!(fs::read_to_string(done).unwrap().lines().count(), 1);
}

#[test]
fn arguments_that_are_not_utf8_reach_pip_unchanged() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = world("26.3");
    let name = std::ffi::OsStr::from_bytes(b"t\xff");
    let args = ["install".as_ref(), "--target".as_ref(), name, "aa".as_ref()];
    world.pip(args).run().exits(0);
    assert!(world.project().join(name).join("aa-1.0.dist-info").exists());
}
