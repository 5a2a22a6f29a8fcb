//! The trust files on disk: which count, and that recording loses and overwrites nothing.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use pypi_verify_now::attestation::publisher::PublisherUrl;
use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::trust::location::{Places, Surroundings};
use pypi_verify_now::trust::ownership::User;
use pypi_verify_now::trust::pins::Pins;
use pypi_verify_now::trust::policy::Unrecorded;
use pypi_verify_now::trust::store::Store;
use pypi_verify_now::trust::store_error::StoreError;

/// A directory of its own, and what is asked about it.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(path)
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

    fn with_link(self, path: &str, target: &str) -> Self {
        symlink(target, self.path(path)).unwrap();
        self
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Gives a file or a link away. Only root can; else the table of `trust_pins` is the test.
    fn give_away(&self, path: &str) -> bool {
        lchown(self.path(path), Some(STRANGER), Some(STRANGER)).is_ok()
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

    /// The trust files of a run in `cwd`, with `home` and `etc` below this directory.
    fn at(&self, cwd: &str, filename: Option<&str>) -> Store {
        Store::at(self.places(cwd, filename))
    }

    fn places(&self, cwd: &str, filename: Option<&str>) -> Places {
        Places::find(&Surroundings {
            filename: filename.map(Path::new),
            cwd: &self.path(cwd),
            xdg_config_home: None,
            home: Some(&self.path("home")),
            system: &self.path(SYSTEM),
            user: user(),
        })
    }

    /// The files that are in force in `cwd`, by their paths in this directory.
    fn in_force(&self, cwd: &str) -> Vec<String> {
        let pins = load(&self.at(cwd, None)).unwrap();
        let path = |path: &Path| path.strip_prefix(self.path("")).unwrap().display().to_string();
        pins.files().iter().map(|file| path(&file.path)).collect()
    }

    /// The file that trust on first use changes in `cwd`.
    fn records_in(&self, cwd: &str) -> PathBuf {
        self.at(cwd, None).record(&pins(&[("new", "alice")])).unwrap()
    }

    /// A store that records in `.provenance.txt` here.
    fn store(&self) -> Store {
        self.at("", Some(".provenance.txt"))
    }
}

/// The owner of files that are given away.
const STRANGER: u32 = 12345;

const SYSTEM: &str = "etc/pypi-verify-now/provenance.txt";
const OWN: &str = "home/.config/pypi-verify-now/provenance.txt";

fn user() -> User {
    let (id, group) = (rustix::process::geteuid(), rustix::process::getegid());
    User { id: id.as_raw(), group: group.as_raw() }
}

fn load(store: &Store) -> Result<Pins, StoreError> {
    store.load(Unrecorded::Record)
}

/// The failure, which is of bad input and says all of this.
#[track_caller]
fn is_bad_input(error: StoreError, texts: &[&str]) {
    let failure = Failure::from(error);
    assert_eq!(failure.status, Status::BadInput);
    let said = format!("{} {}", failure.message, failure.hints.join(" "));
    texts.iter().for_each(|text| assert!(said.contains(text), "no {text:?} in {failure:?}"));
}

fn pins(pins: &[(&str, &str)]) -> Vec<(PackageName, PublisherUrl)> {
    let url = |owner: &str| format!("https://github.com/{owner}/x");
    let pin = |(name, owner): &(&str, &str)| {
        (PackageName::parse(name).unwrap(), PublisherUrl::parse(&url(owner)).unwrap())
    };
    pins.iter().map(pin).collect()
}

const A: &str = "a https://github.com/alice/x\n";
const B: &str = "b https://github.com/bob/x\n";
const C: &str = "c https://github.com/carol/x\n";

#[test]
fn every_file_from_the_system_to_the_working_directory_is_in_force() {
    let world = World::new()
        .with(SYSTEM, A)
        .with(OWN, B)
        .with("r/.git", "gitdir: elsewhere")
        .with("r/.provenance.txt", C)
        .with("r/a/b/.provenance.txt", "d https://github.com/dave/x\n");
    let all = [SYSTEM, OWN, "r/.provenance.txt", "r/a/b/.provenance.txt"];
    assert_eq!(world.in_force("r/a/b"), all);
    assert_eq!(world.in_force("r/a"), all[..3]);
    assert_eq!(load(&world.at("r/a/b", None)).unwrap().pins().count(), 4);
}

#[test]
fn named_file_replaces_the_project_file_alone() {
    let world = World::new().with(SYSTEM, A).with(OWN, B).with("p/.provenance.txt", C);
    let world = world.with_directory("p/.git").with("p/ci/t.txt", "d https://github.com/dave/x\n");
    let named = load(&world.at("p", Some("ci/t.txt"))).unwrap();
    let names: Vec<_> = named.pins().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "d"]);
    assert_eq!(named.record(), Some(&*world.path("p/ci/t.txt")));
    assert_eq!(world.in_force("p"), [SYSTEM, OWN, "p/.provenance.txt"]);
    assert_eq!(load(&world.at("p", Some(""))).unwrap().pins().count(), 3);
}

