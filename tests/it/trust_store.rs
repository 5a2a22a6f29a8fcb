//! The trust file on disk: which one counts, and that recording loses and overwrites nothing.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::name::PackageName;
use pypi_verify_now::publisher::PublisherUrl;
use pypi_verify_now::trust::location::{Location, Surroundings};
use pypi_verify_now::trust::store::{Store, StoreError};

/// A directory of its own, and what is asked about it.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn with(self, path: &str, text: &str) -> Self {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
        self
    }

    fn with_directory(self, path: &str) -> Self {
        fs::create_dir_all(self.path(path)).unwrap();
        self
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Where the trust file is for a run in `cwd`, with `home` below this directory.
    fn find(&self, cwd: &str, filename: Option<&str>) -> Location {
        Location::find(&Surroundings {
            filename: filename.map(Path::new),
            cwd: &self.path(cwd),
            xdg_config_home: None,
            home: Some(&self.path("home")),
        })
    }

    fn store(&self) -> Store {
        Store::at(Location::Named(self.path(".provenance.txt")))
    }
}

fn pins(pins: &[(&str, &str)]) -> Vec<(PackageName, PublisherUrl)> {
    let url = |owner: &str| format!("https://github.com/{owner}/x");
    let pin = |(name, owner): &(&str, &str)| {
        (PackageName::parse(name).unwrap(), PublisherUrl::parse(&url(owner)).unwrap())
    };
    pins.iter().map(pin).collect()
}

const A: &str = "a https://github.com/alice/x\n";

#[test]
fn the_named_file_wins_and_is_relative_to_the_working_directory() {
    let world = World::new().with("p/.provenance.txt", A);
    assert_eq!(world.find("p", Some("ci/t.txt")), Location::Named(world.path("p/ci/t.txt")));
    let absolute = world.path("elsewhere/t.txt");
    assert_eq!(world.find("p", absolute.to_str()), Location::Named(absolute));
    assert_eq!(world.find("p", Some("")), Location::Project(world.path("p/.provenance.txt")));
}

#[test]
fn the_nearest_file_up_to_the_root_of_the_repository_counts() {
    let world = World::new()
        .with("r/.git", "gitdir: elsewhere")
        .with("r/.provenance.txt", A)
        .with("r/a/.provenance.txt", A)
        .with_directory("r/a/b")
        .with_directory("r/c");
    assert_eq!(world.find("r/a/b", None), Location::Project(world.path("r/a/.provenance.txt")));
    assert_eq!(world.find("r/c", None), Location::Project(world.path("r/.provenance.txt")));
}

#[test]
fn nothing_above_the_repository_or_outside_of_one_counts() {
    let world = World::new()
        .with(".provenance.txt", A)
        .with_directory("r/.git")
        .with_directory("r/c")
        .with_directory("plain/c");
    assert_eq!(world.find("r/c", None), Location::New(world.path("r/c/.provenance.txt")));
    if world.directory.path().ancestors().any(|above| above.join(".git").exists()) {
        eprintln!("temporary files are kept in a repository: nothing lies outside of one");
        return;
    }
    assert_eq!(world.find("plain/c", None), Location::New(world.path("plain/c/.provenance.txt")));
}

#[test]
fn the_users_own_file_counts_where_the_project_has_none() {
    let own = "home/.config/pypi-verify-now/provenance.txt";
    let world = World::new().with(own, A).with_directory("p").with("q/.provenance.txt", A);
    assert_eq!(world.find("p", None), Location::User(world.path(own)));
    assert_eq!(world.find("q", None), Location::Project(world.path("q/.provenance.txt")));
}

#[test]
fn xdg_config_home_moves_the_users_own_file() {
    let world = World::new().with("xdg/pypi-verify-now/provenance.txt", A).with_directory("p");
    let (cwd, xdg) = (world.path("p"), world.path("xdg"));
    let surroundings =
        Surroundings { filename: None, cwd: &cwd, xdg_config_home: Some(&xdg), home: None };
    let own = world.path("xdg/pypi-verify-now/provenance.txt");
    assert_eq!(Location::find(&surroundings), Location::User(own));
    let relative = Surroundings { xdg_config_home: Some(Path::new("xdg")), ..surroundings };
    assert_eq!(Location::find(&relative), Location::New(cwd.join(".provenance.txt")));
}

#[test]
fn somebody_elses_file_above_the_working_directory_does_not_count() {
    let world = World::new().with("r/.provenance.txt", A).with_directory("r/.git/x/../../c");
    assert_eq!(world.find("r/c", None), Location::Project(world.path("r/.provenance.txt")));
    let stranger = |path: &str| std::os::unix::fs::lchown(world.path(path), Some(12345), None);
    if stranger("r/.provenance.txt").is_err() {
        return; // Only root can give a file away.
    }
    assert_eq!(world.find("r/c", None), Location::New(world.path("r/c/.provenance.txt")));
    stranger("r/.git").unwrap();
    assert_eq!(world.find("r/c", None), Location::New(world.path("r/c/.provenance.txt")));
}

#[test]
fn a_file_that_does_not_exist_has_no_pins_and_is_not_made_by_reading() {
    let world = World::new();
    assert_eq!(world.store().load().unwrap().pins().count(), 0);
    assert_eq!(world.store().record(&[]).unwrap().pins().count(), 0);
    assert!(world.files().is_empty());
}

