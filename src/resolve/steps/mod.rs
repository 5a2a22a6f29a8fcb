//! The command lines of the two steps: the first pip is asked for a set, the second installs it.
//!
//! Owns which options are added to the user's own, and where. Pure. Added options stand in front of
//! the user's, where pip cannot read them as a value of another option. Only an option that must be
//! the last one stands behind.

mod lock;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use lock::{LockPlace, lock, lock_place, own_lock, own_lock_head};

use url::Url;

use crate::package::lock::Lock;
use crate::package::name::PackageName;
use crate::pip::command_line::arguments::{InstallArgs, Kind, Positionals, Subcommand};
use crate::pip::command_line::options;
use crate::pip::guard::Facts;
use crate::pip::requirements;
use crate::pip::resolve::{HAS_LOCK, HASHED_CONSTRAINTS, Probe};
use crate::pip::run::Environment;

/// Packages that `venv` puts into every environment, and that are not part of a resolved set.
const SEEDS: [&str; 4] = ["pip", "setuptools", "wheel", "distribute"];

/// Options that name requirements.
const INPUTS: [&str; 4] = ["--requirement", "--editable", "--group", "--requirements-from-script"];

/// Options that the fully hashed file replaces.
const REPLACED: [&str; 8] = [
    "--report",
    "--only-deps",
    "--requirement",
    "--editable",
    "--group",
    "--requirements-from-script",
    "--constraint",
    "--no-require-hashes",
];

/// Options that name files to which pip writes logs or clones. A pip that only answers a question
/// must not get them; the pip that installs does.
pub const NOT_FOR_QUESTIONS: [&str; 2] = ["--log", "--src"];

/// Variables that would add packages to the second step, or override its options.
const SECOND_STEP_REMOVES: [&str; 4] = [
    "PIP_NO_REQUIRE_HASHES",
    "PIP_UPLOADED_PRIOR_TO",
    "_PIP_RUNNING_IN_SUBPROCESS",
    "_PIP_IN_BUILD_IGNORE_CONSTRAINTS",
];

/// Variables that would do so where the fully hashed file contains the complete set.
const REPLACED_STEP_REMOVES: [&str; 5] = [
    "PIP_REQUIREMENT",
    "PIP_EDITABLE",
    "PIP_CONSTRAINT",
    "PIP_GROUP",
    "PIP_REQUIREMENTS_FROM_SCRIPT",
];

/// The form in which pip is told to install only the verified files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
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
    Once,
}

/// Chooses the form of the second step.
///
/// An entry of a `pylock.toml` states hashes, and pip would accept those instead of the verified
/// ones. With `--only-deps`, pip would also look for the named packages, which are not among the
/// verified files. An empty set needs no pins, so every pip can say itself that all is installed
/// already. If the inputs are [`Inputs::Once`], the caller must ensure that pip does not read them
/// again.
#[must_use]
pub fn form(probe: &Probe, arguments: &InstallArgs, lock: &Lock, inputs: Inputs) -> Form {
    let constraints = probe.version >= HASHED_CONSTRAINTS;
    let dependencies = arguments.has("--only-deps");
    let repeatable = inputs == Inputs::Repeatable && !lock.has_direct();
    let own = constraints && repeatable && !has_pylock(arguments);
    if own && !dependencies || lock.entries.is_empty() {
        Form::OwnArguments
    } else if constraints && lock.says_who_is_requested() && !dependencies {
        Form::NamedFile
    } else {
        Form::HashedFile
    }
}

/// Returns whether a `-r` option names a lock (PEP 751).
#[must_use]
pub fn has_pylock(arguments: &InstallArgs) -> bool {
    let values = arguments.values("--requirement").into_iter();
    values.map(OsStr::to_string_lossy).any(|value| requirements::names_lock(&value))
}

/// Returns whether the user asks for source archives although there are wheels, or names places
/// that are built. In both cases pip would not install wheels alone.
#[must_use]
pub fn asks_for_sources(arguments: &InstallArgs, probe: &Probe) -> bool {
    let given = arguments.values("--no-binary");
    given.iter().any(|value| requirements::names_any(&value.to_string_lossy()))
        || probe.configuration.get("no-binary").is_some_and(requirements::names_any)
        || arguments.has("--editable")
        || probe.configuration.get("editable").is_some()
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
        && !arguments.has("--editable")
        && !has_pylock(arguments)
        && !remote
        && configured_alike(probe)
        && !probe.facts.restarted
        && only_seeds(&probe.facts)
}

