//! Reading pip's command line: example by example, against invariants, and against pip's own
//! parser.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use pypi_verify_now::pip::command_line::arguments::{Item, Kind, Spelling, Subcommand};
use pypi_verify_now::pip::command_line::invocation::{
    InstallArgs, Invocation, Positionals, classify,
};
use pypi_verify_now::pip::command_line::table::{self, Lock, OPTIONS, PipOption, Position};

use crate::support::sandbox::Sandbox;

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect()
}

fn install(line: &str) -> InstallArgs {
    match classify(&words(line)) {
        Invocation::Install(args) => args,
        other => panic!("`pip {line}`: {other:?}"),
    }
}

/// The whole command line, as it was given.
fn argv(args: &InstallArgs) -> Vec<OsString> {
    let raw = |items: &[Item]| items.iter().flat_map(|item| item.raw.clone()).collect::<Vec<_>>();
    [raw(args.global()), words(args.subcommand().word()), raw(args.items())].concat()
}

/// Selects the options that have one of these names.
fn named(names: &[&str]) -> impl Fn(&PipOption) -> bool {
    move |option| option.names.iter().any(|name| names.contains(name))
}

fn passes_through(line: &str) -> bool {
    classify(&words(line)) == Invocation::PassThrough
}

#[test]
fn harmless_commands_are_passed_through() {
    for line in [
        "",
        "list",
        "uninstall install",
        "help install",
        "--version install x",
        "-V install x",
        "-vV install x",
        "--help install",
        "install --help",
        "install x -h",
        "install -Uh x",
        "--log install list",
        "--proxy=p freeze install",
        "--timeout 5 -q list install",
        "-- list install",
        "--trusted-host",
    ] {
        assert!(passes_through(line), "pip {line}");
    }
}

#[test]
fn installing_commands_are_installs() {
    for line in [
        "install",
        "install x",
        "-q install x",
        "--log install install x",
        "--proxy -V install x",
        "--cert=--help install x",
        "-- install x",
        "--prox p install x",
        "install -- --help",
        "install -r --help",
        "install --version x",
        "install -V x",
    ] {
        install(line);
    }
}

#[test]
fn unknown_commands_are_unheard_of() {
    for (line, words) in [
        ("Install x", &["Install"][..]),
        ("instal x", &["instal"]),
        ("-q sync x --help", &["sync"]),
        ("- install", &["-"]),
        ("-- sync x", &["sync"]),
        ("--new sync list x", &["sync", "x"]),
        ("--log install sync", &["sync"]),
    ] {
        let words = words.iter().map(OsString::from).collect();
        assert_eq!(classify(&self::words(line)), Invocation::UnknownCommand(words), "pip {line}");
    }
    assert!(passes_through("--new list -x") && passes_through("--new"));
}

#[test]
fn lock_is_read_as_an_install_is() {
    for line in ["lock x", "-q lock x", "--new lock x", "--new list lock x", "lock --version x"] {
        assert_eq!(install(line).subcommand(), Subcommand::Lock, "pip {line}");
    }
    assert!(passes_through("lock --help") && passes_through("--log lock list"));
    let args = install("lock -qo - x --out=y");
    assert_eq!(
        (args.values("--output"), args.requirement_arguments()),
        (vec![OsStr::new("-"), OsStr::new("y")], vec![OsStr::new("x")])
    );
    assert!(!args.every_option_known_to_lock() && install("lock --new x").unknown());
}

#[test]
fn unclear_command_lines_are_installs() {
    for line in [
        "--new install x",
        "--new value install x",
        "--new list install x",
        "--new --log install x",
        "--new -V install x",
        "--new --help install x",
        "--new -- install x",
        "--no install x",
        "-Z install x",
        "-i install x",
        "--isolated=yes install x",
        "install --new --help x",
        "install -Zh x",
        "install --he",
    ] {
        let args = install(line);
        assert!(args.unknown() || args.abbreviated(), "pip {line}");
        assert_eq!(argv(&args), words(line));
    }
}

#[test]
fn unknown_option_may_own_the_word_after_it() {
    let args = install("install --new a b --pre");
    assert!(args.unknown());
    assert_eq!(args.items()[0].kind, Kind::Unknown);
    assert_eq!(args.items()[1].kind, Kind::Unclear("a".into()));
    assert_eq!(args.requirement_arguments(), ["b"]);
    assert!(args.has("--pre") && !args.every_option_known_to_lock());
}

