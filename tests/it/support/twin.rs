//! A command in a world with us and in one without, and the comparison of what it made of them.

use std::collections::BTreeMap;

use super::run::Outcome;
use super::sandbox::Sandbox;
use super::wheel::Wheel;
use super::world::{PIN_AA, World, octo};

/// The differences that are allowed between us and plain pip.
#[derive(Clone, Copy, PartialEq)]
pub enum But {
    /// Differences by the paths of the worlds.
    Nothing,
    /// Up to pip 26.0 the hashed file names everything, so that everything counts as requested.
    Requested,
}

/// The usual packages: `aa` is signed and needs `bb`; its extra `x` needs `cc`.
pub fn world(pip: &str) -> World {
    filled(World::with_pip(pip))
}

pub fn filled(world: World) -> World {
    world
        .signed(aa(), &octo())
        .wheel(bb("1.0"))
        .wheel(bb("2.0"))
        .wheel(Wheel::new("cc", "1.0"))
        .trust(PIN_AA)
}

pub fn aa() -> Wheel {
    Wheel::new("aa", "1.0").requires("bb>=1").extra("x", "cc").script("aa = aa:main")
}

pub fn bb(version: &str) -> Wheel {
    Wheel::new("bb", version)
}

/// Runs the command in both worlds, and compares.
#[track_caller]
pub fn same(world: &World, twin: &Sandbox, args: &[&str], but: But) -> Outcome {
    let (plain, ours) = (twin.plain_pip(args).run(), world.pip(args).run());
    assert_eq!(ours.status, plain.status, "{ours}\n=== plain\n{plain}");
    assert_eq!(said(&ours), said(&plain), "{ours}\n=== plain\n{plain}");
    let (mut with, mut without) = (state(world, but), state(twin, but));
    // Only the differences are shown if there are any.
    let equal: Vec<_> = with.iter().filter(|(path, it)| without.get(*path) == Some(*it)).collect();
    let equal: Vec<_> = equal.into_iter().map(|(path, _)| path.clone()).collect();
    for path in equal {
        with.remove(&path);
        without.remove(&path);
    }
    assert_eq!(with, without, "{ours}");
    assert!(world.leftovers().is_empty(), "{:?}", world.leftovers());
    ours
}

/// Returns the line `Successfully …` of pip; old pips do not keep the user's spelling of a name.
fn said(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout.lines().filter(|line| line.starts_with("Successfully"));
    let normal = |word: &str| word.to_lowercase().replace('_', "-");
    let mut words: Vec<_> = lines.flat_map(|line| line.split(' ').map(normal)).collect();
    words.sort();
    words
}

/// Every file of environment and project with its content, where that does not name the world.
fn state(world: &Sandbox, but: But) -> BTreeMap<String, String> {
    let root = world.path("").display().to_string();
    let mut all = BTreeMap::new();
    for line in world.files() {
        let (path, content) = line.rsplit_once(' ').unwrap();
        let path = path.strip_prefix(&root).unwrap().to_owned();
        let local = path.contains("/bin/") || path.ends_with("/RECORD");
        if but == But::Nothing || !path.ends_with("/REQUESTED") {
            all.insert(path, if local { String::new() } else { content.to_owned() });
        }
    }
    all
}
