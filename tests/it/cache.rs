//! The cache by itself: what comes out is what went in or nothing, and there is never too much.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pypi_verify_now::cache::{Bounds, Cache, CacheEntry, CacheKind, MAX_ENTRY};
use pypi_verify_now::package::digest::Sha256;
use tempfile::TempDir;

/// A cache that holds a mebibyte of documents.
const SMALL: Bounds =
    Bounds { files: 1 << 20, pages: 1 << 20, documents: 1 << 20, metadata: 1 << 20 };

fn entry(text: &str) -> CacheEntry {
    CacheEntry { note: format!("about {}", text.len()), bytes: text.into() }
}

fn key(text: &str) -> Sha256 {
    Sha256::of(text.as_bytes())
}

fn path(place: &TempDir, kind: CacheKind, key: &Sha256) -> PathBuf {
    let digits = key.to_string();
    let root = place.path().join("pypi-verify-now").join(kind.name()).join("sha256");
    root.join(&digits[..2]).join(digits)
}

fn bytes_of(cache: &Cache, kind: CacheKind) -> u64 {
    cache.usage().into_iter().find(|usage| usage.kind == kind).unwrap().bytes
}

/// An entry that was last used this many days ago.
fn age(place: &TempDir, name: &str, days: u64) {
    let file = fs::File::open(path(place, CacheKind::Documents, &key(name))).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
}

#[test]
fn stored_bytes_are_read_back() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(place.path()).unwrap();
    assert_eq!(cache.read(CacheKind::Pages, &key("aa")), None);
    for text in ["", "one", "two\nlines\n"] {
        cache.write(CacheKind::Pages, &key("aa"), &entry(text));
        assert_eq!(cache.read(CacheKind::Pages, &key("aa")), Some(entry(text)));
    }
    assert_eq!(cache.read(CacheKind::Documents, &key("aa")), None);
    cache.forget(CacheKind::Pages, &key("aa"));
    assert_eq!(cache.read(CacheKind::Pages, &key("aa")), None);
}

#[test]
fn changed_or_truncated_entry_is_not_returned() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(place.path()).unwrap();
    cache.write(CacheKind::Documents, &key("aa"), &entry("a document"));
    let at = path(&place, CacheKind::Documents, &key("aa"));
    let whole = fs::read(&at).unwrap();
    for keep in 0..whole.len() {
        fs::write(&at, &whole[..keep]).unwrap();
        assert_eq!(cache.read(CacheKind::Documents, &key("aa")), None, "{keep}");
        assert!(!at.exists());
    }
    for (changed, _) in whole.iter().enumerate() {
        let mut bytes = whole.clone();
        bytes[changed] ^= 1;
        fs::write(&at, &bytes).unwrap();
        assert_eq!(cache.read(CacheKind::Documents, &key("aa")), None, "{changed}");
    }
    cache.write(CacheKind::Documents, &key("aa"), &entry("a document"));
    assert_eq!(cache.read(CacheKind::Documents, &key("aa")), Some(entry("a document")));
}

#[test]
fn links_and_pipes_are_not_entries() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(place.path()).unwrap();
    cache.write(CacheKind::Documents, &key("aa"), &entry("a document"));
    let at = path(&place, CacheKind::Documents, &key("aa"));
    let elsewhere = place.path().join("elsewhere");
    fs::rename(&at, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &at).unwrap();
    assert_eq!(cache.read(CacheKind::Documents, &key("aa")), None);
    fs::remove_file(&at).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&at).status().unwrap();
    assert!(made.success());
    assert_eq!(cache.read(CacheKind::Documents, &key("aa")), None);
}

#[test]
fn directory_is_readable_by_its_owner_alone() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(&place.path().join("pip")).unwrap();
    assert!(!place.path().join("pip").exists(), "nothing is made before there is something");
    cache.write(CacheKind::Pages, &key("aa"), &entry("a page"));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for directory in ["pip/pypi-verify-now", "pip/pypi-verify-now/pages/sha256"] {
        assert_eq!(mode(place.path().join(directory)), 0o700);
    }
}

#[test]
fn least_recently_used_entries_are_removed_first() {
    let place = TempDir::new().unwrap();
    let cache = Cache::bounded(place.path(), SMALL).unwrap();
    let large = "x".repeat(64 * 1024);
    for n in 0..40 {
        let name = format!("d{n}");
        cache.write(CacheKind::Documents, &key(&name), &entry(&large));
        age(&place, &name, 400 - n);
        // This one is used again and again.
        assert!(cache.read(CacheKind::Documents, &key("d0")).is_some(), "{n}");
        assert!(bytes_of(&cache, CacheKind::Documents) <= SMALL.documents, "{n}");
    }
    let here = |n: u64| path(&place, CacheKind::Documents, &key(&format!("d{n}"))).exists();
    assert!(here(39) && !here(1) && !here(2));
}

