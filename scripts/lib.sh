# What demo.sh and test.sh share; sourced by them with the working directory at the project's root.

venv=${LOCALEP_VENV:-$PWD/.venv}
dockerd_log=${TMPDIR:-/tmp}/localep-dockerd.log

say() {
    printf '\n== %s\n' "$*"
}

# Whether Debian's or Ubuntu's packages can be installed by this user.
can_install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1
}

# install_packages PACKAGE...: what is missing of these, where it can be installed at all.
# Packages that the distribution does not have are left out.
install_packages() {
    can_install || return 0
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' \
            || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    [ -n "${packages_updated:-}" ] || apt-get update -qq
    packages_updated=yes
    available=
    for package in $missing; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            available="$available $package"
        fi
    done
    [ -n "$available" ] || return 0
    say "Installing$available"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $available \
        >"${TMPDIR:-/tmp}/localep-apt.log" 2>&1 \
        || { cat "${TMPDIR:-/tmp}/localep-apt.log" >&2; return 1; }
}

# A Python that localep runs on and that can make virtual environments.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' \
            2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

# install_localep EXTRA: localep from this checkout in a virtual environment, with the packages
# of an extra where EXTRA is not empty. Does nothing where that is done already.
install_localep() {
    stamp=$venv/.localep-$(cksum <pyproject.toml | cut -d' ' -f1)-${1:-plain}
    if [ ! -e "$stamp" ]; then
        python=$(find_python) || {
            install_packages python3 python3-venv
            python=$(find_python)
        } || {
            echo "Python 3.10 or later with its module venv is needed:" \
                "apt-get install python3 python3-venv" >&2
            return 1
        }
        say "Installing localep into $venv"
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            --editable ".${1:+[$1]}"
        touch "$stamp"
    fi
    PATH=$venv/bin:$PATH
    export PATH
}

engine_answers() {
    "$venv/bin/python" -c 'from localep.engine.client import connect_engine; connect_engine()' \
        2>/dev/null
}

# wait_for_engine SECONDS
wait_for_engine() {
    tries=$(($1 * 5))
    while [ "$tries" -gt 0 ]; do
        if engine_answers; then return 0; fi
        tries=$((tries - 1))
        sleep 0.2
    done
    return 1
}

# A Docker engine: the one that answers, else one that is installed and started here.
ensure_engine() {
    if engine_answers; then return 0; fi
    if [ -n "${DOCKER_HOST:-}" ] || ! can_install; then
        cat >&2 <<'EOF'
No Docker engine answers. Start Docker, or point DOCKER_HOST at an engine that runs; on Debian
or Ubuntu, run this script as root and without DOCKER_HOST, and it installs and starts one.
EOF
        return 1
    fi
    # The client with BuildKit is in other packages than the engine on newer releases.
    install_packages docker.io iptables docker-cli docker-buildx
    if wait_for_engine 3; then return 0; fi
    say "Starting dockerd"
    setsid dockerd >"$dockerd_log" 2>&1 </dev/null &
    if wait_for_engine 60; then
        echo "Its log: $dockerd_log"
        echo "To stop it: kill \$(cat /var/run/docker.pid)"
        return 0
    fi
    echo "dockerd did not start; the end of $dockerd_log:" >&2
    tail -n 20 "$dockerd_log" >&2
    return 1
}
