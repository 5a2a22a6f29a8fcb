//! File names of distributions: equal by parsing, and nothing else is one.

use proptest::prelude::*;
use pypi_verify_now::package::filename::{DistFilename, DistKind};

fn parse(text: &str) -> DistFilename {
    DistFilename::parse(text).unwrap()
}

#[test]
fn parts_of_a_wheel_s_name_are_read() {
    let wheel = parse("Foo.Bar-1.0.post1-2a-cp310.cp311-abi3-manylinux_2_17_x86_64.whl");
    let DistKind::Wheel(tags) = wheel.kind() else { panic!("a wheel") };
    assert_eq!(wheel.name().as_str(), "foo-bar");
    assert_eq!(wheel.version().to_string(), "1.0.post1");
    assert_eq!(tags.build, Some(("2".to_owned(), "a".to_owned())));
    assert!(tags.python.iter().eq(["cp310", "cp311"]));
    assert!(tags.abi.iter().eq(["abi3"]));
    assert!(tags.platform.iter().eq(["manylinux_2_17_x86_64"]));
}

#[test]
fn parts_of_an_sdist_s_name_are_read() {
    let sdist = parse("foo-bar-1.0.tar.gz");
    assert_eq!(sdist.name().as_str(), "foo-bar");
    assert_eq!(sdist.version().to_string(), "1.0");
    let ending = |file: &DistFilename| match file.kind() {
        DistKind::Sdist(format) => format.ending(),
        DistKind::Wheel(_) => "a wheel",
    };
    assert_eq!(ending(&sdist), ".tar.gz");
    assert_eq!(ending(&parse("foo-1.0.zip")), ".zip");
}

/// pip takes each of these for an archive with a `setup.py` (`utils/filetypes.py`).
#[test]
fn every_archive_that_pip_builds_is_an_sdist() {
    for ending in ["tgz", "tar.bz2", "tbz", "tar.xz", "txz", "tlz", "tar.lzma", "tar"] {
        let sdist = parse(&format!("foo-bar-1.0.{ending}"));
        assert_eq!((sdist.name().as_str(), sdist.version().to_string()), ("foo-bar", "1.0".into()));
        assert_ne!(sdist, parse("foo-bar-1.0.tar.gz"), "{ending}");
    }
    for (text, name, version) in [
        ("foo-1.0-1.tar.gz", "foo-1-0", "1"),
        ("foo-1.0-post1.tar.gz", "foo", "1.0.post1"),
        ("foo-bar-1.0-rc-1.zip", "foo-bar-1-0-rc", "1"),
        ("foo-bar-1.0-beta.tgz", "foo-bar", "1.0b0"),
    ] {
        let sdist = parse(text);
        assert_eq!((sdist.name().as_str(), &*sdist.version().to_string()), (name, version));
    }
}

#[test]
fn two_spellings_of_one_file_are_equal() {
    for (one, other) in [
        ("foo_bar-1.0-py2.py3-none-any.whl", "Foo.Bar-1.0-py3.py2-none-any.whl"),
        ("foo-1.0-cp310-cp310-a.b.whl", "foo-1.0-CP310-cp310-b.a.whl"),
        ("foo-1.0-01-py3-none-any.whl", "foo-1.0-1-py3-none-any.whl"),
        ("foo-1.0rc1-py3-none-any.whl", "foo-1.0.RC.1-py3-none-any.whl"),
        ("foo-1.0+local.1-py3-none-any.whl", "foo-1.0+local_1-py3-none-any.whl"),
        ("foo_bar-1.0.tar.gz", "foo-bar-1.0.tar.gz"),
        ("foo-1.0.dev3.tar.gz", "FOO-1.0dev3.tar.gz"),
    ] {
        assert_eq!(parse(one), parse(other));
        assert_eq!(parse(one).to_string(), one);
    }
}

#[test]
fn other_files_are_not_equal() {
    let wheel = "foo-1.0-py3-none-any.whl";
    for other in [
        "fo-1.0-py3-none-any.whl",
        "foo-1.1-py3-none-any.whl",
        "foo-1.0.0-py3-none-any.whl",
        "foo-1!1.0-py3-none-any.whl",
        "foo-1.0+local-py3-none-any.whl",
        "foo-1.0-1-py3-none-any.whl",
        "foo-1.0-py2.py3-none-any.whl",
        "foo-1.0-py3-abi3-any.whl",
        "foo-1.0-py3-none-linux_x86_64.whl",
        "foo-1.0.tar.gz",
        "foo-1.0.zip",
    ] {
        assert_ne!(parse(wheel), parse(other));
    }
    assert_ne!(parse("foo-1.0.tar.gz"), parse("foo-1.0.zip"));
}

#[test]
fn invalid_distribution_filename_is_rejected() {
    for text in [
        "",
        ".whl",
        "foo.whl",
        "foo-1.0.whl",
        "foo-1.0-py3-none.whl",
        "foo-1.0-x-py3-none-any.whl",
        "foo-1.0-1-2-py3-none-any.whl",
        "foo-1.0-py3-none-.whl",
        "foo-1.0-py3.-none-any.whl",
        "-1.0-py3-none-any.whl",
        "foo--py3-none-any.whl",
        "foo-x-py3-none-any.whl",
        "foo-1.0-py3-none-any.WHL",
        "foo-1.0-py3-none-any.whl ",
        "foo-1.0.tar.Z",
        "foo-1.0.TAR.GZ",
        "foo--post1.tar.gz",
        "foo-1.0.egg",
        "foo.tar.gz",
        "foo-.tar.gz",
        "-1.0.tar.gz",
        "foo-x.tar.gz",
        "../foo-1.0.tar.gz",
        "a/foo-1.0.tar.gz",
        "a\\foo-1.0.tar.gz",
        "foo-1.0\n.tar.gz",
        "foo-1.0\0.tar.gz",
        "foo -1.0.tar.gz",
        "föö-1.0.tar.gz",
        "foo-1.0%2B.tar.gz",
        &format!("foo-1.0.{}.tar.gz", "0".repeat(250)),
    ] {
        assert!(DistFilename::parse(text).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn written_filename_reads_back(
        name in "[a-zA-Z0-9]([a-zA-Z0-9._]{0,10}[a-zA-Z0-9])?",
        version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}((a|b|rc)[0-9]{1,2})?(\\.post[0-9])?(\\.dev[0-9])?",
        tags in prop::collection::vec("[a-z][a-z0-9_]{0,8}", 3),
        build in prop::option::of("[0-9]{1,4}[a-z]{0,3}"),
    ) {
        let build = build.map(|tag| format!("-{tag}")).unwrap_or_default();
        for text in [
            format!("{name}-{version}{build}-{}.whl", tags.join("-")),
            format!("{name}-{version}.tar.gz"),
            format!("{name}-{version}.zip"),
        ] {
            let parsed = DistFilename::parse(&text).unwrap();
            prop_assert_eq!(parsed.to_string(), text);
            prop_assert_eq!(&DistFilename::parse(parsed.as_str()).unwrap(), &parsed);
        }
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC{0,40}|[-.a-z0-9]{0,40}(\\.whl|\\.tar\\.gz|\\.zip)") {
        if let Ok(parsed) = DistFilename::parse(&text) {
            prop_assert!(!parsed.as_str().contains(['/', '\\', ' ']));
        }
    }
}
