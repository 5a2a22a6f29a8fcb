//! The command lines of the two steps: the first pip is asked for a set, the second installs it.
//!
//! Owns which options are added to the user's own, and where. Pure. Added options stand in front of
//! the user's, where pip cannot read them as a value of another option. Only an option that must be
//! the last one stands behind.

mod lock;
mod selection;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use lock::{LockPlace, lock, lock_place, own_lock, own_lock_head};
pub use selection::{is_for_another_platform, is_not_for_questions, is_not_for_report, is_ours};

use selection::is_replaced;

use url::Url;

use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::pip::command_line::arguments::{InstallArgs, Kind, Positionals, Subcommand};
use crate::pip::command_line::table::{self, Fact, PipOption, Role};
use crate::pip::guard::Facts;
use crate::pip::options::Options;
use crate::pip::requirements;
use crate::pip::resolve::{INTERNAL, Probe};
use crate::pip::run::Environment;
use crate::pip::version::{HAS_LOCK, HASHED_CONSTRAINTS};

/// Packages that `venv` puts into every environment, and that are not part of a resolved set.
const SEEDS: [&str; 4] = ["pip", "setuptools", "wheel", "distribute"];

/// The form of the command line by which pip installs only the verified files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallForm {
    /// The user's own command line, restricted by hashed constraints (pip >= 26.1).
    OwnArguments,
    /// A hashed requirements file for the named requirements, and hashed constraints for the others
    /// (pip >= 26.1).
    NamedFile,
    /// A fully hashed requirements file instead of the user's requirements.
    HashedFile,
}

/// Whether pip can read the user's requirements a second time, with hashes required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// A second read gives the same requirements, and a constraint can give a hash to each.
    Repeatable,
    /// A requirements file came from a URL, and may have changed at the second read; or a file is
    /// named by its URL or path, and a constraint cannot give it a hash.
    NotRepeatable,
}

/// Chooses the form of the second step.
///
/// An entry of a `pylock.toml` states hashes, and pip would accept those instead of the verified
/// ones. With `--only-deps`, pip would also look for the named packages, which are not among the
/// verified files. An empty set needs no pins, so every pip can say itself that all is installed
/// already. If the inputs are [`Inputs::NotRepeatable`], the caller must ensure that pip does not
/// read them again.
#[must_use]
pub fn form(probe: &Probe, lock: &Lock, inputs: Inputs) -> InstallForm {
    let constraints = probe.version >= HASHED_CONSTRAINTS;
    let dependencies = probe.options.is_on("--only-deps");
    let repeatable = inputs == Inputs::Repeatable && !lock.has_direct();
    let own = constraints && repeatable && !has_pylock(&probe.options);
    if own && !dependencies || lock.entries.is_empty() {
        InstallForm::OwnArguments
    } else if constraints && lock.says_who_is_requested() && !dependencies {
        InstallForm::NamedFile
    } else {
        InstallForm::HashedFile
    }
}

/// Returns whether a `-r` option names a lock (PEP 751).
#[must_use]
pub fn has_pylock(options: &Options) -> bool {
    options.all("--requirement").iter().any(|value| requirements::names_lock(value))
}

/// Returns whether the user asks for source archives although there are wheels, or names places
/// that are built. In both cases pip would not install wheels alone.
#[must_use]
pub fn asks_for_sources(options: &Options) -> bool {
    options.all("--no-binary").iter().any(|value| requirements::names_any(value))
        || options.is_set("--editable")
}

/// Returns whether `pip lock` would resolve to the same set as `pip install`: this pip has it, it
/// accepts every option, it reads the same configuration, and no installed package that it would
/// ignore matters.
#[must_use]
pub fn lock_answers(arguments: &InstallArgs, probe: &Probe, remote: bool) -> bool {
    arguments.subcommand() == Subcommand::Install
        && probe.version >= HAS_LOCK
        && arguments.every_option_known_to_lock()
        && arguments.requirement_arguments().iter().all(|argument| is_by_name(argument))
        && !probe.options.is_set("--editable")
        && !has_pylock(&probe.options)
        && !remote
        && configured_alike(&probe.options)
        && !probe.facts.restarted
        && only_seeds(&probe.facts)
}

/// Returns whether `pip lock` has the same configuration as `pip install`. The question is what
/// would be installed, so the section `[install]` applies to both.
#[must_use]
pub fn configured_alike(options: &Options) -> bool {
    let known = |option: &String| {
        table::named(&format!("--{option}")).is_none_or(|it| it.lock == table::Lock::Has)
    };
    let configuration = options.configuration();
    configuration.section("install").is_none()
        && configuration.section("lock").is_none()
        && [":env:", "global"].iter().all(|section| {
            configuration.section(section).is_none_or(|values| values.keys().all(known))
        })
}

/// Returns whether none of the packages of a lock is installed, since `pip lock` ignores installed
/// packages.
#[must_use]
pub fn overlooks_nothing(lock: &Lock) -> bool {
    lock.entries.iter().all(|entry| !SEEDS.contains(&entry.name.as_str()))
}

