#!/bin/sh
# rustfmt and clippy, where they are installed: a minimal Rust has neither.
# usage: lint.sh FEATURES…
set -eu
. "$(dirname "$0")/common.sh"

if cargo fmt --version >/dev/null 2>&1; then
    cargo fmt --all --check
else
    say "no rustfmt: formatting is not checked (rustup component add rustfmt)"
fi
if cargo clippy --version >/dev/null 2>&1; then
    cargo clippy --workspace --all-targets "$@" -- -D warnings
else
    say "no clippy: nothing is linted (rustup component add clippy)"
fi
