//! The text of `.provenance.txt`: what reads, what is an error on which line, what a new pin
//! leaves as it was.

use proptest::prelude::*;
use pypi_verify_now::attestation::publisher::PublisherUrl;
use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::trust::file::TrustFile;
use pypi_verify_now::trust::pin::Field;

fn name(text: &str) -> PackageName {
    PackageName::parse(text).unwrap()
}

fn url(text: &str) -> PublisherUrl {
    PublisherUrl::parse(text).unwrap()
}

fn error(text: &str) -> String {
    TrustFile::parse(text).unwrap_err().to_string()
}

/// `text` with pins added for these names, all to one repository.
fn with(text: &str, names: &[&str]) -> String {
    let url = url("https://github.com/new/new");
    let new: Vec<_> = names.iter().map(|text| (name(text), url.clone())).collect();
    let grown = TrustFile::parse(text).unwrap().with_pins(&new).to_string();
    // The column of the original tool, said once here so that the cases stay readable.
    grown.replace(&" ".repeat(49), " ")
}

#[test]
fn file_of_the_original_tool_reads_as_it_is() {
    let text = format!("{:<49} {}\n", "sampleproject", "https://github.com/pypa/sampleproject");
    let file = TrustFile::parse(&text).unwrap();
    let pin = file.pin(&name("SampleProject")).unwrap();
    assert_eq!(pin.url, url("https://github.com/pypa/sampleproject"));
    assert!(pin.conditions().is_empty());
    assert_eq!(file.to_string(), text);
}

#[test]
fn new_pin_is_written_in_the_columns_of_the_original_tool() {
    let new = [(name("six"), url("https://github.com/benjaminp/six"))];
    let file = TrustFile::default().with_pins(&new);
    assert_eq!(file.to_string(), format!("{:<49} {}\n", "six", "https://github.com/benjaminp/six"));
}