#[test]
fn missing_named_file_is_bad_input_unless_recorded_in() {
    let world = World::new().with_directory("p");
    let named = world.at("p", Some("t.txt"));
    let error = named.load(Unrecorded::Refuse).unwrap_err();
    is_bad_input(error, &["p/t.txt", "does not exist", "TOFU=1"]);
    assert_eq!(load(&named).unwrap().pins().count(), 0);
    named.record(&pins(&[("a", "alice")])).unwrap();
    assert_eq!(named.load(Unrecorded::Refuse).unwrap().pins().count(), 1);
    // A file that nobody named need not be there.
    assert!(world.at("p", None).load(Unrecorded::Refuse).is_ok());
}

#[test]
fn files_above_or_outside_a_repository_do_not_count() {
    let world = World::new()
        .with(".provenance.txt", A)
        .with_directory("r/.git")
        .with("r/c/.provenance.txt", B)
        .with("plain/.provenance.txt", A)
        .with("plain/c/.provenance.txt", B);
    assert_eq!(world.in_force("r/c"), ["r/c/.provenance.txt"]);
    assert_eq!(world.in_force("plain/c"), ["plain/c/.provenance.txt"]);
}

#[test]
fn nearer_repository_mark_keeps_outer_pins() {
    for mark in ["r/vendor/lib/.git/HEAD", "r/vendor/lib/.git"] {
        let world = World::new()
            .with_directory("r/.git")
            .with("r/.provenance.txt", A)
            .with(mark, "")
            .with("r/vendor/lib/.provenance.txt", "")
            .with_directory("r/vendor/lib/src");
        let both = ["r/.provenance.txt", "r/vendor/lib/.provenance.txt"];
        assert_eq!(world.in_force("r/vendor/lib/src"), both);
        let pins = load(&world.at("r/vendor/lib/src", None)).unwrap();
        assert!(pins.pin(&PackageName::parse("a").unwrap()).is_some());
    }
    let world = World::new().with_directory("r/.git").with("r/.provenance.txt", A);
    let world = world.with_directory("r/lib/src").with_link("r/lib/.git", "nowhere");
    assert_eq!(world.in_force("r/lib/src"), ["r/.provenance.txt"]);
}

#[test]
fn xdg_config_home_moves_the_users_own_file() {
    let world = World::new().with("xdg/pypi-verify-now/provenance.txt", A).with_directory("p");
    let (cwd, xdg, system) = (world.path("p"), world.path("xdg"), world.path(SYSTEM));
    let surroundings = Surroundings {
        filename: None,
        cwd: &cwd,
        xdg_config_home: Some(&xdg),
        home: None,
        system: &system,
        user: user(),
    };
    let own = world.path("xdg/pypi-verify-now/provenance.txt");
    assert_eq!(Places::find(&surroundings).own, Some(own));
    let relative = Surroundings { xdg_config_home: Some(Path::new("xdg")), ..surroundings };
    let places = Places::find(&relative);
    assert_eq!((&places.own, places.record()), (&None, None));
    let error = Store::at(places).record(&pins(&[("a", "alice")])).unwrap_err();
    is_bad_input(error, &["HOME is not set", "FILENAME"]);
}

