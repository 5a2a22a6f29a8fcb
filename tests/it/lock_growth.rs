//! The cost of a larger lock: requests are counted and pages freed, so that time and memory grow
//! with the lock and no faster. No test here looks at a clock.

use pypi_verify_now::http::Client;
use pypi_verify_now::index::Index;
use pypi_verify_now::package::name::PackageName;
use url::Url;

use crate::http::hasty;
use crate::support::index::LoopbackIndex;
use crate::support::served::{lock, octo, our_requests, pin, signed, wheel, world};
use crate::support::wheel::{Distribution, Wheel};

/// How often the tool asks for pages and for documents, over a lock of so many projects with two
/// wheels each.
fn requests(projects: usize) -> (usize, usize) {
    let names: Vec<String> = (0..projects).map(|n| format!("p{n}")).collect();
    let two = |name: &String| -> Vec<Distribution> {
        let tags = ["py3-none-any", "py2-none-any"];
        tags.map(|tag| Wheel::new(name, "1.0").tag(tag).build()).into()
    };
    let wheels: Vec<_> = names.iter().map(two).collect();
    let files =
        names.iter().zip(&wheels).flat_map(|(name, two)| two.iter().map(move |w| (name, w)));
    let index = files.fold(LoopbackIndex::builder(), |index, (name, wheel)| {
        index.file(name, signed(wheel, &octo(name)))
    });
    let index = index.start();
    let entries =
        names.iter().zip(&wheels).map(|(name, two)| (name.as_str(), two.iter().collect()));
    let world = world(&index)
        .trust(&names.iter().map(|name| pin(name)).collect::<String>())
        .file("pylock.toml", lock(&index, entries));
    world.tool(["-L", "pylock.toml"]).run().exits(0);
    let paths = our_requests(&index);
    let count = |start: &str| paths.iter().filter(|path| path.starts_with(start)).count();
    assert_eq!(count("/simple/") + count("/provenance/"), paths.len());
    (count("/simple/"), count("/provenance/"))
}

#[test]
fn lock_costs_one_page_per_project_and_document_per_file() {
    assert_eq!(requests(2), (2, 4));
    assert_eq!(requests(40), (40, 80));
}

#[test]
fn pages_of_finished_projects_are_freed_on_request() {
    let index = LoopbackIndex::builder()
        .file("aa", signed(&wheel("aa", "1.0"), &octo("aa")))
        .file("bb", signed(&wheel("bb", "1.0"), &octo("bb")))
        .start();
    let (url, client) = (Url::parse(&index.url()).unwrap(), Client::new(&hasty()));
    let [aa, bb] = ["aa", "bb"].map(|name| PackageName::parse(name).unwrap());
    for (asks, known) in
        [(Index::new(&client), true), (Index::new(&client).dropping_checked_pages(), false)]
    {
        let page = asks.page(&url, &aa).unwrap();
        asks.page(&url, &bb).unwrap();
        asks.drop_page(&url, &aa);
        assert_eq!(asks.fetched_page(&url, &aa).is_some(), known);
        assert!(asks.fetched_page(&url, &bb).is_some());
        assert_eq!(asks.page(&url, &aa).unwrap(), page);
    }
    assert_eq!((index.count("/simple/aa/"), index.count("/simple/bb/")), (3, 2));
}