#[test]
fn a_file_that_does_not_parse_is_bad_input_and_names_file_and_line() {
    let world =
        World::new().with(".provenance.txt", "a https://github.com/alice/x\n<<<<<<< HEAD\n");
    let failure = Failure::from(world.store().load().unwrap_err());
    assert_eq!(failure.status, Status::BadInput);
    let path = world.path(".provenance.txt").display().to_string();
    assert!(failure.message.contains(&path) && failure.message.contains("line 2"), "{failure:?}");
}

#[test]
fn what_cannot_be_read_as_a_file_is_bad_input() {
    let world = World::new().with_directory(".provenance.txt");
    let error = world.store().load().unwrap_err();
    assert!(matches!(error, StoreError::Read { .. }), "{error}");
    assert_eq!(Failure::from(error).status, Status::BadInput);
    assert!(matches!(world.store().record(&pins(&[("a", "alice")])), Err(StoreError::NotAFile(_))));
    let endless = Store::at(Location::Named("/dev/zero".into()));
    assert!(matches!(endless.load(), Err(StoreError::TooLarge(_))));
}

#[test]
fn a_new_pin_is_recorded_among_what_was_there_and_nothing_else_is_left_behind() {
    let world = World::new().with(".provenance.txt", &format!("# ours\n{A}"));
    let file = world.store().record(&pins(&[("b", "bob"), ("a", "Alice")])).unwrap();
    assert_eq!(world.read(".provenance.txt"), file.to_string());
    assert!(file.to_string().starts_with(&format!("# ours\n{A}b  ")), "{file}");
    assert_eq!(world.files(), [".provenance.txt"]);
}

#[test]
fn with_nothing_to_add_the_file_is_not_written() {
    let world = World::new().with(".provenance.txt", A);
    let before = world.path(".provenance.txt").metadata().unwrap();
    world.store().record(&pins(&[("a", "alice")])).unwrap();
    let after = world.path(".provenance.txt").metadata().unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

#[test]
fn a_pin_that_appeared_meanwhile_is_a_refusal_and_stays() {
    let world = World::new().with(".provenance.txt", A);
    let error = world.store().record(&pins(&[("b", "bob"), ("a", "mallory")])).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert_eq!(Failure::from(error).status, Status::Refused);
    assert_eq!(world.read(".provenance.txt"), A);
}

#[test]
fn two_publishers_for_one_project_in_one_recording_are_a_refusal_that_leaves_no_file() {
    let world = World::new();
    let error = world.store().record(&pins(&[("a", "alice"), ("a", "mallory")])).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert!(world.files().is_empty());
}

#[test]
fn a_file_that_does_not_parse_is_never_overwritten() {
    let world = World::new().with(".provenance.txt", "import os\n");
    assert!(world.store().record(&pins(&[("a", "alice")])).is_err());
    assert_eq!(world.read(".provenance.txt"), "import os\n");
    assert_eq!(world.files(), [".provenance.txt"]);
}

#[test]
fn recording_keeps_the_mode_and_goes_through_symbolic_links() {
    let world = World::new().with("real.txt", A);
    fs::set_permissions(world.path("real.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.txt", world.path(".provenance.txt")).unwrap();
    world.store().record(&pins(&[("b", "bob")])).unwrap();
    assert!(world.path(".provenance.txt").is_symlink());
    assert!(world.read("real.txt").contains("bob"));
    assert_eq!(world.path("real.txt").metadata().unwrap().mode() & 0o777, 0o640);
}

#[test]
fn a_link_to_a_file_that_is_not_there_yet_makes_that_file() {
    let world = World::new();
    symlink("real.txt", world.path(".provenance.txt")).unwrap();
    world.store().record(&pins(&[("b", "bob")])).unwrap();
    assert!(world.path(".provenance.txt").is_symlink());
    assert!(world.read("real.txt").contains("bob"));
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_names_the_file() {
    let world = World::new();
    let store = Store::at(Location::Named(world.path("gone/provenance.txt")));
    let failure = Failure::from(store.record(&pins(&[("a", "alice")])).unwrap_err());
    assert_eq!(failure.status, Status::BadInput);
    let path = world.path("gone/provenance.txt").display().to_string();
    assert!(failure.message.contains(&path), "{failure:?}");
    assert!(world.files().is_empty());
}

#[test]
fn fifty_that_record_at_once_lose_nothing() {
    let world = World::new();
    let start = Barrier::new(50);
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (world, start) = (&world, &start);
            scope.spawn(move || {
                start.wait();
                world.store().record(&pins(&[(&format!("p{number}"), "alice")])).unwrap();
            });
        }
    });
    assert_eq!(world.store().load().unwrap().pins().count(), 50);
    assert_eq!(world.files(), [".provenance.txt"]);
}

#[test]
fn recording_waits_for_whoever_holds_the_lock() {
    let world = World::new().with(".provenance.txt", A);
    let path = world.path(".provenance.txt");
    let mut other = fs::OpenOptions::new().append(true).open(path).unwrap();
    other.lock().unwrap();
    std::thread::scope(|scope| {
        let ours = scope.spawn(|| world.store().record(&pins(&[("b", "bob")])).unwrap());
        other.write_all(b"c https://github.com/carol/x\n").unwrap();
        other.unlock().unwrap();
        assert_eq!(ours.join().unwrap().pins().count(), 3);
    });
}
