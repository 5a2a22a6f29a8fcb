//! The command lines and environments of a pass that builds from source.
//!
//! Owns how pip is led to the gateway and to nothing else: which of the user's options and
//! variables give way, and what stands in their place. Pure.

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

/// Options that say where packages come from, or how that is reached. The gateway does both.
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

/// The same as variables, and others that a closed run must not inherit.
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

/// Keys of pip.conf that are not handed on as variables: those above, and what is no option.
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

/// What pip is told besides the user's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The gateway's indexes, in order.
    pub indexes: Vec<String>,
    /// The private copy of the user's `--find-links` directories.
    pub find_links: Option<PathBuf>,
    /// The copies of requirements files.
    pub requirements: Vec<PathBuf>,
    /// The copies of constraints files.
    pub constraints: Vec<PathBuf>,
    /// The copies of constraints files for builds.
    pub build_constraints: Vec<PathBuf>,
    /// A private cache: wheels that pip built before are none of this run's.
    pub cache: PathBuf,
}

impl Closed {
    /// `pip install --dry-run --report` against the gateway.
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

    /// The user's own `pip lock` against the gateway. A clone to be edited goes beside `output`.
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

    /// The options that lead pip to the gateway, to the copies of files and to private directories.
    fn led(&self, arguments: &InstallArgs, output: &Path) -> Vec<OsString> {
        let mut argv = vec!["--cache-dir".into(), self.cache.clone().into()];
        match self.indexes.split_first() {
            // It stands in the environment: a command line can be read by everybody. But a pip that
            // is isolated reads no variables.
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

    /// What stands in place of [`PLACES`] where hashes are required: what the user's files say of
    /// places would lead the pip that a build starts past the verified files.
    #[must_use]
    pub fn instead(&self, form: Form) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--cache-dir".into(), self.cache.clone().into()];
        words.extend(match form {
            Form::OwnArguments => self.files(),
            Form::NamedFile | Form::HashedFile => self.build_constraints(),
        });
        words
    }

    /// The user's subcommand from verified files alone, without hashes: directories, repositories
    /// and built archives have none that pip could ask for. `links` leads to the files, and
    /// `versions` are constraints of what was resolved, `report` is where pip's report goes.
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

    /// The environment of both steps: no configuration file, whose other values become variables,
    /// a private cache, and these variables about proxies, none of which stands before the gateway.
    /// `index` is for the pip itself and for one that a build starts.
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
                // pip takes such a variable apart at blanks; a URL has none.
                let url = Url::from_file_path(links).map_or_else(|()| String::new(), String::from);
                set.push(("PIP_FIND_LINKS".into(), url.into()));
            }
        }
        Environment { set, remove: PLACE_VARIABLES.to_vec() }
    }
}

/// Where a pip finds packages that a build starts by itself, as old `setup.py` files do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForNestedPips<'a> {
    /// At the gateway, while it lives.
    Gateway,
    /// On the page at this absolute path.
    Links(&'a Path),
}

/// The option once for each path.
fn named(option: &str, paths: &[PathBuf]) -> Vec<OsString> {
    paths.iter().flat_map(|path| [option.into(), path.into()]).collect()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
