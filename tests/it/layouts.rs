//! Other ways than a virtual environment to have a pip: version managers that lay shims of their
//! own, and prefixes as conda makes them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::support::run::Run;
use crate::support::sandbox::Sandbox;
use crate::support::venv::{CURRENT_PIP, Venv};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, mallory, octo};

/// The script that pyenv lays under every name: it asks which version counts here, puts the
/// directory of that version first on PATH, and goes on as its program of this name.
const PYENV: &str = "#!/bin/sh\nname=${0##*/}\nroot=$(cd \"${0%/*}/..\" && pwd)\n\
    version=${PYENV_VERSION:-$(cat .python-version)} || exit\n\
    PATH=$root/versions/$version/bin:$PATH exec \"$root/versions/$version/bin/$name\" \"$@\"\n";

fn on_path(world: &Sandbox, next: &Path, args: &[&str]) -> Run {
    let search = [world.shims(), next.to_owned(), "/usr/bin".into(), "/bin".into()];
    world.pip(args).env("PATH", std::env::join_paths(search).unwrap())
}

fn has_aa(site_packages: &Path) -> bool {
    site_packages.join("aa-1.0.dist-info").exists()
}

#[test]
fn pyenv_install_reaches_the_selected_version() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let shim = world.write_file("pyenv/shims/pip", PYENV);
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let versions = ["one", "two"].map(|name| {
        let path = world.project().join("pyenv/versions").join(name);
        Venv::create(&path, CURRENT_PIP).site_packages()
    });
    world.write_file(".python-version", "two\n");
    let install = || on_path(&world, shim.parent().unwrap(), &["install", "aa"]);
    install().run().exits(0).stderr_has("verified: aa 1.0");
    assert!(!has_aa(&versions[0]) && has_aa(&versions[1]));
    install().env("PYENV_VERSION", "one").run().exits(0);
    assert!(has_aa(&versions[0]));
}

#[test]
fn pyenv_refusal_leaves_the_version_unchanged() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &mallory()).trust(PIN_AA);
    let shim = world.write_file("pyenv/shims/pip", PYENV);
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let version = Venv::create(&world.project().join("pyenv/versions/one"), CURRENT_PIP);
    let install = on_path(&world, shim.parent().unwrap(), &["install", "aa"]);
    world.leaves_all_as_it_was(install.env("PYENV_VERSION", "one"), 77);
    assert!(!has_aa(&version.site_packages()));
}

/// A prefix with its own interpreter and library, and no `pyvenv.cfg`; its `site-packages`. Nothing
/// where this interpreter will not be moved.
fn conda(world: &Sandbox) -> Option<(PathBuf, PathBuf)> {
    let (prefix, base) = (world.path("conda"), world.venv().base);
    let (python, library) = (format!("python{}", base.minor), format!("lib/python{}", base.minor));
    let home = base.executable.canonicalize().unwrap();
    let home = home.parent().and_then(Path::parent).unwrap();
    fs::create_dir_all(prefix.join("bin")).unwrap();
    fs::create_dir_all(prefix.join(&library)).unwrap();
    fs::copy(&base.executable, prefix.join("bin").join(&python)).unwrap();
    symlink(&python, prefix.join("bin/python")).unwrap();
    for entry in fs::read_dir(home.join(&library)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "site-packages" && entry.file_name() != "EXTERNALLY-MANAGED" {
            symlink(entry.path(), prefix.join(&library).join(entry.file_name())).unwrap();
        }
    }
    let site_packages = prefix.join(&library).join("site-packages");
    let copied = world.run("cp", [Path::new("-r"), &world.venv().site_packages(), &site_packages]);
    copied.run().exits(0);
    let script = format!(
        "#!{}/bin/python\nfrom pip._internal.cli.main import main\nmain()\n",
        prefix.display()
    );
    fs::write(prefix.join("bin/pip"), script).unwrap();
    fs::set_permissions(prefix.join("bin/pip"), fs::Permissions::from_mode(0o755)).unwrap();
    let code = "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'))";
    let says = world.run(prefix.join("bin/python"), ["-c", code]).run().stdout;
    let expected = format!("{} {}", prefix.display(), site_packages.display());
    if says.trim() != expected {
        eprintln!("this python will not be moved: {says}");
        return None;
    }
    Some((prefix, site_packages))
}

#[test]
fn conda_prefix_is_installed_into() {
    let world = World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA);
    let Some((prefix, site_packages)) = conda(&world) else { return };
    let install = on_path(&world, &prefix.join("bin"), &["install", "aa"]);
    let install = install.env("CONDA_PREFIX", &prefix).env("CONDA_DEFAULT_ENV", "base");
    install.run().exits(0).stderr_has("verified: aa 1.0");
    assert!(has_aa(&site_packages) && world.installed().is_empty());
}
