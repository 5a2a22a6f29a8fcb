//! Wheels that would own what is not their own, by nothing but pip's unpacking and RECORD; beside
//! each, honest wheels that do nearly the same.

use std::fs;

use crate::support::run::Outcome;
use crate::support::wheel::{Sdist, Wheel};
use crate::support::world::{World, mallory, octo};

const PIN_WIDGET: &str = "widget https://github.com/octo/example\n";

/// The oldest and the newest pip of each way to install.
const PIPS: [&str; 3] = ["26.3", "24.0", "22.3"];

/// Returns all members for the newest pip, and the first one for an older pip: the contents of a
/// wheel are read without pip, so that an older one has to show only that they are read.
fn members<T>(pip: &str, all: &'static [T]) -> &'static [T] {
    if pip == PIPS[0] { all } else { &all[..1] }
}

/// A world in which `widget` is recorded and signed.
fn world(pip: &str) -> World {
    World::with_pip(pip).trust(PIN_WIDGET).signed(Wheel::new("widget", "1.0"), &octo())
}

fn evil() -> Wheel {
    Wheel::new("evil", "1.0")
}

#[track_caller]
fn refused<const N: usize>(world: &World, args: [&str; N], reason: &str) -> Outcome {
    let outcome = world.refuses(args, 77);
    outcome.stderr_has("refused: evil 1.0 (evil-1.0-py3-none-any.whl)").stderr_has(reason);
    outcome.lacks("verified: ");
    outcome
}

#[test]
fn record_row_that_names_a_file_outside_of_the_wheel_is_refused() {
    for (pip, tried) in [("26.3", 4), ("26.1", 1), ("24.0", 1), ("22.3", 1)] {
        let world = world(pip);
        let home = world.path("home/.config/pypi-verify-now/provenance.txt");
        let rows = [
            "../../../../../home/.config/pypi-verify-now/provenance.txt,,".to_owned(),
            format!("{},,", home.display()),
            format!("\"{}\",sha256=x,1", home.display()),
            "a/../../../../../project/.provenance.txt,,".to_owned(),
        ];
        for (number, row) in rows.iter().take(tried).enumerate() {
            let name = format!("evil{number}");
            let wheel = Wheel::new(&name, "1.0").record_row(row);
            let world = world.wheel_beside(wheel);
            world.refuses(["install", &name], 77).stderr_has("its RECORD").stderr_has("upgrade");
        }
    }
}

#[test]
fn record_rows_of_own_files_are_fine() {
    let wheel = Wheel::new("aa", "1.0")
        .script("aa = aa:main")
        .record_row("__pycache__/aa.cpython-311.pyc,,")
        .record_row("../../../bin/aa,,")
        .record_row("\"aa-1.0.dist-info/RECORD.jws\",,");
    let world = world("26.3").wheel(wheel);
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn wheel_that_brings_a_trust_file_is_refused_wherever_it_would_lie() {
    for pip in PIPS {
        let world = world(pip).wheel(evil().file(".provenance.txt", "widget https://e.example\n"));
        let ways: &[&[&str]] = &[
            &["install", "-t", ".", "-U", "evil"],
            &["install", "--prefix", ".", "evil"],
            &["install", "evil"],
        ];
        for args in members(pip, ways) {
            let outcome = world.leaves_all_as_it_was(world.pip(*args), 77);
            outcome.stderr_has("evil-1.0-py3-none-any.whl").stderr_has("a trust file");
        }
    }
}

#[test]
fn guarded_name_is_found_in_any_spelling() {
    let names = [
        "./.provenance.txt",
        "x//../.provenance.txt",
        ".Provenance.TXT",
        "evil-1.0.data/purelib/.provenance.txt",
        "evil-1.0.data/data/.provenance.txt",
        "sub/.provenance.txt",
        "/.provenance.txt",
        "..\\.provenance.txt",
    ];
    for name in names {
        let world = world("26.3").wheel(evil().file(name, "x\n"));
        refused(&world, ["install", "evil"], "evil 1.0");
    }
}

#[test]
fn wheel_that_replaces_this_program_or_a_shim_is_refused() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let prefix = world.path("").display().to_string();
        let world = world.wheel(evil().file("evil-1.0.data/data/shims/pip", "#!python\n"));
        let args = ["install", "--prefix", &prefix, "evil"];
        refused(&world, args, "pypi-verify-now itself");
    }
}

