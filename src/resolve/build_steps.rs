//! The command lines and environments of runs that build from source.
//!
//! Owns how pip is restricted to the gateway: which of the user's options and variables are
//! removed, and which options replace them. Pure.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use url::Url;

use crate::pip::command_line::arguments::{InstallArgs, Positionals, Subcommand};
use crate::pip::resolve::Probe;
use crate::pip::run::Environment;
use crate::resolve::steps::{
    FOR_ANOTHER_PLATFORM, Form, Installed, LockPlace, NOT_FOR_QUESTIONS, NOT_FOR_REPORT,
    clones_beside, own_lock_head, without_files,
};

/// Options that say where packages come from, or how to connect there. The gateway replaces all of
/// them.
pub const PLACES: [&str; 10] = [
    "--index-url",
    "--extra-index-url",
    "--no-index",
    "--find-links",
    "--proxy",
    "--cache-dir",
    "--no-cache-dir",
    "--requirement",
    "--constraint",
    "--build-constraint",
];

/// The variables of these options, and other variables that a run behind the gateway must not
/// inherit.
const PLACE_VARIABLES: [&str; 16] = [
    "PIP_INDEX_URL",
    "PIP_PYPI_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_FIND_LINKS",
    "PIP_PROXY",
    "PIP_CACHE_DIR",
    "PIP_NO_CACHE_DIR",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_BUILD_CONSTRAINT",
    "PIP_REPORT",
    "PIP_DRY_RUN",
    "PIP_NO_REQUIRE_HASHES",
    "_PIP_RUNNING_IN_SUBPROCESS",
    "_PIP_IN_BUILD_IGNORE_CONSTRAINTS",
];

/// Keys of pip.conf that are not passed on as variables: the keys of these options, and keys that
/// are no option.
const PLACE_KEYS: [&str; 12] = [
    "index-url",
    "pypi-url",
    "extra-index-url",
    "no-index",
    "find-links",
    "proxy",
    "cache-dir",
    "no-cache-dir",
    "requirement",
    "constraint",
    "build-constraint",
    "report",
];

/// Options that replace the user's when pip may use the gateway alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// URLs of the gateway's indexes, in order.
    pub indexes: Vec<String>,
    /// The private copy of the user's `--find-links` directories.
    pub find_links: Option<PathBuf>,
    /// The copies of requirements files.
    pub requirements: Vec<PathBuf>,
    /// The copies of constraints files.
    pub constraints: Vec<PathBuf>,
    /// The copies of constraints files for builds.
    pub build_constraints: Vec<PathBuf>,
    /// A private cache: the wheels in pip's own cache were not built from verified files.
    pub cache: PathBuf,
}

impl Closed {
    /// Returns `pip install --dry-run --report` against the gateway.
    #[must_use]
    pub fn report(
        &self,
        arguments: &InstallArgs,
        installed: Installed,
        output: &Path,
    ) -> Vec<OsString> {
        let mut argv = arguments.global_without(&[PLACES.as_slice(), &NOT_FOR_QUESTIONS].concat());
        argv.extend(words(&["install", "--disable-pip-version-check", "--dry-run", "--report"]));
        argv.push(output.into());
        let installs = arguments.subcommand() == Subcommand::Install;
        if installed == Installed::Ignored || !installs {
            argv.push("--ignore-installed".into());
        }
        if !installs && FOR_ANOTHER_PLATFORM.iter().any(|option| arguments.has(option)) {
            argv.extend(["--target".into(), output.with_extension("target").into()]);
        }
        argv.extend(self.led(arguments, output));
        let without = [PLACES.as_slice(), &NOT_FOR_REPORT, &NOT_FOR_QUESTIONS].concat();
        argv.extend(arguments.without(&without, Positionals::Keep));
        argv
    }

    /// Returns the user's own `pip lock` against the gateway. An editable repository is cloned
    /// beside `output`.
    #[must_use]
    pub fn lock(&self, arguments: &InstallArgs, place: LockPlace, output: &Path) -> Vec<OsString> {
        let (head, gone) = own_lock_head(place);
        let mut argv = arguments.global_without(&PLACES);
        argv.extend(head);
        argv.push("--disable-pip-version-check".into());
        argv.extend(self.led(arguments, output));
        let without = [PLACES.as_slice(), gone, &["--src"]].concat();
        argv.extend(arguments.without(&without, Positionals::Keep));
        argv
    }

