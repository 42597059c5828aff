#!/bin/sh
# Makes .venv with the interpreter named in $1. Debian and Ubuntu ship Python without the part that makes virtual
# environments; where we may, we fetch that part, else we say how.
set -eu

python=${1:-}
if [ -z "$python" ]; then
    echo "Headframe needs Python 3.11 or newer, and none was found on PATH." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if "$python" -m virtualenv --version >/dev/null 2>&1; then
        exec "$python" -m virtualenv -q .venv
    fi
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing $package" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y -q --no-install-recommends "$package" >/dev/null 2>&1 || {
            apt-get update -q >/dev/null
            apt-get install -y -q --no-install-recommends "$package" >/dev/null
        }
    else
        echo "$python cannot make virtual environments. On Debian or Ubuntu:" >&2
        echo "    sudo apt-get install $package" >&2
        exit 1
    fi
fi
exec "$python" -m venv .venv