/// Returns whether `pip lock` has the same configuration as `pip install`. The question is what
/// would be installed, so the section `[install]` applies to both.
#[must_use]
pub fn configured_alike(probe: &Probe) -> bool {
    let known = |option: &String| {
        options::named(&format!("--{option}")).is_none_or(|o| o.lock == options::Lock::Has)
    };
    probe.configuration.section("install").is_none()
        && probe.configuration.section("lock").is_none()
        && [":env:", "global"].iter().all(|section| {
            probe.configuration.section(section).is_none_or(|values| values.keys().all(known))
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

/// Returns `pip install --dry-run --report` with wheels only, writing to `output`. It also answers
/// for `pip download` and `pip wheel`, which have no dry run; for those, installed packages are
/// ignored.
#[must_use]
pub fn report(
    arguments: &InstallArgs,
    installed: Installed,
    output: &Path,
    wheels_only: &Path,
) -> Vec<OsString> {
    let mut argv = arguments.global_without(&NOT_FOR_QUESTIONS);
    argv.extend(words(&["install", "--disable-pip-version-check", "--dry-run", "--report"]));
    argv.push(output.into());
    argv.extend(clones_beside(output));
    let installs = arguments.subcommand() == Subcommand::Install;
    if installed == Installed::Ignored || !installs {
        argv.push("--ignore-installed".into());
    }
    if !installs && FOR_ANOTHER_PLATFORM.iter().any(|option| arguments.has(option)) {
        // `pip install` accepts these options only with a target. A dry run does not write to it.
        argv.extend(["--target".into(), output.with_extension("target").into()]);
    }
    let without = [NOT_FOR_REPORT.as_slice(), &NOT_FOR_QUESTIONS].concat();
    argv.extend(with_wheels_only(arguments, &without, wheels_only));
    argv
}

/// Returns a dry run for the project `pip`, which exists on every index: it makes pip ask for
/// credentials.
#[must_use]
pub fn knock(arguments: &InstallArgs, output: &Path) -> Vec<OsString> {
    let places = ["--index-url", "--extra-index-url", "--no-index", "--find-links"];
    let checks = ["--constraint", "--require-hashes", "--only-deps", "--no-binary", "--output"];
    let without =
        [INPUTS.as_slice(), &NOT_FOR_REPORT, &NOT_FOR_QUESTIONS, &places, &checks].concat();
    let mut argv = arguments.global_without(&NOT_FOR_QUESTIONS);
    argv.extend(words(&["install", "--disable-pip-version-check", "--dry-run", "--report"]));
    argv.push(output.into());
    argv.extend(words(&["--ignore-installed", "--no-deps", "--only-binary", ":all:"]));
    argv.extend(arguments.without(&without, Positionals::Drop));
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
    let remove = ["PIP_PYPI_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS"];
    let inputs = REPLACED_STEP_REMOVES.into_iter().chain(["PIP_REQUIRE_HASHES"]);
    Environment { set, remove: remove.into_iter().chain(inputs).collect() }
}

/// Options that select files for another platform than the running one.
pub const FOR_ANOTHER_PLATFORM: [&str; 4] =
    ["--platform", "--python-version", "--implementation", "--abi"];

/// Options that the report's command line must not contain: those that it sets itself, and those
/// that `pip install` does not know.
pub const NOT_FOR_REPORT: [&str; 6] =
    ["--report", "--dry-run", "--dest", "--wheel-dir", "--no-verify", "--build-option"];

/// Returns the option for a private directory of editable clones. pip creates that directory before
/// the guard stops git. The second step clones into the user's directory.
pub fn clones_beside(output: &Path) -> [OsString; 2] {
    ["--src".into(), output.with_extension("src").into()]
}

/// Returns the user's options, then the wheels-only file, then the user's arguments.
fn with_wheels_only(
    arguments: &InstallArgs,
    without: &[&str],
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
    if arguments.requirement_arguments().is_empty() && !INPUTS.iter().any(|o| arguments.has(o)) {
        argv.extend(words(&["--only-binary", ":all:"]));
        return argv;
    }
    if arguments.has("--only-deps") {
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
    /// The pins of [`Lock::pins`]; not used by [`Form::HashedFile`].
    pub pins: &'a Path,
    /// The lines of [`Lock::requirements`]; not used by [`Form::OwnArguments`].
    pub requirements: &'a Path,
    /// The page of [`Lock::links`], a file whose name ends in `.html`.
    pub links: &'a Path,
    /// The destination of pip's installation report, if the user wants one.
    pub report: Option<&'a Path>,
    /// Replacements for options of the user's.
    pub instead: Option<Instead<'a>>,
}

/// Options of the user's that are removed, and the arguments that replace them.
#[derive(Debug, Clone, Copy)]
pub struct Instead<'a> {
    /// The options that are removed.
    pub options: &'a [&'a str],
    /// The arguments that replace them.
    pub words: &'a [OsString],
}

/// Returns `pip install` of the verified files only: hashes required, no index, and a page of links
/// to the files.
#[must_use]
pub fn install(arguments: &InstallArgs, form: Form, files: HashedFiles<'_>) -> Vec<OsString> {
    let other = files.instead.map_or([].as_slice(), |instead| instead.options);
    let mut argv = arguments.global_without(other);
    argv.push(arguments.subcommand().word().into());
    argv.extend(words(&["--require-hashes", "--no-index", "--find-links"]));
    argv.push(files.links.into());
    argv.extend(files.instead.into_iter().flat_map(|instead| instead.words.iter().cloned()));
    if form != Form::HashedFile {
        argv.extend(["--constraint".into(), files.pins.into()]);
    }
    if form != Form::OwnArguments {
        argv.extend(["--requirement".into(), files.requirements.into()]);
    }
    if let Some(report) = files.report {
        argv.extend(["--report".into(), report.into()]);
    }
    let (gone, positionals) = match form {
        Form::OwnArguments => (["--no-require-hashes", "--report"].as_slice(), Positionals::Keep),
        Form::NamedFile | Form::HashedFile => (REPLACED.as_slice(), Positionals::Drop),
    };
    argv.extend(arguments.without(&[gone, other].concat(), positionals));
    argv
}

/// Returns the path to which the user wants pip's installation report. pip writes it to a private
/// file first, since it contains private paths.
#[must_use]
pub fn report_destination(arguments: &InstallArgs, probe: &Probe) -> Option<OsString> {
    let installs = arguments.subcommand() == Subcommand::Install;
    let configured = || probe.configuration.get("report").filter(|value| !value.is_empty());
    let given = arguments.last_value("--report").map(OsStr::to_owned);
    given.or_else(|| configured().map(OsString::from)).filter(|_| installs)
}

/// Returns the changes to the environment of the second step. If a generated file contains the
/// complete set, configuration files must not add requirements: those may be at a URL.
#[must_use]
pub fn second_environment(form: Form, probe: &Probe) -> Environment {
    let remove = SECOND_STEP_REMOVES.to_vec();
    match form {
        Form::OwnArguments => Environment { set: Vec::new(), remove },
        Form::NamedFile | Form::HashedFile => {
            let replaced = REPLACED.map(|option| option.trim_start_matches('-'));
            let adds =
                probe.configuration.effective_files().any(|(key, _)| replaced.contains(&key));
            let set = if adds { without_files(probe, &replaced) } else { Vec::new() };
            Environment { set, remove: [remove.as_slice(), &REPLACED_STEP_REMOVES].concat() }
        }
    }
}

/// Returns variables that switch configuration files off and carry their values, except for the
/// keys in `left_out`.
#[must_use]
pub fn without_files(probe: &Probe, left_out: &[&str]) -> Vec<(OsString, OsString)> {
    let mut set: Vec<(OsString, OsString)> = Vec::new();
    for (key, value) in probe.configuration.effective_files() {
        let is_option = options::named(&format!("--{key}")).is_some();
        if is_option && !left_out.contains(&key) {
            let name = format!("PIP_{}", key.to_uppercase().replace('-', "_"));
            set.push((name.into(), value.into()));
        }
    }
    set.push(("PIP_CONFIG_FILE".into(), "/dev/null".into()));
    set
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
