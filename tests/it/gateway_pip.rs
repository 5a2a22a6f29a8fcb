//! Real pips through the gateway: what they install and see, and whose code does not run.

use std::path::Path;

use pypi_verify_now::failure::Failure;
use pypi_verify_now::gateway::{Asked, Handover, Judging};

use crate::support::gateway::{Gate, give, prefetching, quick, refuse};
use crate::support::index::{DistFile, Hash, LoopbackIndex};
use crate::support::run::Outcome;
use crate::support::sandbox::Sandbox;
use crate::support::wheel::{Distribution, Sdist, Wheel};

/// The newest, the first with `pip lock`, and one without.
const PIPS: [&str; 3] = ["26.3", "25.1", "24.0"];

fn file(built: &Distribution) -> DistFile {
    DistFile::new(&built.filename, built.bytes.clone())
}

/// A wheel with its METADATA beside it.
fn wheel(built: &Distribution) -> DistFile {
    file(built).metadata(&built.metadata)
}

/// A gateway that also fetches ahead, as a run has it.
fn gate(
    index: &LoopbackIndex,
    judge: impl Fn(&Asked<'_>) -> Result<Handover, Failure> + Send + Sync + 'static,
) -> Gate {
    Gate::ahead(index, Judging::Before(Box::new(judge)))
}

fn install(gate: &Gate, pip: &str, what: &str) -> (Sandbox, Outcome) {
    let world = Sandbox::with_pip(pip).index(&gate.url());
    let outcome = world.plain_pip(["install", "-vvv", what]).run();
    (world, outcome)
}

#[test]
fn every_pip_installs_equal_files_through_the_gateway() {
    let set = |html: bool| {
        let builder =
            if html { LoopbackIndex::builder().html_only() } else { LoopbackIndex::builder() };
        let aa = Wheel::new("aa", "1.0").requires("b.b>=1").build();
        let bb = Wheel::new("b.b", "1.0").requires("cc").build();
        let cc = Wheel::new("cc", "1.0+local").requires("dd").build();
        let (dd, yanked) = (Wheel::new("dd", "1.0").build(), Wheel::new("dd", "2.0").build());
        let future = Wheel::new("dd", "3.0").build();
        builder
            .file("aa", wheel(&aa).hashes([Hash::Md5]))
            .file("b-b", wheel(&bb).hashes([Hash::Sha512]))
            .file("cc", wheel(&cc).hashes([]))
            .file("dd", wheel(&dd).hashes([Hash::Md5, Hash::Sha256]))
            .file("dd", wheel(&yanked).yanked("broken"))
            .file("dd", DistFile { requires_python: Some(">=4".into()), ..wheel(&future) })
            .start()
    };
    for (index, pip) in
        [false, true].iter().flat_map(|html| PIPS.iter().map(|pip| (set(*html), *pip)))
    {
        let gate = gate(&index, give);
        let (world, outcome) = install(&gate, pip, "aa");
        outcome.exits(0).lacks(&index.port().to_string());
        assert_eq!(world.freeze(), ["aa==1.0", "b.b==1.0", "cc==1.0+local", "dd==1.0"]);
        assert_eq!(gate.gateway.handed_over().len(), 4);
        let asked: Vec<_> = gate.gateway.asked().iter().map(ToString::to_string).collect();
        assert_eq!(asked, ["aa", "b-b", "cc", "dd"]);
        assert!(gate.gateway.refusals().is_empty() && gate.gateway.failures().is_empty());
    }
}

#[test]
fn missing_project_fails_as_without_the_gateway() {
    let index = LoopbackIndex::builder().empty_project("bb").start();
    for pip in PIPS {
        for what in ["aa", "bb", "bb==1"] {
            let gate = gate(&index, give);
            let world = Sandbox::with_pip(pip);
            let run = |url: &str| world.plain_pip(["install", "-i", url, what]).run();
            let (direct, through) = (run(&index.url()), run(&gate.url()));
            let through = through.stderr.replace(&gate.url(), &index.url());
            assert_eq!((direct.status, direct.stderr), (1, through));
        }
    }
}

#[test]
fn credentials_do_not_reach_pip() {
    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    let bb = Wheel::new("bb", "1.0").build();
    for html in [false, true] {
        let mut builder = LoopbackIndex::builder().basic_auth("alice", "hunter2");
        if html {
            builder = builder.html_only();
        }
        let index = builder.file("aa", wheel(&aa)).file("bb", wheel(&bb)).start();
        let urls = [index.url_with_credentials("alice", "hunter2")];
        let gate = Gate::start(&urls, quick(), Judging::Before(Box::new(give)), prefetching());
        let (world, outcome) = install(&gate, "26.3", "aa");
        outcome.exits(0).lacks("hunter2").lacks("alice").lacks(&index.port().to_string());
        assert_eq!(world.freeze(), ["aa==1.0", "bb==1.0"]);
        let page = gate.get(&gate.page("aa")).text();
        assert!(!page.contains("alice") && !page.contains("hunter2"), "{page}");
        assert!(!gate.gateway.index_urls()[0].contains('@'));
    }
    // Wrong ones: pip neither asks for a password for 127.0.0.1 nor waits.
    let index = LoopbackIndex::builder().basic_auth("alice", "hunter2").file("aa", wheel(&aa));
    let index = index.start();
    let gate = gate(&index, give);
    let (_, outcome) = install(&gate, "26.3", "aa");
    outcome.exits(1).lacks("User for").lacks("hunter2");
    assert_eq!(gate.gateway.failures()[0].code, Some(401));
}

#[test]
fn refused_wheel_is_not_installed_by_any_pip() {
    for metadata in [true, false] {
        let (aa, bb) = (Wheel::new("aa", "1.0").requires("bb").build(), Wheel::new("bb", "1.0"));
        let bb = bb.build();
        let kind = |built: &Distribution| if metadata { wheel(built) } else { file(built) };
        let index = LoopbackIndex::builder().file("aa", kind(&aa)).file("bb", kind(&bb)).start();
        for pip in PIPS {
            let gate = gate(&index, refuse("bb"));
            let (world, outcome) = install(&gate, pip, "aa");
            outcome.exits(1).stderr_has("403");
            assert!(world.freeze().is_empty());
            let refusals = gate.gateway.refusals();
            assert_eq!((refusals.len(), refusals[0].name.as_str()), (1, "bb"));
        }
        assert_eq!(index.count(&format!("/files/{}", bb.filename)), 0);
    }
}

/// Installs `what` from an index of sources while `refused` is refused; says whether the code of
/// the marker's source ran.
fn build(pip: &str, what: &str, refused: &'static str) -> (bool, Outcome) {
    let markers = tempfile::TempDir::new().unwrap();
    let marker = |name: &str| markers.path().join(name);
    let sdist = |name: &str, marker: &Path| Sdist::new(name, "1.0", marker);
    let evil = sdist("evil", &marker("evil")).build();
    let needs = Wheel::new("needs", "1.0").requires("evil").build();
    let builds = sdist("builds", &marker("builds")).build_requires("evil").build();
    let tool = Wheel::new("tool", "1.0");
    let code = format!("open({:?}, 'w')", marker("evil"));
    let tool = tool.file("tool.py", &code).file("tool.pth", "import tool\n").build();
    let uses = sdist("uses", &marker("uses")).build_requires("tool").build();
    let index = LoopbackIndex::builder()
        .file("evil", file(&evil))
        .file("needs", wheel(&needs))
        .file("builds", file(&builds))
        .file("tool", wheel(&tool))
        .file("uses", file(&uses))
        .start();
    let gate = gate(&index, refuse(refused));
    let (_, outcome) = install(&gate, pip, what);
    let ran = marker("evil").exists();
    assert_eq!(gate.gateway.refusals().len(), usize::from(refused != "nothing"), "{outcome}");
    (ran, outcome)
}

#[test]
fn code_of_a_refused_source_never_runs() {
    for pip in PIPS {
        for what in ["evil", "evil==1.0", "needs", "builds"] {
            let (ran, outcome) = build(pip, what, "evil");
            outcome.exits(1);
            assert!(!ran, "{what} ran under pip {pip}");
            let (ran, outcome) = build(pip, what, "nothing");
            outcome.exits(0);
            assert!(ran, "{what} did not run under pip {pip}");
        }
    }
}

#[test]
fn refused_build_requirement_is_never_imported() {
    for pip in PIPS {
        let (ran, outcome) = build(pip, "uses", "tool");
        outcome.exits(1);
        assert!(!ran, "it was imported under pip {pip}");
        let (ran, outcome) = build(pip, "uses", "nothing");
        outcome.exits(0);
        assert!(ran, "it was not imported under pip {pip}");
    }
}
