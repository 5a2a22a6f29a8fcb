#!/usr/bin/env bash
# Runs all benchmarks and prints their tables; names run some of them, as in `./bench.sh locks`.
#
# They are offline, against a loopback index and a private Sigstore, but for what makes itself on
# the first run and stays below target: the pips of the tests, and the Python packages that are
# compared with. Times are those of this machine; leave it alone meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

chosen=()
for name in "$@"; do chosen+=(--bench "$name"); done
cargo bench --locked --no-run ${chosen[@]+"${chosen[@]}"}

processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
printf '\n%s, %s cores, load %s\n' "${processor:-$(uname -m)}" \
    "$(getconf _NPROCESSORS_ONLN)" "$(uptime | sed 's/.*average[s]*: *//')"
printf '%s, %s, %s\n\n' "$(uname -sr)" "$(rustc --version | cut -d' ' -f1,2)" "$(python3 --version)"
exec cargo bench --locked --quiet ${chosen[@]+"${chosen[@]}"}