#[test]
fn every_way_of_writing_a_value_is_the_same_value() {
    for line in [
        "install -r req.txt",
        "install -rreq.txt",
        "install --requirement req.txt",
        "install --requirement=req.txt",
        "install -Uqr req.txt",
        "install -Uqrreq.txt",
        "install --requirement -U --requirement=req.txt",
    ] {
        assert_eq!(install(line).values("--requirement").last(), Some(&OsStr::new("req.txt")));
        assert_eq!(install(line).values("-r").last(), Some(&OsStr::new("req.txt")), "pip {line}");
        assert_eq!(install(line).requirement_arguments(), [""; 0]);
    }
    assert_eq!(install("install --cert= x").values("--cert").last(), Some(&OsStr::new("")));
}

#[test]
fn options_and_arguments_interleave_until_a_double_dash() {
    let args = install("install a -U b --pre -- -c --user -");
    assert_eq!(args.requirement_arguments(), ["a", "b", "-c", "--user", "-"]);
    assert!(args.has("--upgrade") && args.has("--pre") && !args.has("--user"));
}

#[test]
fn general_options_count_before_and_after_the_subcommand() {
    let args = install("-q --cert a install -qv --cert b x");
    assert_eq!(args.count("--quiet"), 2);
    assert_eq!(args.values("--cert"), ["a", "b"]);
    assert_eq!(args.values("--cert").last(), Some(&OsStr::new("b")));
    assert_eq!(args.global().len(), 2);
    assert!(install("-q install x").every_option_known_to_lock());
    assert!(!install("-q install -U x").every_option_known_to_lock());
}

#[test]
fn abbreviation_is_read_and_remembered_as_one() {
    let args = install("install --dry --extra-i u x");
    assert!(args.has("--dry-run") && args.abbreviated() && !args.unknown());
    assert_eq!(args.values("--extra-index-url"), ["u"]);
    assert!(!install("install --pre x").abbreviated());
    assert!(install("install --upg x").unknown(), "--upgrade or --upgrade-strategy");
    assert!(!install("install --extra-i u x").every_option_known_to_lock());
}

#[test]
fn option_without_its_value_or_with_one_too_many_is_unknown() {
    for line in ["install x -r", "install x --log", "install --pre=1 x", "install -Ur"] {
        assert!(install(line).unknown(), "pip {line}");
    }
}

/// pip takes the first `install` away, here the value of `--log`: `p`, `install` and `x` are then
/// what it installs.
#[test]
fn value_that_pip_mistakes_for_the_subcommand_is_unknown() {
    assert!(install("--log install --proxy p install x").unknown());
    assert!(!install("--log install install x").unknown());
    assert!(!install("--log=install --proxy p install x").unknown());
}

#[test]
fn options_are_taken_out_of_a_command_line_and_out_of_a_cluster() {
    let args = install("-q --log f install a -Uqrr.txt --dry-run b --pre");
    let tail = |names: &[&str], positionals| args.without(named(names), positionals);
    assert_eq!(tail(&[], Positionals::Keep), words("a -Uqrr.txt --dry-run b --pre"));
    assert_eq!(tail(&["--dry-run", "-q"], Positionals::Keep), words("a -Ur r.txt b --pre"));
    assert_eq!(tail(&["--requirement"], Positionals::Drop), words("-Uq --dry-run --pre"));
    assert_eq!(tail(&["-U", "-q", "-r"], Positionals::Drop), words("--dry-run --pre"));
    assert_eq!(args.global_without(named(&["--log"])), words("-q"));
}

#[test]
fn double_dash_before_the_subcommand_moves_behind_it() {
    let args = install("-q -- install --pre x");
    assert_eq!(args.requirement_arguments(), ["--pre", "x"]);
    assert_eq!(args.global_without(named(&[])), words("-q"));
    assert_eq!(args.without(named(&[]), Positionals::Keep), words("-- --pre x"));
    assert_eq!(argv(&args), words("-q -- install --pre x"));
}

