//! One lock, verified by the Python packages that verify attestations and by this program.
//!
//! `cargo bench --bench python_tools`: fetches `pypi-attestations` and the `pypi-verify-now` that
//! is written in Python once, from the index that your pip uses, into a virtual environment below
//! `target`; the rest is offline. They get the private Sigstore's root, and their network is made
//! as short as can be, in their favour: documents and files are local, and nothing is refreshed.
//! The Python `pypi-verify-now` asks a host that is written down in it, so that host is played by
//! the loopback index, without TLS.
#![allow(missing_docs, unreachable_pub, unused)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod entries;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use entries::{Entry, lay_out, lock, median, serve};
use pypi_verify_now::attestation::document::Document;
use pypi_verify_now::attestation::verifier::{Subject, Verifier};
use pypi_verify_now::package::filename::DistFilename;
use support::index::LoopbackIndex;
use support::private_sigstore::PrivateSigstore;
use support::sandbox::Sandbox;
use support::venv::Python;

/// How many entries the lock has.
const ENTRIES: usize = 100;
/// How often this program verifies it; the others, which take long, do it once.
const RUNS: usize = 5;

const PYPI_ATTESTATIONS: &str = "pypi-attestations==0.0.30";
const PYPI_VERIFY_NOW: &str = "pypi-verify-now==0.8.1";

/// `pypi-verify-now` in Python, with its HTTPS connections led to a port of this machine.
const LED: &str = "\
import http.client, sys
port = int(sys.argv.pop(1))
http.client.HTTPSConnection = lambda *_: http.client.HTTPConnection('127.0.0.1', port)
import pypi_verify_now
sys.exit(pypi_verify_now.main())
";

/// Verifies all files below a directory through the API of `pypi-attestations`, in one process.
const API: &str = "\
import pathlib, sys, time
from pypi_attestations import Distribution, Provenance
root = pathlib.Path(sys.argv[1])
start = time.monotonic()
for path in sorted((root / 'files').iterdir()):
    dist = Distribution.from_file(path)
    document = Provenance.model_validate_json((root / 'provenance' / path.name).read_bytes())
    for bundle in document.attestation_bundles:
        for attestation in bundle.attestations:
            attestation.verify(bundle.publisher, dist, offline=True)
print(time.monotonic() - start)
";

/// The environment with the Python packages, made at the first use.
fn tools() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-tools");
    let ready = path.join("ready");
    if !ready.exists() {
        let _ = fs::remove_dir_all(&path);
        let run = |program: &Path, args: &[&OsStr]| {
            Command::new(program).args(args).status().is_ok_and(|status| status.success())
        };
        let venv = ["-m".as_ref(), "venv".as_ref(), path.as_os_str()];
        let install = ["-m", "pip", "install", "-q", PYPI_ATTESTATIONS, PYPI_VERIFY_NOW];
        if !run(&Python::find().executable, &venv)
            || !run(&path.join("bin/python"), &install.map(OsStr::new))
        {
            return None;
        }
        fs::write(&ready, "").unwrap();
    }
    Some(path.join("bin"))
}

/// The files of this name below a directory.
fn named(directory: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let here = files.into_iter().filter(|path| path.file_name() == Some(name.as_ref()));
    here.chain(directories.iter().flat_map(|below| named(below, name))).collect()
}

struct Bench {
    world: Sandbox,
    index: LoopbackIndex,
    entries: Vec<Entry>,
    tools: PathBuf,
}

impl Bench {
    fn new(tools: PathBuf) -> Self {
        let entries = Entry::many(ENTRIES);
        let root = PrivateSigstore::shared().trusted_root_json();
        let pins: String = entries.iter().map(Entry::pin).collect();
        let index = serve(&entries, LoopbackIndex::builder()).start();
        let world = Sandbox::new().trusted_root(&root).trust(&pins).index(&index.url());
        world.write_file("pylock.toml", lock(&entries, |filename| index.file_url(filename)));
        lay_out(&entries, &world.path("index"));
        let bench = Self { world, index, entries, tools };
        // Its first run lays its trusted roots out, and fails; from then on it has ours.
        bench.verify_file(&bench.entries[0], 1);
        let roots = named(&bench.world.path("home"), "trusted_root.json");
        roots.iter().for_each(|path| fs::write(path, &root).unwrap());
        bench.verify_file(&bench.entries[0], 0);
        bench
    }

