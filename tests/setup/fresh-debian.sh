# Sourced after common.sh: a Debian that has nothing yet, for one run. DEBIAN names its release. shellcheck shell=sh

# Makes it in $debian, to be removed when the script ends: fresh_debian WHO_NEEDS_IT
fresh_debian() {
    is_root || die "$1 needs root: it makes a chroot."
    have debootstrap || die "debootstrap is missing: apt-get install debootstrap."
    debian=$(mktemp -d "${TMPDIR:-/var/tmp}/ext_registry-debian.XXXXXX")
    trap 'rm -rf "$debian"' EXIT
    trap 'exit 1' HUP INT TERM
    # The root of a system is open to all its users.
    chmod 755 "$debian"
    say "debootstrap ${DEBIAN:=bookworm}"
    debootstrap --variant=minbase "$DEBIAN" "$debian" >"$build/debootstrap.log" ||
        die "debootstrap failed: see $build/debootstrap.log."
    cp /etc/resolv.conf "$debian/etc/"
}

# Runs a command in it. Its processes live in namespaces of their own and are gone when it returns, and so is what is
# mounted there: $mounts names folders of this machine, each as FOLDER:FOLDER_THERE.
# shellcheck disable=SC2016
in_debian() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        unshare --mount --pid --fork --kill-child sh -euc '
            debian=$1
            for mount in $2; do
                mkdir -p "$debian${mount#*:}"
                mount --bind "${mount%%:*}" "$debian${mount#*:}"
            done
            shift 2
            mount -t proc proc "$debian/proc"
            mount -t tmpfs tmpfs "$debian/dev/shm"
            mount -t devpts -o newinstance,ptmxmode=666 devpts "$debian/dev/pts"
            exec chroot "$debian" "$@"' sh "$debian" "${mounts:-}" "$@"
}