#[test]
fn arguments_that_are_not_unicode_survive() {
    let odd = OsString::from_vec(b"-r\xff\xfe".to_vec());
    let path = OsString::from_vec(b"./\xff".to_vec());
    let Invocation::Install(args) = classify(&["install".into(), odd.clone(), path.clone()]) else {
        panic!("passed through");
    };
    assert_eq!(args.values("-r"), [OsString::from_vec(b"\xff\xfe".to_vec())]);
    assert_eq!(args.requirement_arguments(), [path.as_os_str()]);
    assert_eq!(args.without(named(&[]), Positionals::Keep), [odd, path]);
}

#[test]
fn table_has_each_name_once_and_every_short_name_is_short() {
    let names: Vec<_> = OPTIONS.iter().flat_map(|option| option.names).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), unique.len());
    for option in OPTIONS {
        assert!(option.name().starts_with("--"));
        assert_eq!(table::named(option.name()), Some(option));
        assert!(option.names.iter().all(|name| name.starts_with("--") || name.len() == 2));
    }
    let lacks = |name| table::named(name).unwrap().lock == Lock::Lacks;
    assert!(lacks("--target") && lacks("--dry-run") && !lacks("--group"));
}

/// Words of every kind that pip's command line is made of.
fn word() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = OPTIONS.iter().flat_map(|o| o.names).copied().collect();
    let long: Vec<&'static str> = names.iter().copied().filter(|n| n.len() > 2).collect();
    let letters: Vec<u8> = names.iter().filter(|n| n.len() == 2).map(|n| n.as_bytes()[1]).collect();
    let plain = ["x", "req.txt", "list", "help", "", "-", "--", "=", "é", "a=b", ":all:"];
    let plain = prop::sample::select(plain.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        6 => prop::sample::select(names).prop_map(str::to_owned),
        1 => (prop::sample::select(long.clone()), any::<prop::sample::Index>())
            .prop_map(|(name, cut)| name[..2 + cut.index(name.len() - 2)].to_owned()),
        1 => (prop::sample::select(long), plain.clone()).prop_map(|(n, v)| format!("{n}={v}")),
        2 => (prop::collection::vec(prop::sample::select(letters), 1..4), plain.clone())
            .prop_map(|(l, rest)| format!("-{}{rest}", String::from_utf8(l).unwrap())),
        2 => Just("install".to_owned()),
        3 => plain,
        1 => prop::sample::select(vec!["--new", "-Z", "--new=1"]).prop_map(str::to_owned),
    ]
}

fn command_line() -> impl Strategy<Value = Vec<String>> {
    let general: Vec<&'static str> = OPTIONS
        .iter()
        .filter(|o| o.place == Position::Anywhere)
        .flat_map(|o| o.names)
        .copied()
        .collect();
    let general = prop::sample::select(general).prop_map(str::to_owned);
    let before = prop::collection::vec(prop_oneof![3 => general, 1 => word()], 0..4);
    let after = prop::collection::vec(word(), 0..7);
    (before, prop::bool::weighted(0.8), after).prop_map(|(before, install, after)| {
        let subcommand = install.then(|| "install".to_owned());
        before.into_iter().chain(subcommand).chain(after).collect()
    })
}

