//! Places and statements as people really have them: links that an index signs anew for each
//! answer, places in requirements files, indexes that are no URLs, yanked releases in reports.

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
    // pip asks the index itself if a requirements file from a URL names it.
    let text = format!("-i {}\naa\n", world.index.url());
    world.index.serve("/files/requirements.txt", "text/plain", text);
    let remote = world.index.at("/files/requirements.txt");
    let outcome = world.leaves_all_as_it_was(world.pip(["install", "-r", &remote]), 69);
    outcome.stderr_has("no configured index lists").lacks(&swapped.to_string());
    outcome.stderr_has(AA);
}

/// A world whose index has `bb`, and at a place without an index `aa`, which needs `bb`.
fn placed(pip: &str) -> (World, String) {
    let world = World::with_pip(pip).wheel(Wheel::new("bb", "1.0"));
    let aa = Wheel::new("aa", "1.0").requires("bb").build();
    world.index.serve(&format!("/elsewhere/{AA}"), "application/octet-stream", aa.bytes);
    let place = world.index.at(&format!("/elsewhere/{AA}"));
    (world, place)
}

#[test]
fn place_in_a_requirements_file_is_requested_alone() {
    let (world, place) = placed("26.3");
    let world = world.file("requirements.txt", format!("{place}\n"));
    let twin = world.twin();
    same(&world, &twin, &["install", "-r", "requirements.txt"], But::Nothing).exits(0);
    let requested: Vec<_> =
        world.files().into_iter().filter(|file| file.contains("/REQUESTED")).collect();
    assert_eq!(requested.iter().filter(|file| file.contains("/aa-1.0")).count(), 1);
    assert!(!requested.iter().any(|file| file.contains("/bb-1.0")), "{requested:?}");
}

#[test]
fn report_states_that_a_release_is_yanked() {
    let world = World::new()
        .file_on_index(dist(Wheel::new("aa", "1.0")).yanked("it is bad"))
        .wheel(Wheel::new("bb", "1.0"));
    let twin = world.twin();
    let install = ["install", "aa==1.0", "bb", "--report", "report.json"];
    same(&world, &twin, &install, But::Nothing).exits(0);
    for world in [&*world, &twin] {
        let text = std::fs::read_to_string(world.project().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let items = report["install"].as_array().unwrap();
        let yanked = items.iter().map(|item| (&item["metadata"]["name"], &item["is_yanked"]));
        let mut yanked: Vec<_> = yanked.map(|(name, is)| format!("{name} {is}")).collect();
        yanked.sort();
        assert_eq!(yanked, ["\"aa\" true", "\"bb\" false"]);
    }
}

#[test]
fn index_that_is_no_url_is_pips_failure() {
    for pip in ["26.3", "24.0"] {
        let world = World::with_pip(pip).wheel(Wheel::new("aa", "1.0"));
        let twin = world.twin();
        for index in ["htps//host/simple", "index.example/simple"] {
            for option in ["-i", "--extra-index-url"] {
                let install = ["install", option, index, "bb"];
                let (plain, ours) = (twin.plain_pip(install).run(), world.pip(install).run());
                assert_eq!((plain.status, ours.status), (1, 1), "{plain}\n{ours}");
                ours.stderr_has("please provide a scheme").stderr_has("No matching distribution");
            }
            let install = ["install", "-I", "--extra-index-url", index, "aa"];
            same(&world, &twin, &install, But::Requested).exits(0).stderr_has("unknown: aa 1.0");
        }
    }
}

/// Such an index gives no file a better verdict.
#[test]
fn index_that_is_no_url_excuses_no_file() {
    let world = World::new().wheel(Wheel::new("aa", "1.0")).trust(PIN_AA);
    let install = ["install", "--extra-index-url", "index.example/simple", "aa"];
    world.refuses(install, 77).stderr_has("signature expected");
    let world = World::new().trust("src https://github.com/octo/example\n");
    let sdist = world.sdist("src", "1.0");
    let world = world.source(sdist);
    let install = ["install", "--extra-index-url", "index.example/simple", "src"];
    world.runs_nothing(world.pip(install), 77).stderr_has("signature expected");
}

/// The text of a lock of one file of `aa`.
fn lock(kind: &str, name: &str, url: &str, sha256: &Sha256) -> String {
    let file = format!("{{name = '{name}', url = '{url}', hashes = {{sha256 = '{sha256}'}}}}");
    let files = if kind == "wheels" { format!("[{file}]") } else { file };
    format!(
        "lock-version = '1.0'\ncreated-by = 'pip'\n[[packages]]\nname = 'aa'\nversion = '1.0'\n\
         {kind} = {files}\n"
    )
}

#[test]
fn lock_without_a_fitting_file_is_pips_failure() {
    let world = World::new();
    let (name, bytes) = ("aa-1.0-cp39-cp39-win32.whl", b"a wheel of another platform");
    let text = lock("wheels", name, &world.index.file_url(name), &Sha256::of(bytes));
    world.write_file("pylock.toml", text);
    let twin = world.twin();
    let install = ["install", "-r", "pylock.toml"];
    let plain = twin.plain_pip(install).run();
    let ours = world.leaves_all_as_it_was(world.pip(install), plain.exits(1).status);
    let error = |text: &str| text.lines().find(|line| line.starts_with("ERROR")).map(str::to_owned);
    assert_eq!(error(&ours.stderr), error(&plain.stderr), "{ours}\n=== plain\n{plain}");
}
