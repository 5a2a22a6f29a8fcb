//! The rules of the house, held by reading its source: who may import whom, who alone touches
//! what, and what is nowhere to be found.
//!
//! The tables come first and are meant to be read. A new module fails here until it has a place.

mod source;

use std::collections::BTreeSet;
use std::fs;

use crate::support::sandbox::Sandbox;
use source::{
    Source, absolute_paths, files, is_below, named_paths, names, root, rust_files, sources,
};

/// The folders of `src`, from the edge to the ground: a module imports from its own folder and from
/// the folders behind it in this list.
const FOLDERS: [&str; 19] = [
    "main",
    "lib",
    "cli",
    "shim",
    "resolve",
    "evidence",
    "contents",
    "gateway",
    "wheelhouse",
    "index",
    "pip",
    "trust",
    "attestation",
    "cache",
    "http",
    "process",
    "terminal",
    "package",
    "sync",
];

/// The module that every other may import: the failure of a run.
const GROUND: &str = "failure";

/// The modules, with all below them, that compute and touch nothing outside.
const PURE: [&str; 40] = [
    "attestation",
    "cli::shellenv",
    "contents::archive",
    "contents::claims",
    "contents::record",
    "evidence::cause",
    "evidence::finding",
    "evidence::refusal",
    "failure",
    "http::redact",
    "http::settings",
    "http::validity",
    "index::newer",
    "index::page",
    "package",
    "pip::asked_about",
    "pip::behind",
    "pip::blocked",
    "pip::command_line",
    "pip::configuration",
    "pip::marker",
    "pip::network",
    "pip::options",
    "pip::requirements",
    "pip::scheme",
    "pip::settings",
    "pip::started",
    "pip::target",
    "pip::version",
    "process::switch",
    "resolve::build_steps",
    "resolve::steps",
    "terminal::escape",
    "terminal::progress",
    "trust::binding",
    "trust::file",
    "trust::ownership",
    "trust::pin",
    "trust::pins",
    "trust::policy",
];

/// Paths that pure modules must not name.
const WORLD: [&str; 11] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::os::unix::fs",
    "std::os::unix::net",
    "std::os::unix::process",
    "std::process",
    "std::thread",
    "rustix",
    "same_file",
    "tempfile",
];

/// Paths that only these modules, and what is below them, may name.
const OWNED: [(&str, &[&str]); 8] = [
    ("process::Command", &["pip", "process::run"]),
    ("clap", &["cli"]),
    ("httparse", &["gateway::request"]),
    ("indicatif", &["terminal::report"]),
    ("sigstore", &["attestation::verifier"]),
    ("std::env", &["process"]),
    ("std::process::Command", &["pip", "process::run"]),
    ("ureq", &["http"]),
];

