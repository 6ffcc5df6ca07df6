#!/bin/sh
# Prints the releases before the version of this tree.
set -eu
. "$(dirname "$0")/common.sh"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
for list in "$root"/tests/released/*.sha256; do
    release=$(basename "$list" .sha256)
    [ "$release" = "$version" ] || echo "$release"
done
