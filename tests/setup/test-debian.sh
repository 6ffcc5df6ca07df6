#!/bin/sh
# Runs targets of make in a Debian that has nothing yet, with the PostgreSQL of that release, on the files that are
# committed here. Rust and the crates that it has downloaded are this machine's. DEBIAN names the release.
# usage: test-debian.sh TARGETS…
set -eu
setup=$(cd "$(dirname "$0")" && pwd)
. "$setup/common.sh"
. "$setup/fresh-debian.sh"

commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null) || die "make test-debian needs a git clone: it tests what is committed."
rust=$(rustc --print sysroot 2>/dev/null) || die "Rust is missing: install it from https://rustup.rs and run this again."
crates=${CARGO_HOME:-$HOME/.cargo}/registry
mkdir -p "$crates"

fresh_debian "make test-debian"
# Those of a proxy, for example.
if [ -d /usr/local/share/ca-certificates ]; then
    cp -r /usr/local/share/ca-certificates "$debian/usr/local/share/"
fi
git -C "$root" archive --prefix srv/ext_registry/ --output "$debian/tree.tar" HEAD
say "make $* of $commit in Debian $DEBIAN"
mounts="$rust:/opt/rust $crates:/opt/cargo/registry"
# shellcheck disable=SC2016
in_debian sh -euc '
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends ca-certificates make >/apt.log 2>&1 || { cat /apt.log; exit 1; }
    tar -xf /tree.tar
    cd /srv/ext_registry
    export HOME=/root CARGO_HOME=/opt/cargo CARGO_INCREMENTAL=0 PATH=/opt/rust/bin:$PATH
    # Node has certificates of its own, and takes these too.
    export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
    make "$@"' sh "$@" || die "make $* fails in Debian $DEBIAN: see above."
say "make $* passes in Debian $DEBIAN"
