#!/bin/sh
# Installs the packages of `make deb` in a Debian that has nothing but them, migrates a database, publishes, and
# removes them again. Needs root, debootstrap and the mirror; DEBIAN names the release of Debian.
set -eu
setup=$(cd "$(dirname "$0")" && pwd)/../../tests/setup
. "$setup/common.sh"
. "$setup/fresh-debian.sh"

ls "$build"/deb/*.deb >/dev/null 2>&1 || die "There are no packages yet: make deb."
fresh_debian "make deb-test"
mkdir "$debian/debs"
cp "$build"/deb/*.deb "$debian/debs/"
cp "$root/packaging/debian/inside.sh" "$debian/"
in_debian sh -eu /inside.sh
say "the packages work in Debian $DEBIAN"
