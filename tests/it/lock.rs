//! Locks and reports: both become one model, and what makes no sense is refused.

use pypi_verify_now::package::digest::Sha256;
use pypi_verify_now::package::lock::{Lock, Selection, Source};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn pylock(packages: &str) -> Result<Lock, String> {
    let text = format!("lock-version = \"1.0\"\ncreated-by = \"pip\"\n{packages}");
    Lock::from_pylock(&text).map_err(|error| error.to_string())
}

fn report(items: &str) -> Result<Lock, String> {
    let text = format!(r#"{{"version": "1", "pip_version": "26.3", "install": [{items}]}}"#);
    Lock::from_report(text.as_bytes()).map_err(|error| error.to_string())
}

fn wheel(hashes: &str) -> String {
    format!(
        "[[packages]]\nname = \"aa\"\nversion = \"1.0\"\nwheels = [{{name = \"aa-1.0-py3-none-any.whl\", \
         url = \"https://files.example/aa-1.0-py3-none-any.whl\", hashes = {{{hashes}}}}}]"
    )
}

#[test]
fn lock_and_a_report_of_one_set_are_one_lock() {
    let lock = pylock(&wheel(&format!("sha256 = \"{ZEROS}\""))).unwrap();
    let item = format!(
        r#"{{"download_info": {{"url": "https://files.example/aa-1.0-py3-none-any.whl",
            "archive_info": {{"hash": "sha256={ZEROS}", "hashes": {{"sha256": "{ZEROS}"}}}}}},
            "is_direct": false, "requested": true, "metadata": {{"name": "aa", "version": "1.0"}}}}"#
    );
    let reported = report(&item).unwrap();
    assert_eq!(reported.entries[0].source, lock.entries[0].source);
    assert_eq!(lock.pins(), format!("aa==1.0 --hash=sha256:{ZEROS}\n"));
    assert_eq!(reported.pins(), lock.pins());
    assert!(reported.says_who_is_requested() && !lock.says_who_is_requested());
}

#[test]
fn requirements_pin_direct_references_by_hash() {
    let item = |name: &str, url: &str, direct: bool, requested: bool, extras: &str| {
        format!(
            r#"{{"download_info": {{"url": "{url}/{name}-1.0-py3-none-any.whl",
                "archive_info": {{"hashes": {{"sha256": "{ZEROS}"}}}}}}, "is_direct": {direct},
                "requested": {requested}, "requested_extras": [{extras}],
                "metadata": {{"name": "{name}", "version": "1.0"}}}}"#
        )
    };
    let items = [
        item("aa", "https://i.example", false, true, "\"x\""),
        item("bb", "https://i.example", false, false, ""),
        item("cc", "https://d.example", true, false, ""),
    ];
    let lock = report(&items.join(",")).unwrap();
    let hash = format!("--hash=sha256:{ZEROS}\n");
    let (aa, bb) = (format!("aa[x]==1.0 {hash}"), format!("bb==1.0 {hash}"));
    let cc = format!("cc @ https://d.example/cc-1.0-py3-none-any.whl {hash}");
    assert_eq!(lock.requirements(Selection::Named).unwrap(), [&*aa, &cc].concat());
    assert_eq!(lock.requirements(Selection::All).unwrap(), [&*aa, &bb, &cc].concat());
    assert_eq!(lock.pins(), format!("aa==1.0 {hash}bb==1.0 {hash}"), "no place in constraints");
    assert!(report(&item("aa", "https://i.example", false, true, "\"x] evil\"")).is_err());
}

#[test]
fn digest_of_another_algorithm_never_becomes_a_sha256() {
    let md5 = format!("md5 = \"{}\"", &ZEROS[..32]);
    for hashes in [&md5, &format!("sha512 = \"{ZEROS}{ZEROS}\""), ""] {
        let lock = pylock(&wheel(hashes)).unwrap();
        assert_eq!(lock.entries[0].files()[0].sha256, None, "{hashes}");
        assert_eq!(lock.pins(), "", "what has no sha256 is not pinned");
    }
    let right = format!("{md5}, sha256 = \"{ZEROS}\"");
    let lock = pylock(&wheel(&right)).unwrap();
    assert_eq!(lock.entries[0].files()[0].sha256, Some(Sha256::parse(ZEROS).unwrap()));
}

