#!/bin/sh
# Runs the tests that live inside the server. Leaves a build of the extension that holds them in the private server:
# `make build` puts the real one back. Expects the settings of .build/env.
set -eu
. "$(dirname "$0")/common.sh"

# Also the folder of the socket, whose path may have 107 bytes only.
data=$(mktemp -d /tmp/ext_registry-pgrx.XXXXXX)
trap 'rm -rf "$data"' EXIT
set -- "pg$PG_MAJOR" --no-default-features --pgdata "$data"
if is_root; then
    chown "$SERVER_USER" "$data"
    PATH=$root/tests/setup/root-bin:$PATH
    set -- "$@" --runas "$SERVER_USER"
fi
cd "$root/pg_ext"
# A server that runs keeps its own copy: overwriting a loaded library would crash it.
rm -f "$("$PG_CONFIG" --pkglibdir)/ext_registry.so"
# In the server's environment: no error may carry a backtrace for it.
export RUST_BACKTRACE=1 RUST_LIB_BACKTRACE=1
cargo pgrx test "$@"
