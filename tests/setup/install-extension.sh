#!/bin/sh
# Installs the extension into the private server, as a debug build: that one is also what clippy and the tests use.
# Expects the settings of .build/env.
set -eu
. "$(dirname "$0")/common.sh"
cd "$root/pg_ext"

# cargo-pgrx would add linker flags to every crate and so build all of them a second time; build.rs gives these
# flags to the library alone.
CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1 \
    cargo pgrx install --pg-config "$PG_CONFIG" --no-default-features --features "pg$PG_MAJOR"
