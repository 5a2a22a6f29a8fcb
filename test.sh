#!/usr/bin/env bash
# Runs all tests; arguments go to `cargo test`, as in `./test.sh trust`.
#
# What the tests need makes itself on the first run and stays below target/test-pips: virtual
# environments with the pips they run against, from the index that your pip uses. After that they
# need no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

missing() {
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 69
}

command -v cargo >/dev/null ||
    missing "no cargo on PATH" "install Rust with rustup; rust-toolchain.toml names the version"
command -v python3 >/dev/null ||
    missing "no python3 on PATH" "install Python 3.10 or later"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    missing "$(command -v python3) is older than Python 3.10" "put a newer python3 first on PATH"
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    missing "$(command -v python3) cannot make virtual environments" \
        "on Debian and Ubuntu: apt-get install python3-venv"

exec cargo test --locked "$@"