#[test]
fn comments_and_white_space_are_kept() {
    let text = "\u{feff}# whom we trust – reviewed\r\n\r\n  \t\r\n\ta\t https://github.com/a/a \t# why\r\nb https://github.com/b/b";
    let file = TrustFile::parse(text).unwrap();
    assert_eq!(file.pins().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(file.line_of(&name("a")), Some(4));
    assert_eq!(file.to_string(), text);
}

#[test]
fn fields_are_conditions_on_the_certificate() {
    let line = "a https://github.com/a/a workflow=release.yml environment=to%20pypi%25 repository-id=1 owner-id=2 # x=y";
    let file = TrustFile::parse(line).unwrap();
    let conditions = file.pin(&name("a")).unwrap().conditions();
    let read: Vec<_> = conditions.iter().map(|c| (c.field, c.value.as_str())).collect();
    assert_eq!(
        read,
        [
            (Field::Workflow, "release.yml"),
            (Field::Environment, "to pypi%"),
            (Field::RepositoryId, "1"),
            (Field::OwnerId, "2"),
        ]
    );
}

#[test]
fn malformed_line_is_an_error_that_names_the_line() {
    let good = "a https://github.com/a/a\n";
    for (line, reason) in [
        ("b", "`b` has no publisher URL after it"),
        ("b # https://github.com/b/b", "`b` has no publisher URL after it"),
        ("b==1 https://github.com/b/b", "`b==1` is not a project name"),
        ("b nonsense", "nonsense"),
        ("b https://github.com/b/b#comment", "https://github.com/b/b#comment"),
        ("b https://github.com/b/b workflow", "`workflow` is not KEY=VALUE"),
        ("b https://github.com/b/b ref=main", "unknown field `ref`"),
        ("b https://github.com/b/b Workflow=x.yml", "unknown field `Workflow`"),
        ("b https://github.com/b/b workflow=", "`workflow` has no value"),
        ("b https://github.com/b/b workflow=a.yml workflow=a.yml", "`workflow` is given twice"),
        ("b https://github.com/b/b workflow=a%2", "`workflow=a%2` is not percent-encoded text"),
        ("b https://github.com/b/b workflow=%ff", "`workflow=%ff` is not percent-encoded text"),
        ("b https://github.com/b/b\0", "control character \\u{0}"),
        ("# \u{1b}[2K", "control character \\u{1b}"),
        ("b\rc https://github.com/b/b", "control character \\u{d}"),
        ("b\u{a0}https://github.com/b/b", "is not a project name"),
    ] {
        let error = error(&format!("{good}\n{line}\n{good}"));
        assert!(error.starts_with("line 3: ") && error.contains(reason), "{line:?}: {error}");
    }
}

#[test]
fn merge_conflict_is_named_as_such() {
    let text = "a https://github.com/a/a\n<<<<<<< HEAD\nb https://github.com/b/b\n=======\nb https://github.com/c/c\n>>>>>>> other\n";
    assert_eq!(error(text), "line 2: a merge conflict is left in the file");
    assert_eq!(error(&text[38..]), "line 2: a merge conflict is left in the file");
}

#[test]
fn project_that_is_pinned_twice_is_an_error_that_names_both_lines() {
    let text = "# first\nfoo-bar https://github.com/a/a\n\nFoo_Bar https://github.com/a/a\n";
    assert_eq!(error(text), "line 4: `foo-bar` is already on line 2");
}

#[test]
fn non_utf8_bytes_are_an_error_on_their_line() {
    let utf16: Vec<u8> = "\u{feff}a b".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(TrustFile::from_bytes(&utf16).unwrap_err().to_string(), "line 1: not UTF-8 text");
    let latin1 = b"# ok\n# caf\xe9\n";
    assert_eq!(TrustFile::from_bytes(latin1).unwrap_err().to_string(), "line 2: not UTF-8 text");
}

#[test]
fn new_pins_are_in_alphabetical_order() {
    let text = "b https://github.com/b/b\nd https://github.com/d/d\n";
    let n = |name| format!("{name} https://github.com/new/new\n");
    let (a, c, e) = (n("a"), n("c"), n("e"));
    assert_eq!(
        with(text, &["e", "a", "c"]),
        format!("{a}b https://github.com/b/b\n{c}d https://github.com/d/d\n{e}")
    );
}

#[test]
fn comment_directly_above_a_line_stays_with_it() {
    let text =
        "# all of ours\n\n# b: see the review\n# of May\nb https://github.com/b/b # yes\n\n# end\n";
    let a = "a https://github.com/new/new\n";
    let c = "c https://github.com/new/new\n";
    assert_eq!(
        with(text, &["a", "c"]),
        format!(
            "# all of ours\n\n{a}# b: see the review\n# of May\nb https://github.com/b/b # yes\n{c}\n# end\n"
        )
    );
}

#[test]
fn new_pin_takes_the_line_ending_of_the_file() {
    assert_eq!(
        with("\u{feff}# c\r\nb https://github.com/b/b", &["c", "a"]),
        "\u{feff}a https://github.com/new/new\r\n# c\r\nb https://github.com/b/b\r\nc https://github.com/new/new\r\n"
    );
    assert_eq!(with("# only", &["a"]), "# only\na https://github.com/new/new\n");
}

#[test]
fn existing_pin_is_never_changed() {
    let text = "Foo.Bar https://github.com/a/a workflow=x.yml\n";
    assert_eq!(with(text, &["foo-bar"]), text);
}

fn line() -> impl Strategy<Value = String> {
    let pin = ("[A-Za-z][a-z0-9._-]{0,6}[a-z0-9]", "[a-z]{1,5}", "[ \t]{1,4}").prop_map(
        |(name, owner, blanks)| format!("{name}{blanks}https://github.com/{owner}/x environment=p"),
    );
    prop_oneof![3 => pin, 1 => "[ \t]{0,3}#[ -~ä]{0,12}", 1 => "[ \t]{0,3}"]
}

proptest! {
    #[test]
    fn written_file_reads_back_equal(
        lines in prop::collection::vec(line(), 0..12),
        names in prop::collection::vec("[a-z]{1,6}", 0..6),
        ending in prop_oneof!["\n", "\r\n"],
        last in any::<bool>(),
    ) {
        let text = lines.join(&ending) + if last { &ending } else { "" };
        let Ok(file) = TrustFile::parse(&text) else { return Ok(()) };
        prop_assert_eq!(file.to_string(), text.as_str());
        let new: Vec<_> =
            names.iter().map(|text| (name(text), url("https://github.com/n/n"))).collect();
        let grown = file.with_pins(&new);
        prop_assert_eq!(&TrustFile::parse(&grown.to_string()).unwrap(), &grown);
        for (name, pin) in file.pins() {
            prop_assert_eq!(grown.pin(name), Some(pin));
        }
        prop_assert!(new.iter().all(|(name, _)| grown.pin(name).is_some()));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(file) = TrustFile::from_bytes(&bytes) {
            prop_assert_eq!(file.to_string().into_bytes(), bytes);
        }
    }
}