fn only_seeds(facts: &Facts) -> bool {
    facts.installed.iter().all(|directory| {
        let ending = directory.rsplit('.').next();
        let name = directory.split('-').next().and_then(|name| PackageName::parse(name).ok());
        matches!(ending, Some("dist-info" | "egg-info"))
            && name.is_some_and(|name| SEEDS.contains(&name.as_str()))
    })
}

/// Returns whether an argument is a project name, possibly with extras, versions and markers,
/// rather than a path, an archive or a URL.
fn is_by_name(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let requirement = text.split(';').next().unwrap_or_default();
    !requirement.contains(['/', '\\', '@', ':']) && !requirement.starts_with('.')
}

/// Whether installed packages count as available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// They count, as for `pip install`.
    Counts,
    /// They are ignored, as for `pip lock`.
    Ignored,
}

/// Returns the question for the set that pip would install, with wheels only; pip writes its report
/// to `output`. The question is `pip install --dry-run --report`, or the user's own `pip download`
/// or `pip wheel`, for which the guard writes the report.
#[must_use]
pub fn report(
    arguments: &InstallArgs,
    options: &Options,
    installed: Installed,
    output: &Path,
    wheels_only: &Path,
) -> Vec<OsString> {
    let mut argv = arguments.global_without(is_not_for_questions);
    argv.extend(report_head(arguments.subcommand(), installed, output));
    argv.extend(clones_beside(output));
    argv.extend(with_wheels_only(arguments, options, is_not_for_report, wheels_only));
    argv
}

/// Returns the subcommand of a question for the set, and the options that keep pip from writing to
/// a file of the user's.
pub(super) fn report_head(
    subcommand: Subcommand,
    installed: Installed,
    output: &Path,
) -> Vec<OsString> {
    let beside = |option: &str| [option.into(), output.with_extension("files").into()];
    let mut argv = words(&[own_question(subcommand), "--disable-pip-version-check"]);
    match subcommand {
        Subcommand::Download => argv.extend(beside("--dest")),
        Subcommand::Wheel => argv.extend(beside("--wheel-dir")),
        Subcommand::Install | Subcommand::Lock => {
            argv.extend(["--dry-run".into(), "--report".into(), output.into()]);
            let ignored = (installed == Installed::Ignored).then(|| "--ignore-installed".into());
            argv.extend(ignored);
        }
    }
    argv
}

/// Returns the subcommand by which pip is asked for the set. `pip lock` has no report.
const fn own_question(subcommand: Subcommand) -> &'static str {
    match subcommand {
        Subcommand::Lock => Subcommand::Install.word(),
        own => own.word(),
    }
}

/// Returns a dry run for the project `pip`, which exists on every index: it makes pip ask for
/// credentials.
#[must_use]
pub fn credentials_probe(arguments: &InstallArgs, output: &Path) -> Vec<OsString> {
    let without = |option: &PipOption| {
        option.names_requirements()
            || option.is(Fact::NamesPlace)
            || option.is(Fact::LimitsChoice)
            || matches!(option.lock, table::Lock::Only | table::Lock::Neither)
            || is_not_for_report(option)
    };
    let mut argv = arguments.global_without(is_not_for_questions);
    argv.extend(words(&["install", "--disable-pip-version-check", "--dry-run", "--report"]));
    argv.push(output.into());
    argv.extend(words(&["--ignore-installed", "--no-deps", "--only-binary", ":all:"]));
    argv.extend(arguments.without(without, Positionals::Drop));
    argv.push("pip".into());
    argv
}

/// Returns the variables that name the indexes. Every user of the machine can read a command line.
#[must_use]
pub fn places(indexes: &[Url]) -> Environment {
    let mut urls = indexes.iter().map(Url::as_str);
    let (first, others) = (urls.next().unwrap_or_default(), urls.collect::<Vec<_>>().join(" "));
    let names = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"].map(OsString::from);
    let set = names.into_iter().zip([first.into(), others.into()]).collect();
    let remove = table::variables(|option| {
        option.names_requirements() || option.is(Fact::NamesPlace) || option.is(Fact::LimitsChoice)
    });
    Environment { set, remove }
}

/// Returns the option for a private directory of editable clones. pip creates that directory before
/// the guard stops git. The second step clones into the user's directory.
pub fn clones_beside(output: &Path) -> [OsString; 2] {
    ["--src".into(), output.with_extension("src").into()]
}

