//! The target of a pip: tags and markers as pip reports them, and the wheel chosen by them.

use std::collections::BTreeSet;
use std::fs;

use pypi_verify_now::gateway::{Judging, Prefetching, WheelRanking};
use pypi_verify_now::package::filename::{DistFilename, DistKind};
use pypi_verify_now::pip::target::{TagRank, Target};

use crate::support::gateway::{Gate, asked, quick};
use crate::support::index::{DistFile, LoopbackIndex};
use crate::support::sandbox::Sandbox;
use crate::support::target::reported;
use crate::support::wheel::Wheel;

/// A kind of Python, as its pip knows it.
struct Row {
    pip: &'static str,
    /// Module that the environment of pip imports at its start, or empty.
    disguise: &'static str,
    options: &'static [&'static str],
    /// Tags of usable wheels, the best first. `-1-` before a tag is a build tag.
    usable: &'static [&'static str],
    /// Tags of wheels that must not be chosen, though their release is newer.
    foreign: &'static [&'static str],
}

/// A system with musl 1.2.
const MUSL: &str = "\
import sysconfig
import pip._vendor.packaging.tags as tags
from pip._vendor.packaging import _manylinux, _musllinux
sysconfig.get_platform = lambda: 'linux-x86_64'
tags.platform_tags = tags._linux_platforms
_musllinux._get_musl_version = lambda executable: _musllinux._MuslVersion(1, 2)
_manylinux._get_glibc_version = lambda: _manylinux._GLibCVersion(-1, -1)
";

/// A system with glibc 2.17.
const GLIBC_2_17: &str = "\
import sysconfig
import pip._vendor.packaging.tags as tags
from pip._vendor.packaging import _manylinux
sysconfig.get_platform = lambda: 'linux-x86_64'
tags.platform_tags = tags._linux_platforms
_manylinux._get_glibc_version = lambda: _manylinux._GLibCVersion(2, 17)
";

/// Linux on x86_64 with the C library of one version, Pythons 3.8 to 3.13.
const fn on_linux(
    pip: &'static str,
    options: &'static [&'static str],
    usable: &'static [&'static str],
    foreign: &'static [&'static str],
) -> Row {
    Row { pip, disguise: GLIBC_2_17, options, usable, foreign }
}

