#!/bin/sh
# Licenses, sources and known vulnerabilities of the dependencies, by the rules of deny.toml.
set -eu
. "$(dirname "$0")/common.sh"
cd "$root"

cargo deny --version >/dev/null 2>&1 ||
    die "cargo-deny is missing: cargo install cargo-deny --locked (some minutes), then make audit again."

cargo deny --locked check bans licenses sources
say "fetching the advisory database"
cargo deny fetch db ||
    die "The advisory database could not be fetched: bans, licenses and sources are fine, vulnerabilities were NOT checked."
cargo deny --locked check --disable-fetch advisories
