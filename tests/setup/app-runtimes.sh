#!/bin/sh
# Installs the drivers that the programs in tests/apps use, below .build/apps. Where that does not work, the tests of
# these programs say so and are skipped.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
apps=$build/apps

if have python3 && [ ! -e "$apps/python/ready" ]; then
    say "installing psycopg into $apps/python"
    mkdir -p "$apps"
    rm -rf "$apps/python"
    if python3 -m venv "$apps/python" && "$apps/python/bin/pip" install --quiet 'psycopg[binary]==3.2.*' >&2; then
        touch "$apps/python/ready"
    else
        say "psycopg could not be installed: the Python program is not run"
    fi
fi

if have node && have npm && [ ! -e "$apps/node/ready" ]; then
    say "installing node-postgres into $apps/node"
    rm -rf "$apps/node"
    mkdir -p "$apps/node"
    if (cd "$apps/node" && npm install --no-audit --no-fund --silent pg@8 >&2); then
        touch "$apps/node/ready"
    else
        say "node-postgres could not be installed: the JavaScript program is not run"
    fi
fi
