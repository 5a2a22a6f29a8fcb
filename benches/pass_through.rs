//! The cost of standing ahead of pip for a command that does not install.
//!
//! `cargo bench --bench pass_through`: offline. `pip --version` of the real pip, and of the shim
//! that hands over to it, in pairs, whichever is first in turn; then the same with a program that
//! ends at once in pip's place, which shows the shim without the noise of a Python. Medians.
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

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use support::sandbox::Sandbox;

/// How many pairs are run.
const PAIRS: usize = 101;

/// Milliseconds of one run.
fn time(mut command: Command) -> f64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let took = start.elapsed().as_secs_f64() * 1000.0;
    assert!(status.success());
    took
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Runs both in turn and prints a line.
fn compare(name: &str, plain: impl Fn() -> Command, shim: impl Fn() -> Command) {
    let (mut plains, mut shims, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..PAIRS {
        let (without, with) = if n % 2 == 0 {
            let without = time(plain());
            (without, time(shim()))
        } else {
            let with = time(shim());
            (time(plain()), with)
        };
        plains.push(without);
        shims.push(with);
        added.push(with - without);
    }
    let (plain, shim, added) = (median(plains), median(shims), median(added));
    println!("{name:16} {plain:9.2} {shim:9.2} {added:9.2}");
}

fn main() {
    let world = Sandbox::new();
    println!("milliseconds, medians of {PAIRS} pairs");
    println!("                     plain      shim     added");
    let plain = || world.plain_pip(["--version"]).command();
    compare("pip --version", plain, || world.pip(["--version"]).command());

    // The shims and the rest of PATH, without the environment's own pip.
    let ends_at_once = world.path("ends-at-once");
    fs::create_dir(&ends_at_once).unwrap();
    fs::copy("/bin/true", ends_at_once.join("pip")).unwrap();
    let search = std::env::join_paths([world.shims(), ends_at_once.clone()]).unwrap();
    compare(
        "a pip of nothing",
        || world.run(ends_at_once.join("pip"), ["--version"]).command(),
        || world.pip(["--version"]).env("PATH", &search).command(),
    );
}
