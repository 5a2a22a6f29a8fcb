//! The cost of looking into the wheels of a run before pip unpacks them.
//!
//! `cargo bench --bench contents`: a hundred wheels of 120 members each, made here and kept in
//! memory where the system has a directory for that; the listings alone are what is measured. With
//! `WHEELS=DIR` the wheels of that directory are looked into instead, each project taken for one
//! with a publisher of its own, which is the strictest case; what would be refused is printed.
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
use std::path::{Path, PathBuf};
use std::time::Instant;

use pypi_verify_now::attestation::publisher::PublisherUrl;
use pypi_verify_now::contents::ground::OutOfBounds;
use pypi_verify_now::contents::{Wheel, violations};
use pypi_verify_now::package::filename::DistFilename;
use pypi_verify_now::pip::scheme::Scheme;

const WHEELS: usize = 100;
const MEMBERS: usize = 120;
const ROUNDS: usize = 21;

fn main() {
    let memory = tempfile::tempdir_in("/dev/shm");
    let made = memory.or_else(|_| tempfile::tempdir()).unwrap();
    let real = std::env::var_os("WHEELS").map(PathBuf::from);
    if real.is_none() {
        make(made.path());
    }
    let wheels = wheels(real.as_deref().unwrap_or(made.path()));
    let scheme = scheme(made.path());
    let look = || violations(&wheels, &scheme, &OutOfBounds::default(), []);
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            look();
            begin.elapsed()
        })
        .collect();
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!(
        "{} wheels looked into: {:.1} ms (median of {ROUNDS}; {:.1} to {:.1})",
        wheels.len(),
        ms(ROUNDS / 2),
        ms(0),
        ms(ROUNDS - 1)
    );
    let found = look();
    println!("refused: {}", found.len());
    found.iter().for_each(|violation| println!("  {}: {}", violation.wheel, violation.wrong));
}

/// Wheels with members of some hundred bytes each; their number is what a listing costs.
fn make(directory: &Path) {
    for number in 0..WHEELS {
        let name = format!("project{number}");
        let mut wheel = support::wheel::Wheel::new(&name, "1.0");
        for member in 0..MEMBERS {
            let path = format!("{name}/part{}/module{member}.py", member % 7);
            wheel = wheel.file(&path, &format!("value = {member}\n").repeat(40));
        }
        let wheel = wheel.script(&format!("{name} = {name}:main")).build();
        fs::write(directory.join(&wheel.filename), &wheel.bytes).unwrap();
    }
}

fn wheels(directory: &Path) -> Vec<Wheel> {
    let mut wheels = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let filename = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(parsed) = DistFilename::parse(&filename) else { continue };
        if !filename.ends_with(".whl") {
            continue;
        }
        let name = parsed.name().clone();
        let publisher = format!("https://github.com/{name}/{name}");
        let title = format!("{name} {}", parsed.version());
        let publisher = Some(PublisherUrl::parse(&publisher).unwrap());
        wheels.push(Wheel { name, title, filename, path, publisher });
    }
    wheels
}

/// A virtual environment that is not there.
fn scheme(directory: &Path) -> Scheme {
    let at = |path: &str| directory.join("venv").join(path).display().to_string();
    Scheme {
        purelib: at("lib/python3.11/site-packages"),
        platlib: at("lib/python3.11/site-packages"),
        headers: at("include/site/python3.11/{name}"),
        scripts: at("bin"),
        data: directory.join("venv").display().to_string(),
        library_in_data: String::new(),
        replaces: false,
        configuration: Vec::new(),
        library: vec!["/usr/lib/python3.11".into()],
        interpreters: vec![directory.join("venv/bin/python3")],
        pip: None,
    }
}
