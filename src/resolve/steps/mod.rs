//! The command lines of the two steps: what pip is asked first, and what it is told then.
//!
//! Owns which options are added to the user's own, and where. Pure. Ours stand in front of the
//! user's, where nothing can take them for a value; only what must be last is last.

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

/// What every environment that `venv` makes holds, and what is no part of a resolved set.
const SEEDS: [&str; 4] = ["pip", "setuptools", "wheel", "distribute"];

/// Options that say what to install.
const INPUTS: [&str; 4] = ["--requirement", "--editable", "--group", "--requirements-from-script"];

/// Options in whose place the fully hashed file stands.
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

/// Options that name files of the user's for what pip does and says. A pip that is only asked
/// leaves them alone; the one that installs has them.
pub const NOT_FOR_QUESTIONS: [&str; 2] = ["--log", "--src"];

/// Variables that would add to what the second step installs, or undo what it is told.
const SECOND_STEP_REMOVES: [&str; 4] = [
    "PIP_NO_REQUIRE_HASHES",
    "PIP_UPLOADED_PRIOR_TO",
    "_PIP_RUNNING_IN_SUBPROCESS",
    "_PIP_IN_BUILD_IGNORE_CONSTRAINTS",
];

/// The same where the fully hashed file says everything that is to be installed.
const REPLACED_STEP_REMOVES: [&str; 5] = [
    "PIP_REQUIREMENT",
    "PIP_EDITABLE",
    "PIP_CONSTRAINT",
    "PIP_GROUP",
    "PIP_REQUIREMENTS_FROM_SCRIPT",
];

/// How pip is told to install the verified files and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The user's own command line, closed by hashed constraints (pip >= 26.1).
    OwnArguments,
    /// A hashed requirements file in place of what the user named, the rest as hashed constraints
    /// (pip >= 26.1).
    NamedFile,
    /// A fully hashed requirements file in place of what the user named.
    HashedFile,
}

/// Whether the user's own words can be given to pip a second time, with hashes required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// They say the same again, and a constraint can give a hash to everything that they name.
    Repeatable,
    /// A requirements file came from a URL, and could be another one when pip asks for it again;
    /// or a file is named by its place, which gets no hash from a constraint.
    Once,
}

/// Which form the second step takes.
///
/// The entries of a `pylock.toml` bring hashes of their own, which pip would take as good enough.
/// For the dependencies alone pip would want the named packages too, which are not there. An empty
/// set needs no pins, so that every pip can be left to say that all is there already; where the
/// inputs are [`Inputs::Once`] the caller must see to it that they are not read again.
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

/// Whether a `-r` names a lock (PEP 751).
#[must_use]
pub fn has_pylock(arguments: &InstallArgs) -> bool {
    let values = arguments.values("--requirement").into_iter();
    values.map(OsStr::to_string_lossy).any(|value| requirements::names_lock(&value))
}

/// Whether the user asks for source archives where there are wheels, or names places that are
/// built: then wheels alone are not what pip would install.
#[must_use]
pub fn asks_for_sources(arguments: &InstallArgs, probe: &Probe) -> bool {
    let given = arguments.values("--no-binary");
    given.iter().any(|value| requirements::names_any(&value.to_string_lossy()))
        || probe.configuration.get("no-binary").is_some_and(requirements::names_any)
        || arguments.has("--editable")
        || probe.configuration.get("editable").is_some()
}

/// Whether `pip lock` would answer as `pip install` does: it exists, it takes every option, it
/// reads the same configuration, and there is nothing installed that it would overlook.
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

/// Whether `pip lock` is configured as `pip install` is. What would be installed is the question,
/// so that `[install]` counts in either case.
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

/// Whether none of the packages of a lock is installed: `pip lock` overlooks what is there.
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

/// Whether an argument is a project's name, possibly with extras, versions and markers, and no
/// path, archive or URL.
fn is_by_name(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let requirement = text.split(';').next().unwrap_or_default();
    !requirement.contains(['/', '\\', '@', ':']) && !requirement.starts_with('.')
}

/// Whether what is installed already counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// As it does for `pip install`.
    Counts,
    /// As it does for `pip lock`: not at all.
    Ignored,
}

/// `pip install --dry-run --report`, wheels only, writing to `output`; for `pip download` and
/// `pip wheel` too, which cannot say beforehand what they would fetch, and for which nothing is
/// installed.
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
        // `pip install` takes these with a target alone; a dry run does not write to it.
        argv.extend(["--target".into(), output.with_extension("target").into()]);
    }
    let without = [NOT_FOR_REPORT.as_slice(), &NOT_FOR_QUESTIONS].concat();
    argv.extend(with_wheels_only(arguments, &without, wheels_only));
    argv
}

