//! The tables: what people type, and what they have there when they do.
//!
//! A row is a command line; behind it stand the project it is typed in, the pip it needs, and the
//! difference from plain pip that remains. Rows that say `everywhere` are run on older pips too.

use super::row::But::{Older, Refused, Requested, Satisfied};
use super::row::Given::{Conf, Env, File, Installed, Repository, Served};
use super::row::{Row, row};

/// Projects by name.
pub const NAMES: &[Row] = &[
    row("pip install aa"),
    row("pip install 'aa[x]'").everywhere(),
    row("pip install 'bb<2; python_version>\"3\"' 'cc; python_version<\"3\"'"),
    row("pip install --pre pre"),
    row("pip install yanked"),
    row("pip install yanked==2.0"),
    row("pip install --no-deps aa").everywhere(),
    row("pip install --only-deps aa").since("26.2").but(Requested),
];

/// Options glued, joined, clustered, abbreviated, and behind the end of options.
pub const SPELLINGS: &[Row] = &[
    row("pip install --requirement=list.txt -climits.txt").given(LIST),
    row("pip install -Uqr list.txt -c limits.txt").given(LIST).everywhere(),
    row("pip install --no-deps --tar there aa"),
    row("pip install --dry aa"),
    row("pip install -i{index} aa"),
    row("pip install --no-deps -- aa"),
    row("pip -- install aa"),
];

/// A list, and limits to it.
pub const LIST: &[super::row::Given] = &[File("list.txt", "aa\n"), File("limits.txt", "bb<2\n")];

/// General options, before the subcommand and behind it.
pub const GENERAL: &[Row] = &[
    row("pip -q install aa"),
    row("pip --proxy '' install aa"),
    row("pip --isolated install -i {index} aa"),
    row("pip --python {base} --require-virtualenv install aa").since("22.3"),
    row("pip --python {venv} install aa").since("22.3"),
    row("pip --no-color --disable-pip-version-check install aa"),
    row("pip --log pip.log install aa"),
    row("pip --cache-dir cache install bb"),
    row("pip --no-cache-dir install aa"),
];

/// Options that come from `PIP_…`.
pub const VARIABLES: &[Row] = &[
    row("pip install aa").given(&[Env("PIP_NO_DEPS", "1")]),
    row("pip install cc").given(&[Env("PIP_REQUIREMENT", "list.txt"), File("list.txt", "bb<2")]),
    row("pip install aa").given(&[Env("PIP_CONSTRAINT", "list.txt"), File("list.txt", "bb<2")]),
    row("pip install dd").given(&[Env("PIP_FIND_LINKS", "wheels")]),
    row("pip install aa").given(&[Env("PIP_REPORT", "report.json")]),
    row("pip install aa").given(&[Env("PIP_REQUIRE_HASHES", "1")]),
];

/// Options that come from `pip.conf`.
pub const CONFIGURATION: &[Row] = &[
    row("pip install aa").given(&[Conf("[install]\nno-deps = true\n")]),
    row("pip install dd").given(&[Conf("[global]\nfind-links = wheels\n")]),
    row("pip --isolated install -i {index} aa").given(&[Conf("[install]\nno-deps = true\n")]),
];

