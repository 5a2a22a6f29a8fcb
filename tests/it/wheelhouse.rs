//! The wheelhouse: nothing but verified bytes gets a name in it.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::Transport;
use pypi_verify_now::package::digest::{Claims, Sha256};
use pypi_verify_now::package::plain_filename::FileName;
use pypi_verify_now::wheelhouse::{Fetched, JOBS, Wanted, Wheelhouse, WheelhouseError};
use tempfile::TempDir;
use url::Url;

use crate::http::hasty;
use crate::support::index::{DistFile, Fault, LoopbackIndex};

const AA: &str = "aa-1.0.whl";

/// An index with these files, each holding its own name.
fn index(names: &[&str]) -> LoopbackIndex {
    let file = |name: &&str| DistFile::new(name, *name);
    names.iter().map(file).fold(LoopbackIndex::builder(), |b, f| b.file("aa", f)).start()
}

fn wanted(index: &LoopbackIndex, name: &str, content: &str) -> Wanted {
    wanted_at(&index.file_url(name), name, content)
}

fn wanted_at(url: &str, name: &str, content: &str) -> Wanted {
    let sha256 = Some(Sha256::of(content.as_bytes()));
    let (filename, url) = (FileName::parse(name).unwrap(), Url::parse(url).unwrap());
    Wanted { filename, url, sha256, claims: Claims::default() }
}

struct World {
    house: TempDir,
    cache: TempDir,
}

impl World {
    fn new() -> Self {
        Self { house: TempDir::new().unwrap(), cache: TempDir::new().unwrap() }
    }

    /// Fetches into a new wheelhouse, with the cache.
    fn fetch(&mut self, files: &[Wanted]) -> Result<Vec<Fetched>, WheelhouseError> {
        self.house = TempDir::new().unwrap();
        let cache = self.cache.path().to_owned();
        self.fetch_with(Some(&cache), files)
    }

    fn fetch_with(
        &self,
        cache: Option<&Path>,
        files: &[Wanted],
    ) -> Result<Vec<Fetched>, WheelhouseError> {
        let client = Client::new(&Transport { retries: 1, ..hasty() });
        Wheelhouse::new(self.house.path().into(), cache).fetch_all(&client, files, JOBS)
    }

    /// Everything in the wheelhouse, hidden files too.
    fn names(&self) -> Vec<String> {
        names(self.house.path())
    }

    /// The path of the cache's entry for this content.
    fn entry(&self, content: &str) -> std::path::PathBuf {
        let digits = Sha256::of(content.as_bytes()).to_string();
        let root = self.cache.path().join("pypi-verify-now/files/sha256");
        root.join(&digits[..2]).join(digits)
    }
}