/// Returns the user's options, then the wheels-only file, then the user's arguments.
fn with_wheels_only(
    arguments: &InstallArgs,
    options: &Options,
    without: impl Fn(&PipOption) -> bool,
    wheels_only: &Path,
) -> Vec<OsString> {
    let wheels_only = [OsString::from("--requirement"), wheels_only.into()];
    if arguments.unknown() {
        // pip could read an option behind an unknown option as its value, so the file stands in
        // front. Then a file of the user's can allow sources again, but the guard still stops their
        // code.
        let rest = arguments.without(without, Positionals::Keep);
        return [wheels_only.to_vec(), rest].concat();
    }
    let mut argv = arguments.without(without, Positionals::Drop);
    // All options are known here, so the first `--` ends the options.
    let ended = arguments
        .global()
        .iter()
        .chain(arguments.items())
        .any(|item| item.kind == Kind::EndOfOptions);
    if let (true, Some(at)) = (ended, argv.iter().rposition(|word| word == "--")) {
        argv.remove(at);
    }
    // Without any requirement pip must print its own error, but the wheels-only file would count as
    // a requirement.
    let inputs = table::names(|option| option.role == Role::Input);
    if arguments.requirement_arguments().is_empty() && !options.any_is_set(&inputs) {
        argv.extend(words(&["--only-binary", ":all:"]));
        return argv;
    }
    if options.is_on("--only-deps") {
        // pip accepts no requirements file besides this option, so no file can allow sources again.
        argv.extend(words(&["--only-binary", ":all:"]));
    } else {
        argv.extend(wheels_only);
    }
    argv.push("--".into());
    argv.extend(arguments.requirement_arguments().into_iter().map(OsStr::to_owned));
    argv
}

/// The files that the second step reads.
#[derive(Debug, Clone, Copy)]
pub struct HashedFiles<'a> {
    /// The pins of [`Lock::pins`]; not used by [`InstallForm::HashedFile`].
    pub pins: &'a Path,
    /// The lines of [`Lock::requirements`]; not used by [`InstallForm::OwnArguments`].
    pub requirements: &'a Path,
    /// The page of [`Lock::links`], a file whose name ends in `.html`.
    pub links: &'a Path,
    /// The destination of pip's installation report, if the user wants one.
    pub report: Option<&'a Path>,
    /// Replacements for options of the user's.
    pub replacement: Option<Replacement<'a>>,
}

/// Options of the user's that are removed, and the arguments that replace them.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// Returns whether an option is removed.
    pub removes: fn(&PipOption) -> bool,
    /// The arguments that replace them.
    pub words: &'a [OsString],
}

/// Returns `pip install` of the verified files only: hashes required, no index, and a page of links
/// to the files.
#[must_use]
pub fn install(
    arguments: &InstallArgs,
    form: InstallForm,
    files: HashedFiles<'_>,
) -> Vec<OsString> {
    let other = |option: &PipOption| files.replacement.is_some_and(|it| (it.removes)(option));
    let mut argv = arguments.global_without(other);
    argv.push(arguments.subcommand().word().into());
    argv.extend(words(&["--require-hashes", "--no-index", "--find-links"]));
    argv.push(files.links.into());
    argv.extend(files.replacement.into_iter().flat_map(|it| it.words.iter().cloned()));
    if form != InstallForm::HashedFile {
        argv.extend(["--constraint".into(), files.pins.into()]);
    }
    if form != InstallForm::OwnArguments {
        argv.extend(["--requirement".into(), files.requirements.into()]);
    }
    if let Some(report) = files.report {
        argv.extend(["--report".into(), report.into()]);
    }
    let (gone, positionals): (fn(&PipOption) -> bool, _) = match form {
        InstallForm::OwnArguments => (is_ours, Positionals::Keep),
        InstallForm::NamedFile | InstallForm::HashedFile => (is_replaced, Positionals::Drop),
    };
    argv.extend(arguments.without(|option| gone(option) || other(option), positionals));
    argv
}

/// Returns the path to which the user wants pip's installation report. pip writes it to a private
/// file first, since it contains private paths.
#[must_use]
pub fn report_destination(options: &Options) -> Option<OsString> {
    let installs = options.subcommand() == Subcommand::Install;
    options.last("--report").filter(|_| installs).map(OsStr::to_owned)
}

/// Returns the changes to the environment of the second step. Variables and configuration files
/// must not contradict the required hashes. If a generated file contains the complete set, they
/// must not add requirements either: those may be at a URL.
#[must_use]
pub fn second_environment(form: InstallForm, options: &Options) -> Environment {
    let replaced: fn(&PipOption) -> bool = match form {
        InstallForm::OwnArguments => |option| option.is(Fact::NotForPinned),
        InstallForm::NamedFile | InstallForm::HashedFile => is_replaced,
    };
    let keys = table::keys(replaced);
    let adds = options.configuration().effective_files().any(|(key, _)| keys.contains(&key));
    let set = if adds { without_files(options, &keys) } else { Vec::new() };
    let internal = INTERNAL.map(str::to_owned);
    Environment { set, remove: table::variables(replaced).into_iter().chain(internal).collect() }
}

/// Returns variables that switch configuration files off and carry their values, except for the
/// keys in `left_out`.
#[must_use]
pub fn without_files(options: &Options, left_out: &[&str]) -> Vec<(OsString, OsString)> {
    let mut set: Vec<(OsString, OsString)> = Vec::new();
    for (key, value) in options.configuration().effective_files() {
        let is_option = table::named(&format!("--{key}")).is_some();
        if is_option && !left_out.contains(&key) {
            set.push((table::variable(key).into(), value.into()));
        }
    }
    set.push(("PIP_CONFIG_FILE".into(), "/dev/null".into()));
    set
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
