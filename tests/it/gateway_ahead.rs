//! Prefetching of the gateway: the files that pip will want, each once, without delaying pip.

use std::time::{Duration, Instant};

use pypi_verify_now::failure::Failure;
use pypi_verify_now::gateway::{
    FILES, Judging, MAX_PREFETCHED, MAX_WHEEL, Prefetching, WORKERS, WheelRanking,
};
use url::Url;

use crate::support::gateway::{Gate, asked, give, quick};
use crate::support::index::{DistFile, Fault, Hash, LoopbackIndex};
use crate::support::target;
use crate::support::wheel::{Distribution, Wheel};

/// A wheel with its METADATA beside it.
fn file(built: &Distribution) -> DistFile {
    DistFile::new(&built.filename, built.bytes.clone()).metadata(&built.metadata)
}

fn wheel(name: &str, version: &str, requires: &[&str]) -> DistFile {
    let wheel = requires.iter().fold(Wheel::new(name, version), |wheel, r| wheel.requires(r));
    file(&wheel.build())
}

/// A gateway for a Python 3.11 on this system.
fn gate(index: &LoopbackIndex) -> Gate {
    over(&[index])
}

fn over(indexes: &[&LoopbackIndex]) -> Gate {
    let urls: Vec<String> = indexes.iter().map(|index| index.url()).collect();
    let likely = WheelRanking { target: target::python_3_11() };
    Gate::start(&urls, quick(), Judging::Later, Prefetching::Enabled(likely))
}

/// Has the gateway guess a row of pages, each begun once the one before was asked for; what was
/// guessed before has long begun then. Answers with their paths.
fn guess_on(gate: &Gate, index: &LoopbackIndex) -> Vec<String> {
    let pages: Vec<String> = (0..20).map(|n| format!("/simple/control{n}/")).collect();
    for (n, page) in pages.iter().enumerate() {
        gate.gateway.prefetch(&[format!("control{n}")]);
        asked(index, &[page]);
    }
    pages
}

#[test]
fn dependencies_of_a_release_are_prefetched() {
    let index = LoopbackIndex::builder()
        .file("aa", wheel("aa", "1.0", &["b.b>=1", "cc[x]; python_version >= '3'"]))
        .file("b-b", wheel("b.b", "1.0", &["dd"]))
        .file("cc", file(&Wheel::new("cc", "1.0").extra("x", "ee").extra("y", "ff").build()))
        .empty_project("dd")
        .empty_project("ee")
        .empty_project("ff")
        .start();
    let gate = gate(&index);
    gate.get(&gate.page("aa"));
    asked(&index, &["/simple/b-b/", "/simple/cc/", "/simple/dd/", "/simple/ee/"]);
    for project in ["b-b", "cc", "dd", "ee"] {
        assert_eq!(gate.get(&gate.page(project)).status, 200);
        assert_eq!(index.count(&format!("/simple/{project}/")), 1, "{project}");
    }
    gate.get(&gate.file("b-b", "b_b-1.0-py3-none-any.whl.metadata"));
    assert_eq!(index.count("/files/b_b-1.0-py3-none-any.whl.metadata"), 1);
    assert_eq!(index.count("/simple/ff/"), 0, "nobody wants the extra y");
}

#[test]
fn named_projects_are_prefetched_before_pip_starts() {
    let index = LoopbackIndex::builder()
        .file("aa", wheel("aa", "1.0", &["bb"]))
        .file("aa", wheel("aa", "2.0", &["cc"]))
        .empty_project("bb")
        .empty_project("cc")
        .start();
    let gate = gate(&index);
    let words = ["aa<2", "./directory", "git+https://host.example/x", "x @ file:///x", ""];
    gate.gateway.prefetch(&words.map(str::to_owned));
    asked(&index, &["/simple/aa/", "/simple/bb/"]);
    assert_eq!(index.count("/simple/cc/"), 0);
    assert!(gate.gateway.asked().is_empty(), "pip has asked for nothing");
}

/// A platform tag of this system, for a C library of this version.
#[cfg(target_os = "linux")]
fn ours(glibc: &str) -> String {
    format!("manylinux_{glibc}_{}", std::env::consts::ARCH)
}

