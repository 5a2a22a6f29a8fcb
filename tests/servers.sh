#!/usr/bin/env bash
# Installs from real index servers and through real proxies, with plain pip and with the shim, and
# prints a table: result, requests that the server saw, seconds. Takes some minutes; run it by hand:
#
#   tests/servers.sh [BINARY]
#
# Needs a built binary (default: target/release/pypi-verify-now), python3 with venv, and from the
# system's packages nginx, squid, microsocks and htpasswd (Debian: apt-get install nginx-light squid
# microsocks apache2-utils); a server that is not there is passed over. devpi, pypiserver and proxpi
# are installed from the index that pip uses here, and so are the few packages that they serve.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=$(realpath "${1:-target/release/pypi-verify-now}")
[[ -x $binary ]] || { echo "error: no binary $binary; build it with cargo build --release" >&2; exit 69; }

scratch=$(mktemp -d)
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$scratch"
}
trap finish EXIT

# The packages: wheels that need each other, and a source that is built.
packages=$scratch/packages
python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install -q devpi-server devpi-client 'pypiserver[passlib]' proxpi gunicorn
"$scratch/tools/bin/pip" download -q -d "$packages" flask PySocks setuptools wheel
"$scratch/tools/bin/pip" download -q -d "$packages" --no-deps --no-binary :all: docopt
unset "${!PIP_@}" "${!pip_@}" http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY no_proxy NO_PROXY
export PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
tools=$scratch/tools/bin

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start NAME URL COMMAND...: runs a server and waits until URL answers.
start() {
    local name=$1 url=$2
    shift 2
    "$@" >"$scratch/$name.log" 2>&1 &
    started+=($!)
    for _ in {1..150}; do
        curl -s -o /dev/null "$url" && return
        sleep 0.2
    done
    echo "error: $name does not answer at $url" >&2
    tail -n 5 "$scratch/$name.log" >&2
    exit 69
}

# requests LOG PATTERN: how many lines of a server's log are requests.
requests() { grep -cE "$2" "$1" 2>/dev/null || true; }

# install KIND LOG PATTERN ARGS...: into a new environment; prints status, requests, seconds.
install() {
    local kind=$1 log=$2 pattern=$3
    shift 3
    local home=$scratch/$kind.home venv=$scratch/$kind.venv
    rm -rf "$home" "$venv"
    mkdir -p "$home/shims"
    python3 -m venv "$venv"
    "$tools/pip" --python "$venv/bin/python" install -q --no-index -f "$packages" PySocks
    ln -s "$binary" "$home/shims/pip"
    local path=$venv/bin:/usr/bin:/bin
    [[ $kind == plain ]] || path=$home/shims:$path
    local before after from to status=0
    before=$(requests "$log" "$pattern")
    from=$(date +%s.%N)
    env HOME="$home" PATH="$path" pip install -q "$@" >"$scratch/$kind.out" 2>&1 </dev/null || status=$?
    to=$(date +%s.%N)
    sleep 0.5
    after=$(requests "$log" "$pattern")
    "$venv/bin/pip" freeze >"$scratch/$kind.freeze"
    printf '%s\t%s\t%s\n' "$status" $((after - before)) "$(python3 -c "print(f'{$to - $from:.1f}')")"
}

failed=0
printf '%-34s %-8s %-22s %s\n' server same 'requests plain/shim' 'seconds plain/shim'
# compare TITLE LOG PATTERN ARGS...
compare() {
    local title=$1
    shift
    local plain shim
    IFS=$'\t' read -r -a plain < <(install plain "$@")
    IFS=$'\t' read -r -a shim < <(install shim "$@")
    local same=yes
    cmp -s "$scratch/plain.freeze" "$scratch/shim.freeze" || same=freeze
    [[ ${plain[0]} == "${shim[0]}" ]] || same="${plain[0]}/${shim[0]}"
    if [[ $same != yes ]]; then
        failed=1
        tail -n 15 "$scratch/plain.out" "$scratch/shim.out" >&2
    fi
    printf '%-34s %-8s %-22s %s\n' "$title" "$same" "${plain[1]} / ${shim[1]}" "${plain[2]} / ${shim[2]}"
}

have() { command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]] || { echo "($1 is not there: passed over)"; return 1; }; }

# pypiserver, open and with htpasswd.
open=$(free_port)
start pypiserver "http://127.0.0.1:$open/" "$tools/pypi-server" run -v -p "$open" -i 127.0.0.1 --disable-fallback -P . -a . "$packages"
get='LocalRequest: (GET|HEAD)'
compare 'pypiserver' "$scratch/pypiserver.log" "$get" -i "http://127.0.0.1:$open/simple/" flask
compare 'pypiserver, a source' "$scratch/pypiserver.log" "$get" -i "http://127.0.0.1:$open/simple/" docopt
compare 'pypiserver, missing project' "$scratch/pypiserver.log" "$get" -i "http://127.0.0.1:$open/simple/" flask no-such-project
if have htpasswd; then
    port=$(free_port)
    htpasswd -bc "$scratch/users" me sekret 2>/dev/null
    start pypiserver-auth "http://127.0.0.1:$port/" "$tools/pypi-server" run -v -p "$port" -i 127.0.0.1 --disable-fallback -P "$scratch/users" -a update,download,list "$packages"
    log=$scratch/pypiserver-auth.log
    compare 'pypiserver with htpasswd' "$log" "$get" -i "http://me:sekret@127.0.0.1:$port/simple/" flask
    compare 'pypiserver, wrong password' "$log" "$get" --no-input -i "http://me:wrong@127.0.0.1:$port/simple/" flask click idna