#[test]
fn wheel_that_brings_a_part_of_pip_or_python_is_refused() {
    let members = [
        ("pip/_internal/cli/main.py", "a part of pip"),
        ("PIP/__init__.py", "a part of pip"),
        ("pip-99.dist-info/METADATA", "evil"),
        ("evil-1.0.data/purelib/pip-99.dist-info/METADATA", "is metadata"),
        ("evil-1.0.data/scripts/pip", "a part of pip"),
        ("evil-1.0.data/scripts/pip3.11", "a part of pip"),
        ("evil-1.0.data/scripts/python3", "a part of Python"),
        ("evil-1.0.data/data/bin/python", "a part of Python"),
        ("evil-1.0.data/data/pyvenv.cfg", "a part of Python"),
        ("evil-1.0.data/purelib/widget-1.0.dist-info/METADATA", "is metadata"),
        ("evil-1.0.data/purelib/widget.egg-link", "is metadata"),
    ];
    for (member, what) in members {
        let world = world("26.3").wheel(evil().file(member, "x\n"));
        refused(&world, ["install", "widget", "evil"], what);
    }
    let commands = ["pip = evil:main", "pip3 = evil:main", "python = evil:main"];
    for command in commands {
        let world = world("24.0").wheel(evil().script(command));
        refused(&world, ["install", "evil"], "command");
    }
}

#[test]
fn command_whose_name_leads_elsewhere_is_refused() {
    for pip in ["26.3", "24.0"] {
        for name in members(pip, &["../../../project/x", "a b/../../c", "/x", "..", "a\\b"]) {
            let world = world(pip).wheel(evil().script(&format!("{name} = evil:main")));
            refused(&world, ["install", "evil"], "is not a plain file name");
        }
        let lines = &["[pip = evil:main [a] x", "[x = evil:main [a] x\nwidget = evil:main"];
        for line in members(pip, lines) {
            let world = world(pip).wheel(evil().script(line));
            refused(&world, ["install", "evil"], "begins with a bracket");
        }
    }
    let world = world("26.3").wheel(Wheel::new("aa", "1.0").script("py.test-3 run = aa:main"));
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn file_of_a_recorded_project_is_not_another_wheels() {
    for pip in PIPS {
        let world = world(pip).wheel(evil().file("widget.py", "version = 'evil'\n"));
        let outcome = refused(&world, ["install", "widget", "evil"], "widget 1.0, built by");
        outcome.stderr_has("widget.py");
        refused(&world, ["install", "evil", "widget"], "has other content");
        world.pip(["install", "widget"]).run().exits(0);
        refused(&world, ["install", "evil"], "the installed project widget");
    }
}

#[test]
fn command_of_a_recorded_project_is_not_another_wheels() {
    let widget = Wheel::new("widget", "2.0").script("widget = widget:main");
    let world = world("26.3").signed(widget.clone(), &octo());
    let world = world.wheel(evil().script("widget = evil:main"));
    refused(&world, ["install", "widget", "evil"], "its command `widget`");
    world.pip(["install", "widget"]).run().exits(0);
    refused(&world, ["install", "evil"], "the installed project widget");
}

#[test]
fn command_of_another_publisher_is_not_owned_either() {
    let pins = "widget https://github.com/octo/example\nevil https://github.com/mallory/example\n";
    let evil = evil().file("widget.py", "version = 'evil'\n");
    let world = world("26.3").trust(pins).signed(evil, &mallory());
    let outcome = world.refuses(["install", "widget", "evil"], 77);
    outcome.stderr_has("widget 1.0").stderr_has("evil 1.0").stderr_has("has other content");
}

#[test]
fn overlapping_wheels_of_equal_trust_are_accepted() {
    let pins = format!("{PIN_WIDGET}gadget https://github.com/octo/example\n");
    let tests = |name: &str| Wheel::new(name, "1.0").file("tests/__init__.py", name);
    let world = world("26.3").trust(&pins).wheel(tests("aa")).wheel(tests("bb"));
    world.pip(["install", "aa", "bb"]).run().exits(0);
    let both = Wheel::new("gadget", "1.0").file("widget.py", "version = 'gadget'\n");
    let world = world.signed(both, &octo());
    world.pip(["install", "widget", "gadget"]).run().exits(0);
}

#[test]
fn equal_files_of_strangers_are_fine() {
    let same = |name: &str| Wheel::new(name, "1.0").file("space/__init__.py", "# same\n");
    let world = World::with_pip("26.3").trust(PIN_WIDGET).signed(same("widget"), &octo());
    let world = world.wheel(same("aa"));
    world.pip(["install", "widget", "aa"]).run().exits(0);
    world.plain_pip(["uninstall", "-y", "aa"]).run().exits(0);
    world.pip(["install", "--force-reinstall", "--no-deps", "widget"]).run().exits(0);
    world.pip(["install", "aa"]).run().exits(0);
}

#[test]
fn installed_project_whose_record_names_a_trust_file_is_not_upgraded() {
    let world = world("26.3").wheel(evil());
    let row = format!("{},,", world.project().join(".provenance.txt").display());
    world.has_installed(&Wheel::new("evil", "0.9").record_row(&row).build());
    let outcome = world.refuses(["install", "-U", "evil"], 77);
    outcome.stderr_has("evil, as installed").stderr_has("a trust file");
}

#[test]
fn wheel_named_by_its_place_is_looked_into() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let wheel = evil().file("pip/x.py", "x\n").build();
        world.write_file(&wheel.filename, &wheel.bytes);
        let path = format!("./{}", wheel.filename);
        refused(&world, ["install", &path], "a part of pip");
        let world = world.wheel(evil().file("pip/x.py", "x\n"));
        let url = world.index.file_url(&wheel.filename);
        refused(&world, ["install", &url], "a part of pip");
        let url = format!("{url}#sha256={}", wheel.sha256);
        refused(&world, ["install", &url], "a part of pip");
    }
}