#[test]
fn foreign_file_is_bad_input() {
    for place in ["r/.provenance.txt", "r/c/.provenance.txt", OWN, SYSTEM] {
        let world = World::new().with_directory("r/.git").with_directory("r/c").with(place, A);
        assert_eq!(world.in_force("r/c"), [place]);
        if !world.give_away(place) {
            return;
        }
        let error = load(&world.at("r/c", None)).unwrap_err();
        is_bad_input(error, &[place, "belongs to user 12345", "chown -h"]);
    }
}

#[test]
fn file_of_the_owner_of_a_closed_directory_counts() {
    let world = World::new().with("r/c/.provenance.txt", A).with_directory("r/.git");
    for path in ["r", "r/.git", "r/c", "r/c/.provenance.txt"] {
        if !world.give_away(path) {
            return;
        }
    }
    assert_eq!(world.in_force("r/c"), ["r/c/.provenance.txt"]);
    // With umask 002 the group that may write is the owner's private one.
    world.mode("r/c", 0o775);
    assert_eq!(world.in_force("r/c"), ["r/c/.provenance.txt"]);
    for mode in [0o777, 0o1777] {
        world.mode("r/c", mode);
        assert!(load(&world.at("r/c", None)).is_err(), "{mode:o}");
    }
}

#[test]
fn foreign_mark_counts_unless_its_directory_is_shared() {
    let world = World::new().with_directory("r/.git").with("r/.provenance.txt", A);
    let world = world.with_directory("r/c");
    if !world.give_away("r/.git") {
        return;
    }
    assert_eq!(world.in_force("r/c"), ["r/.provenance.txt"]);
    world.mode("r", 0o1777);
    assert!(world.in_force("r/c").is_empty());
}

#[test]
fn world_writable_file_is_bad_input() {
    let world = World::new().with("p/.provenance.txt", A);
    for (mode, counts) in [(0o664, true), (0o600, true), (0o646, false), (0o666, false)] {
        world.mode("p/.provenance.txt", mode);
        match load(&world.at("p", None)) {
            Ok(_) => assert!(counts, "{mode:o}"),
            Err(error) => {
                assert!(!counts, "{mode:o}");
                is_bad_input(error, &["everybody may write", "chmod o-w"]);
            }
        }
    }
}

#[test]
fn link_counts_if_it_and_its_target_are_the_users() {
    let world = || World::new().with("real.txt", A).with("p/x", "").with("q/x", "");
    let link = |world: World| world.with_link("q/way", "../real.txt");
    let world = || link(world()).with_link("p/.provenance.txt", "../q/way");
    assert_eq!(world().in_force("p"), ["p/.provenance.txt"]);
    for (stranger, says) in [
        ("p/.provenance.txt", "p/.provenance.txt"),
        ("q/way", "it leads to"),
        ("real.txt", "it leads to"),
    ] {
        let world = world();
        if !world.give_away(stranger) {
            return;
        }
        let error = load(&world.at("p", None)).unwrap_err();
        is_bad_input(error, &["belongs to user 12345", says]);
    }
}

#[test]
fn dangling_link_is_bad_input() {
    for target in ["nowhere", ".provenance.txt"] {
        let world = World::new().with("p/x", "").with_link("p/.provenance.txt", target);
        let store = world.at("p", None);
        is_bad_input(load(&store).unwrap_err(), &["p/.provenance.txt", "link"]);
        assert!(store.record(&pins(&[("a", "alice")])).is_err());
        assert!(!world.path("p/nowhere").exists());
    }
}