    /// `pypi-attestations` over one file, as a command.
    fn verify_file(&self, entry: &Entry, status: i32) {
        let document = self.world.path("index/provenance").join(&entry.filename);
        let repository = format!("https://github.com/octo/{}", entry.name);
        let (document, file) = (document.to_str().unwrap(), self.file(entry));
        let arguments = ["verify", "pypi", "--offline", "--repository", &repository];
        let arguments = arguments.into_iter().chain(["--provenance-file", document, &file]);
        self.world.run(self.tools.join("pypi-attestations"), arguments).run().exits(status);
    }

    fn file(&self, entry: &Entry) -> String {
        self.world.path("index/files").join(&entry.filename).to_str().unwrap().to_owned()
    }

    /// The Python `pypi-verify-now` over the lock, as a command.
    fn verify_lock(&self) {
        // What it starts for each file gets the local document and file.
        let (at, real) = (self.world.path("index"), self.tools.join("pypi-attestations"));
        let script = format!(
            "#!/bin/sh\nfile=\"${{5#pypi:}}\"\nexec {} verify pypi --offline --repository \"$4\" \
             --provenance-file \"{at}/provenance/$file\" \"{at}/files/$file\"\n",
            real.display(),
            at = at.display(),
        );
        fs::create_dir_all(self.world.path("stand-in")).unwrap();
        let path = self.world.path("stand-in/pypi-attestations");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        for Entry { name, filename, document, .. } in &self.entries {
            let path = format!("!/integrity/{name}/1.0/{filename}/provenance");
            self.index.serve(&path, "application/json", document.clone());
        }
        let search = [self.world.path("stand-in"), "/usr/bin".into(), "/bin".into()];
        let port = self.index.port().to_string();
        let arguments = ["-c", LED, &port, "-L", "pylock.toml"];
        let run = self.world.run(self.tools.join("python"), arguments);
        let outcome = run.env("PATH", std::env::join_paths(search).unwrap()).run();
        outcome.exits(0);
        assert_eq!(outcome.stdout.matches("OK: ").count(), ENTRIES, "{outcome}");
    }

    /// Seconds of the loop in one Python process, without its start.
    fn verify_in_one_python(&self) -> f64 {
        let root = self.world.path("index");
        let arguments = ["-c".as_ref(), API.as_ref(), root.as_os_str()];
        let outcome = self.world.run(self.tools.join("python"), arguments).run();
        outcome.exits(0);
        outcome.stdout.trim().parse().unwrap()
    }

    /// All documents on one core of this process.
    fn verify_here(&self) {
        let root = PrivateSigstore::shared().trusted_root_json();
        let verifier = Verifier::from_trusted_root(root.as_bytes()).unwrap();
        for entry in &self.entries {
            let filename = DistFilename::parse(&entry.filename).unwrap();
            let subject = Subject { filename, sha256: entry.sha256 };
            let document = Document::parse(entry.document.as_bytes()).unwrap();
            let outcomes = verifier.verify(&document, &subject);
            assert!(outcomes.iter().all(|outcome| outcome.publisher.is_ok()));
        }
    }
}

fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn main() {
    let Some(tools) = tools() else {
        println!("python tools: not measured, since {PYPI_ATTESTATIONS} cannot be fetched");
        return;
    };
    let bench = Bench::new(tools);
    let ours = || {
        bench.world.tool(["-L", "pylock.toml"]).run().exits(0);
    };
    let ours = median((0..RUNS).map(|_| time(ours)).collect());
    let here = median((0..RUNS).map(|_| time(|| bench.verify_here())).collect());
    println!("a lock of {ENTRIES} signed entries        seconds  entries/s  times ours");
    let line = |what: &str, seconds: f64, ours: f64| {
        let (rate, ratio) = (ENTRIES as f64 / seconds, seconds / ours);
        println!("{what:35} {seconds:9.3} {rate:10.1} {ratio:11.1}");
    };
    line("this pypi-verify-now -L", ours, ours);
    let each = time(|| bench.entries.iter().for_each(|entry| bench.verify_file(entry, 0)));
    line("pypi-attestations, a command a file", each, ours);
    line("pypi-verify-now 0.8.1 -L", time(|| bench.verify_lock()), ours);
    println!("without any start, one core");
    line("this library", here, here);
    line("pypi-attestations, its API", bench.verify_in_one_python(), here);
}