#[test]
fn member_that_pip_finds_under_another_spelling_is_refused() {
    let text = "[console_scripts]\nwidget = evil:main\n";
    for name in ["./entry_points.txt", "/entry_points.txt", "entry_points.txt/", "./RECORD"] {
        let wheel = evil().file(&format!("evil-1.0.dist-info/{name}"), text);
        refused(&world("26.3").wheel(wheel), ["install", "evil"], "evil-1.0.dist-info");
    }
}

#[test]
fn metadata_that_has_pip_delete_more_later_is_refused() {
    let commands = "[console_scripts]\nwidget = a:b\n";
    for (name, text) in [
        ("evil-1.0.data/purelib/evil-1.0.dist-info/entry_points.txt", commands),
        ("evil-1.0.dist-info/scripts/pip", "x"),
        ("Evil-1.0.egg-info/installed-files.txt", "../widget.py\n"),
        ("evil.egg-link", "x"),
    ] {
        refused(&world("26.3").wheel(evil().file(name, text)), ["install", "evil"], name);
    }
    for row in
        ["widget,,", "widget/,,", "./widget/.,,", "widget.py,,", "pip/,,", "../../../bin/x,,"]
    {
        let wheel = evil().record_row(row);
        refused(&world("26.3").wheel(wheel), ["install", "evil"], "of its RECORD");
    }
}

#[test]
fn upgrade_that_removes_files_of_others_is_refused() {
    let site = |world: &World| world.venv().site_packages();
    for pip in ["26.3", "24.0"] {
        let world = world(pip).wheel(evil());
        let widget = Wheel::new("widget", "1.0").file("widget/__init__.py", "").build();
        world.has_installed(&widget);
        let commands = "[console_scripts]\npip = evil:main\n";
        for (number, old) in [
            Wheel::new("evil", "0.1").record_row("widget/__init__.py,,"),
            Wheel::new("evil", "0.1").record_row("widget,,"),
            Wheel::new("evil", "0.1").record_row("pip,,"),
            Wheel::new("evil", "0.1").file("evil-0.1.dist-info/scripts/pip", "x"),
            Wheel::new("evil", "0.1").file("evil-0.1.dist-info/entry_points.txt", commands),
        ]
        .into_iter()
        .enumerate()
        {
            world.has_installed(&old.build());
            let outcome = world.refuses(["install", "-U", "evil"], 77);
            assert!(outcome.stderr.contains("evil, as installed"), "{number}: {outcome}");
            fs::remove_dir_all(site(&world).join("evil-0.1.dist-info")).unwrap();
        }
        // An honest older release that shares an equal file, which the new one brings again.
        let shared = |version: &str| Wheel::new("aa", version).file("widget/__init__.py", "");
        let world = world.wheel(shared("2.0"));
        world.has_installed(&shared("1.0").build());
        world.pip(["install", "-U", "aa"]).run().exits(0);
    }
}

#[test]
fn file_that_python_loads_in_place_of_a_recorded_one_is_refused() {
    for name in [
        "widget/__init__.py",
        "widget.abi3.so",
        "widget.pyc",
        "__pycache__/widget.cpython-311.pyc",
        "evil-1.0.data/data/lib/python3.11/site-packages/widget/__init__.py",
    ] {
        let world = world("26.3").wheel(evil().file(name, "x"));
        refused(&world, ["install", "widget", "evil"], "Python loads in place of");
        world.pip(["install", "widget"]).run().exits(0);
        refused(&world, ["install", "evil"], "the installed project widget");
    }
}

#[test]
fn scheme_of_a_target_is_the_one_that_is_judged() {
    for pip in PIPS {
        let world = world(pip);
        world.pip(["install", "-t", "out", "widget"]).run().exits(0);
        let name = "evil-1.0.data/data/lib/python/widget.py";
        let world = world.wheel(evil().file(name, "print('EVIL')"));
        refused(&world, ["install", "-t", "out", "-U", "evil"], "the installed project widget");
        let pip = "evil-1.0.data/data/lib/python/pip/__init__.py";
        let world = world.wheel(Wheel::new("evil", "2.0").file(pip, "x"));
        world.refuses(["install", "-t", "out", "evil"], 77).stderr_has("a part of pip");
    }
}