fn names(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|e| name(e).unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_arrive_in_their_order_with_their_digests() {
    let all: Vec<String> = (0..20).map(|n| format!("aa-{n}.whl")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (index, mut world) = (index(&all), World::new());
    let files: Vec<Wanted> = all.iter().map(|name| wanted(&index, name, name)).collect();
    let fetched = world.fetch(&files).unwrap();
    for (file, name) in fetched.iter().zip(&all) {
        assert_eq!(file.filename.as_str(), *name);
        assert_eq!(file.sha256, Sha256::of(name.as_bytes()));
        assert_eq!(fs::read_to_string(&file.path).unwrap(), *name);
    }
    assert_eq!((fetched.len(), world.names().len()), (20, 20));
}

#[test]
fn files_are_fetched_at_once_over_kept_connections() {
    let all: Vec<String> = (0..16).map(|n| format!("aa-{n}.whl")).collect();
    let mut builder = LoopbackIndex::builder().latency(Duration::from_millis(20));
    for name in &all {
        builder = builder.file("aa", DistFile::new(name, name.as_str()));
    }
    let (index, mut world) = (builder.start(), World::new());
    let files: Vec<Wanted> = all.iter().map(|name| wanted(&index, name, name)).collect();
    world.fetch(&files).unwrap();
    assert!((2..=JOBS.get()).contains(&index.connections()), "{}", index.connections());
}

#[test]
fn other_bytes_than_those_of_the_lock_are_refused_and_gone() {
    let (index, mut world) = (index(&[AA]), World::new());
    index.serve(&format!("/files/{AA}"), "application/zip", "evil");
    let error = world.fetch(&[wanted(&index, AA, AA)]).unwrap_err();
    let failure = Failure::from(error);
    assert_eq!(failure.status, Status::Refused);
    for part in [AA, &Sha256::of(AA.as_bytes()).to_string(), &Sha256::of(b"evil").to_string()] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    assert_eq!(world.names(), [""; 0]);
    assert!(!world.entry("evil").exists() && !world.entry(AA).exists());
}

#[test]
fn one_wrong_file_refuses_all() {
    let (index, mut world) = (index(&[AA, "bb-1.whl"]), World::new());
    index.serve(&format!("/files/{AA}"), "application/zip", "evil");
    index.fault("/files/bb-1.whl", Fault::status(503));
    let files = [wanted(&index, AA, AA), wanted(&index, "bb-1.whl", "bb-1.whl")];
    let one = NonZeroUsize::MIN;
    let client = Client::new(&Transport { retries: 0, ..hasty() });
    let house = Wheelhouse::new(world.house.path().into(), None);
    let error = house.fetch_all(&client, &files, one).unwrap_err();
    assert!(matches!(error, WheelhouseError::Mismatch { .. }), "{error}");
    assert!(world.fetch(&files).is_err());
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn without_a_digest_in_the_lock_it_is_computed() {
    let (index, mut world) = (index(&[AA]), World::new());
    let file = Wanted { sha256: None, ..wanted(&index, AA, AA) };
    assert_eq!(world.fetch(&[file]).unwrap()[0].sha256, Sha256::of(AA.as_bytes()));
    assert!(world.entry(AA).exists());
}

/// Fetches from a wheelhouse for which this content was prefetched, whatever it wants.
fn fetch_prefetched(
    world: &World,
    content: &str,
    file: Wanted,
) -> Result<Fetched, WheelhouseError> {
    let path = world.cache.path().join("elsewhere");
    fs::write(&path, content).unwrap();
    let house = Wheelhouse::new(world.house.path().into(), None);
    let house = house.with_prefetched(Some(Box::new(move |_| Some(Ok(path.clone())))));
    let client = Client::new(&Transport { retries: 0, ..hasty() });
    house.fetch(&client, &file, &AtomicBool::new(false))
}

#[test]
fn prefetched_file_is_linked() {
    let (index, world) = (index(&[AA]), World::new());
    let fetched = fetch_prefetched(&world, AA, wanted(&index, AA, AA)).unwrap();
    assert_eq!(fs::read_to_string(&fetched.path).unwrap(), AA);
    assert_eq!((world.names(), index.requests().len()), (vec![AA.to_owned()], 0));
}

#[test]
fn prefetched_file_with_other_bytes_is_refused() {
    let (index, world) = (index(&[AA]), World::new());
    let error = fetch_prefetched(&world, "evil", wanted(&index, AA, AA)).unwrap_err();
    assert!(matches!(error, WheelhouseError::Mismatch { .. }), "{error}");
    assert_eq!((world.names(), index.requests().len()), (vec![], 0));
}

#[test]
fn half_file_that_is_fetched_again_has_only_the_second_bytes() {
    let (index, mut world) = (index(&[AA]), World::new());
    index.fault_times(&format!("/files/{AA}"), 1, Fault::Truncate);
    let fetched = world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    assert_eq!(fs::read_to_string(&fetched[0].path).unwrap(), AA);
}

#[test]
fn failed_download_is_could_not_check_and_leaves_no_file() {
    for fault in [Fault::status(404), Fault::status(403), Fault::Truncate, Fault::Disconnect] {
        let (index, mut world) = (index(&[AA]), World::new());
        index.fault(&format!("/files/{AA}"), fault.clone());
        let error = world.fetch(&[wanted(&index, AA, AA)]).unwrap_err();
        assert_eq!(Failure::from(error).status, Status::CouldNotCheck, "{fault:?}");
        assert_eq!(world.names(), [""; 0]);
    }
}

#[test]
fn file_fetched_before_is_not_fetched_again() {
    let (index, mut world) = (index(&[AA]), World::new());
    world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    let fetched = world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    assert_eq!(fs::read_to_string(&fetched[0].path).unwrap(), AA);
    assert_eq!(index.requests().len(), 1);
    assert_eq!(world.names(), [AA]);
}

#[test]
fn tampered_cache_entry_is_fetched_again() {
    let (index, mut world) = (index(&[AA]), World::new());
    world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    fs::write(world.entry(AA), "evil").unwrap();
    let fetched = world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    assert_eq!(fs::read_to_string(&fetched[0].path).unwrap(), AA);
    assert_eq!(fs::read_to_string(world.entry(AA)).unwrap(), AA);
    assert_eq!((index.requests().len(), world.names()), (2, vec![AA.to_owned()]));
}

#[test]
fn link_in_the_cache_is_not_an_entry() {
    let (index, mut world) = (index(&[AA]), World::new());
    let elsewhere = world.cache.path().join("elsewhere");
    fs::write(&elsewhere, AA).unwrap();
    fs::create_dir_all(world.entry(AA).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.entry(AA)).unwrap();
    let fetched = world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    assert!(!fs::symlink_metadata(&fetched[0].path).unwrap().is_symlink());
    assert_eq!(index.requests().len(), 1);
}

#[test]
fn unusable_cache_is_ignored() {
    let (index, world) = (index(&[AA]), World::new());
    let file = world.cache.path().join("file");
    fs::write(&file, "").unwrap();
    for cache in [None, Some(file.as_path()), Some(Path::new("relative"))] {
        let world = World::new();
        world.fetch_with(cache, &[wanted(&index, AA, AA)]).unwrap();
    }
    assert_eq!(index.requests().len(), 3);
    assert!(!Path::new("relative").exists());
}

#[test]
fn cache_of_another_user_is_not_used() {
    let (index, mut world) = (index(&[AA]), World::new());
    if std::os::unix::fs::chown(world.cache.path(), Some(12345), None).is_err() {
        return; // only root can play this
    }
    world.fetch(&[wanted(&index, AA, AA)]).unwrap();
    assert_eq!(names(world.cache.path()), [""; 0]);
}

#[test]
fn concurrent_processes_share_a_cache() {
    let (index, world) = (index(&[AA]), World::new());
    let files = [wanted(&index, AA, AA)];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let own = World::new();
                let fetched = own.fetch_with(Some(world.cache.path()), &files).unwrap();
                assert_eq!(fs::read_to_string(&fetched[0].path).unwrap(), AA);
            });
        }
    });
    assert_eq!(fs::read_to_string(world.entry(AA)).unwrap(), AA);
    assert_eq!(names(world.entry(AA).parent().unwrap()).len(), 1);
}