#[test]
fn trust_on_first_use_writes_to_the_nearest_file_of_the_project() {
    let world = World::new().with_directory("r/.git").with_directory("r/a/b").with("r/x", "");
    let world = world.with("r/.provenance.txt", A).with("r/a/.provenance.txt", "").with(OWN, B);
    assert_eq!(world.records_in("r/a/b"), world.path("r/a/.provenance.txt"));
    assert_eq!(world.records_in("r"), world.path("r/.provenance.txt"));
    assert_eq!(world.read(OWN), B);
}

#[test]
fn new_file_is_made_at_the_root_of_the_repository() {
    let world = World::new().with_directory("r/.git").with_directory("r/a/b").with(OWN, B);
    assert_eq!(world.records_in("r/a/b"), world.path("r/.provenance.txt"));
    assert_eq!(world.path("r/.provenance.txt").metadata().unwrap().mode() & 0o133, 0);
    // With dotfiles in a repository of their own, a project is still a project.
    let world = World::new().with_directory("home/.git").with_directory("home/src/p/.git");
    let world = world.with_directory("home/src/p/a");
    assert_eq!(world.records_in("home/src/p/a"), world.path("home/src/p/.provenance.txt"));
}

#[test]
fn outside_a_repository_a_new_pin_goes_to_the_users_own_file() {
    let world = World::new().with_directory("plain").with_directory("home");
    assert_eq!(world.records_in("plain"), world.path(OWN));
    assert!(world.read(OWN).starts_with("new "));
    let directory = world.path(OWN).parent().unwrap().metadata().unwrap();
    assert_eq!(directory.mode() & 0o777, 0o700);
    assert!(!world.path("plain/.provenance.txt").exists());
    // A file in the working directory is the project's, in whatever directory that is.
    let world = world.with("plain/.provenance.txt", "");
    assert_eq!(world.records_in("plain"), world.path("plain/.provenance.txt"));
}

#[test]
fn recording_follows_no_link_out_of_the_repository() {
    let world = World::new()
        .with("out.txt", A)
        .with("r/in.txt", A)
        .with_directory("r/.git")
        .with_directory("r/c")
        .with_link("r/.provenance.txt", "in.txt")
        .with_link("r/c/.provenance.txt", "../../out.txt")
        .with_link("r/elsewhere", "..");
    assert_eq!(world.records_in("r"), world.path("r/in.txt"));
    for store in [world.at("r/c", None), world.at("r", Some("elsewhere/out.txt"))] {
        assert!(load(&store).unwrap().pin(&PackageName::parse("a").unwrap()).is_some());
        let error = store.record(&pins(&[("b", "bob")])).unwrap_err();
        is_bad_input(error, &["out.txt, which is outside of", "r", "FILENAME="]);
    }
    assert_eq!(world.read("out.txt"), A);
    // A file that the user names elsewhere, and the user's own, may be links.
    world.at("r/c", Some("../../out.txt")).record(&pins(&[("b", "bob")])).unwrap();
    assert!(world.read("out.txt").contains("bob"));
    let world = world.with_directory("home/.config/pypi-verify-now").with_directory("plain");
    let world = world.with("dotfiles/pins.txt", "").with_link(OWN, "../../../dotfiles/pins.txt");
    assert_eq!(world.records_in("plain").canonicalize().unwrap(), world.path("dotfiles/pins.txt"));
}

#[test]
fn recording_contradicts_no_other_file() {
    let world = World::new().with_directory("r/.git").with(OWN, A).with("r/.provenance.txt", B);
    let error = world.at("r", None).record(&pins(&[("a", "mallory")])).unwrap_err();
    let failure = Failure::from(error);
    assert_eq!(failure.status, Status::Refused);
    assert!(failure.message.contains("provenance.txt, line 1"), "{failure:?}");
    assert_eq!(world.read("r/.provenance.txt"), B);
}

