//! The real pip is the next one on PATH that is not this program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::pip::find::{FindError, MAX_DEPTH, check_recursion, find_real_pip};
use tempfile::TempDir;

/// Directories with programs, and a stand-in for this program, which is never run.
struct World {
    root: TempDir,
    path: Vec<PathBuf>,
}

impl World {
    fn new() -> Self {
        let world = Self { root: TempDir::new().unwrap(), path: Vec::new() };
        world.file("own/the-binary", "this program", 0o755);
        world
    }

    fn at(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn file(&self, relative: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.at(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// One more directory on PATH, made by `lay`.
    fn on_path(mut self, directory: &str, lay: impl FnOnce(&Self, &Path)) -> Self {
        let path = self.at(directory);
        fs::create_dir_all(&path).unwrap();
        lay(&self, &path);
        self.path.push(path);
        self
    }

    fn with_pip(self, directory: &str) -> Self {
        let pip = format!("{directory}/pip");
        self.on_path(directory, |world, _| drop(world.file(&pip, "#!/bin/sh\n", 0o755)))
    }

    fn find(&self, name: &str) -> Result<PathBuf, FindError> {
        let path = std::env::join_paths(&self.path).unwrap();
        self.find_on(name, &path)
    }

    fn find_on(&self, name: &str, path: &OsStr) -> Result<PathBuf, FindError> {
        find_real_pip(OsStr::new(name), path, &self.at("own/the-binary"), self.root.path(), &[])
    }
}

#[test]
fn first_pip_behind_the_shim_is_the_real_one() {
    let world = World::new()
        .on_path("shims", |w, dir| symlink(w.at("own/the-binary"), dir.join("pip")).unwrap())
        .with_pip("venv/bin")
        .with_pip("usr/bin");
    assert_eq!(world.find("pip").unwrap(), world.at("venv/bin/pip"));
}

#[test]
fn shim_is_skipped_at_any_place_on_path() {
    let world = World::new()
        .on_path("a", |w, dir| symlink(w.at("own/the-binary"), dir.join("pip")).unwrap())
        .on_path("b", |_, dir| symlink("../a/pip", dir.join("pip")).unwrap())
        .on_path("c", |w, dir| fs::hard_link(w.at("own/the-binary"), dir.join("pip")).unwrap())
        .on_path("d", |w, _| drop(w.file("d/pip", "this program", 0o755)))
        .on_path("e", |w, dir| {
            let other = w.file("older/pypi-verify-now", "another version", 0o755);
            symlink(other, dir.join("pip")).unwrap();
        })
        .with_pip("real");
    assert_eq!(world.find("pip").unwrap(), world.at("real/pip"));
}

#[test]
fn file_of_equal_length_with_other_bytes_is_a_pip() {
    let world = World::new()
        .on_path("a", |w, _| drop(w.file("a/pip", "that program", 0o755)))
        .with_pip("b");
    assert_eq!(world.find("pip").unwrap(), world.at("a/pip"));
}

#[test]
fn files_that_cannot_be_executed_are_skipped() {
    let world = World::new()
        .on_path("a", |w, _| drop(w.file("a/pip", "#!/bin/sh\n", 0o644)))
        .on_path("b", |_, dir| fs::create_dir(dir.join("pip")).unwrap())
        .on_path("c", |_, dir| symlink("nowhere", dir.join("pip")).unwrap())
        .on_path("d", |_, dir| symlink("pip", dir.join("pip")).unwrap())
        .with_pip("real");
    assert_eq!(world.find("pip").unwrap(), world.at("real/pip"));
}

#[test]
fn empty_and_relative_entries_are_below_the_working_directory() {
    let world = World::new();
    world.file("pip", "#!/bin/sh\n", 0o755);
    world.file("bin/pip", "#!/bin/sh\n", 0o755);
    let search = std::env::join_paths([world.at("nowhere"), "".into(), "bin".into()]).unwrap();
    assert_eq!(world.find_on("pip", &search).unwrap(), world.at("pip"));
    assert_eq!(world.find_on("pip", OsStr::new("bin")).unwrap(), world.at("bin/pip"));
}

#[test]
fn missing_pip_is_an_error_with_the_next_step() {
    let world = World::new()
        .on_path("shims", |w, dir| symlink(w.at("own/the-binary"), dir.join("pip")).unwrap());
    let failure = Failure::from(world.find("pip").unwrap_err());
    assert_eq!(failure.status, Status::CouldNotCheck);
    assert_eq!(failure.message, "no `pip` on PATH besides the shim of pypi-verify-now");
    assert!(failure.hints.concat().contains("python3 -m venv"), "{failure:?}");
}

#[test]
fn pip_of_another_name_is_mentioned_and_not_used() {
    let world = World::new().with_pip("bin");
    for name in ["pip3", "pip3.11"] {
        let failure = Failure::from(world.find(name).unwrap_err());
        assert_eq!(failure.status, Status::CouldNotCheck);
        assert!(failure.hints.concat().contains("there is `pip`"), "{failure:?}");
    }
}

#[test]
fn name_with_a_directory_in_it_is_refused() {
    let world = World::new().with_pip("bin");
    for name in ["", "..", "bin/pip", "../bin/pip", "/bin/pip"] {
        assert!(matches!(world.find(name), Err(FindError::NotAName(_))), "{name}");
    }
}

#[test]
fn missing_own_executable_is_an_error() {
    let world = World::new().with_pip("bin");
    fs::remove_file(world.at("own/the-binary")).unwrap();
    assert!(matches!(world.find("pip"), Err(FindError::OwnExecutable { .. })));
}

#[test]
fn pip_that_leads_back_here_ends_in_an_error() {
    let mut depth: Option<OsString> = None;
    for expected in 1..=MAX_DEPTH {
        let next = check_recursion(depth.as_deref()).unwrap();
        assert_eq!(next, expected);
        depth = Some(next.to_string().into());
    }
    let failure = Failure::from(check_recursion(depth.as_deref()).unwrap_err());
    assert_eq!(failure.status, Status::CouldNotCheck);
    assert!(failure.message.contains("leads back"), "{failure:?}");
}

#[test]
fn depth_that_is_not_a_number_is_an_error() {
    for value in ["", "x", "-1", "4294967296", "99999999999999999999"] {
        assert!(matches!(check_recursion(Some(OsStr::new(value))), Err(FindError::Depth(_))));
    }
    assert!(matches!(check_recursion(Some(OsStr::new("9"))), Err(FindError::Loop)));
}
