#!/bin/sh
# Installs a release build of the extension into a server of its own for measurements, beside that of the tests, and
# writes .build/bench/env. Expects the settings of .build/env.
set -eu
here=$(dirname "$0")
. "$here/common.sh"

mkdir -p "$build/bench" "$SERVER_HOME/bench"
pg_config=$("$here/copy-server.sh" "$PG_CONFIG" "$SERVER_HOME/bench/pg/$PG_MAJOR")
PGRX_HOME=$build/pgrx-home/$(key_of "$pg_config")
export PGRX_HOME
"$here/cargo-pgrx.sh" "$PG_MAJOR" "$pg_config"

cd "$root/pg_ext"
cargo pgrx install --release --pg-config "$pg_config" --no-default-features --features "pg$PG_MAJOR"

# Read by the shell.
cat >"$build/bench/env" <<END
PG_CONFIG='$pg_config'
PGRX_HOME='$PGRX_HOME'
END