const ROWS: [Row; 10] = [
    on_linux(
        "26.3",
        &["--python-version=3.8"],
        &[
            "cp38-cp38-manylinux_2_17_x86_64",
            "cp38-cp38-manylinux_2_5_x86_64",
            "cp37-abi3-manylinux1_x86_64",
            "py3-none-any",
        ],
        &["cp39-abi3-manylinux_2_17_x86_64", "cp38-cp38-manylinux_2_18_x86_64"],
    ),
    on_linux(
        "22.3",
        &["--python-version=3.9"],
        &[
            "cp39-cp39-manylinux2014_x86_64",
            "cp39-abi3-manylinux2014_x86_64",
            "cp32-abi3-linux_x86_64",
        ],
        &["cp39-cp39-manylinux_2_28_x86_64", "cp39-cp39-musllinux_1_1_x86_64"],
    ),
    on_linux(
        "24.0",
        &["--python-version=3.10"],
        &[
            "-2-cp310-cp310-manylinux2010_x86_64",
            "-1-cp310-cp310-manylinux2010_x86_64",
            "py310-none-any",
        ],
        &["py311-none-any", "cp310-cp310-manylinux2014_aarch64"],
    ),
    on_linux(
        "25.1",
        &["--python-version=3.12.4"],
        &[
            "cp312-none-manylinux2014_x86_64",
            "py312-none-manylinux1_x86_64",
            "py3-none-linux_x86_64",
        ],
        &["cp313-cp313-manylinux2014_x86_64", "cp312-cp312t-manylinux2014_x86_64"],
    ),
    on_linux(
        "26.1",
        &["--python-version=313", "--abi=cp313t"],
        &["cp313-cp313t-manylinux2014_x86_64", "cp313-none-any", "py3-none-any"],
        &["cp313-cp313-manylinux2014_x86_64", "cp312-abi3-manylinux2014_x86_64"],
    ),
    Row {
        pip: "26.3",
        disguise: MUSL,
        options: &["--python-version=3.12"],
        usable: &[
            "cp312-cp312-musllinux_1_2_x86_64",
            "cp312-cp312-musllinux_1_1_x86_64",
            "cp38-abi3-musllinux_1_2_x86_64",
            "py3-none-any",
        ],
        foreign: &["cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-musllinux_1_3_x86_64"],
    },
    Row {
        pip: "25.3",
        disguise: "",
        options: &[
            "--implementation=pp",
            "--python-version=3.10",
            "--abi=pypy310_pp73",
            "--platform=manylinux2014_x86_64",
        ],
        usable: &[
            "pp310-pypy310_pp73-manylinux2014_x86_64",
            "pp310-pypy310_pp73-manylinux2010_x86_64",
            "pp310-none-any",
            "py3-none-any",
        ],
        foreign: &[
            "cp310-cp310-manylinux2014_x86_64",
            "pp39-pypy39_pp73-manylinux2014_x86_64",
            "cp37-abi3-manylinux2014_x86_64",
        ],
    },
    Row {
        pip: "26.3",
        disguise: "",
        options: &["--platform=macosx_13_0_arm64", "--python-version=3.12"],
        usable: &[
            "cp312-cp312-macosx_13_0_arm64",
            "cp312-cp312-macosx_11_0_arm64",
            "cp312-cp312-macosx_11_0_universal2",
            "cp39-abi3-macosx_11_0_arm64",
            "py3-none-any",
        ],
        foreign: &["cp312-cp312-macosx_14_0_arm64", "cp312-cp312-macosx_11_0_x86_64"],
    },
    Row {
        pip: "24.0",
        disguise: "",
        options: &["--platform=macosx_10_9_x86_64", "--platform=any", "--python-version=3.11"],
        usable: &["cp311-cp311-macosx_10_9_x86_64", "cp311-cp311-macosx_10_6_intel"],
        foreign: &["cp311-cp311-macosx_10_10_x86_64", "cp311-cp311-macosx_11_0_arm64"],
    },
    Row {
        pip: "25.1",
        disguise: "",
        options: &["--platform=musllinux_1_1_aarch64", "--python-version=3.11"],
        usable: &["cp311-cp311-musllinux_1_1_aarch64", "py3-none-any"],
        foreign: &["cp311-cp311-musllinux_1_2_aarch64", "cp311-cp311-manylinux2014_aarch64"],
    },
];

impl Row {
    fn sandbox(&self) -> Sandbox {
        let sandbox = Sandbox::with_pip(self.pip);
        if !self.disguise.is_empty() {
            let packages = sandbox.venv().site_packages();
            fs::write(packages.join("disguise.py"), self.disguise).unwrap();
            fs::write(packages.join("disguise.pth"), "import disguise").unwrap();
        }
        sandbox
    }

    fn target(&self, sandbox: &Sandbox) -> Target {
        let words = [&["install"], self.options].concat();
        reported(sandbox, &words).expect("a target")
    }
}

/// The file name of a wheel with a tag of the table.
fn filename(version: &str, tag: &str) -> String {
    format!("aa-{version}-{}.whl", tag.trim_start_matches('-'))
}

fn rank(target: &Target, tag: &str) -> Option<TagRank> {
    let name = DistFilename::parse(&filename("1.0", tag)).unwrap();
    let DistKind::Wheel(tags) = name.kind() else { panic!("{tag}") };
    target.rank(tags)
}

/// An index with the wheels of a row.
fn index(row: &Row) -> LoopbackIndex {
    let file = |version: &str, tag: &str| {
        let built = Wheel::new("aa", version).build();
        DistFile::new(&filename(version, tag), built.bytes).metadata(&built.metadata)
    };
    let mut builder = LoopbackIndex::builder();
    // Neither the first nor the last file of the page is the right one.
    let (best, others) = row.usable.split_first().unwrap();
    let (worst, others) = others.split_last().unwrap();
    for tag in others.iter().chain([best, worst]) {
        builder = builder.file("aa", file("1.0", tag));
    }
    for tag in row.foreign {
        builder = builder.file("aa", file("2.0", tag));
    }
    builder.start()
}

/// The files that an index was asked for, or for their METADATA.
fn considered(index: &LoopbackIndex) -> BTreeSet<String> {
    let of_file = |path: String| {
        let file = path.strip_prefix("/files/")?;
        Some(file.strip_suffix(".metadata").unwrap_or(file).to_owned())
    };
    index.paths().into_iter().filter_map(of_file).collect()
}

