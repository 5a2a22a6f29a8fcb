//! How long `pip lock` takes through the gateway, compared with going to the index directly.
//!
//! `cargo bench --bench gateway`: offline, against the loopback index of the tests, the real pip.
//! 40 wheels that need each other, METADATA beside each (PEP 658), the index 0, 20 and 80 ms away.
//! Direct and through the gateway in turn; medians, and their ratio.
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

use std::time::{Duration, Instant};

use pypi_verify_now::gateway::Judging;
use support::gateway::{Gate, give, prefetching, quick};
use support::index::{Builder, DistFile, LoopbackIndex};
use support::sandbox::Sandbox;
use support::wheel::Wheel;

/// How many projects there are.
const PROJECTS: usize = 40;
/// How often each way is taken.
const RUNS: usize = 5;

/// Project n needs n+1, or 2n+1 and 2n+2 where those exist: a chain, or a tree.
#[derive(Clone, Copy)]
enum Graph {
    Chain,
    Tree,
}

impl Graph {
    fn needs(self, n: usize) -> Vec<usize> {
        match self {
            Self::Chain => vec![n + 1],
            Self::Tree => vec![2 * n + 1, 2 * n + 2, n + 7],
        }
    }

    fn index(self, latency: Duration) -> LoopbackIndex {
        let mut builder = LoopbackIndex::builder().latency(latency);
        for n in 0..PROJECTS {
            let needs = self.needs(n).into_iter().filter(|other| *other < PROJECTS);
            for version in ["1.0", "1.1", "2.0"] {
                let wheel = Wheel::new(&format!("p{n}"), version);
                let wheel = needs.clone().fold(wheel, |w, m| w.requires(&format!("p{m}>=1")));
                let built = wheel.build();
                let file = DistFile::new(&built.filename, built.bytes).metadata(&built.metadata);
                builder = builder.file(&format!("p{n}"), file);
            }
        }
        builder.start()
    }
}

/// Seconds of one `pip lock`.
fn lock(world: &Sandbox, url: &str) -> f64 {
    let start = Instant::now();
    let outcome = world.plain_pip(["lock", "-q", "-i", url, "-o", "pylock.toml", "p0"]).run();
    let took = start.elapsed().as_secs_f64();
    outcome.exits(0);
    assert_eq!(world.read_file("pylock.toml").matches("version = \"2.0\"").count(), PROJECTS);
    took
}

fn through(world: &Sandbox, index: &LoopbackIndex, judging: Judging) -> f64 {
    let start = Instant::now();
    let gate = Gate::start(&[index.url()], quick(), judging, prefetching());
    gate.gateway.prefetch(&["p0".to_owned()]);
    lock(world, &gate.url());
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let world = Sandbox::new().without_env("PIP_NO_INDEX").env("PIP_NO_CACHE_DIR", "1");
    println!("pip lock of {PROJECTS} wheels, seconds, medians of {RUNS}");
    println!("graph  latency  direct  gateway  ratio");
    for (name, graph) in [("chain", Graph::Chain), ("tree", Graph::Tree)] {
        for latency in [0, 20, 80] {
            let index = graph.index(Duration::from_millis(latency));
            let (mut direct, mut gateway) = (Vec::new(), Vec::new());
            for _ in 0..RUNS {
                direct.push(lock(&world, &index.url()));
                gateway.push(through(&world, &index, Judging::Later));
            }
            let (direct, gateway) = (median(direct), median(gateway));
            let ratio = gateway / direct;
            println!("{name:5}  {latency:4} ms  {direct:6.2}  {gateway:7.2}  {ratio:5.2}");
        }
    }
}