/// Words that only these modules may use.
const WORDS: [(&str, &[&str]); 11] = [
    ("from_verified_certificate", &["attestation::publisher", "attestation::verifier"]),
    ("print!", &["terminal::report"]),
    ("println!", &["terminal::report"]),
    ("eprint!", &["terminal::report"]),
    ("eprintln!", &["terminal::report"]),
    ("io::stderr", &["process", "terminal::report"]),
    ("io::stdout", &["terminal::report"]),
    ("is_terminal", &["process"]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("unsafe", &[]),
];

/// Places of the machine that tests may name: programs and devices that every machine has, and
/// directories that are hidden from a command, never written to.
const PLACES: [&str; 14] = [
    "/bin",
    "/dev/null",
    "/dev/shm",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/tty",
    "/dev/zero",
    "/etc",
    "/proc",
    "/tmp",
    "/usr/bin",
    "/usr/local/bin",
    "/usr/tmp",
    "/var/tmp",
];

/// How that begins which only looks like a place: paths on an index of the tests' own, and the
/// ends of longer paths.
const NO_PLACES: [&str; 30] = [
    "/.provenance.txt",
    "/RECORD",
    "/REQUESTED",
    "/aa-",
    "/away",
    "/bb-",
    "/down",
    "/elsewhere",
    "/entry_points.txt",
    "/file",
    "/guard/",
    "/home/.pypi-verify-now",
    "/install.sh",
    "/limits.txt",
    "/links.html",
    "/list.txt",
    "/login",
    "/loop",
    "/main.tar.gz",
    "/nimbus_dev_sdk-",
    "/nonsense",
    "/nothing",
    "/nowhere",
    "/old",
    "/provenance",
    "/r.txt",
    "/requirements.txt",
    "/shims/pip",
    "/simple",
    "/someone",
];

/// Tests in which a path is a word: no disk is asked, or it is a pointer into JSON.
const WORDS_ONLY: [&str; 9] = [
    "attestation_mutations",
    "closed_requirements",
    "direct",
    "find_pip",
    "index_pages",
    "provenance",
    "requirements",
    "settings",
    "tidy",
];

/// The longest file of `src`.
const MAX_LINES: usize = 400;

/// How many characters a line may have, as `rustfmt.toml` says.
const WIDTH: usize = 100;

/// The beginning of a comment by the kind of file. In Python it may be a text of several lines,
/// so all of its lines count.
const COMMENTS: [(&str, &str); 6] =
    [("fish", "#"), ("py", ""), ("rs", "//"), ("sh", "#"), ("toml", "#"), ("zsh", "#")];

/// Crates that must not come in, directly or through another: no asynchronous runtime, one HTTP
/// client, one crypto provider. What `deny.toml` says too, for who has only cargo.
const BANNED: [&str; 9] = [
    "async-std",
    "hyper",
    "native-tls",
    "openssl",
    "openssl-sys",
    "reqwest",
    "ring",
    "sigstore",
    "tokio",
];

/// An identifier, not an address: the predicate type of a publish attestation (PEP 740).
const PUBLISH: &str = "https://docs.pypi.org/attestations/publish/v1";

#[test]
fn modules_import_only_from_below() {
    let (sources, mut wrong) = (sources(), Vec::new());
    for (from, to) in imports(&sources) {
        if rank(&to) < rank(&from) {
            wrong.push(format!("{from} imports {to}, which lies above it"));
        }
    }
    none(&wrong);
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let sources = sources();
    // A module and those below it are one room: each may name the other.
    let across = |(from, to): &(String, String)| !is_below(from, to) && !is_below(to, from);
    let imports: Vec<_> = imports(&sources).into_iter().filter(across).collect();
    let mut left: BTreeSet<String> = sources.iter().map(|it| it.module.clone()).collect();
    // What imports nothing that is left is in no circle; take it away until nothing changes.
    loop {
        let is_free =
            |module: &String| !imports.iter().any(|(from, to)| from == module && left.contains(to));
        let free: Vec<String> = left.iter().filter(|module| is_free(module)).cloned().collect();
        if free.is_empty() {
            break;
        }
        left.retain(|module| !free.contains(module));
    }
    let in_circles = imports.iter().filter(|(from, to)| left.contains(from) && left.contains(to));
    none(&in_circles.map(|(from, to)| format!("{from} -> {to}")).collect::<Vec<_>>());
}

#[test]
fn pure_modules_do_not_name_the_world() {
    let mut wrong = Vec::new();
    let is_pure = |module: &str| PURE.iter().any(|pure| is_below(module, pure));
    for source in sources().iter().filter(|source| is_pure(&source.module)) {
        let worldly = |path: &String| WORLD.iter().any(|part| names(path, part));
        let named = source.paths().filter(worldly);
        wrong.extend(named.map(|path| format!("{source} is pure and names {path}")));
    }
    none(&wrong);
}

#[test]
fn each_outside_thing_has_one_module() {
    let mut wrong = Vec::new();
    for source in sources() {
        for path in source.paths() {
            for (owned, owners) in OWNED.iter().filter(|(owned, _)| names(&path, owned)) {
                if !owners.iter().any(|owner| is_below(&source.module, owner)) {
                    wrong.push(format!("{source} names {owned}, as only {owners:?} may"));
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn reserved_words_have_few_modules() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, owners) in WORDS {
            let mine = owners.iter().any(|owner| is_below(&source.module, owner));
            if !mine && source.words(word) {
                wrong.push(format!("{source} says `{word}`"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_module_begins_with_a_doc() {
    for (path, text) in rust_files("src").into_iter().chain(rust_files("tests/it")) {
        assert!(text.starts_with("//! "), "{} does not begin with `//!`", path.display());
    }
}

#[test]
fn length_of_files_is_bounded() {
    for (path, text) in rust_files("src") {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn width_of_comments_is_bounded() {
    let mut wrong = Vec::new();
    for (path, bytes) in files(&root()) {
        let is_of = |kind: &str| path.extension().is_some_and(|extension| extension == kind);
        let Some((_, mark)) = COMMENTS.iter().find(|(kind, _)| is_of(kind)) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let comments = text.lines().filter(|line| line.trim_start().starts_with(mark));
        let wide = comments.filter(|line| line.chars().count() > WIDTH);
        wrong.extend(wide.map(|line| format!("{}: {line}", path.display())));
    }
    none(&wrong);
}

#[test]
fn documents_name_only_files_that_exist() {
    let mut wrong = Vec::new();
    for (path, bytes) in files(&root()) {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        for named in named_paths(&text) {
            let (top, near) = (root().join(&named), path.parent().unwrap().join(&named));
            // A name without a folder is that of a test.
            let test = root().join("tests/it").join(&named);
            if !top.exists() && !near.exists() && !test.exists() {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_test_file_is_run_and_no_test_is_switched_off() {
    let main = fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for (path, text) in rust_files("tests/it") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let top = path.parent().unwrap().ends_with("it") && name != "main";
        assert!(!top || main.contains(&format!("mod {name};")), "main.rs leaves {name} out");
        assert!(!text.contains(concat!("#[", "ignore")), "{} ignores a test", path.display());
    }
}

#[test]
fn tests_name_no_place_outside_their_sandboxes() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files("tests/it") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if WORDS_ONLY.contains(&stem) {
            continue;
        }
        for named in absolute_paths(&text) {
            let is_place = PLACES.iter().any(|place| {
                named
                    .strip_prefix(place)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if !is_place && !NO_PLACES.iter().any(|other| named.starts_with(other)) {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn no_banned_crate_is_in_the_tree() {
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges=normal,build", "--prefix=none"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let tree = String::from_utf8(cargo.stdout).unwrap();
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"sigstore-verify") && names.contains(&"aws-lc-rs"), "{names:?}");
    for banned in BANNED {
        assert!(!names.contains(&banned), "{banned} came in; see `cargo tree -i {banned}`");
    }
}

#[test]
fn no_registry_is_written_down_anywhere() {
    let help = Sandbox::new().plain_pip(["install", "--help"]).run();
    let help = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let default = help.split("default https://").nth(1).expect("pip's help names its index");
    let host = default.split('/').next().unwrap().to_lowercase();
    for (path, bytes) in files(&root()) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase().replace(PUBLISH, "");
        assert!(!text.contains(&host), "{} names the host of a registry", path.display());
    }
}

#[test]
fn source_reader_finds_paths_and_words() {
    let code = "use crate::{a, b::{self, c as d}};\nuse std::fs::{self, File};\nfn f() { super::x::y(); ureq::get() }";
    let source = Source { module: "a".into(), code: code.into() };
    let paths: Vec<_> = source.paths().collect();
    for path in ["crate::a", "crate::b", "crate::b::c", "std::fs", "std::fs::File", "ureq::get"] {
        assert!(paths.iter().any(|found| found == path), "{path} is not in {paths:?}");
    }
    assert!(paths.contains(&"crate::x::y".to_owned()));
    assert!(source.words("fn") && !source.words("re"));
    let text = "a(\"/xx/y.z\", '/nn', r\"/rr\", \"b c/dd /ee\\n\", \"\\\"/qq\", \"/k\"); // \"/cc\"\nb(\"file:///ff\", \"h://ii/jj\", \"\")";
    assert_eq!(absolute_paths(text), ["/xx/y.z", "/rr", "/ee", "/qq", "/ff"]);
    let text = "`src/a/b.rs:12`, tests/it. (docs/c.md#d) /src/x asrc/y e.rs [f](../G.md) h.md";
    assert_eq!(named_paths(text), ["src/a/b.rs", "tests/it", "docs/c.md", "e.rs", "../G.md"]);
}

/// All that is wrong at once.
#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every import of one module by another.
fn imports(sources: &[Source]) -> BTreeSet<(String, String)> {
    let mut imports = BTreeSet::new();
    for source in sources {
        for path in source.paths() {
            let Some(target) = module_of(&absolute(&path, source), sources) else { continue };
            if target != source.module {
                imports.insert((source.module.clone(), target));
            }
        }
    }
    imports
}

/// A path from the root of the crate: `super::` stands for the module above.
fn absolute(path: &str, source: &Source) -> String {
    let (mut above, mut rest) = (source.module.as_str(), path);
    while let Some(shorter) = rest.strip_prefix("super::") {
        above = above.rsplit_once("::").map_or("", |(above, _)| above);
        rest = shorter;
    }
    match (rest == path, above) {
        (true, _) => path.to_owned(),
        (false, "") => format!("crate::{rest}"),
        (false, above) => format!("crate::{above}::{rest}"),
    }
}

/// The place of a module's folder in [`FOLDERS`], or behind all of them for [`GROUND`].
fn rank(module: &str) -> usize {
    let folder = module.split("::").next().unwrap();
    let known = FOLDERS.into_iter().chain([GROUND]).position(|known| known == folder);
    known.unwrap_or_else(|| panic!("{folder} has no place in FOLDERS"))
}

/// The module that `crate::…` leads to, if it leads to one.
fn module_of(path: &str, sources: &[Source]) -> Option<String> {
    let mut path = path.strip_prefix("crate::")?;
    loop {
        if sources.iter().any(|source| source.module == path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}