/// Whether a target orders the wheels of a row and can use no foreign one.
#[track_caller]
fn assert_order(row: &Row, target: &Target) {
    let ranks: Vec<_> = row.usable.iter().map(|tag| rank(target, tag)).collect();
    assert!(ranks.iter().all(Option::is_some), "{:?}: {ranks:?}", row.usable);
    assert!(ranks.is_sorted(), "{:?}: {ranks:?}", row.usable);
    for tag in row.foreign {
        assert_eq!(rank(target, tag), None, "{:?}: {tag}", row.options);
    }
}

#[test]
fn gateway_guesses_the_wheel_that_pip_chooses() {
    for row in ROWS {
        let sandbox = row.sandbox();
        let target = row.target(&sandbox);
        assert_order(&row, &target);

        let best = filename("1.0", row.usable[0]);
        let only = BTreeSet::from([best.clone()]);
        let asked_by_pip = index(&row);
        let url = asked_by_pip.url();
        let install = ["install", "--dry-run", "--no-deps", "--only-binary=:all:", "--target=lib"];
        let words = [&install, row.options, &["-i", url.as_str(), "aa"]].concat();
        sandbox.plain_pip(words).env("PIP_NO_INDEX", "0").run().exits(0);
        assert_eq!(considered(&asked_by_pip), only, "pip {}", row.pip);

        let guessed = index(&row);
        let likely = Prefetching::Enabled(WheelRanking { target });
        let gate = Gate::start(&[guessed.url()], quick(), Judging::Later, likely);
        gate.get(&gate.page("aa"));
        asked(&guessed, &[&format!("/files/{best}.metadata")]);
        assert_eq!(considered(&guessed), only, "{:?}", row.options);
    }
}

#[test]
fn target_is_that_of_the_configuration_and_of_the_subcommand() {
    let sandbox = Sandbox::new();
    let own = reported(&sandbox, &["install"]).unwrap();
    assert_eq!(own.python, sandbox.venv().base.version);
    assert_eq!(own.markers["python_full_version"], own.python);
    let cross = Sandbox::new().env("PIP_PYTHON_VERSION", "3.8").env("PIP_PLATFORM", "win_amd64");
    let configured = reported(&cross, &["install"]).unwrap();
    assert_eq!(configured.python, "3.8.0");
    assert!(rank(&configured, "cp38-cp38-win_amd64").is_some());
    // The option overrides the variable; markers are of the Python that pip runs on.
    let stated = reported(&cross, &["install", "--python-version=3.9"]).unwrap();
    assert_eq!((stated.python.as_str(), &stated.markers), ("3.9.0", &own.markers));
    // `pip lock` knows no such option.
    assert_eq!(reported(&cross, &["lock"]).unwrap(), own);
    // A fault is left to the subcommand.
    assert_eq!(reported(&sandbox, &["install", "--python-version=x"]), None);
}

#[test]
fn requirements_are_followed_by_the_markers_of_the_target() {
    let needs = [
        "aa; platform_python_implementation == 'CPython'",
        "cc; platform_machine == 'x86_64'",
        "dd; platform_python_implementation == 'PyPy' and platform_machine == 'riscv64'",
        "ee; python_full_version == '3.13.0+local'",
    ];
    let wheel = needs.iter().fold(Wheel::new("bb", "1.0"), |wheel, need| wheel.requires(need));
    let built = wheel.build();
    let file = DistFile::new(&built.filename, built.bytes.clone()).metadata(&built.metadata);
    let index = LoopbackIndex::builder().file("bb", file).start();
    let markers = [
        ("platform_python_implementation", "PyPy"),
        ("platform_machine", "riscv64"),
        ("python_full_version", "3.13.0+"),
    ];
    let target = Target {
        python: "3.13.0".to_owned(),
        platforms: vec![vec!["any".to_owned()]],
        tags: vec![("py3".to_owned(), "none".to_owned(), 0)],
        markers: markers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    let likely = Prefetching::Enabled(WheelRanking { target });
    let gate = Gate::start(&[index.url()], quick(), Judging::Later, likely);
    gate.get(&gate.page("bb"));
    asked(&index, &["/simple/ee/", "/simple/dd/"]);
    let wrong = ["/simple/aa/", "/simple/cc/"];
    assert!(!index.paths().iter().any(|path| wrong.contains(&path.as_str())));
}