#[test]
fn entries_of_many_small_runs_are_bounded() {
    let place = TempDir::new().unwrap();
    for n in 0..300 {
        let cache = Cache::bounded(place.path(), SMALL).unwrap();
        cache.write(CacheKind::Documents, &key(&n.to_string()), &entry(&"x".repeat(8 * 1024)));
    }
    let cache = Cache::bounded(place.path(), SMALL).unwrap();
    let bytes = bytes_of(&cache, CacheKind::Documents);
    assert!((SMALL.documents / 4..=SMALL.documents).contains(&bytes), "{bytes}");
}

#[test]
fn large_entry_does_not_evict_all_others() {
    let place = TempDir::new().unwrap();
    let cache = Cache::bounded(place.path(), SMALL).unwrap();
    cache.write(CacheKind::Documents, &key("large"), &entry(&"x".repeat(300 * 1024)));
    assert_eq!(cache.read(CacheKind::Documents, &key("large")), None);
    let file = place.path().join("file");
    fs::write(&file, vec![0; 300 * 1024]).unwrap();
    cache.keep(&Sha256::of(&vec![0; 300 * 1024]), &file);
    assert_eq!(bytes_of(&cache, CacheKind::Files), 0);
    const { assert!(MAX_ENTRY > pypi_verify_now::index::page::MAX_PAGE) };
}

#[test]
fn unfinished_entries_are_removed() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(place.path()).unwrap();
    cache.write(CacheKind::Documents, &key("aa"), &entry("a document"));
    let shard = path(&place, CacheKind::Documents, &key("aa")).parent().unwrap().to_owned();
    for (name, hours) in [(".part-old", 3), (".part-new", 1)] {
        let file = fs::File::create(shard.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
    }
    let usage = cache.usage();
    assert_eq!(usage.iter().map(|usage| usage.entries).sum::<usize>(), 1);
    assert!(!shard.join(".part-old").exists() && shard.join(".part-new").exists());
}

#[test]
fn purge_returns_the_removed_count_and_size() {
    let place = TempDir::new().unwrap();
    let other = place.path().join("http");
    fs::create_dir(&other).unwrap();
    let cache = Cache::open(place.path()).unwrap();
    cache.write(CacheKind::Pages, &key("aa"), &entry("a page"));
    let before = cache.usage();
    assert_eq!(cache.purge().unwrap(), before);
    assert_eq!(cache.usage().iter().map(|usage| usage.entries).sum::<usize>(), 0);
    assert!(cache.purge().is_ok() && other.exists() && !cache.directory().exists());
}

#[test]
fn foreign_files_are_not_removed() {
    let place = TempDir::new().unwrap();
    let cache = Cache::open(place.path()).unwrap();
    cache.write(CacheKind::Pages, &key("aa"), &entry("a page"));
    let shard = path(&place, CacheKind::Pages, &key("aa")).parent().unwrap().to_owned();
    let others = [cache.directory().join("src"), shard.join("notes.txt")];
    others.iter().for_each(|other| fs::write(other, "mine").unwrap());
    assert_eq!(cache.purge().unwrap().iter().map(|usage| usage.entries).sum::<usize>(), 1);
    assert!(
        others.iter().all(|other| other.exists()) && cache.usage().iter().all(|u| u.entries == 0)
    );
}

#[test]
fn concurrent_readers_see_whole_entries() {
    let place = TempDir::new().unwrap();
    let texts = ["a".repeat(100_000), "b".repeat(200_000)];
    std::thread::scope(|scope| {
        for text in &texts {
            let cache = Cache::open(place.path()).unwrap();
            scope.spawn(move || {
                for _ in 0..200 {
                    cache.write(CacheKind::Pages, &key("aa"), &entry(text));
                    let read = cache.read(CacheKind::Pages, &key("aa"));
                    let read = read.expect("an entry that another writer replaced, never none");
                    assert!(texts_are(&read));
                }
            });
        }
    });
}

fn texts_are(entry: &CacheEntry) -> bool {
    entry.note == format!("about {}", entry.bytes.len())
        && entry.bytes.windows(2).all(|w| w[0] == w[1])
}
