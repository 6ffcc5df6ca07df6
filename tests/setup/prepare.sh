#!/bin/sh
# Makes everything ready that building and testing need, and writes .build/env. Quick when it has run before.
# PG_CONFIG, when set, names the PostgreSQL to use (a copy of it); else the newest that the distribution has.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
. "$here/server-home.sh"

"$here/build-tools.sh"

# The copy of the distribution's server, when there is one already.
unpacked() {
    for major in 18 17 16 15; do
        if [ -d "$server_home/pg/$major" ]; then
            echo "$major"
            return
        fi
    done
}

mkdir -p "$server_home/pg"
if [ -n "${PG_CONFIG:-}" ]; then
    case $PG_CONFIG in
    "$server_home"/pg/*) pg_config=$PG_CONFIG ;;
    *) pg_config=$("$here/copy-server.sh" "$PG_CONFIG" "$server_home/pg/$(key_of "$PG_CONFIG")") ;;
    esac
else
    major=$(unpacked)
    if [ -z "$major" ]; then
        major=$("$here/debian-server.sh" "$server_home/pg")
    fi
    pg_config=$server_home/pg/$major/usr/lib/postgresql/$major/bin/pg_config
fi

bin=$(dirname "$pg_config")
for program in postgres psql; do
    as_server_user "$bin/$program" --version >/dev/null || die "$bin/$program does not run as $server_user: see above."
done
major=$("$pg_config" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
case $major in
15 | 16 | 17 | 18) ;;
*) die "$("$pg_config" --version) is not supported: 15, 16, 17 and 18 are." ;;
esac

PGRX_HOME=$build/pgrx-home/$(key_of "$pg_config")
export PGRX_HOME
"$here/cargo-pgrx.sh" "$major" "$pg_config"

# Read by the shell and by the tests.
cat >"$build/env.new" <<END
PG_CONFIG='$pg_config'
PG_MAJOR='$major'
PGRX_HOME='$PGRX_HOME'
SERVER_USER='$server_user'
SERVER_HOME='$server_home'
SERVER_DATA='$server_data'
END
mv "$build/env.new" "$build/env"