proptest! {
    #[test]
    fn no_argument_is_lost_or_moved(line in command_line()) {
        let given: Vec<OsString> = line.into_iter().map(OsString::from).collect();
        if let Invocation::Install(args) = classify(&given) {
            prop_assert_eq!(argv(&args), given);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(line in prop::collection::vec(prop::collection::vec(1_u8.., 0..6), 0..6)) {
        let given: Vec<OsString> = line.into_iter().map(OsString::from_vec).collect();
        let given = [vec![OsString::from("install")], given].concat();
        if let Invocation::Install(args) = classify(&given) {
            prop_assert_eq!(argv(&args), given);
        }
    }

    #[test]
    fn removing_an_option_keeps_all_others(line in command_line()) {
        let argv: Vec<OsString> = line.into_iter().map(OsString::from).collect();
        let Invocation::Install(args) = classify(&argv) else { return Ok(()) };
        if args.unknown() { return Ok(()) }
        let left = [
            args.global_without(named(&["--quiet"])),
            vec!["install".into()],
            args.without(named(&["--quiet"]), Positionals::Keep),
        ].concat();
        let Invocation::Install(left) = classify(&left) else { panic!("no install any more") };
        prop_assert_eq!(left.count("--quiet"), 0);
        prop_assert_eq!(left.requirement_arguments(), args.requirement_arguments());
        let others = |args: &InstallArgs| {
            args.chosen()
                .filter(|chosen| chosen.option.name() != "--quiet")
                .map(|chosen| (chosen.option.name(), chosen.value.clone()))
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(others(&left), others(&args));
    }
}

/// pip's own parsers, told to note options instead of acting on them. Takes command lines as a JSON
/// list, gives back what each is to pip: `error`, `nothing` (it prints, or it is another command
/// than the one that is asked about), or the options (first long name and value) and arguments.
const PIPS_OWN_READING: &str = r"
import contextlib, io, json, optparse, sys
from pip._internal.cli.main_parser import create_main_parser
from pip._internal.commands import create_command

class Prints(Exception): pass
noted = []
def process(self, opt, value, values, parser):
    if self.action == 'help': raise Prints
    noted.append([self._long_opts[0], value])
    if self.action == 'store_true' and self.dest == 'version': values.version = True
optparse.Option.process = process

subcommand = sys.argv[1]
main, command = create_main_parser(), create_command(subcommand).parser
for parser in (main, command): parser.process_default_values = False

def reading(args):
    try:
        general, rest = main.parse_args(list(args))
        if general.version or rest[:1] != [subcommand]: return 'nothing'
        args.remove(subcommand)
        noted.clear()
        _, words = command.parse_args(args)
    except Prints: return 'nothing'
    except SystemExit: return 'error'
    return [list(noted), words]

with contextlib.redirect_stderr(io.StringIO()):
    answers = [reading(args) for args in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
";

#[test]
fn command_lines_read_as_pips_own_parser_reads_them() {
    read_alike(Subcommand::Install);
}

#[test]
fn command_lines_of_lock_read_as_pips_own_parser_reads_them() {
    read_alike(Subcommand::Lock);
}

fn read_alike(subcommand: Subcommand) {
    let mut runner = TestRunner::deterministic();
    let strategy = command_line();
    let lines: Vec<Vec<String>> =
        (0..6_000).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let word = |word: String| if word == "install" { subcommand.word().to_owned() } else { word };
    let lines: Vec<Vec<String>> =
        lines.into_iter().map(|line| line.into_iter().map(word).collect()).collect();
    let answers = pips_own_reading(subcommand, &lines);

    let mut installs = 0;
    for (line, answer) in lines.iter().zip(answers) {
        let ours = classify(&line.iter().map(OsString::from).collect::<Vec<_>>());
        match (answer.as_str(), ours) {
            (Some("error"), _)
            | (Some("nothing"), Invocation::PassThrough | Invocation::UnknownCommand(_)) => {}
            (Some("nothing"), Invocation::Install(args)) => {
                assert!(args.unknown() || args.abbreviated(), "no install: {line:?}");
            }
            (_, Invocation::PassThrough | Invocation::UnknownCommand(_)) => {
                panic!("pip {} by {line:?}", subcommand.word())
            }
            (_, Invocation::Install(args)) => {
                installs += 1;
                agrees(&args, &answer, line);
            }
        }
    }
    assert!(installs > 300, "only {installs} lines were of this command");
}

fn agrees(args: &InstallArgs, answer: &serde_json::Value, line: &[String]) {
    if args.unknown() {
        return;
    }
    let options: Vec<_> = args
        .chosen()
        .map(|c| serde_json::json!([c.option.name(), c.value.as_ref().map(|v| v.to_str())]))
        .collect();
    assert_eq!(serde_json::json!([options, texts(args)]), *answer, "{line:?}");
    assert!(args.chosen().all(|c| c.spelling == Spelling::InFull) || args.abbreviated());
}

fn texts(args: &InstallArgs) -> Vec<&str> {
    args.requirement_arguments().into_iter().map(|word| word.to_str().unwrap()).collect()
}

fn pips_own_reading(subcommand: Subcommand, lines: &[Vec<String>]) -> Vec<serde_json::Value> {
    let sandbox = Sandbox::new();
    let args = ["-c", PIPS_OWN_READING, subcommand.word()];
    let python = sandbox.run(sandbox.venv().python(), args);
    let said = python.stdin(&serde_json::to_string(lines).unwrap()).run();
    serde_json::from_str(&said.exits(0).stdout).unwrap()
}
