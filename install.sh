#!/bin/sh
# Installs pypi-verify-now, and a directory of shims that stand ahead of pip on PATH.
# See `./install.sh --help`.
set -eu

usage() {
    cat <<'END'
usage: ./install.sh [--prefix DIR] [--binary FILE]
       ./install.sh --uninstall [--prefix DIR]
       ./install.sh --try [--binary FILE]

Builds pypi-verify-now, installs it below DIR (default: ~/.pypi-verify-now), and
prints the one line that puts it ahead of pip on PATH. Safe to run again.

  --prefix DIR    install below DIR
  --binary FILE   install FILE instead of building
  --uninstall     remove what was installed, and the directories made for it
  --try           install nothing: show a verified and a refused `pip install` of a
                  real package in a scratch directory, which is removed afterwards
END
}

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# Not ~/.local: `pip install --user` writes what packages bring into its bin and lib.
prefix=${HOME:+$HOME/.pypi-verify-now}
binary=
task=install

while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --binary)
        [ $# -ge 2 ] || { usage >&2; exit 2; }
        [ "$1" = --prefix ] && prefix=$2 || binary=$2
        shift
        ;;
    --prefix=*) prefix=${1#*=} ;;
    --binary=*) binary=${1#*=} ;;
    --uninstall) task=uninstall ;;
    --try) task=try ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

# The path from the working directory made absolute.
absolute() {
    case $1 in
    /*) printf '%s\n' "${1%/}" ;;
    *) printf '%s\n' "$PWD/${1%/}" ;;
    esac
}

# Sets `binary` to the file to install, built if none was named.
provide_binary() {
    if [ -n "$binary" ]; then
        [ -f "$binary" ] || die "there is no file $binary"
        return
    fi
    command -v cargo >/dev/null || die "cargo is needed to build; get Rust, or name a built file with --binary"
    target=$(absolute "${CARGO_TARGET_DIR:-$here/target}")
    # From its own directory, where the toolchain is pinned.
    (cd -- "$here" && CARGO_TARGET_DIR=$target cargo build --release --locked) >&2
    binary=$target/release/pypi-verify-now
    [ -f "$binary" ] || die "cargo built no $binary"
}

# Names in the layout below $1, the prefix.
layout() {
    tool=$1/bin/pypi-verify-now
    library=$1/lib/pypi-verify-now
    shims=$library/shims
    made=$library/made-directories
    link=../../../bin/pypi-verify-now
}

# Makes directory $1 and those above it, and notes in `new` which of them were not there.
make_directory() {
    [ ! -d "$1" ] || return 0
    make_directory "$(dirname -- "$1")"
    mkdir -- "$1"
    new="$new$1
"
}

# The names of pip: pip, pip3, and pip3.N for every python3.N on PATH.
pip_names() {
    printf 'pip\npip3\n'
    IFS=:
    set -f
    for directory in $PATH; do
        set +f
        for python in "${directory:-.}"/python3.*; do
            minor=${python##*/python3.}
            case $minor in
            '' | *[!0-9]*) ;;
            *) [ ! -x "$python" ] || printf 'pip3.%s\n' "$minor" ;;
            esac
        done
    done
}

# Installs `binary` below $1.
lay() {
    layout "$1"
    if [ -e "$tool" ] && [ ! -e "$made" ]; then
        die "$tool is there, and not from this script (the Python tool of that name? \`pip uninstall pypi-verify-now\` removes it)"
    fi
    new=
    make_directory "$shims"
    make_directory "$1/bin"
    printf '%s' "$new" >>"$made"

    # Under another name first: a program that runs cannot be written to, but it can be replaced.
    cp -- "$binary" "$tool.$$"
    chmod 755 "$tool.$$"
    mv -f -- "$tool.$$" "$tool"
    pip_names | while IFS= read -r name; do
        rm -f -- "$shims/$name"
        ln -s -- "$link" "$shims/$name"
    done
}

# $1 quoted for any of the shells.
quoted() {
    case $1 in
    *[!A-Za-z0-9/._+-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
    esac
}

# Whether a login bash comes by ~/.bashrc: it reads the first of these three alone.
login_shells_read_bashrc() {
    for startup in "${HOME:-}/.bash_profile" "${HOME:-}/.bash_login" "${HOME:-}/.profile"; do
        [ ! -r "$startup" ] || { grep -q bashrc "$startup"; return; }
    done
    return 1
}

install() {
    [ -n "$prefix" ] || die "HOME is not set; say where with --prefix"
    prefix=$(absolute "$prefix")
    case $prefix in
    *:*) die "$prefix has a colon in it, so it cannot stand on PATH" ;;
    esac
    provide_binary
    lay "$prefix"
    say "Installed $tool, and in $shims:"
    say "  $(cd -- "$shims" && echo *)"
    case ${SHELL:-} in
    */fish)
        say 'To put it ahead of pip, add this line at the end of ~/.config/fish/config.fish:'
        printf '%s shellenv fish | source\n' "$(quoted "$tool")"
        ;;
    */zsh)
        say 'To put it ahead of pip, add this line at the end of ~/.zshrc:'
        # shellcheck disable=SC2016 # the line is for another shell to expand
        printf 'eval "$(%s shellenv zsh)"\n' "$(quoted "$tool")"
        ;;
    *)
        say 'To put it ahead of pip, add this line at the end of ~/.bashrc:'
        login_shells_read_bashrc ||
            say 'and at the end of ~/.bash_profile, for login shells (tmux, macOS): they do not read ~/.bashrc here.'
        # shellcheck disable=SC2016 # the line is for another shell to expand
        printf 'eval "$(%s shellenv bash)"\n' "$(quoted "$tool")"
        ;;
    esac
}