#[test]
fn every_path_of_a_trust_file_is_guarded() {
    let world = World::new().with_directory("r/.git").with_directory("r/a").with("r/in.txt", A);
    let world = world.with_link("r/.provenance.txt", "in.txt");
    let guarded = world.at("r/a", None).guarded_paths();
    for path in [
        "etc/pypi-verify-now",
        SYSTEM,
        "home/.config/pypi-verify-now",
        OWN,
        "r/.provenance.txt",
        "r/in.txt",
        "r/a/.provenance.txt",
    ] {
        assert!(guarded.contains(&world.path(path)), "no {path} in {guarded:?}");
    }
    let named = world.at("r/a", Some("t.txt")).guarded_paths();
    assert!(named.contains(&world.path("r/a/t.txt")) && named.contains(&world.path(SYSTEM)));
}

#[test]
fn missing_file_has_no_pins_and_is_not_created() {
    let world = World::new();
    assert_eq!(load(&world.store()).unwrap().pins().count(), 0);
    assert_eq!(world.store().record(&[]).unwrap(), world.path(".provenance.txt"));
    assert!(world.files().is_empty());
}

#[test]
fn malformed_file_is_bad_input_with_file_and_line() {
    let world =
        World::new().with(".provenance.txt", "a https://github.com/alice/x\n<<<<<<< HEAD\n");
    let failure = Failure::from(load(&world.store()).unwrap_err());
    assert_eq!(failure.status, Status::BadInput);
    let path = world.path(".provenance.txt").display().to_string();
    assert!(failure.message.contains(&path) && failure.message.contains("line 2"), "{failure:?}");
}

#[test]
fn file_that_is_not_regular_is_bad_input() {
    let world = World::new().with_directory("directory");
    let pipe = world.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for name in ["directory", "pipe", "/dev/zero", "/dev/tty", "/dev/null"] {
        let store = world.at("", Some(name));
        is_bad_input(load(&store).unwrap_err(), &[name, "it is not a regular file"]);
        is_bad_input(store.record(&pins(&[("a", "alice")])).unwrap_err(), &[name]);
    }
    let large = fs::File::create(world.path("large")).unwrap();
    large.set_len(1 << 40).unwrap();
    let error = load(&world.at("", Some("large"))).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
}

#[test]
fn new_pin_is_recorded_without_leftover_files() {
    let world = World::new().with(".provenance.txt", &format!("# ours\n{A}"));
    world.store().record(&pins(&[("b", "bob"), ("a", "Alice")])).unwrap();
    let text = world.read(".provenance.txt");
    assert!(text.starts_with(&format!("# ours\n{A}b  ")), "{text}");
    assert_eq!(world.files(), [".provenance.txt"]);
}

#[test]
fn file_without_new_pins_is_not_written() {
    let world = World::new().with(".provenance.txt", A);
    let before = world.path(".provenance.txt").metadata().unwrap();
    world.store().record(&pins(&[("a", "alice")])).unwrap();
    let after = world.path(".provenance.txt").metadata().unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

#[test]
fn conflicting_concurrent_pin_is_refused_and_kept() {
    let world = World::new().with(".provenance.txt", A);
    let error = world.store().record(&pins(&[("b", "bob"), ("a", "mallory")])).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert_eq!(Failure::from(error).status, Status::Refused);
    assert_eq!(world.read(".provenance.txt"), A);
}

#[test]
fn two_publishers_of_a_project_are_not_recorded() {
    let world = World::new();
    let error = world.store().record(&pins(&[("a", "alice"), ("a", "mallory")])).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert!(world.files().is_empty());
}

#[test]
fn malformed_file_is_never_overwritten() {
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
fn missing_directory_is_an_error_that_names_the_file() {
    let world = World::new();
    let store = world.at("", Some("gone/provenance.txt"));
    let failure = Failure::from(store.record(&pins(&[("a", "alice")])).unwrap_err());
    assert_eq!(failure.status, Status::BadInput);
    let path = world.path("gone/provenance.txt").display().to_string();
    assert!(failure.message.contains(&path), "{failure:?}");
}

#[test]
fn concurrent_recordings_lose_no_pin() {
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
    assert_eq!(load(&world.store()).unwrap().pins().count(), 50);
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
        ours.join().unwrap();
        assert_eq!(load(&world.store()).unwrap().pins().count(), 3);
    });
}