#[test]
fn every_wheel_and_the_sdist_of_an_entry_are_read() {
    let lock = pylock(
        "[[packages]]\nname = \"aa\"\nversion = \"1.0\"\n\
         sdist = {name = \"aa-1.0.tar.gz\", url = \"https://f.example/aa-1.0.tar.gz\", hashes = {}}\n\
         [[packages.wheels]]\nurl = \"https://f.example/aa-1.0-py3-none-any.whl\"\nhashes = {}\n\
         [[packages.wheels]]\npath = \"w/aa-1.0-cp311-cp311-linux_x86_64.whl\"\nhashes = {}",
    )
    .unwrap();
    let names: Vec<_> = lock.entries[0].files().iter().map(|f| f.filename.as_str()).collect();
    let wheels = ["aa-1.0-py3-none-any.whl", "aa-1.0-cp311-cp311-linux_x86_64.whl"];
    assert_eq!(names, [wheels[0], wheels[1], "aa-1.0.tar.gz"]);
}

#[test]
fn sources_other_than_files_are_distinguished() {
    let lock = pylock(
        "[[packages]]\nname = \"v\"\nvcs = {type = \"git\", url = \"https://me:secret@h.example/v\", commit-id = \"0\"}\n\
         [[packages]]\nname = \"d\"\ndirectory = {path = \"./d\"}\n\
         [[packages]]\nname = \"x\"\narchive = {url = \"https://h.example/main.zip\", hashes = {}}",
    )
    .unwrap();
    let vcs = Source::Vcs("git+https://h.example/v".to_owned());
    assert_eq!(lock.entries[0].source, vcs, "and credentials are left out");
    assert!(matches!(&lock.entries[1].source, Source::Directory { path } if path == "./d"));
    assert!(
        matches!(&lock.entries[2].source, Source::Direct(file) if file.filename.as_str() == "main.zip")
    );
}

#[test]
fn invalid_lock_is_rejected_with_a_reason() {
    let twice = format!("{}\n{}", wheel(""), wheel(""));
    let other_project = wheel("").replace("aa-1.0-py3", "bb-1.0-py3");
    let other_version = wheel("").replace("aa-1.0-py3", "aa-2.0-py3");
    for (packages, reason) in [
        ("packages = 3", "not a lock file"),
        ("[[packages]]\nname = \"aa\"", "exactly one kind of source"),
        ("[[packages]]\nname = \"../aa\"\ndirectory = {path = \".\"}", "is not a project name"),
        (&twice, "listed twice"),
        (&other_project, "is of project `bb`"),
        (&other_version, "is not of version 1.0"),
        (&wheel("sha256 = \"00\""), "is not a sha256"),
    ] {
        let error = pylock(packages).unwrap_err();
        assert!(error.contains(reason), "{packages}: {error}");
    }
    for text in ["", "<html>", "lock-version = \"2.0\"", "{}", "\u{0}"] {
        assert!(Lock::from_pylock(text).is_err(), "{text:?}");
    }
}

#[test]
fn invalid_report_is_rejected() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"version": "2", "install": []}"#,
        r#"{"version": "1", "version": "1", "install": []}"#,
    ] {
        assert!(Lock::from_report(text.as_bytes()).is_err(), "{text}");
    }
    let no_source = r#"{"download_info": {"url": "https://h.example/x"}, "is_direct": true, "metadata": {"name": "x", "version": "1"}}"#;
    assert!(report(no_source).unwrap_err().contains("exactly one kind of source"));
}

#[test]
fn report_tells_requested_packages() {
    let item = |name: &str, requested: bool| {
        format!(
            r#"{{"download_info": {{"url": "https://files.example/{name}-1.0-py3-none-any.whl",
                "archive_info": {{}}}}, "is_direct": false, "requested": {requested},
                "metadata": {{"name": "{name}", "version": "1.0",
                "summary": "\"requested\": true"}}}}"#
        )
    };
    let text = |items: &str| format!(r#"{{"version": "1", "install": [{items}]}}"#);
    let real = text(&[item("aa", true), item("bb", false), item("cc", true)].join(", "));
    let lock = Lock::from_report(real.as_bytes()).unwrap();
    let claimed = text(&[item("aa", true), item("bb", true), item("cc", true)].join(", "));
    assert_eq!(lock.with_real_requests(&claimed), real);
    assert_eq!(lock.with_real_requests("no report"), "no report");
}
