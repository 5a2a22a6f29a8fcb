//! Newer releases that were passed over for being source archives alone: when that is worth a line.

use pypi_verify_now::index::newer::{admitted, newer_source};
use pypi_verify_now::index::page::PageFile;
use pypi_verify_now::package::name::PackageName;

use crate::support::index::DistFile;
use crate::support::wheel::Wheel;
use crate::support::world::{World, source};

fn file(name: &str) -> PageFile {
    PageFile {
        filename: name.to_owned(),
        url: format!("https://h.example/{name}").parse().unwrap(),
        sha256: None,
        other_hashes: Vec::new(),
        provenance: None,
        yanked: None,
        size: None,
        requires_python: None,
        metadata: None,
    }
}

fn newer(chosen: &str, files: Vec<PageFile>) -> Option<String> {
    let aa = PackageName::parse("aa").unwrap();
    newer_source(files, &aa, &chosen.parse().unwrap(), "3.11").map(|version| version.to_string())
}

#[test]
fn newest_release_without_a_wheel_is_reported() {
    let of = |names: &[&str], chosen: &str| newer(chosen, names.iter().map(|n| file(n)).collect());
    let wheel = "aa-1.0-py3-none-any.whl";
    assert_eq!(of(&[wheel, "aa-2.0.tar.gz"], "1.0").as_deref(), Some("2.0"));
    assert_eq!(of(&[wheel, "aa-2.0.zip", "aa-3.0.tar.gz"], "1.0").as_deref(), Some("3.0"));
    assert_eq!(of(&[wheel, "aa-1.0.tar.gz", "aa-0.9.tar.gz"], "1.0"), None);
    assert_eq!(of(&[wheel, "bb-2.0.tar.gz", "aa.tar.gz", "x"], "1.0"), None);
    // With a wheel it is pip that chose: for another platform, or for another Python.
    assert_eq!(of(&["aa-2.0.tar.gz", "aa-2.0-cp27-cp27m-win32.whl"], "1.0"), None);
}

#[test]
fn unsuitable_releases_are_not_reported() {
    let with = |change: fn(&mut PageFile)| {
        let mut it = file("aa-2.0.tar.gz");
        change(&mut it);
        newer("1.0", vec![it])
    };
    assert_eq!(with(|file| file.yanked = Some(String::new())), None);
    for (python, told) in [
        (">=3.9", true),
        (">=3.12", false),
        ("<3", false),
        ("nonsense", false),
        (">=3.11.4", false),
    ] {
        let mut it = file("aa-2.0.tar.gz");
        it.requires_python = Some(python.to_owned());
        assert_eq!(newer("1.0", vec![it]).is_some(), told, "{python}");
    }
    for (chosen, pre, told) in
        [("1.0", "2.0b1", false), ("1.0", "2.0.dev1", false), ("2.0a1", "2.0b1", true)]
    {
        let it = file(&format!("aa-{pre}.tar.gz"));
        assert_eq!(newer(chosen, vec![it]).is_some(), told, "{pre}");
    }
}

#[test]
fn unrequested_projects_are_not_reported() {
    let admits = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        admitted(&words, &PackageName::parse("a-a").unwrap(), &"2.0".parse().unwrap())
    };
    for words in [
        &["a.a"][..],
        &["A_a[x,y]"],
        &["a-a>1"],
        &["a-a (>=1)"],
        &["a-a ; x == 'y'"],
        &["bb", "a-a"],
    ] {
        assert!(admits(words), "{words:?}");
    }
    for words in [
        &[][..],
        &["bb"],
        &["a-a==1.0"],
        &["a-a<2"],
        &["a-a", "a-a<2"],
        &["a-a @ https://x"],
        &["a-a[x"],
        &["a-a nonsense"],
        &["./a-a"],
    ] {
        assert!(!admits(words), "{words:?}");
    }
}

#[test]
fn install_prints_a_newer_release_in_one_line() {
    let note =
        "pypi-verify-now: note: aa 2.0 is newer, but has only a source archive; installed 1.0";
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).wheel(Wheel::new("aa", "1.0"));
        let sdist = world.sdist("aa", "2.0");
        let world = world.source(sdist);
        let again =
            |args: &[&str]| world.pip([&["install", "--force-reinstall"], args].concat()).run();
        again(&["aa"]).exits(0).stderr_has(note);
        world.write_file("r.txt", "aa>=1\n");
        again(&["-r", "r.txt"]).exits(0).stderr_has(note);
        for args in [&["aa==1.0"][..], &["aa<2"], &["--only-binary", ":all:", "aa"]] {
            again(args).exits(0).lacks("note:");
        }
        assert!(!world.something_ran());
        assert_eq!(world.index.count("/simple/aa/") % 5, 0);
    }
}

#[test]
fn newer_release_that_is_yanked_is_passed_over_silently() {
    let world = World::new().wheel(Wheel::new("aa", "1.0"));
    let newer: DistFile = source(world.sdist("aa", "2.0")).yanked("broken");
    let world = world.file_on_index(newer);
    world.pip(["install", "aa"]).run().exits(0).lacks("note:");
}
