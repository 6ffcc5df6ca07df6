#!/bin/sh
# Builds cargo-pgrx, in the version that the extension is pinned to, into .build, and tells it about the server.
# usage: cargo-pgrx.sh MAJOR PG_CONFIG, with PGRX_HOME set.
set -eu
. "$(dirname "$0")/common.sh"

version=$(sed -n 's/^pgrx = "=\([0-9.]*\)".*/\1/p' "$root/pg_ext/Cargo.toml")
pgrx=$build/cargo-pgrx/bin/cargo-pgrx

if [ "$("$pgrx" pgrx --version 2>/dev/null || true)" != "cargo-pgrx $version" ]; then
    say "building cargo-pgrx $version (once, some minutes)"
    # A target folder that stays lets an interrupted build go on. A debug build is fast enough for what it does, and
    # takes a fraction of the time.
    CARGO_TARGET_DIR=$build/cargo-pgrx/target cargo install cargo-pgrx --version "$version" --locked --debug --quiet \
        --force --root "$build/cargo-pgrx" || die "cargo-pgrx $version could not be built: see above."
    rm -rf "$build/cargo-pgrx/target"
fi

if ! grep -qF "\"$2\"" "$PGRX_HOME/config.toml" 2>/dev/null; then
    mkdir -p "$PGRX_HOME"
    "$pgrx" pgrx init --no-run "--pg$1=$2" >&2
fi
