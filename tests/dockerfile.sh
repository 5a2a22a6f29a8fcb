#!/usr/bin/env bash
# Builds real images with a verified `RUN pip install`: one that is good, as root and as another
# user, and one that is refused. Takes some minutes; run it by hand:
#
#   tests/dockerfile.sh [BINARY]
#
# Needs root, buildah and debootstrap (Debian: apt-get install buildah debootstrap), and a built
# binary (default: target/release/pypi-verify-now). The base is a Debian of this machine's release,
# from this machine's mirror; packages come from the index that pip uses here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=$(realpath "${1:-target/release/pypi-verify-now}")
[[ -x $binary ]] || { echo "error: no binary $binary; build it with cargo build --release" >&2; exit 69; }
for tool in buildah debootstrap; do
    command -v "$tool" >/dev/null || { echo "error: no $tool on PATH" >&2; exit 69; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
storage=(--root "$scratch/storage" --runroot "$scratch/run")

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $release" 2>/dev/null | head -n 1)
base=${PVN_TEST_ROOTFS:-$scratch/rootfs}
[[ -d $base ]] || debootstrap --variant=minbase \
    --include=python3,python3-venv,ca-certificates "$release" "$base" "$mirror" >"$scratch/debootstrap.log" 2>&1

context=$scratch/context
mkdir -p "$context/provenance" "$context/certificates"
cp "$binary" "$context/pypi-verify-now"
cp tests/data/attestations/nimbus_dev_sdk-* "$context/provenance/"
cp -L /etc/ssl/certs/ca-certificates.crt "$context/certificates/"
echo 'nimbus-dev-sdk==0.1.0' >"$context/requirements.txt"

# pip's own settings of this machine (its index, its proxy), as a build would be given them.
settings() { env | grep -E '^(PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|PIP_PROXY|HTTPS?_PROXY|https?_proxy)=' || true; }

cat >"$context/Dockerfile" <<'END'
FROM scratch AS as-root
ADD base.tar /
COPY certificates/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
COPY pypi-verify-now /opt/pypi-verify-now/pypi-verify-now
RUN python3 -m venv /venv && mkdir /opt/pypi-verify-now/shims \
    && for pip in /venv/bin/pip*; do ln -s ../pypi-verify-now "/opt/pypi-verify-now/shims/${pip##*/}"; done
ENV PATH=/opt/pypi-verify-now/shims:/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY provenance /opt/provenance
ENV PYPI_VERIFY_NOW_PROVENANCE=/opt/provenance
WORKDIR /app
COPY requirements.txt .provenance.txt ./
RUN pip install -r requirements.txt

FROM as-root AS as-user
RUN useradd --create-home app
USER app
WORKDIR /home/app
RUN python3 -m venv .venv
ENV PATH=/opt/pypi-verify-now/shims:/home/app/.venv/bin:/usr/bin:/bin
COPY requirements.txt .provenance.txt ./
RUN pip install -r requirements.txt && python3 -c 'import importlib.metadata as m; print(m.version("nimbus-dev-sdk"))'
END
tar -C "$base" -cf "$context/base.tar" .

build() { # TARGET
    local arguments=()
    while IFS= read -r setting; do
        [[ -z $setting ]] || arguments+=(--env "$setting")
    done < <(settings)
    buildah "${storage[@]}" bud --network host --target "$1" "${arguments[@]}" "$context" >"$scratch/log" 2>&1
}

echo 'nimbus-dev-sdk https://github.com/nimbus-agent/nimbus-sdk' >"$context/.provenance.txt"
build as-user || { cat "$scratch/log"; echo "FAIL: the good build failed" >&2; exit 1; }
[[ $(grep -c 'verified: nimbus-dev-sdk 0.1.0' "$scratch/log") == 2 ]] || { cat "$scratch/log"; exit 1; }
echo "ok: RUN pip install -r requirements.txt, verified, as root and as another user"

echo 'nimbus-dev-sdk https://github.com/somebody-else/nimbus-sdk' >"$context/.provenance.txt"
if build as-root; then
    cat "$scratch/log"
    echo "FAIL: the build with a wrong publisher went through" >&2
    exit 1
fi
grep -q 'changed publisher' "$scratch/log" || { cat "$scratch/log"; exit 1; }
grep -E 'refused:|expected|found|exit status' "$scratch/log"
echo "ok: the same under another publisher fails the build, and says why"
