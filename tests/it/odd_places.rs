//! Places of files as people really have them: links that an index signs anew for each answer.

use pypi_verify_now::package::digest::Sha256;

use crate::support::index::DistFile;
use crate::support::twin::{But, same};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, dist, octo, signed};

const AA: &str = "aa-1.0-py3-none-any.whl";

/// A wheel without METADATA beside it, whose place would be behind the query.
fn aa() -> DistFile {
    DistFile { metadata: None, ..dist(Wheel::new("aa", "1.0")) }
}

/// A world whose index has `file`, under another link in each answer, and requirements that name
/// the index.
fn presigned(world: World, file: DistFile) -> World {
    let real = world.index.file_url(&file.filename);
    let world = world.file_on_index(file.at(format!("{real}?signature=0&expires=0")));
    for number in 1..20 {
        let url = format!("{real}?signature={number}&expires={number}");
        world.index.after("/simple/aa/", number, move |projects| {
            projects.get_mut("aa").unwrap()[0].url = Some(url);
        });
    }
    let text = format!("-i {}\naa\n", world.index.url());
    world.file("requirements.txt", text)
}

#[test]
fn file_under_a_new_link_in_each_answer_is_found_by_its_digest() {
    for pip in ["26.3", "24.0"] {
        let world = presigned(World::with_pip(pip), signed(aa(), &octo()));
        let world = world.trust(PIN_AA);
        let twin = world.twin();
        let outcome = same(&world, &twin, &["install", "-r", "requirements.txt"], But::Requested);
        outcome.exits(0).stderr_has("verified: aa 1.0");
    }
}

#[test]
fn unsigned_file_under_a_new_link_gets_no_better_verdict() {
    let world = presigned(World::new(), aa());
    let install = ["install", "-r", "requirements.txt"];
    world.pip(install).run().exits(0).stderr_has("unknown: aa 1.0");
    let world = presigned(World::new(), aa()).trust(PIN_AA);
    world.refuses(install, 77).stderr_has("signature expected");
}

/// The page has another file under the name when it is asked again.
#[test]
fn other_bytes_under_a_new_link_are_another_file() {
    let world = presigned(World::new(), signed(aa(), &octo()));
    let other = Wheel::new("aa", "1.0").file("aa.py", "import os").build().bytes;
    let swapped = Sha256::of(&other);
    world.index.after(&format!("/files/{AA}"), 1, move |projects| {
        projects.get_mut("aa").unwrap()[0].bytes = other;
    });
    let world = world.trust(PIN_AA);
    let outcome = world.leaves_all_as_it_was(world.pip(["install", "-r", "requirements.txt"]), 69);
    outcome.stderr_has("no configured index lists").lacks(&swapped.to_string());
    outcome.stderr_has(AA);
}
