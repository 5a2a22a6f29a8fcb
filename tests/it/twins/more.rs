//! The rest of the tables, run where `TWINS` asks for it: more spellings, places and failures of
//! what the tables of `table.rs` hold already.

use super::row::But::Satisfied;
use super::row::Given::{Conf, Env, File, Installed, Repository};
use super::row::{Row, row};
use super::table::{DEAD, LIST};

/// Projects by name.
pub const NAMES: &[Row] = &[
    row("pip install aa bb==1.0"),
    row("pip install AA 'b.b' "),
    row("pip install 'aa[nothing]'"),
    row("pip install 'cc; python_version<\"3\"'"),
    row("pip install 'bb!=2.0,>=1'"),
    row("pip install pre"),
    row("pip install 'pre>=2.0rc1'"),
    row("pip install limits"),
    row("pip install --ignore-requires-python aa"),
    row("pip install --no-input --progress-bar off aa"),
    row("pip install bb bb"),
];

/// Options glued, joined, clustered, abbreviated, and behind the end of options.
pub const SPELLINGS: &[Row] = &[
    row("pip install -rlist.txt").given(LIST),
    row("pip install -qU aa"),
    row("pip install --index {index} aa"),
    row("pip install --upgrade-s=eager --upgrade aa")
        .given(&[Installed("bb", "1.0")])
        .but(Satisfied),
    row("pip install aa --no-deps bb"),
    row("pip install -- -r list.txt").given(LIST),
    row("pip install --con limits.txt aa").given(LIST),
    row("pip install --requirement=list.txt --requirement more.txt")
        .given(&[File("list.txt", "aa\n"), File("more.txt", "cc\n")]),
];

/// General options, before the subcommand and behind it.
pub const GENERAL: &[Row] = &[
    row("pip -qq install nowhere-to-be-found"),
    row("pip --proxy= --retries 0 --timeout 9 install aa"),
    row("pip install --isolated -i {index} aa"),
    row("pip --require-virtualenv install aa"),
    row("pip install aa --no-cache-dir --exists-action w"),
    row("pip --no-input --trusted-host 127.0.0.1:{port} install aa"),
    row("pip --keyring-provider disabled install aa").since("23.1"),
];

/// Options that come from `PIP_…`.
pub const VARIABLES: &[Row] = &[
    row("pip install aa").given(&[Env("PIP_TARGET", "there")]),
    row("pip install bb")
        .given(&[Env("PIP_UPGRADE", "yes"), Installed("bb", "1.0")])
        .but(Satisfied),
    row("pip install aa").given(&[Env("PIP_QUIET", "1")]),
    row("pip install aa").given(&[Env("PIP_EXTRA_INDEX_URL", "{index}")]),
    row("pip install dd").given(&[Env("PIP_FIND_LINKS", "wheels"), Env("PIP_NO_INDEX", "1")]),
    row("pip install aa").given(&[Env("PIP_DRY_RUN", "1")]),
    row("pip install both").given(&[Env("PIP_ONLY_BINARY", ":all:")]),
    row("pip install pre").given(&[Env("PIP_PRE", "1")]),
    row("pip install aa").given(&[Env("PIP_REQUIRE_VIRTUALENV", "1")]),
    row("pip install aa").given(&[Env("PIP_NO_SUCH_OPTION", "1")]),
    row("pip install aa").given(&[Env("PIP_USER", "1")]),
    row("pip install ./local").given(&[Env("PIP_NO_BUILD_ISOLATION", "0")]),
];

/// Options that come from `pip.conf`.
pub const CONFIGURATION: &[Row] = &[
    row("pip install aa").given(&[Conf("[install]\ntarget = there\n")]),
    row("pip install aa").given(&[Conf("[global]\nquiet = 1\n")]),
    row("pip install -U aa")
        .given(&[Conf("[install]\nupgrade-strategy = eager\n"), Installed("bb", "1.0")])
        .but(Satisfied),
    row("pip install aa")
        .given(&[Conf("[install]\nconstraint = limits.txt\n"), File("limits.txt", "bb<2\n")]),
    row("pip install ./local").given(&[Conf("[global]\nno-deps = true\n")]),
    row("pip install aa").given(&[Conf("[lock]\nno-deps = true\n")]),
    row("pip install aa").given(&[Conf("[install]\nno-such-option = true\n")]),
];