uninstall() {
    [ -n "$prefix" ] || die "HOME is not set; say where with --prefix"
    prefix=$(absolute "$prefix")
    layout "$prefix"
    if [ ! -e "$made" ]; then
        say "Nothing of this script's is below $prefix"
        return
    fi
    for shim in "$shims"/pip*; do
        [ "$(readlink -- "$shim" || :)" != "$link" ] || rm -f -- "$shim"
    done
    rm -f -- "$tool"
    directories=$(sort -r -- "$made")
    rm -f -- "$made"
    # Deepest first. One that holds anything else stays.
    printf '%s\n' "$directories" | while IFS= read -r directory; do
        rmdir -- "$directory" 2>/dev/null || :
    done
    say "Removed. If a startup file of your shell has the line with \`shellenv\`, take it out."
}

# --try ---------------------------------------------------------------------------------------

package=nimbus-dev-sdk
version=0.1.0
publisher=https://github.com/nimbus-agent/nimbus-sdk
impostor=https://github.com/somebody-else/nimbus-sdk

# A Python that the package runs on, and that can make virtual environments with pip.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    die "no Python 3.11 or later with venv and ensurepip on PATH (on Debian: python3-venv)"
}

# A virtual environment $1 with a current pip.
environment() {
    "$python" -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip ||
        die "could not get a current pip from your index"
}

# What is in environment $1, but for what Python compiles as it goes.
contents() { find "$1" ! -name '*.pyc' -type f -exec cksum {} + | sort; }

# `pip install` into environment $1 under the pin of publisher $2; its output in $scratch/log.
pip_install() {
    printf '%s %s\n' "$package" "$2" >"$scratch/.provenance.txt"
    status=0
    (
        cd -- "$scratch" &&
            PATH=$shims:$1/bin:$PATH VIRTUAL_ENV=$1 PYPI_VERIFY_NOW_FILENAME=$scratch/.provenance.txt \
                pip install --disable-pip-version-check "$package==$version"
    ) >"$scratch/log" 2>&1 </dev/null || status=$?
}

show() {
    say "\$ cat .provenance.txt"
    cat -- "$scratch/.provenance.txt" >&2
    say "\$ pip install $package==$version"
    cat -- "$scratch/log" >&2
    say "[exit status $status]"
    say
}

try() {
    # What the user has set for other installs has no say in this one, but for index and network.
    unset TOFU STRICT FILENAME PYPI_VERIFY_NOW PYPI_VERIFY_NOW_TOFU PYPI_VERIFY_NOW_STRICT \
        PYPI_VERIFY_NOW_FILENAME PYPI_VERIFY_NOW_TRUSTED_ROOT PYPI_VERIFY_NOW_PROVENANCE \
        PYPI_VERIFY_NOW_DEPTH PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_DRY_RUN \
        PIP_REQUIREMENT PIP_CONSTRAINT PIP_EDITABLE PYTHONHOME PYTHONPATH || :
    find_python
    provide_binary
    binary=$(absolute "$binary")
    scratch=$(mktemp -d)
    trap 'rm -rf -- "$scratch"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    scratch=$(CDPATH='' cd -- "$scratch" && pwd -P)
    lay "$scratch/prefix"
    say "Two fresh virtual environments, in $scratch"
    environment "$scratch/one"
    environment "$scratch/two"
    say

    say "The publisher is the one on record:"
    pip_install "$scratch/one" "$publisher"
    source="the attestation that your index serves"
    if [ "$status" = 77 ]; then
        # Refused, because a file of a pinned package has to have one. Many mirrors drop them.
        PYPI_VERIFY_NOW_PROVENANCE=$here/tests/data/attestations
        export PYPI_VERIFY_NOW_PROVENANCE
        source="the recorded attestation, in tests/data/attestations: your index serves none"
        pip_install "$scratch/one" "$publisher"
    fi
    show
    [ "$status" = 0 ] || die "$package should have been installed"
    "$scratch/one/bin/python" -c "import importlib.metadata as m; assert m.version('$package') == '$version'" ||
        die "pip says it installed $package, but it is not there"
    say "Installed, verified against the production root of Sigstore by"
    say "$source."
    say

    say "The publisher is not the one on record:"
    contents "$scratch/two" >"$scratch/before"
    pip_install "$scratch/two" "$impostor"
    show
    contents "$scratch/two" >"$scratch/after"
    [ "$status" = 77 ] || die "the install should have been refused with exit status 77"
    cmp -s -- "$scratch/before" "$scratch/after" || die "the refused install changed the environment"
    say "Refused, and nothing was installed."
}

case $task in
install) install ;;
uninstall) uninstall ;;
try) try ;;
esac
