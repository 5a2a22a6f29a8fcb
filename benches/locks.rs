//! The drop-in over locks of 100, 1,000 and 10,000 signed entries: time, CPU, memory, growth.
//!
//! `cargo bench --bench locks`: offline, under the private Sigstore of the tests. Each entry is a
//! wheel of its own project, with a page of twenty releases and a provenance document. Three times:
//! with all of that in files (an index of `file:` URLs), which shows what verifying costs; from the
//! loopback index with nothing kept from before, and again with what an earlier run has kept, where
//! each page is asked for and has not changed. The loopback index runs on the same cores; CPU and
//! memory are those of the tool, and of the pip that it asks for its settings.
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

use std::fs;

use entries::{Entry, RELEASES, lay_out, lock, median, serve};
use support::index::LoopbackIndex;
use support::private_sigstore::PrivateSigstore;
use support::sandbox::{BINARY, Sandbox};

/// The sizes of the locks. The first shows what starting costs, and asking pip.
const SIZES: [usize; 4] = [0, 100, 1_000, 10_000];
/// How often each is verified.
const RUNS: usize = 3;

/// Runs a command and prints its exit code, seconds, CPU seconds and KiB at most; the last two are
/// of the command and of what it starts.
const MEASURE: &str = "\
import os, sys, time
start = time.monotonic()
nowhere = os.open(os.devnull, os.O_WRONLY)
actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, used = os.wait4(pid, 0)
took = time.monotonic() - start
print(os.waitstatus_to_exitcode(status), took, used.ru_utime + used.ru_stime, used.ru_maxrss)
";

/// The time and memory of one run.
struct Took {
    seconds: f64,
    cpu: f64,
    mib: f64,
}

fn verify(world: &Sandbox, lock: &str) -> Took {
    let python = &world.venv().base.executable;
    let outcome = world.run(python, ["-I", "-c", MEASURE, BINARY, "-L", lock]).run();
    outcome.exits(0);
    let numbers: Vec<f64> =
        outcome.stdout.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert!(numbers[0] == 0.0, "{}", outcome.stderr);
    Took { seconds: numbers[1], cpu: numbers[2], mib: numbers[3] / 1024.0 }
}

/// The state that is kept from one run to the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cache {
    Cold,
    Warm,
}

/// Verifies locks of all sizes from one place, and prints a line for each.
fn table(place: &str, cache: Cache, world: &Sandbox) {
    let mut before: Option<f64> = None;
    for size in SIZES {
        let name = format!("{size}.toml");
        let mut took: Vec<Took> = Vec::new();
        for _ in 0..RUNS {
            if cache == Cache::Cold {
                let _ = fs::remove_dir_all(world.path("home/.cache"));
            }
            took.push(verify(world, &name));
        }
        let seconds = median(took.iter().map(|t| t.seconds).collect());
        let cpu = median(took.iter().map(|t| t.cpu).collect());
        let mib = took.iter().map(|t| t.mib).fold(0.0, f64::max);
        let growth = before.map_or(String::new(), |before| format!("{:.1}", seconds / before));
        let rate = size as f64 / cpu;
        println!("{place:14} {size:7} {seconds:9.2} {cpu:7.2} {rate:9.0} {mib:9.1} {growth:>7}");
        before = (size > 0).then_some(seconds);
    }
}

fn write_locks(world: &Sandbox, entries: &[Entry], place: impl Fn(&str) -> String) {
    for size in SIZES {
        world.write_file(&format!("{size}.toml"), lock(&entries[..size], &place));
    }
}

fn main() {
    let entries = Entry::many(SIZES[SIZES.len() - 1]);
    let pins: String = entries.iter().map(Entry::pin).collect();
    let root = PrivateSigstore::shared().trusted_root_json();
    println!("pypi-verify-now -L LOCK, {RELEASES} releases a page, medians of {RUNS}");
    println!("from           entries   seconds     cpu  a cpu s  peak MiB  growth");

    let world = Sandbox::new().trusted_root(&root).trust(&pins);
    let at = lay_out(&entries, &world.path("index"));
    let world = world.index(at.join("simple/").unwrap().as_str());
    write_locks(&world, &entries, |filename| format!("{at}files/{filename}"));
    table("files", Cache::Cold, &world);

    let keepable = LoopbackIndex::builder().etags().cache_control("max-age=600");
    let index = serve(&entries, keepable).start();
    let world = Sandbox::new().trusted_root(&root).trust(&pins).index(&index.url());
    write_locks(&world, &entries, |filename| index.file_url(filename));
    table("index, cold", Cache::Cold, &world);
    table("index, warm", Cache::Warm, &world);
}