/// `-r` and `-c`, and what such files can hold.
pub const FILES: &[Row] = &[
    row("pip install -r list.txt").given(&[File("list.txt", "aa  # why\n\nbb<\\\n2\n")]),
    row("pip install -r file://{project}/list.txt").given(LIST),
    row("pip install -r list.txt").given(&[File(
        "list.txt",
        "cc\nbb==1.0 --hash=sha256:{sha256 of bb-1.0-py3-none-any.whl}\n",
    )]),
    row("pip install --require-hashes -r list.txt").given(LIST),
    row("pip install -r list.txt")
        .given(&[File("list.txt", "--extra-index-url {index}\naa\n"), DEAD]),
    row("pip install -r list.txt").given(&[File("list.txt", "--find-links ./wheels\nbb\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "--only-binary both\nboth\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "--pre\npre\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "./wheels/dd-1.0-py3-none-any.whl\n")]),
    row("pip install -r list.txt aa").given(&[File("list.txt", "# nothing\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "# nothing\n")]),
    row("pip install -r list.txt").given(&[File("list.txt", "--no-such-option\naa\n")]),
];

/// Options about the target directory, and the messages about it.
pub const PLACES: &[Row] = &[
    row("pip install --root there aa"),
    row("pip install -t there aa").given(&[Installed("bb", "1.0")]),
    row("pip install -t there -U bb").given(&[File("there/bb.py", "old\n")]),
    row("pip install --no-compile --no-warn-script-location aa"),
    row("pip install --break-system-packages aa").since("23.0.1"),
    row("pip install --root-user-action ignore --no-warn-conflicts aa"),
    row(
        "pip install --platform manylinux_2_17_x86_64 --python-version 3.12 --only-binary :all: linux",
    ),
    row("pip install --platform manylinux_2_17_x86_64 -t there linux"),
    row("pip install --dry-run bb").given(&[Installed("bb", "1.0")]),
];

/// Packages that are installed already.
pub const INSTALLED: &[Row] = &[
    row("pip install -U aa").given(&[Installed("aa", "1.0"), Installed("bb", "1.0")]),
    row("pip install -U --upgrade-strategy only-if-needed 'aa[x]'")
        .given(&[Installed("aa", "1.0"), Installed("bb", "1.0")]),
    row("pip install --force-reinstall --no-deps bb==1.0").given(&[Installed("bb", "1.0")]),
    row("pip install bb==1.0").given(&[Installed("bb", "2.0")]),
    row("pip install limits").given(&[Installed("bb", "2.0")]),
    row("pip install --no-deps limits").given(&[Installed("bb", "2.0")]),
    row("pip install ./local").given(&[Installed("bb", "1.0")]),
];

/// Directories of links, and files by their place.
pub const LINKS: &[Row] = &[
    row("pip install 'dd @ file://{project}/wheels/dd-1.0-py3-none-any.whl'"),
    row("pip install -f ./wheels bb"),
    row("pip install -f file://{project}/wheels dd"),
    row("pip install -f wheels --no-index bb==1.0"),
    row("pip install -f page.html dd")
        .given(&[File("page.html", "<a href='wheels/dd-1.0-py3-none-any.whl'>dd</a>")]),
    row("pip install --no-index aa"),
    row("pip install --extra-index-url {index} aa"),
    row("pip install wheels/dd-1.0-py3-none-any.whl aa"),
    row("pip install file://{project}/wheels/dd-1.0-py3-none-any.whl"),
    row(
        "pip install '{server}/files/bb-1.0-py3-none-any.whl#sha256={sha256 of bb-1.0-py3-none-any.whl}'",
    )
    // Before, the digest is not recorded; `docs/differences.md` says why.
    .since("23.1"),
    row("pip install {server}/files/cc-9.0-py3-none-any.whl"),
    row("pip install -U ./wheels/bb-3.0-py3-none-any.whl").given(&[Installed("bb", "1.0")]),
    row("pip install ./wheels/cc-9.0-py3-none-any.whl"),
];

/// Sources that are built.
pub const SOURCES: &[Row] = &[
    row("pip install --config-settings a=b ./local"),
    row("pip install --prefer-binary both"),
    row("pip install --only-binary :all: both"),
    row("pip install --only-binary :all: src"),
    row("pip install ./local aa"),
    row("pip install --no-deps ./local"),
    row("pip install 'local @ file://{project}/local'"),
    row("pip install -e ./local cc -c limits.txt").given(LIST),
    row("pip install 'local @ file://{project}/local-1.0.tar.gz'"),
    row("pip install 'local @ git+file://{project}/repo'").given(&[Repository]),
    row("pip install -e git+file://{project}/repo#egg=local").given(&[Repository]),
    row("pip install git+file://{project}/repo@nowhere").given(&[Repository]),
    row("pip install --target there ./local"),
    row("pip install --dry-run ./local"),
    row("pip install --dry-run src"),
    row("pip install --report report.json ./local"),
    row("pip install --report report.json src"),
    row("pip install ./nowhere"),
    row("pip install ./wheels"),
    row("pip install -U ./local").given(&[Installed("bb", "1.0")]),
    row("pip install -f wheels ./local dd"),
    row("pip install {server}/files/src-1.0.tar.gz"),
];

/// Commands that pip itself refuses.
pub const FAILURES: &[Row] = &[
    row("pip install -U"),
    row("pip install bb==9 aa"),
    row("pip install limits bb==2.0"),
    row("pip install 'bb==1.0=='"),
    row("pip install -c nowhere.txt aa"),
    row("pip install --no-such-option=value bb"),
    row("pip install --timeout soon bb"),
    row("pip install --upgrade-strategy maybe bb"),
    row("pip install --python {venv} bb"),
    row("pip --dry-run install bb"),
    row("pip install --no-deps=1 bb"),
    row("pip install --no-index bb"),
];

/// The other subcommands that fetch code.
pub const DOWNLOADS: &[Row] = &[
    row("pip wheel --no-deps ./local"),
    row("pip download aa"),
    row("pip download --no-deps aa bb==1.0"),
    row("pip download ./local"),
    row("pip download -f wheels dd"),
    row("pip download nowhere-to-be-found"),
    row("pip download"),
    row("pip wheel aa"),
    row("pip wheel src"),
    row("pip wheel -f wheels -w there dd"),
    row("pip lock src ./local").since("25.1"),
    row("pip lock --no-binary both both -o -").since("25.1"),
];