fi

# devpi with an index of its own.
port=$(free_port)
"$tools/devpi-init" --serverdir "$scratch/devpi" --no-root-pypi >/dev/null 2>&1
start devpi "http://127.0.0.1:$port/" "$tools/devpi-server" --serverdir "$scratch/devpi" --port "$port" --host 127.0.0.1
(
    export HOME=$scratch/devpi-home
    mkdir -p "$HOME"
    "$tools/devpi" use "http://127.0.0.1:$port" && "$tools/devpi" user -c me password=sekret &&
        "$tools/devpi" login me --password=sekret && "$tools/devpi" index -c dev bases= &&
        "$tools/devpi" use me/dev && "$tools/devpi" upload --from-dir "$packages"
) >"$scratch/devpi-upload.log" 2>&1
compare 'devpi' "$scratch/devpi.log" ' GET ' -i "http://127.0.0.1:$port/me/dev/+simple/" flask
compare 'devpi, a source' "$scratch/devpi.log" ' GET ' -i "http://127.0.0.1:$port/me/dev/+simple/" docopt

# proxpi in front of pypiserver.
port=$(free_port)
PROXPI_INDEX_URL="http://127.0.0.1:$open/simple/" \
    start proxpi "http://127.0.0.1:$port/" "$tools/gunicorn" -b "127.0.0.1:$port" --threads 8 --access-logfile - proxpi.server:app
compare 'proxpi' "$scratch/proxpi.log" '"GET ' -i "http://127.0.0.1:$port/index/" flask

# nginx as a caching proxy in front of pypiserver.
if have nginx; then
    port=$(free_port)
    mkdir -p "$scratch/nginx"
    cat >"$scratch/nginx.conf" <<END
daemon off;
pid $scratch/nginx/pid;
error_log stderr;
events {}
http {
    access_log $scratch/nginx/access.log;
    client_body_temp_path $scratch/nginx/body;
    proxy_temp_path $scratch/nginx/proxy;
    fastcgi_temp_path $scratch/nginx/fastcgi;
    uwsgi_temp_path $scratch/nginx/uwsgi;
    scgi_temp_path $scratch/nginx/scgi;
    proxy_cache_path $scratch/nginx/cache keys_zone=index:1m;
    gzip on;
    gzip_types text/html application/octet-stream;
    server {
        listen 127.0.0.1:$port;
        location / {
            proxy_pass http://127.0.0.1:$open;
            proxy_set_header Host \$http_host;
            proxy_cache index;
            proxy_cache_valid 200 10m;
        }
        location ~ \.tar\.gz\$ {
            proxy_pass http://127.0.0.1:$open;
            add_header Content-Encoding gzip;
        }
    }
}
END
    start nginx "http://127.0.0.1:$port/" "$(command -v nginx || echo /usr/sbin/nginx)" -c "$scratch/nginx.conf"
    compare 'nginx as caching proxy' "$scratch/nginx/access.log" 'GET' -i "http://127.0.0.1:$port/simple/" flask
    compare 'nginx, .tar.gz said to be gzip' "$scratch/nginx/access.log" 'GET' -i "http://127.0.0.1:$port/simple/" docopt
fi

# squid with a password, as the proxy of the network.
if have squid && have htpasswd; then
    port=$(free_port)
    mkdir -p "$scratch/squid"
    chmod 777 "$scratch" "$scratch/squid"
    helper=$(find /usr/lib/squid* -name basic_ncsa_auth | head -n 1)
    cat >"$scratch/squid.conf" <<END
http_port 127.0.0.1:$port
auth_param basic program $helper $scratch/users
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
access_log stdio:$scratch/squid/access.log
cache_log $scratch/squid/cache.log
pid_filename $scratch/squid/pid
coredump_dir $scratch/squid
cache deny all
END
    start squid "http://127.0.0.1:$port/" "$(command -v squid || echo /usr/sbin/squid)" -N -f "$scratch/squid.conf"
    log=$scratch/squid/access.log
    compare 'squid with a password' "$log" 'TCP_.* GET ' --proxy "http://me:sekret@127.0.0.1:$port" -i "http://127.0.0.1:$open/simple/" flask
    compare 'squid without its password' "$log" 'TCP_' --retries 0 --proxy "http://127.0.0.1:$port" -i "http://127.0.0.1:$open/simple/" flask
fi

# SOCKS.
if have microsocks; then
    port=$(free_port)
    microsocks -i 127.0.0.1 -p "$port" >"$scratch/microsocks.log" 2>&1 &
    started+=($!)
    compare 'microsocks' "$scratch/pypiserver.log" "$get" --proxy "socks5h://127.0.0.1:$port" -i "http://127.0.0.1:$open/simple/" flask
fi
exit "$failed"