    /// Returns the options that lead pip to the gateway, to the copies of files and to private
    /// directories.
    fn led(&self, arguments: &InstallArgs, output: &Path) -> Vec<OsString> {
        let mut argv = vec!["--cache-dir".into(), self.cache.clone().into()];
        match self.indexes.split_first() {
            // The URLs are normally in the environment, since every user of the machine can read a
            // command line. But a pip with `--isolated` reads no variables.
            Some((first, others)) if arguments.has("--isolated") => {
                argv.extend(["--index-url".into(), first.into()]);
                for other in others {
                    argv.extend(["--extra-index-url".into(), other.into()]);
                }
            }
            Some(_) => {}
            None => argv.push("--no-index".into()),
        }
        if let Some(directory) = &self.find_links {
            argv.extend(["--find-links".into(), directory.into()]);
        }
        argv.extend(clones_beside(output));
        argv.extend(self.files());
        argv
    }

    /// Returns the options that replace [`PLACES`] where hashes are required. The user's files
    /// could name an index, and a pip that a build starts would use it without verification.
    #[must_use]
    pub fn instead(&self, form: Form) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--cache-dir".into(), self.cache.clone().into()];
        words.extend(match form {
            Form::OwnArguments => self.files(),
            Form::NamedFile | Form::HashedFile => self.build_constraints(),
        });
        words
    }

    /// Returns the user's subcommand without required hashes, for sources that have none:
    /// directories, repositories and built archives. `links` is a page of the verified files,
    /// `versions` is a constraints file with the resolved versions, and pip writes its report to
    /// `report`.
    #[must_use]
    pub fn install(
        &self,
        arguments: &InstallArgs,
        links: &Path,
        versions: &Path,
        report: Option<&Path>,
    ) -> Vec<OsString> {
        let mut argv = arguments.global_without(&PLACES);
        argv.push(arguments.subcommand().word().into());
        argv.extend(["--no-index".into(), "--find-links".into(), links.into()]);
        argv.extend(["--cache-dir".into(), self.cache.clone().into()]);
        argv.extend(["--constraint".into(), versions.into()]);
        argv.extend(self.files());
        if let Some(report) = report {
            argv.extend(["--report".into(), report.into()]);
        }
        let ours = ["--require-hashes", "--no-require-hashes", "--report"];
        let without = [PLACES.as_slice(), &ours].concat();
        argv.extend(arguments.without(&without, Positionals::Keep));
        argv
    }

    fn files(&self) -> Vec<OsString> {
        let constraints = named("--constraint", &self.constraints);
        let requirements = named("--requirement", &self.requirements);
        [constraints, self.build_constraints(), requirements].concat()
    }

    fn build_constraints(&self) -> Vec<OsString> {
        named("--build-constraint", &self.build_constraints)
    }

    /// Returns the environment of both steps: no configuration file (their other values become
    /// variables), a private cache, and `proxies`, which must not apply to the gateway. `index`
    /// says where this pip and the pips that a build starts find packages.
    #[must_use]
    pub fn environment(
        &self,
        probe: &Probe,
        proxies: Vec<(&'static str, String)>,
        index: &ForNestedPips<'_>,
    ) -> Environment {
        let mut set = without_files(probe, &PLACE_KEYS);
        set.push(("PIP_CACHE_DIR".into(), self.cache.clone().into()));
        set.extend(proxies.into_iter().map(|(name, value)| (name.into(), value.into())));
        match (index, self.indexes.split_first()) {
            (ForNestedPips::Gateway, Some((first, others))) => {
                set.push(("PIP_INDEX_URL".into(), first.into()));
                if !others.is_empty() {
                    set.push(("PIP_EXTRA_INDEX_URL".into(), others.join(" ").into()));
                }
            }
            (ForNestedPips::Gateway, None) => set.push(("PIP_NO_INDEX".into(), "1".into())),
            (ForNestedPips::Links(links), _) => {
                set.push(("PIP_NO_INDEX".into(), "1".into()));
                // pip splits this variable at blanks, and a URL contains none.
                let url = Url::from_file_path(links).map_or_else(|()| String::new(), String::from);
                set.push(("PIP_FIND_LINKS".into(), url.into()));
            }
        }
        Environment { set, remove: PLACE_VARIABLES.to_vec() }
    }
}

/// The index of a pip that a build starts by itself, as old `setup.py` files do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForNestedPips<'a> {
    /// The gateway, while it runs.
    Gateway,
    /// The page at this absolute path.
    Links(&'a Path),
}

/// Returns the option once for each path.
fn named(option: &str, paths: &[PathBuf]) -> Vec<OsString> {
    paths.iter().flat_map(|path| [option.into(), path.into()]).collect()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