#[test]
#[cfg(target_os = "linux")]
fn prefetcher_guesses_the_file_that_pip_chooses() {
    let built = |version: &str, tag: &str| {
        Wheel::new("aa", version).tag(&tag.replace("OURS", &ours("2_17"))).build()
    };
    let right = built("2.0", "cp311-cp311-OURS");
    let (older, unknown) = (ours("2_5"), ours("2_99"));
    let mut builder = LoopbackIndex::builder().file("aa", file(&right));
    for (version, tag) in [
        ("2.0", "cp312-cp312-OURS"),
        ("2.0", "cp311-cp311-win_amd64"),
        ("2.0", "cp311-cp311-musllinux_1_2_x86_64"),
        ("2.0", "cp39-abi3-OURS"),
        ("2.0", "py3-none-any"),
        ("2.0", &format!("cp311-cp311-{older}")),
        ("3.0", &format!("cp311-cp311-{unknown}")),
        ("3.0", "cp311-cp311-manylinux_2_17_riscv64"),
        ("1.0", "cp311-cp311-OURS"),
        ("3.0a1", "py3-none-any"),
        ("4.0", "py2-none-any"),
        ("5.0", "pp311-pypy311_pp73-OURS"),
    ] {
        builder = builder.file("aa", file(&built(version, tag)));
    }
    let index = builder
        .file("aa", file(&built("6.0", "py3-none-any")).yanked("broken"))
        .file(
            "aa",
            DistFile {
                requires_python: Some(">=3.12".into()),
                ..file(&built("7.0", "py3-none-any"))
            },
        )
        .start();
    let gate = gate(&index);
    gate.get(&gate.page("aa"));
    asked(&index, &[&format!("/files/{}.metadata", right.filename)]);
    assert_eq!(index.requests().len(), 2, "{:?}", index.paths());
}

#[test]
fn false_or_undecidable_markers_are_not_followed() {
    let yes = [
        "y1; python_version >= '3.10' and python_version < '3.12'",
        "y2; '3.11' == python_version",
        "y3; (sys_platform == 'win32' or os_name == 'posix') and implementation_name == 'cpython'",
        "y4; platform_system != 'Windows'",
        "y5 (>=1)",
        "y6[x,y]>=1;python_full_version>'3.11'",
        "y7; python_version in '3.10 3.11'",
        "y8; python_version not in '3.9, 3.10'",
        "y9; '3.8' < python_version",
    ];
    let no = [
        "n1; python_version < '3.10'",
        "n2; sys_platform == 'win32'",
        "n3; extra == 'test'",
        "n4; python_version >= '3' and extra == 'test'",
        "n5; platform_release == '1'",
        "n6; (python_version >= '3'",
        "n7; python_version",
        "n8; python_version >= '3' or",
        "n9; ''",
        "na @ http://host.example/na.whl",
        "nb; python_version ~ '3'",
        "nc; 'x",
    ];
    let deep = format!("nd; {}python_version >= '3'{}", "(".repeat(99), ")".repeat(99));
    // What is followed stands last: once it was asked for, the rest would have been.
    let all: Vec<&str> = no.into_iter().chain([deep.as_str()]).chain(yes).collect();
    let index = LoopbackIndex::builder().file("aa", wheel("aa", "1.0", &all)).start();
    let gate = gate(&index);
    gate.get(&gate.page("aa"));
    let followed: Vec<String> = (1..=yes.len()).map(|n| format!("/simple/y{n}/")).collect();
    asked(&index, &followed.iter().map(String::as_str).collect::<Vec<_>>());
    let wrong = index.paths().into_iter().find(|path| path.starts_with("/simple/n"));
    assert_eq!(wrong, None);
}

#[test]
fn circular_dependencies_are_fetched_once() {
    let names: Vec<String> = (0..30).map(|n| format!("p{n}")).collect();
    let mut builder = LoopbackIndex::builder();
    for name in &names {
        let needs: Vec<&str> = names.iter().map(String::as_str).collect();
        builder = builder.file(name, wheel(name, "1.0", &needs));
    }
    let index = builder.start();
    let gate = gate(&index);
    std::thread::scope(|scope| {
        for name in &names {
            let (gate, metadata) = (&gate, format!("{name}-1.0-py3-none-any.whl.metadata"));
            scope.spawn(move || assert_eq!(gate.get(&gate.page(name)).status, 200));
            scope.spawn(move || assert_eq!(gate.get(&gate.file(name, &metadata)).status, 200));
        }
    });
    let (wheels, mut asked): (Vec<_>, Vec<_>) =
        index.paths().into_iter().partition(|path| path.ends_with(".whl"));
    assert_eq!(asked.len(), 60, "{asked:?}");
    asked.extend(wheels);
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all);
}

