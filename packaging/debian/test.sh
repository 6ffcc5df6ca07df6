#!/bin/sh
# Installs the packages of `make deb` in a Debian that has nothing but them, migrates a database, publishes, and
# removes them again. Needs root, debootstrap and the mirror; DEBIAN names the release of Debian.
set -eu
. "$(cd "$(dirname "$0")" && pwd)/../../tests/setup/common.sh"

is_root || die "make deb-test needs root: it makes a chroot."
have debootstrap || die "debootstrap is missing: apt-get install debootstrap."
ls "$build"/deb/*.deb >/dev/null 2>&1 || die "There are no packages yet: make deb."

clean=$(mktemp -d "${TMPDIR:-/var/tmp}/ext_registry-deb.XXXXXX")
# Its processes live in namespaces of their own and are gone when it returns, and so is what it has mounted.
trap 'rm -rf "$clean"' EXIT
# The root of a system is open to all its users.
chmod 755 "$clean"
say "debootstrap ${DEBIAN:-bookworm}"
debootstrap --variant=minbase "${DEBIAN:-bookworm}" "$clean" >"$build/debootstrap.log" ||
    die "debootstrap failed: see $build/debootstrap.log."
cp /etc/resolv.conf "$clean/etc/"
mkdir "$clean/debs"
cp "$build"/deb/*.deb "$clean/debs/"
cp "$root/packaging/debian/inside.sh" "$clean/"
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    unshare --mount --pid --fork --kill-child chroot "$clean" sh -eu /inside.sh
say "the packages work in Debian ${DEBIAN:-bookworm}"
