//! The usual index and project, before which every command line is given twice.
//!
//! On the index, all of it made for these tests:
//!
//! | project | files | what it needs |
//! | --- | --- | --- |
//! | `aa` | 1.0, signed | `bb>=1`; its extra `x` needs `cc` |
//! | `bb` | 1.0, 2.0 | |
//! | `cc` | 1.0 | |
//! | `pre` | 1.0, 2.0rc1 | |
//! | `yanked` | 1.0, and 2.0, which was withdrawn | |
//! | `limits` | 1.0 | `bb<2` |
//! | `linux` | 1.0 for Python 3.12 on Linux alone | |
//! | `src` | 1.0 as a source | `bb`, and to be built `tool` |
//! | `both` | 1.0 as a wheel, 1.0 and 2.0 as sources | |
//! | `tool` | 1.0 | |
//!
//! In the project are the directory `wheels` with `dd` 1.0 and `bb` 3.0, the sources `local`,
//! which need `bb`, and the same as the file `local-1.0.tar.gz`.

use super::row::Given;
use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::twin::{aa, bb};
use crate::support::wheel::{Distribution, Sdist, Wheel};
use crate::support::world::{PIN_AA, World, dist, octo};

/// The values of `{…}` in command lines and files.
pub struct Place {
    project: String,
    venv: String,
    base: String,
    index: String,
    port: String,
}

impl Place {
    /// `{project}`, `{venv}`, `{base}` (the Python it stands on), `{index}` (its URL), `{server}`
    /// (the URL of its root) and `{sha256 of FILE}`.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text
            .replace("{project}", &self.project)
            .replace("{venv}", &self.venv)
            .replace("{base}", &self.base)
            .replace("{index}", &self.index)
            .replace("{port}", &self.port)
            .replace("{server}", self.index.trim_end_matches("/simple/"));
        for file in files() {
            let digest = file.sha256.to_string();
            text = text.replace(&format!("{{sha256 of {}}}", file.filename), &digest);
        }
        text
    }
}

/// A world with us, and one without, before the same index.
pub fn twins(pip: &str, given: &[Given]) -> (World, Sandbox) {
    let world = filled(World::with_pip(pip));
    let twin = Sandbox::with_pip(pip).index(&world.index.url());
    let (mut world, mut twin) = (world.trust(PIN_AA), twin.trust(PIN_AA));
    for given in given {
        let place = place(&world, &world.index);
        match *given {
            Given::Env(name, value) => {
                world = world.env(name, &place.fill(value));
                twin = twin.env(name, place.fill(value));
            }
            Given::Conf(text) => {
                world = world.pip_conf(&place.fill(text));
                twin = twin.pip_conf(&place.fill(text));
            }
            Given::Served(path, text) => world.index.serve(path, "text/plain", place.fill(text)),
            _ => {}
        }
    }
    for sandbox in [&*world, &twin] {
        lay_out(sandbox, &place(sandbox, &world.index), given);
    }
    (world, twin)
}

/// Returns the values of `{…}` in this world.
pub fn place(sandbox: &Sandbox, index: &LoopbackIndex) -> Place {
    Place {
        project: sandbox.project().display().to_string(),
        venv: sandbox.venv().path().display().to_string(),
        base: sandbox.venv().base.executable.display().to_string(),
        index: index.url(),
        port: index.port().to_string(),
    }
}

/// The wheels that a row can name by their hash, or find installed.
fn files() -> Vec<Distribution> {
    let wheels = [
        aa(),
        bb("1.0"),
        bb("2.0"),
        Wheel::new("cc", "1.0"),
        Wheel::new("dd", "1.0"),
        Wheel::new("limits", "1.0").requires("bb<2"),
    ];
    wheels.into_iter().map(Wheel::build).collect()
}

fn filled(world: World) -> World {
    let marker = world.path("ran");
    let source = |name: &str, version: &str| Sdist::new(name, version, &marker);
    let file = |source: Sdist| {
        let built = source.build();
        DistFile::new(&built.filename, built.bytes)
    };
    let linux = Wheel::new("linux", "1.0").tag("cp312-cp312-manylinux_2_17_x86_64");
    world
        .signed(aa(), &octo())
        .wheel(bb("1.0"))
        .wheel(bb("2.0"))
        .wheel(Wheel::new("cc", "1.0"))
        .wheel(Wheel::new("pre", "1.0"))
        .wheel(Wheel::new("pre", "2.0rc1"))
        .wheel(Wheel::new("yanked", "1.0"))
        .file_on_index(dist(Wheel::new("yanked", "2.0")).yanked("it is bad"))
        .wheel(Wheel::new("limits", "1.0").requires("bb<2"))
        .wheel(linux)
        .wheel(Wheel::new("tool", "1.0"))
        .file_on_index(file(source("src", "1.0").requires("bb").build_requires("tool")))
        .wheel(Wheel::new("both", "1.0"))
        .file_on_index(file(source("both", "1.0")))
        .file_on_index(file(source("both", "2.0")))
}

fn lay_out(sandbox: &Sandbox, place: &Place, given: &[Given]) {
    for wheel in [Wheel::new("dd", "1.0"), bb("3.0")] {
        let wheel = wheel.build();
        sandbox.write_file(&format!("wheels/{}", wheel.filename), &wheel.bytes);
    }
    // Its code must be the same in both worlds, so the file it leaves is nobody's.
    let local = Sdist::new("local", "1.0", "/dev/null".as_ref()).requires("bb").build();
    sandbox.write_file(&local.filename, &local.bytes);
    sandbox.sh("tar -xzf local-1.0.tar.gz && mv local-1.0 local").run().exits(0);
    for given in given {
        match *given {
            Given::Installed(name, version) => {
                let stem = format!("{name}-{version}-");
                let wheel = files().into_iter().find(|file| file.filename.starts_with(&stem));
                sandbox.has_installed(&wheel.expect(name));
            }
            Given::File(path, text) => {
                sandbox.write_file(path, place.fill(text));
            }
            Given::Repository => {
                let commit = "cp -r local repo && cd repo && git init -q . && git add . && \
                    git -c user.name=n -c user.email=e commit -q -m one";
                let dated = sandbox.sh(commit).env("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z");
                dated.env("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z").run().exits(0);
            }
            Given::Served(..) | Given::Env(..) | Given::Conf(_) => {}
        }
    }
}