#[test]
fn local_files_are_copied_and_hashed() {
    let mut world = World::new();
    let source = world.cache.path().join(AA);
    fs::write(&source, AA).unwrap();
    let url = Url::from_file_path(&source).unwrap();
    let fetched = world.fetch(&[wanted_at(url.as_str(), AA, AA)]).unwrap();
    assert_eq!(fs::read_to_string(&fetched[0].path).unwrap(), AA);
    let error = world.fetch(&[wanted_at(url.as_str(), AA, "other")]).unwrap_err();
    assert_eq!(Failure::from(error).status, Status::Refused);
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn local_path_that_is_not_a_file_is_refused() {
    let mut world = World::new();
    let place = TempDir::new().unwrap();
    let local = |path| Url::from_file_path(path).unwrap().to_string();
    let [missing, directory] = [place.path().join("aa.whl"), place.path().into()].map(local);
    for url in [&missing, &directory, "file:///dev/zero", "file://host/aa"] {
        let error = world.fetch(&[wanted_at(url, AA, AA)]).unwrap_err();
        assert!(matches!(error, WheelhouseError::Local { .. }), "{url}: {error}");
    }
}

#[test]
fn wheelhouse_that_cannot_be_written_is_an_error() {
    let index = index(&[AA]);
    let client = Client::new(&hasty());
    let place = TempDir::new().unwrap();
    let house = Wheelhouse::new(place.path().join("gone/house"), None);
    let error = house.fetch_all(&client, &[wanted(&index, AA, AA)], JOBS).unwrap_err();
    assert!(matches!(&error, WheelhouseError::Disk { path, .. } if path.contains("house")));
    assert_eq!(Failure::from(error).status, Status::CouldNotCheck);
}

#[test]
fn one_name_is_one_file() {
    let (index, mut world) = (index(&[AA]), World::new());
    let file = wanted(&index, AA, AA);
    assert_eq!(world.fetch(&[file.clone(), file.clone()]).unwrap().len(), 1);
    let other = wanted(&index, AA, "other");
    let error = world.fetch(&[file, other]).unwrap_err();
    assert!(matches!(error, WheelhouseError::Twice(_)), "{error}");
}

#[test]
fn name_with_a_directory_is_refused() {
    for name in [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "/a",
        "a\\b",
        "c:a",
        ".hidden",
        "-r",
        "a\nb",
        "a\u{0}",
        "a\u{1b}[2J",
        &"a".repeat(256),
    ] {
        let error = FileName::parse(name).unwrap_err().to_string();
        assert!(!error.contains(['\n', '\u{1b}', '\u{0}']), "{name:?}");
    }
    for name in ["aa-1.0-py3-none-any.whl", "aa-1.0+cu118.tar.gz", "ä_1!2~.zip"] {
        assert_eq!(FileName::parse(name).unwrap().as_str(), name);
    }
}