#[test]
fn hanging_guess_does_not_delay_pip() {
    let slow: Vec<String> = (0..WORKERS * 2).map(|n| format!("slow{n}")).collect();
    let mut needs: Vec<&str> = slow.iter().map(String::as_str).collect();
    needs.push("last");
    let index = LoopbackIndex::builder()
        .file("aa", wheel("aa", "1.0", &needs))
        .empty_project("last")
        .empty_project("other")
        .start();
    for name in &slow {
        index.fault(&format!("/simple/{name}/"), Fault::Hang);
    }
    let gate = gate(&index);
    gate.get(&gate.page("aa"));
    let end = Instant::now() + Duration::from_secs(20);
    while index.paths().iter().filter(|path| path.starts_with("/simple/slow")).count() < WORKERS {
        assert!(Instant::now() < end, "the guesses were not begun: {:?}", index.paths());
        std::thread::yield_now();
    }
    assert_eq!(index.count("/simple/last/"), 0, "it stands behind the slow ones");
    for project in ["last", "other"] {
        let start = Instant::now();
        assert_eq!(gate.get(&gate.page(project)).status, 200);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    let start = Instant::now();
    drop(gate);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn judging_gateway_prefetches_pages_alone() {
    let index = LoopbackIndex::builder().file("aa", wheel("aa", "1.0", &["bb"])).start();
    let gate = Gate::ahead(&index, Judging::Before(Box::new(give)));
    gate.gateway.prefetch(&["aa".into()]);
    asked(&index, &["/simple/aa/"]);
    gate.get(&gate.page("aa"));
    let pages = guess_on(&gate, &index);
    drop(gate);
    assert_eq!(index.paths(), [vec!["/simple/aa/".to_owned()], pages].concat());
}

#[test]
fn newest_release_of_all_indexes_is_guessed() {
    let one = LoopbackIndex::builder()
        .file("aa", wheel("aa", "1.0", &["bb"]))
        .file("bb", wheel("bb", "1.0", &["old"]))
        .start();
    let other = LoopbackIndex::builder().file("bb", wheel("bb", "2.0", &["new"])).start();
    let gate = over(&[&one, &other]);
    gate.get(&gate.page("aa"));
    asked(&one, &["/simple/bb/", "/simple/new/"]);
    asked(&other, &["/simple/aa/", "/simple/bb/", "/simple/new/"]);
    assert_eq!(one.count("/simple/old/"), 0);
}

/// A wheel without METADATA beside it.
fn bare(wheel: &Distribution) -> DistFile {
    DistFile::new(&wheel.filename, wheel.bytes.clone())
}

#[test]
fn metadata_is_read_from_a_wheel_without_metadata_file() {
    let (aa, bb) =
        (Wheel::new("aa", "1.0").requires("bb").build(), Wheel::new("bb", "1.0").build());
    let index = LoopbackIndex::builder().file("aa", bare(&aa)).file("bb", bare(&bb)).start();
    let gate = Gate::ahead(&index, Judging::Later);
    gate.gateway.prefetch(&["aa".into()]);
    let aa = format!("/files/{}", aa.filename);
    asked(&index, &["/simple/aa/", &aa, "/simple/bb/"]);
}

#[test]
fn requests_of_pip_do_not_wait_for_wheels_being_read() {
    let names = |what: &str, count| (0..count).map(|n| format!("{what}{n}")).collect::<Vec<_>>();
    // One that guesses stays free, so that the controls tell when all others wait.
    let (slow, late) = (names("slow", FILES), names("late", WORKERS - FILES - 1));
    let wheel = |name: &String| format!("{name}-1.0-py3-none-any.whl");
    let path = |name: &String| format!("/files/{}", wheel(name));
    let all = slow.iter().chain(&late);
    let index = all.fold(LoopbackIndex::builder(), |builder, name| {
        builder.file(name, bare(&Wheel::new(name, "1.0").build()))
    });
    let index = index.start();
    slow.iter().for_each(|name| index.hold(&path(name)));
    let gate = Gate::ahead(&index, Judging::Later);
    gate.gateway.prefetch(&slow);
    slow.iter().for_each(|name| asked(&index, &[&path(name)]));
    gate.gateway.prefetch(&late);
    guess_on(&gate, &index);
    for name in &late {
        assert_eq!(gate.get(&gate.file(name, &wheel(name))).status, 200);
    }
    // None of them was given up meanwhile, which would have been tried again.
    slow.iter().for_each(|name| assert_eq!(index.count(&path(name)), 1));
    index.release();
}

#[test]
fn oversized_file_is_dropped_by_a_guess_and_served_to_pip() {
    let aa = Wheel::new("aa", "1.0").build();
    for (larger, requests) in [(0, 1), (1, 2)] {
        let size = Some(aa.bytes.len() as u64 - larger);
        let listed = DistFile { size, ..bare(&aa) };
        let index = LoopbackIndex::builder().file("aa", listed).start();
        let gate = Gate::ahead(&index, Judging::Later);
        let path = format!("/files/{}", aa.filename);
        gate.gateway.prefetch(&["aa".into()]);
        asked(&index, &[&path]);
        assert_eq!(fetched(&gate, &index, &aa.filename).is_some(), larger == 0);
        assert_eq!(gate.get(&gate.file("aa", &aa.filename)).body, aa.bytes);
        assert_eq!(index.count(&path), requests);
    }
}

#[test]
fn guess_of_a_file_without_an_end_ends() {
    let aa = Wheel::new("aa", "1.0").build();
    let index = LoopbackIndex::builder().file("aa", file(&aa)).start();
    let path = format!("/files/{}", aa.filename);
    index.fault(&path, Fault::Endless);
    let gate = Gate::ahead(&index, Judging::Later);
    consider(&gate, "aa", "1.0");
    asked(&index, &[&path]);
    assert!(fetched(&gate, &index, &aa.filename).is_none());
    assert!(gate.files().is_empty());
}

#[test]
fn one_wheel_of_a_project_is_read_for_metadata() {
    let wheels = ["aa", "bb"].map(|name| ["1.0", "2.0"].map(|v| Wheel::new(name, v).build()));
    let index = wheels.iter().flatten().fold(LoopbackIndex::builder(), |builder, wheel| {
        builder.file(&wheel.filename[..2], bare(wheel))
    });
    let index = index.start();
    let gate = Gate::ahead(&index, Judging::Later);
    gate.gateway.prefetch(&["aa<2", "aa>=2", "bb<2"].map(str::to_owned));
    asked(&index, &["/files/bb-1.0-py3-none-any.whl"]);
    guess_on(&gate, &index);
    let files = |name| index.paths().iter().filter(|path| path.starts_with(name)).count();
    assert_eq!((files("/files/aa-"), files("/files/bb-")), (1, 1));
}

#[test]
fn total_size_of_prefetched_wheels_is_bounded() {
    let many = MAX_PREFETCHED / MAX_WHEEL;
    let names: Vec<String> = (0..=many).map(|n| format!("aa{n}")).collect();
    let index = names.iter().fold(LoopbackIndex::builder(), |builder, name| {
        let wheel = Wheel::new(name, "1.0").build();
        builder.file(name, DistFile { size: Some(MAX_WHEEL), ..bare(&wheel) })
    });
    let index = index.start();
    let gate = Gate::ahead(&index, Judging::Later);
    gate.gateway.prefetch(&names);
    guess_on(&gate, &index);
    let files = index.paths().iter().filter(|path| path.starts_with("/files/")).count();
    assert_eq!(files as u64, many);
}

#[test]
fn no_file_is_prefetched_if_judged_or_without_hash() {
    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    let index = LoopbackIndex::builder().file("aa", bare(&aa)).start();
    let gate = Gate::ahead(&index, Judging::Before(Box::new(give)));
    gate.gateway.prefetch(&["aa".into()]);
    asked(&index, &["/simple/aa/"]);
    gate.get(&gate.page("aa"));
    let pages = guess_on(&gate, &index);
    drop(gate);
    assert_eq!(index.paths(), [vec!["/simple/aa/".to_owned()], pages].concat());

    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    let index = LoopbackIndex::builder().file("aa", bare(&aa).hashes([Hash::Md5])).start();
    let gate = Gate::ahead(&index, Judging::Later);
    gate.gateway.prefetch(&["aa".into()]);
    asked(&index, &["/simple/aa/"]);
    gate.get(&gate.page("aa"));
    let pages = guess_on(&gate, &index);
    drop(gate);
    assert_eq!(index.paths(), [vec!["/simple/aa/".to_owned()], pages].concat());
}

/// Asks for the METADATA beside the wheel of this release.
fn consider(gate: &Gate, name: &str, version: &str) {
    let metadata = format!("{name}-{version}-py3-none-any.whl.metadata");
    assert_eq!(gate.get(&gate.file(name, &metadata)).status, 200);
}

/// The file's bytes as the gateway fetched them, if it did.
fn fetched(gate: &Gate, index: &LoopbackIndex, filename: &str) -> Option<Result<Vec<u8>, Failure>> {
    let url = Url::parse(&index.file_url(filename)).unwrap();
    gate.gateway.stop_prefetching();
    let path = gate.gateway.bytes_of(&url)?;
    Some(path.map(|path| std::fs::read(path).unwrap()))
}

#[test]
fn first_candidate_of_pip_is_prefetched() {
    let (two, one) = (Wheel::new("aa", "2.0").build(), Wheel::new("aa", "1.0").build());
    let index = LoopbackIndex::builder().file("aa", file(&two)).file("aa", file(&one)).start();
    let gate = Gate::ahead(&index, Judging::Later);
    let path = format!("/files/{}", two.filename);
    index.hold(&path);
    consider(&gate, "aa", "2.0");
    consider(&gate, "aa", "1.0");
    asked(&index, &[&path]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fetched(&gate, &index, &two.filename));
        index.release();
        assert_eq!(waiting.join().unwrap().unwrap().unwrap(), two.bytes);
    });
    // The second release of a project is one of a search, and costs no download.
    assert!(fetched(&gate, &index, &one.filename).is_none());
    assert_eq!(index.count(&format!("/files/{}", one.filename)), 0);
    // Nothing of this was asked for by pip.
    assert!(gate.gateway.handed_over().is_empty());
}