/// `-r` and `-c`, and what such files can hold.
pub const FILES: &[Row] = &[
    row("pip install -r list.txt").given(NESTED).everywhere(),
    row("pip install -r {server}/list.txt -c {server}/limits.txt")
        .given(&[Served("/list.txt", "aa\n"), Served("/limits.txt", "bb<2\n")]),
    row("pip install -r list.txt")
        .given(&[File("list.txt", "bb==1.0 --hash=sha256:{sha256 of bb-1.0-py3-none-any.whl}\n")]),
    row("pip install -r list.txt")
        .given(&[File("list.txt", "bb==1.0 --hash=sha256:{sha256 of bb-2.0-py3-none-any.whl}\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "-i {index}\naa\n"), DEAD]),
    row("pip install -r list.txt").given(&[File("list.txt", "--no-index\n-f wheels\ndd\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "--no-binary both\nboth==1.0\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "-e ./local\ncc\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "${WHAT}\n"), Env("WHAT", "aa")]),
];

const NESTED: &[super::row::Given] = &[
    File("list.txt", "-r more/base.txt\n-c limits.txt\n"),
    File("more/base.txt", "aa[x]\n-r deeper.txt\n"),
    File("more/deeper.txt", "yanked\n"),
    File("limits.txt", "bb<2\n"),
];

/// The configured index answers nobody.
pub const DEAD: super::row::Given = Env("PIP_INDEX_URL", "http://127.0.0.1:1/simple/");

/// Locks, groups, scripts.
pub const LISTS: &[Row] = &[
    row("pip install --group dev").given(PROJECT).since("25.1").everywhere(),
    row("pip install --group more/pyproject.toml:dev cc").given(PROJECT).since("25.1"),
    row("pip install --group nowhere").given(PROJECT).since("25.1"),
    row("pip install -r pylock.toml").given(&[LOCK]).since("26.1"),
    row("pip install --requirements-from-script script.py").given(&[SCRIPT]).since("26.0"),
];

const PROJECT: &[super::row::Given] = &[
    File(
        "pyproject.toml",
        "[dependency-groups]\nbase = ['bb<2']\ndev = ['aa[x]', {include-group = 'base'}]\n",
    ),
    File("more/pyproject.toml", "[dependency-groups]\ndev = ['aa']\n"),
];

const SCRIPT: super::row::Given =
    File("script.py", "# /// script\n# dependencies = ['aa']\n# ///\nprint(1)\n");

const LOCK: super::row::Given = File(
    "pylock.toml",
    "lock-version = '1.0'\ncreated-by = 'hand'\n[[packages]]\nname = 'bb'\nversion = '1.0'\n\
     [[packages.wheels]]\nname = 'bb-1.0-py3-none-any.whl'\n\
     url = '{server}/files/bb-1.0-py3-none-any.whl'\n\
     hashes = {sha256 = '{sha256 of bb-1.0-py3-none-any.whl}'}\n",
);

/// Options about the target directory, and the messages about it.
pub const PLACES: &[Row] = &[
    row("pip install --target there aa").everywhere(),
    row("pip install --prefix there aa"),
    row("pip install --user aa"),
    row(
        "pip install --platform manylinux_2_17_x86_64 --python-version 3.12 --only-binary :all: -t there linux",
    ),
    row("pip install --dry-run aa"),
    row("pip install --report report.json aa").everywhere(),
    row("pip install --report nowhere/report.json aa").everywhere(),
    row("pip install --report wheels -f wheels dd"),
    row("pip install --dry-run --quiet --report - aa"),
];

/// Packages that are installed already.
pub const INSTALLED: &[Row] = &[
    row("pip install aa").given(&[Installed("bb", "1.0")]).everywhere(),
    row("pip install bb").given(&[Installed("bb", "1.0")]).everywhere(),
    row("pip install -U bb").given(&[Installed("bb", "1.0")]).but(Satisfied),
    row("pip install -U --upgrade-strategy eager aa")
        .given(&[Installed("aa", "1.0"), Installed("bb", "1.0")])
        .but(Satisfied),
    row("pip install --force-reinstall aa")
        .given(&[Installed("aa", "1.0"), Installed("bb", "1.0")]),
    row("pip install --ignore-installed aa").given(&[Installed("bb", "2.0")]),
    row("pip install bb==2.0").given(&[Installed("limits", "1.0"), Installed("bb", "1.0")]),
];

/// Directories of links, and files by their place.
pub const LINKS: &[Row] = &[
    row("pip install --no-index --find-links wheels dd"),
    row("pip install --find-links wheels dd aa"),
    row("pip install ./wheels/dd-1.0-py3-none-any.whl"),
    row("pip install {server}/files/bb-1.0-py3-none-any.whl").everywhere(),
    row("pip install 'bb @ {server}/files/bb-1.0-py3-none-any.whl'"),
    row(
        "pip install '{server}/files/bb-1.0-py3-none-any.whl#sha256={sha256 of bb-2.0-py3-none-any.whl}'",
    ),
];

/// Sources that are built.
pub const SOURCES: &[Row] = &[
    row("pip install src").everywhere(),
    row("pip install both").but(Older),
    row("pip install -f page.html ./local").given(&[File("page.html", "")]).but(Refused(77)),
    row("pip install --no-binary both both==1.0"),
    row("pip install ./local").everywhere(),
    row("pip install --no-build-isolation ./local"),
    row("pip install -e ./local"),
    row("pip install ./local-1.0.tar.gz"),
    row("pip install git+file://{project}/repo").given(&[Repository]),
];

/// Commands that pip itself refuses.
pub const FAILURES: &[Row] = &[
    row("pip install"),
    row("pip install nowhere-to-be-found"),
    row("pip install 'bb<2' 'bb>=2'").everywhere(),
    row("pip install ==bad"),
    row("pip install -r nowhere.txt"),
    row("pip install --no-such-option bb"),
    row("pip install --no-such-option value bb"),
    row("pip install --no-dep bb"),
    row("pip install bb -r"),
];

/// The other subcommands that fetch code.
pub const DOWNLOADS: &[Row] = &[
    row("pip download -d there -r list.txt").given(LIST).everywhere(),
    row(
        "pip download --platform manylinux_2_17_x86_64 --python-version 3.12 --only-binary :all: linux",
    ),
    row("pip download src"),
    row("pip wheel -w there -r list.txt").given(LIST),
    row("pip lock 'aa[x]' -r list.txt -c limits.txt").given(LIST).since("25.1").everywhere(),
];
