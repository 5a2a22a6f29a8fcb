//! The live line: on a terminal while something takes its time, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pypi_verify_now::terminal::progress::{Activity, Progress, UNNOTICED};

use crate::support::index::LoopbackIndex;
use crate::support::served::{self, pin, signed, wheel};
use crate::support::terminal::{Terminal, written};
use crate::support::wheel::Wheel;
use crate::support::world::{PIN_AA, World, octo};

const DOCUMENT: &str = "/provenance/aa-1.0-py3-none-any.whl";
const FILE: &str = "/files/aa-1.0-py3-none-any.whl";
const VERIFYING: &str = "pypi-verify-now: verifying 0 of 1";

fn world() -> World {
    World::new().signed(Wheel::new("aa", "1.0"), &octo()).trust(PIN_AA)
}

/// `pip install ARGS aa` at a terminal, which waits for these words; answers at `path` are held.
fn at_a_terminal(world: &World, path: &str, words: &str, args: &[&str]) -> Terminal {
    world.index.hold(path);
    let command = [&["pip", "install"], args, &["aa"]].concat();
    Terminal::start(|args| world.run("python3", args).env("TERM", "xterm"), words, &command)
}

/// The words for what goes on for longer than anybody fails to notice.
fn words(progress: &Progress) -> Option<String> {
    progress.words(Instant::now() + UNNOTICED)
}

#[test]
fn line_shows_step_and_progress() {
    let progress = Progress::default();
    let resolving = progress.begin(Activity::Resolving, 0);
    assert_eq!(words(&progress).unwrap(), "resolving");
    drop(resolving);
    assert_eq!(words(&progress), None);
    let _fetching = progress.begin(Activity::Fetching, 99);
    for _ in 0..30 {
        progress.step(Activity::Fetching);
        progress.step(Activity::Verifying);
        progress.received(410_000);
    }
    assert_eq!(words(&progress).unwrap(), "fetching 30 of 99 (12.3 MB)");
}

#[test]
fn short_steps_show_no_line() {
    let progress = Progress::default();
    let begun = Instant::now();
    let _verifying = progress.begin(Activity::Verifying, 2);
    assert_eq!(progress.words(begun), None);
    assert_eq!(progress.words(begun + UNNOTICED - Duration::from_millis(1)), None);
}

#[test]
fn line_is_cleared_when_the_work_ends() {
    let (progress, cleared) = (Progress::default(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&cleared);
    progress.shown_by(Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    drop(progress.begin(Activity::Verifying, 2));
    assert_eq!(cleared.load(Ordering::SeqCst), 1);
    progress.close();
    let _more = progress.begin(Activity::Fetching, 2);
    assert_eq!(words(&progress), None);
}

#[test]
fn line_is_shown_and_cleared_at_a_terminal() {
    for (path, words) in [
        ("/simple/aa/", "pypi-verify-now: resolving"),
        (DOCUMENT, VERIFYING),
        (FILE, "pypi-verify-now: fetching 0 of 1"),
    ] {
        let world = world();
        let mut terminal = at_a_terminal(&world, path, words, &["--no-color"]);
        terminal.sees();
        world.index.release();
        let written = terminal.ends();
        assert_eq!(written.status, 0, "{}", written.all);
        let screen = written.screen();
        assert!(
            !screen.iter().any(|line| line.contains("resolving") || line.contains(" of 1")),
            "{screen:?}"
        );
        assert!(screen[0].starts_with("pypi-verify-now: verified: aa 1.0"), "{screen:?}");
    }
}

#[test]
fn line_is_cleared_on_control_c() {
    for (path, words) in [("/simple/aa/", "pypi-verify-now: resolving"), (DOCUMENT, VERIFYING)] {
        let world = world();
        let mut terminal = at_a_terminal(&world, path, words, &[]);
        terminal.sees();
        let written = terminal.interrupted();
        assert_eq!(written.status, 1, "{}", written.all);
        let screen = written.screen();
        assert!(!screen.iter().any(|line| line.contains("pypi-verify-now: ")), "{screen:?}");
        let left = |name: &String| !name.contains("/tmp/pip-");
        assert_eq!(world.leftovers().iter().filter(|name| left(name)).count(), 0);
    }
}

#[test]
fn line_is_hidden_if_unwanted_or_not_redrawable() {
    // Later runs ask for the page alone, which is asked for before pip is: one answer must take
    // longer than what goes unnoticed.
    let index = LoopbackIndex::builder().latency(UNNOTICED * 2);
    let aa = wheel("aa", "1.0");
    let index = index.file("aa", signed(&aa, &served::octo("aa"))).start();
    let world = served::world(&index).trust(&pin("aa"));
    let shown = |args: &[&str], name: &str, value: &str| {
        let command = [&["pip", "install", "--dry-run", "aa"], args].concat();
        let python = |args| world.run("python3", args).env("TERM", "xterm").env(name, value);
        let written = written(python, &command);
        assert_eq!(written.status, 0, "{}", written.all);
        written.all.contains("pypi-verify-now: resolving")
    };
    assert!(shown(&[], "NO_COLOR", "1"));
    assert!(shown(&["--progress-bar=on"], "PIP_PROGRESS_BAR", "off"));
    assert!(!shown(&[], "TERM", "dumb"));
    assert!(!shown(&["--quiet"], "X", ""));
    assert!(!shown(&["--progress-bar", "off"], "X", ""));
    assert!(!shown(&[], "PIP_PROGRESS_BAR", "off"));
    let piped = world.pip(["install", "--dry-run", "aa"]).env("TERM", "xterm").run();
    piped.exits(0).lacks("resolving").lacks("\x1b");
}
