//! How long an install takes through the shim, compared with plain pip.
//!
//! `cargo bench --bench install`: offline, against the loopback index and the private Sigstore of
//! the tests, with the real pip. 40 signed wheels that need each other, METADATA beside each
//! (PEP 658), the index 0, 20 and 80 ms away. Plain pip, the shim, and the shim without its
//! gateway in turn, each into a fresh virtual environment; cold with an empty cache directory, warm
//! with the one that an install of the same has filled. Medians, and their ratios to plain pip.
//! Arguments: latencies in ms in place of those.
#![allow(missing_docs, unreachable_pub, unused)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::index::LoopbackIndex;
use support::private_sigstore::PrivateSigstore;
use support::run::Run;
use support::sandbox::Sandbox;
use support::wheel::Wheel;
use support::world::{dist, octo, signed};

/// How many projects there are.
const PROJECTS: usize = 40;
/// How many modules each has.
const MODULES: usize = 1;
/// How often each way is taken.
const RUNS: usize = 7;

/// Whether the cache directory is empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cache {
    Cold,
    Warm,
}

/// Project n needs 2n+1, 2n+2 and n+7, where those exist.
fn index(latency: Duration) -> LoopbackIndex {
    let module = "def answer(question):\n    return question or 42\n\n\n".repeat(60);
    let mut builder = LoopbackIndex::builder()
        .latency(latency)
        // As large indexes do: pages have validators, documents are good for ten minutes.
        .etags()
        .cache_control("max-age=600, public");
    for n in 0..PROJECTS {
        let name = format!("p{n}");
        for version in ["1.0", "1.1", "2.0"] {
            let mut wheel = Wheel::new(&name, version);
            for needed in [2 * n + 1, 2 * n + 2, n + 7] {
                if needed < PROJECTS {
                    wheel = wheel.requires(&format!("p{needed}>=1"));
                }
            }
            for at in 0..MODULES {
                wheel = wheel.file(&format!("p{n}/m{at}.py"), &module);
            }
            builder = builder.file(&name, signed(dist(wheel), &octo()));
        }
    }
    builder.start()
}

/// A fresh environment.
fn world(index: &LoopbackIndex, cache: &Path) -> Sandbox {
    let trust: String =
        (0..PROJECTS).map(|n| format!("p{n} https://github.com/octo/example\n")).collect();
    let world = Sandbox::new()
        .index(&index.url())
        .env("PIP_CACHE_DIR", cache)
        // pip keeps nothing that came over http, but from a host that is named so.
        .env("PIP_TRUSTED_HOST", "127.0.0.1")
        .trusted_root(&PrivateSigstore::shared().trusted_root_json())
        .trust(&trust);
    // As in an environment that was used before.
    let pip = world.venv().site_packages().join("pip");
    world.run(world.venv().python(), ["-m", "compileall", "-q", pip.to_str().unwrap()]).run();
    world
}

/// Seconds that a command takes.
fn seconds(run: Run) -> f64 {
    let start = Instant::now();
    let outcome = run.run();
    let took = start.elapsed().as_secs_f64();
    outcome.exits(0);
    took
}

/// How an install is made.
#[derive(Clone, Copy)]
enum Way {
    /// By plain pip.
    Plain,
    /// Through the shim.
    Shim,
    /// Through the shim, where a requirements file names the index: pip asks it by itself then, and
    /// nothing is fetched before pip has resolved.
    WithoutGateway,
}

const WAYS: [Way; 3] = [Way::Plain, Way::Shim, Way::WithoutGateway];

impl Way {
    /// Seconds of one install.
    fn install(self, index: &LoopbackIndex, cache: &Path) -> f64 {
        let world = world(index, cache);
        let named = world.path("project/index.txt");
        std::fs::write(named, format!("--index-url {}\np0\n", index.url())).unwrap();
        let took = seconds(match self {
            Self::Plain => world.plain_pip(["install", "-q", "p0"]),
            Self::Shim => world.pip(["install", "-q", "p0"]),
            Self::WithoutGateway => world.pip(["install", "-q", "-r", "index.txt"]),
        });
        assert_eq!(world.freeze().len(), PROJECTS);
        took
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let given: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let latencies = if given.is_empty() { vec![0, 20, 80] } else { given };
    println!("pip install of {PROJECTS} wheels, seconds, medians of {RUNS}");
    println!("cache  latency  plain   shim  ratio  without the gateway");
    for latency in latencies {
        let index = index(Duration::from_millis(latency));
        for cache in [Cache::Cold, Cache::Warm] {
            let kept = WAYS.map(|_| tempfile::tempdir().unwrap());
            if cache == Cache::Warm {
                WAYS.iter().zip(&kept).for_each(|(way, kept)| {
                    way.install(&index, kept.path());
                });
            }
            let mut times = WAYS.map(|_| Vec::new());
            for _ in 0..RUNS {
                for ((way, kept), times) in WAYS.iter().zip(&kept).zip(&mut times) {
                    let fresh = tempfile::tempdir().unwrap();
                    let chosen = if cache == Cache::Cold { &fresh } else { kept };
                    times.push(way.install(&index, chosen.path()));
                }
            }
            let [plain, shim, without] = times.each_mut().map(|times| median(times));
            let name = if cache == Cache::Cold { "cold" } else { "warm" };
            let (ratio, overlap) = (shim / plain, without / plain);
            println!(
                "{name:5}  {latency:4} ms  {plain:5.2}  {shim:5.2}  {ratio:5.2}  {without:5.2}  {overlap:5.2}"
            );
        }
    }
}
