//! The command lines and environments of runs that build from source.
//!
//! Owns how pip is restricted to the gateway: which of the user's options and variables are
//! removed, and which options replace them. Pure.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use url::Url;

use crate::pip::command_line::arguments::{InstallArgs, Positionals, Subcommand};
use crate::pip::command_line::table::{self, Fact, PipOption};
use crate::pip::options::Options;
use crate::pip::resolve::INTERNAL;
use crate::pip::run::Environment;
use crate::resolve::steps::{
    InstallForm, Installed, LockPlace, clones_beside, is_not_for_questions, is_not_for_report,
    is_ours, own_lock_head, report_head, without_files,
};

/// Returns whether an option says where packages come from, or how to connect there. The gateway
/// replaces all such options.
#[must_use]
pub fn is_of_places(option: &PipOption) -> bool {
    let facts = [Fact::NamesPlace, Fact::NeedsNetwork, Fact::NamesCache, Fact::NamesFile];
    facts.into_iter().any(|fact| option.is(fact))
}

/// Returns whether a run behind the gateway must not inherit an option from its environment or from
/// a configuration file.
fn is_not_inherited(option: &PipOption) -> bool {
    is_of_places(option) || option.is(Fact::NotForNested)
}

/// Options that replace the user's when pip may use the gateway alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// URLs of the gateway's indexes, in order.
    pub indexes: Vec<String>,
    /// The private copy of the user's `--find-links` directories.
    pub find_links: Option<PathBuf>,
    /// The copies of requirements files.
    pub requirements: Vec<PathBuf>,
    /// The copies of constraints files that hold for this pip alone.
    pub constraints: Vec<PathBuf>,
    /// The copies of constraints files that also hold for the pips that a build starts, unless a
    /// newer pip tells those to ignore them.
    pub inherited_constraints: Vec<PathBuf>,
    /// The copies of constraints files for builds.
    pub build_constraints: Vec<PathBuf>,
    /// A private cache: the wheels in pip's own cache were not built from verified files.
    pub cache: PathBuf,
}

impl Closed {
    /// Returns the question for the set (see [`report`](crate::resolve::steps::report)), against
    /// the gateway.
    #[must_use]
    pub fn report(
        &self,
        arguments: &InstallArgs,
        installed: Installed,
        output: &Path,
    ) -> Vec<OsString> {
        let mut argv = arguments.global_without(|it| is_of_places(it) || is_not_for_questions(it));
        argv.extend(report_head(arguments.subcommand(), installed, output));
        argv.extend(self.gateway_options(arguments, output));
        let without = |option: &PipOption| is_of_places(option) || is_not_for_report(option);
        argv.extend(arguments.without(without, Positionals::Keep));
        argv
    }

    /// Returns the user's own `pip lock` against the gateway. An editable repository is cloned
    /// beside `output`.
    #[must_use]
    pub fn lock(&self, arguments: &InstallArgs, place: LockPlace, output: &Path) -> Vec<OsString> {
        let (head, gone) = own_lock_head(place);
        let mut argv = arguments.global_without(is_of_places);
        argv.extend(head);
        argv.push("--disable-pip-version-check".into());
        argv.extend(self.gateway_options(arguments, output));
        let without =
            |option: &PipOption| is_of_places(option) || gone(option) || option.name() == "--src";
        argv.extend(arguments.without(without, Positionals::Keep));
        argv
    }

    /// Returns the options that lead pip to the gateway, to the copies of files and to private
    /// directories.
    fn gateway_options(&self, arguments: &InstallArgs, output: &Path) -> Vec<OsString> {
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

    /// Returns the options that replace those of [`is_of_places`] where hashes are required. The
    /// user's files could name an index, and a pip that a build starts would use it without
    /// verification.
    #[must_use]
    pub fn replacements(&self, options: &Options, form: InstallForm) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--cache-dir".into(), self.cache.clone().into()];
        words.extend(match form {
            InstallForm::OwnArguments => self.files(),
            InstallForm::NamedFile | InstallForm::HashedFile => self.build_constraints(),
        });
        words.extend(dry_run(options));
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
        options: &Options,
        links: &Path,
        versions: &Path,
        report: Option<&Path>,
    ) -> Vec<OsString> {
        let mut argv = arguments.global_without(is_of_places);
        argv.push(arguments.subcommand().word().into());
        argv.extend(["--no-index".into(), "--find-links".into(), links.into()]);
        argv.extend(["--cache-dir".into(), self.cache.clone().into()]);
        argv.extend(["--constraint".into(), versions.into()]);
        argv.extend(self.files());
        argv.extend(dry_run(options));
        if let Some(report) = report {
            argv.extend(["--report".into(), report.into()]);
        }
        let without = |option: &PipOption| {
            is_of_places(option) || is_ours(option) || option.name() == "--require-hashes"
        };
        argv.extend(arguments.without(without, Positionals::Keep));
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
        options: &Options,
        proxies: Vec<(&'static str, String)>,
        index: &ForNestedPips<'_>,
    ) -> Environment {
        let mut set = without_files(options, &table::keys(is_not_inherited));
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
        if !self.inherited_constraints.is_empty() {
            set.push(("PIP_CONSTRAINT".into(), split_at_blanks(&self.inherited_constraints)));
        }
        let internal = INTERNAL.map(str::to_owned);
        let remove = table::variables(is_not_inherited).into_iter().chain(internal).collect();
        Environment { set, remove }
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

/// Returns `--dry-run` if the user has switched it on, wherever that is. Its variable would reach
/// the pips that a build starts, and those must install the requirements of the build.
fn dry_run(options: &Options) -> Option<OsString> {
    let installs = options.subcommand() == Subcommand::Install;
    (installs && options.is_on("--dry-run")).then(|| "--dry-run".into())
}

/// Returns a value for a variable that pip splits at blanks. A path with blanks becomes a URL.
fn split_at_blanks(paths: &[PathBuf]) -> OsString {
    let mut value = OsString::new();
    for path in paths {
        let has_blank = path.to_string_lossy().contains(char::is_whitespace);
        let url = Url::from_file_path(path).ok().filter(|_| has_blank);
        value.push(url.map_or_else(|| path.clone().into(), |url| OsString::from(url.as_str())));
        value.push(" ");
    }
    value
}

/// Returns the option once for each path.
fn named(option: &str, paths: &[PathBuf]) -> Vec<OsString> {
    paths.iter().flat_map(|path| [option.into(), path.into()]).collect()
}