#[test]
fn unwanted_prefetch_is_dropped_and_whole_file_kept() {
    let (aa, bb) = (Wheel::new("aa", "1.0").build(), Wheel::new("bb", "1.0").build());
    let slow = DistFile { size: Some(MAX_WHEEL), ..file(&aa) };
    let index = LoopbackIndex::builder().file("aa", slow).file("bb", file(&bb)).start();
    index.fault(&format!("/files/{}", aa.filename), Fault::Trickle);
    let gate = Gate::ahead(&index, Judging::Later);
    consider(&gate, "aa", "1.0");
    consider(&gate, "bb", "1.0");
    asked(&index, &[&aa, &bb].map(|it| format!("/files/{}", it.filename)).each_ref().map(|p| &**p));
    assert_eq!(fetched(&gate, &index, &bb.filename).unwrap().unwrap(), bb.bytes);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fetched(&gate, &index, &aa.filename));
        gate.gateway.stop_fetching();
        assert!(waiting.join().unwrap().is_none());
    });
    assert_eq!(fetched(&gate, &index, &bb.filename).unwrap().unwrap(), bb.bytes);
    assert!(fetched(&gate, &index, &aa.filename).is_none());
}

#[test]
fn prefetched_wheel_has_the_stated_bytes_or_is_an_error() {
    let aa = Wheel::new("aa", "1.0").build();
    let other = Hash::Given("sha256", "0".repeat(64));
    let index = LoopbackIndex::builder().file("aa", file(&aa).hashes([other])).start();
    let gate = Gate::ahead(&index, Judging::Later);
    consider(&gate, "aa", "1.0");
    asked(&index, &[&format!("/files/{}", aa.filename)]);
    let error = fetched(&gate, &index, &aa.filename).unwrap().unwrap_err();
    assert!(error.message.contains("is another file than stated"), "{}", error.message);
    // pip did not ask for it, so that it is no refusal yet.
    assert!(gate.gateway.refusals().is_empty());
}

