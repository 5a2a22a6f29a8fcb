//! The pure rules on trust files: how pins add up, and whose files count.

use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::trust::file::TrustFile;
use pypi_verify_now::trust::ownership::{Attributes, User};
use pypi_verify_now::trust::pins::{InForce, Pins};

/// The pins of these texts, from the outermost to the nearest.
fn of(texts: &[&str]) -> Result<Pins, String> {
    let file = |(path, text): (&str, &&str)| InForce {
        path: path.into(),
        file: TrustFile::parse(text).unwrap(),
    };
    let files = ["outer", "middle", "nearest"].into_iter().zip(texts).map(file).collect();
    Pins::of(files).map_err(|contradiction| contradiction.to_string())
}

/// All that is said of `a`, or why the files contradict each other.
fn a(texts: &[&str]) -> String {
    match of(texts) {
        Ok(pins) => {
            let Some(pin) = pins.pin(&PackageName::parse("a").unwrap()) else { return "no".into() };
            let conditions = pin.conditions().iter().map(|condition| format!(" {condition}"));
            pin.url.to_string() + &conditions.collect::<String>()
        }
        Err(contradiction) => contradiction,
    }
}

const URL: &str = "https://github.com/alice/a";

#[test]
fn nearer_file_adds_pins_and_removes_none() {
    let pin = &*format!("a {URL}\n");
    let tight = &*format!("# ours\na {URL} workflow=r.yml\n");
    let other = &*format!("a {URL} environment=e\n");
    let both = format!("{URL} workflow=r.yml");
    for (texts, said) in [
        (&[""][..], "no"),
        (&[pin, "", "# empty\n"], URL),
        (&["", pin], URL),
        (&["b https://github.com/bob/b\n", pin], URL),
        (&[pin, "A https://GitHub.com/Alice/A/\n"], URL),
        (&[pin, tight], &both),
        (&[tight, pin], &both),
        (&[tight, "", tight], &both),
        (&[pin, tight, other], &format!("{both} environment=e")),
    ] {
        assert_eq!(a(texts), said, "{texts:?}");
    }
    let pins = of(&[pin, "b https://github.com/bob/b\n", tight]).unwrap();
    let places = pins.places(&PackageName::parse("a").unwrap());
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["outer, line 1", "nearest, line 2"]);
    assert_eq!(pins.pins().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn contradiction_names_both_lines() {
    let pin = &*format!("a {URL}\n");
    let tight = &*format!("#\na {URL} workflow=r.yml\n");
    let other = "\n\na https://github.com/mallory/a\n";
    let loose = &*format!("a {URL} workflow=x.yml\n");
    let publishers = format!("`a` is bound to {URL} in");
    let mallory = "https://github.com/mallory/a in";
    let workflows = "`a` is bound to workflow=r.yml in middle, line 2, and to workflow=x.yml in \
                     nearest, line 1";
    for (texts, said) in [
        (&[pin, other][..], format!("{publishers} outer, line 1, and to {mallory} middle, line 3")),
        (
            &["", pin, other],
            format!("{publishers} middle, line 1, and to {mallory} nearest, line 3"),
        ),
        (&[pin, tight, loose], workflows.to_owned()),
    ] {
        assert_eq!(a(texts), said);
    }
}

#[test]
fn owners_of_a_trust_file_are_limited() {
    let me = User { id: 1000, group: 1000 };
    let root = User { id: 0, group: 0 };
    // The user; owner, group and mode of the file, of its directory; whether it counts.
    for (user, file, directory, counts) in [
        (me, (1000, 1000, 0o644), (1000, 1000, 0o755), true),
        (me, (1000, 1000, 0o644), (0, 0, 0o1777), true),
        (me, (0, 0, 0o644), (0, 0, 0o755), true),
        (me, (0, 0, 0o644), (0, 0, 0o1777), true),
        // Somebody else's, in a directory of the owner's, of root's, of the user's.
        (me, (1001, 1001, 0o644), (1001, 1001, 0o755), true),
        (me, (1001, 1001, 0o644), (0, 0, 0o1777), false),
        (me, (1001, 1001, 0o644), (0, 0, 0o755), false),
        (me, (1001, 1001, 0o644), (1000, 1000, 0o755), false),
        // The owner's directory, and others may write there; the sticky bit does not help.
        (me, (1001, 1001, 0o644), (1001, 1001, 0o757), false),
        (me, (1001, 1001, 0o644), (1001, 1001, 0o1777), false),
        (me, (1001, 1001, 0o644), (1001, 100, 0o775), false),
        // The group that may write is the owner's private one, or root's.
        (me, (1001, 1001, 0o644), (1001, 1001, 0o775), true),
        (me, (1001, 1001, 0o644), (1001, 0, 0o775), true),
        // Root in a container, on a directory of outside.
        (root, (1000, 1000, 0o644), (1000, 1000, 0o755), true),
        (root, (1000, 1000, 0o664), (1000, 1000, 0o775), true),
        (root, (1000, 1000, 0o644), (0, 0, 0o755), false),
        (root, (0, 0, 0o644), (1000, 1000, 0o777), true),
        // Others may write to the file itself.
        (me, (1000, 1000, 0o646), (1000, 1000, 0o700), false),
        (me, (0, 0, 0o666), (0, 0, 0o755), false),
        (root, (0, 0, 0o622), (0, 0, 0o700), false),
        (me, (1000, 100, 0o664), (1000, 1000, 0o755), false),
        (me, (1000, 1000, 0o664), (1000, 1000, 0o755), true),
        (User { id: 1000, group: 1002 }, (1000, 1002, 0o664), (1000, 1002, 0o775), true),
        (me, (1001, 100, 0o664), (1001, 1001, 0o755), false),
    ] {
        let shown = format!("{user:?} {file:?} {directory:?}");
        assert_eq!(
            user.trusts(&attributes(file), &attributes(directory)).is_ok(),
            counts,
            "{shown}"
        );
    }
}

#[test]
fn objection_names_owner_and_mode() {
    let me = User { id: 1000, group: 1000 };
    let directory = attributes((0, 0, 0o1777));
    for (file, said) in [
        ((1001, 1001, 0o644), "belongs to user 1001, who is neither you (1000)"),
        ((1000, 1000, 0o666), "everybody may write to it"),
        ((1000, 100, 0o664), "the members of group 100 may write to it"),
    ] {
        let objection = me.trusts(&attributes(file), &directory).unwrap_err().to_string();
        assert!(objection.contains(said), "{objection}");
    }
}

#[test]
fn foreign_mark_in_a_shared_directory_does_not_count() {
    let me = User { id: 1000, group: 1000 };
    for (mark, directory, counts) in [
        ((1000, 1000, 0o755), (0, 0, 0o1777), true),
        ((1001, 1001, 0o755), (0, 0, 0o1777), false),
        ((1001, 1001, 0o755), (1001, 1001, 0o755), true),
        ((1001, 100, 0o775), (1001, 100, 0o2775), true),
        ((1001, 1001, 0o755), (1001, 1001, 0o777), false),
    ] {
        assert_eq!(me.heeds(&attributes(mark), &attributes(directory)), counts, "{mark:?}");
    }
}

fn attributes((owner, group, mode): (u32, u32, u32)) -> Attributes {
    Attributes { owner, group, mode }
}