/// A pip that asks its indexes for a project, and installs nothing: its own, since the name is one
/// that means the same everywhere.
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

/// The variables that say where to look. A command line could be read by everybody.
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

/// Options that choose files for another platform than the running one.
pub const FOR_ANOTHER_PLATFORM: [&str; 4] =
    ["--platform", "--python-version", "--implementation", "--abi"];

/// Options that the report must not have: its own, and those of the other subcommands alone.
pub const NOT_FOR_REPORT: [&str; 6] =
    ["--report", "--dry-run", "--dest", "--wheel-dir", "--no-verify", "--build-option"];

/// Where repositories would be cloned to that are to be edited: pip makes that directory before it
/// is kept from running git. The install clones to where the user wants it.
pub fn clones_beside(output: &Path) -> [OsString; 2] {
    ["--src".into(), output.with_extension("src").into()]
}

/// The user's options, then the file that says "wheels only", then the user's arguments.
fn with_wheels_only(
    arguments: &InstallArgs,
    without: &[&str],
    wheels_only: &Path,
) -> Vec<OsString> {
    let wheels_only = [OsString::from("--requirement"), wheels_only.into()];
    if arguments.unknown() {
        // Behind something unknown, ours could be taken for its value. In front of it a file of
        // the user's can allow sources again; the guard still keeps their code from running.
        let rest = arguments.without(without, Positionals::Keep);
        return [wheels_only.to_vec(), rest].concat();
    }
    let mut argv = arguments.without(without, Positionals::Drop);
    // Nothing unknown is left, so a `--` here is the one that ends the options.
    let ended = arguments
        .global()
        .iter()
        .chain(arguments.items())
        .any(|item| item.kind == Kind::EndOfOptions);
    if let (true, Some(at)) = (ended, argv.iter().rposition(|word| word == "--")) {
        argv.remove(at);
    }
    // Without any requirement pip must say so itself; the file would count as one.
    if arguments.requirement_arguments().is_empty() && !INPUTS.iter().any(|o| arguments.has(o)) {
        argv.extend(words(&["--only-binary", ":all:"]));
        return argv;
    }
    if arguments.has("--only-deps") {
        // pip takes no file beside it, so no file can allow sources again either.
        argv.extend(words(&["--only-binary", ":all:"]));
    } else {
        argv.extend(wheels_only);
    }
    argv.push("--".into());
    argv.extend(arguments.requirement_arguments().into_iter().map(OsStr::to_owned));
    argv
}

/// The files that the second step is told by.
#[derive(Debug, Clone, Copy)]
pub struct HashedFiles<'a> {
    /// The pins of [`Lock::pins`]; of no use for [`Form::HashedFile`].
    pub pins: &'a Path,
    /// The lines of [`Lock::requirements`]; of no use for [`Form::OwnArguments`].
    pub requirements: &'a Path,
    /// The page of [`Lock::links`], a file whose name ends in `.html`.
    pub links: &'a Path,
    /// Where pip's installation report goes, if the user wants one.
    pub report: Option<&'a Path>,
    /// What stands in place of options of the user's, if anything does.
    pub instead: Option<Instead<'a>>,
}

/// Options that give way, and what stands in their place.
#[derive(Debug, Clone, Copy)]
pub struct Instead<'a> {
    /// Those of the user's that go.
    pub options: &'a [&'a str],
    /// What is given for them.
    pub words: &'a [OsString],
}

/// `pip install` of the verified files and nothing else: hashes required, no index, and a page
/// that leads to them.
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

/// Where the user wants pip's installation report, if at all. It is written to a file of ours
/// first, since it names the private directory.
#[must_use]
pub fn report_destination(arguments: &InstallArgs, probe: &Probe) -> Option<OsString> {
    let installs = arguments.subcommand() == Subcommand::Install;
    let configured = || probe.configuration.get("report").filter(|value| !value.is_empty());
    let given = arguments.last_value("--report").map(OsStr::to_owned);
    given.or_else(|| configured().map(OsString::from)).filter(|_| installs)
}

/// What changes in the environment of the second step. Where a file of ours says everything that
/// is to be installed, configuration files must add nothing: what they name may lie at a URL.
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

/// No configuration file; what the files say as variables instead, but for these keys.
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