#[test]
fn wheel_without_sha256_or_size_is_not_prefetched() {
    let aa = Wheel::new("aa", "1.0").build();
    for index in [
        LoopbackIndex::builder().file("aa", file(&aa).hashes([Hash::Md5])).start(),
        LoopbackIndex::builder().html_only().file("aa", file(&aa)).start(),
    ] {
        let gate = Gate::ahead(&index, Judging::Later);
        consider(&gate, "aa", "1.0");
        guess_on(&gate, &index);
        assert!(fetched(&gate, &index, &aa.filename).is_none());
        drop(gate);
        assert_eq!(index.count(&format!("/files/{}", aa.filename)), 0);
    }
}

#[test]
fn provenance_of_a_candidate_is_prefetched_once() {
    let aa = Wheel::new("aa", "1.0").build();
    let document = "{}".to_owned();
    let link = format!("/provenance/{}", aa.filename);
    let listed = file(&aa).provenance(document.clone());
    let index = LoopbackIndex::builder().file("aa", listed).start();
    let gate = Gate::ahead(&index, Judging::Later);
    let url = Url::parse(&index.at(&link)).unwrap();
    assert!(gate.gateway.document_at(&url).is_none());
    index.hold(&link);
    consider(&gate, "aa", "1.0");
    asked(&index, &[&link]);
    gate.gateway.stop_prefetching();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| gate.gateway.document_at(&url));
        index.release();
        let served = waiting.join().unwrap().unwrap().unwrap();
        assert_eq!(served.bytes.as_deref(), Some(document.as_bytes()));
        assert!(!served.is_cached);
    });
    assert_eq!(index.count(&link), 1);
}
