#!/bin/sh
# Installs the extension into the private server, as a debug build, which the tests share.
# Expects the settings of .build/env.
set -eu
. "$(dirname "$0")/common.sh"
cd "$root/pg_ext"

cargo pgrx install --pg-config "$PG_CONFIG" --no-default-features --features "pg$PG_MAJOR"