#[test]
fn scheme_of_the_configuration_is_the_one_that_is_judged() {
    for pip in ["26.3", "25.1", "24.0"] {
        for section in ["global", "install"] {
            let world = world(pip);
            let prefix = world.path("");
            let conf = format!("[{section}]\nprefix = {}\n", prefix.display());
            let world = world.pip_conf(&conf);
            let world = world.wheel(evil().file("evil-1.0.data/data/shims/pip", "#!python\n"));
            refused(&world, ["install", "evil"], "pypi-verify-now itself");
        }
    }
}

#[test]
fn configuration_and_environment_are_no_wheels() {
    for (name, what) in [
        ("evil-1.0.data/data/pip.conf", "a configuration file of pip"),
        ("evil-1.0.data/scripts/activate", "a part of Python"),
        ("evil-1.0.data/data/bin/activate.fish", "a part of Python"),
        ("evil-1.0.data/data/lib/libpython3.11.so.1.0", "a part of Python"),
    ] {
        refused(&world("26.3").wheel(evil().file(name, "x")), ["install", "evil"], what);
        let world = world("26.3").wheel(evil().file(&name.replace("scripts", "data/bin"), "x"));
        refused(&world, ["install", "--prefix", "elsewhere", "evil"], what);
    }
}

#[test]
fn build_requirement_is_looked_into_however_pip_installs_it() {
    let sdist = |world: &World| {
        let sdist = Sdist::new("aa", "1.0", &world.path("aa-ran"));
        sdist.build_requires("widget").build_requires("evil").backend("import widget")
    };
    for args in [&["aa"][..], &["--use-feature", "inprocess-build-deps", "aa"]] {
        let world = world("26.3").wheel(evil().file("widget.py", "version = 'evil'\n"));
        let source = sdist(&world);
        let world = world.source(source);
        let run = world.pip([&["install"], args].concat());
        let outcome = world.leaves_all_as_it_was(run, 77);
        outcome.stderr_has("widget.py").stderr_has("refused: evil 1.0");
        assert!(!world.path("aa-ran").exists());
    }
}

/// A backend whose wheels have one more member.
fn building(sdist: Sdist, member: &str) -> Sdist {
    let code = format!(
        "import zipfile as z\nclose = z.ZipFile.close\ndef more(self):\n    \
         if self.mode == 'w' and {member:?} not in self.namelist():\n        \
         self.writestr({member:?}, 'x')\n    close(self)\nz.ZipFile.close = more"
    );
    sdist.backend(&code)
}

#[test]
fn built_wheel_is_looked_into_before_it_is_installed() {
    for pip in ["26.3", "24.0", "22.3"] {
        for member in members(pip, &["widget.py", "pip/x.py", ".provenance.txt", "../../x"]) {
            let world = world(pip);
            let evil = building(world.sdist("evil", "1.0"), member);
            let world = world.source(evil);
            let run = world.pip(["install", "widget", "evil"]);
            let outcome = world.leaves_all_as_it_was(run, 77);
            outcome.stderr_has("refused: evil 1.0").stderr_has(member).lacks("Traceback");
        }
        let world = world(pip);
        let fine = building(world.sdist("fine", "1.0"), "fine.py");
        let world = world.source(fine);
        world.pip(["install", "widget", "fine"]).run().exits(0);
        assert_eq!(world.installed(), ["fine 1.0", "widget 1.0"]);
    }
}

#[test]
fn trust_file_that_a_build_changes_is_put_back() {
    for pip in ["26.3", "24.0"] {
        let world = world(pip);
        let path = world.project().join(".provenance.txt");
        for change in ["open(P, 'w').write('')", "import os; os.remove(P)"] {
            let name = format!("evil{}", change.len());
            let code = change.replace('P', &format!("{:?}", path.display().to_string()));
            let world = world.source_beside(world.sdist(&name, "1.0").backend(&code));
            let outcome = world.pip(["install", &name]).run();
            outcome.exits(77).stderr_has("was changed while pip installed");
            assert_eq!(fs::read_to_string(&path).unwrap(), PIN_WIDGET);
        }
        let change = format!(
            "open({:?}, 'a').write('aa https://github.com/octo/example\\n')",
            path.display().to_string()
        );
        let world = world.source_beside(world.sdist("recorder", "1.0").backend(&change));
        // Somebody records at the same time: nothing is lost.
        let outcome = world.pip(["install", "recorder"]).run();
        assert!(fs::read_to_string(&path).unwrap().starts_with(PIN_WIDGET), "{outcome}");
    }
}
