//! Direct references (a path, a URL, a repository) in the words of a command line.

use pypi_verify_now::resolve::direct::Direct;
use pypi_verify_now::trust::policy::UnsignedKind::{
    self, DirectUrl, Directory, LocalFile, VersionControl,
};

#[track_caller]
fn reads(text: &str, names: &[&str], place: &str, kind: UnsignedKind) {
    let direct = Direct::parse(text).unwrap_or_else(|| panic!("{text:?} is taken for a project"));
    let found: Vec<_> = direct.names.iter().map(ToString::to_string).collect();
    assert_eq!((found.as_slice(), &*direct.place, direct.kind), (&*owned(names), place, kind));
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn project_name_is_not_a_direct_reference() {
    for text in
        ["aa", "aa==1.0", "aa[x]>=1,<2", "aa ; python_version > '3'", "aa~=1.0  ", "aa (>1)"]
    {
        assert_eq!(Direct::parse(text), None, "{text}");
    }
}

#[test]
fn archives_are_recognised_with_their_project() {
    reads("./aa-1.0.tar.gz", &["aa"], "./aa-1.0.tar.gz", LocalFile);
    reads("aa-1.0.tar.gz", &["aa"], "aa-1.0.tar.gz", LocalFile);
    reads("aa-1.0.tar.bz2", &["aa"], "aa-1.0.tar.bz2", LocalFile);
    reads("aa-1.0.tbz", &["aa"], "aa-1.0.tbz", LocalFile);
    reads("aa-1.0.TGZ", &["aa"], "aa-1.0.TGZ", LocalFile);
    reads("/x/a_b-1.0-py3-none-any.whl", &["a-b"], "/x/a_b-1.0-py3-none-any.whl", LocalFile);
    reads("./a b/aa-1.0.zip", &["aa"], "./a b/aa-1.0.zip", LocalFile);
    reads("./aa-1.0.tar.gz[x,y]", &["aa"], "./aa-1.0.tar.gz", LocalFile);
    reads("./aa-1.0.tar.gz ; python_version>'3'", &["aa"], "./aa-1.0.tar.gz", LocalFile);
    reads("file:///x/aa-1.0.tar.gz", &["aa"], "file:///x/aa-1.0.tar.gz", LocalFile);
    reads("./main.zip", &[], "./main.zip", LocalFile);
}

#[test]
fn every_name_in_a_direct_reference_counts() {
    let url = "https://h.example/aa-1.0.tar.gz";
    reads(url, &["aa"], url, DirectUrl);
    reads(&format!("zz @ {url}"), &["zz", "aa"], url, DirectUrl);
    reads(&format!("zz@{url}"), &["zz", "aa"], url, DirectUrl);
    reads(&format!("Z.z[x] @ {url} ; python_version > '3'"), &["z-z", "aa"], url, DirectUrl);
    reads(&format!("{url}#egg=zz&x=y"), &["zz", "aa"], &format!("{url}#egg=zz&x=y"), DirectUrl);
    reads(&format!("{url}?x=/y"), &["aa"], &format!("{url}?x=/y"), DirectUrl);
    reads(
        "HTTPS://h.example/%61a-1.0.tar.gz",
        &["aa"],
        "HTTPS://h.example/%61a-1.0.tar.gz",
        DirectUrl,
    );
    reads("https://u:p@h.example/x.zip", &[], "https://h.example/x.zip", DirectUrl);
}

#[test]
fn repositories_and_directories_are_recognised() {
    reads(
        "git+https://h.example/aa.git@v1",
        &[],
        "git+https://h.example/aa.git@v1",
        VersionControl,
    );
    reads("aa @ hg+https://h.example/x", &["aa"], "hg+https://h.example/x", VersionControl);
    reads(
        "git+ssh://git@h.example/x#egg=aa",
        &["aa"],
        "git+ssh://h.example/x#egg=aa",
        VersionControl,
    );
    for place in [".", "..", "./x", "x/y", "/x", "file:///x/y", ".[x]"] {
        let stem = place.trim_end_matches("[x]");
        reads(place, &[], stem, Directory);
    }
}

#[test]
fn editable_is_always_a_direct_reference() {
    assert_eq!(Direct::editable("directory").kind, Directory);
    assert_eq!(Direct::editable("directory[x]").place, "directory");
    assert_eq!(Direct::editable("git+https://h.example/x#egg=aa").kind, VersionControl);
}
