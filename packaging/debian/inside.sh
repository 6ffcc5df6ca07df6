#!/bin/sh
# What test.sh runs in the fresh Debian.
set -eu

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

expect() {
    [ "$1" = "$2" ] || fail "expected $2, got $1"
}

as_postgres() {
    setpriv --reuid postgres --regid postgres --init-groups env HOME=/tmp "$@"
}

sql() {
    as_postgres psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
}

quietly() {
    "$@" >/apt.log 2>&1 || fail "$* failed: $(cat /apt.log)"
}

quietly apt-get update
quietly apt-get -y -o Dpkg::Use-Pty=0 --no-install-recommends install /debs/*.deb
major=$(ls /usr/lib/postgresql)
extension=postgresql-$major-ext-registry
version=$(dpkg-query -W -f '${Version}' ext-migrate)
expect "$(dpkg-query -W -f '${Version}' "$extension")" "$version"
expect "$(ext-migrate --version)" "ext-migrate ${version%-*}"
for package in ext-migrate "$extension"; do
    dpkg --verify "$package" | grep . && fail "$package: files differ from its md5sums"
    # Debian leaves documentation out of small images but for this.
    [ -s "/usr/share/doc/$package/copyright" ] || fail "$package: no copyright"
done
ldd /usr/bin/ext-migrate "/usr/lib/postgresql/$major/lib/ext_registry.so" | grep 'not found' &&
    fail "a library is missing"

pg_ctlcluster "$major" main start
DATABASE_URL=postgresql:///postgres?host=/var/run/postgresql
export DATABASE_URL
as_postgres ext-migrate up
as_postgres ext-migrate check
expect "$(sql "SELECT extversion FROM pg_extension WHERE extname = 'ext_registry'")" "${version%-*}"

publish="SELECT version FROM ext_finalize_bundle(
    '{\"publisher\": \"acme\", \"name\": \"widget\", \"version\": \"1.0.0\", \"runtime\": \"node@20\"}', 'the bytes')"
expect "$(sql "$publish")" 1.0.0
sql "$publish" 2>&1 | grep -q 'already exists' || fail "a version was published twice"
sql 'DELETE FROM extension_bundle' 2>&1 | grep -q refused || fail "a bundle could be removed"
as_postgres psql -X -v publisher=acme -v name=widget -f /usr/share/ext-registry/versions.psql | grep 'sha256:ed589341'

# The tables and their guards are the database's own: they stay, and so do the refusals.
quietly apt-get -y -o Dpkg::Use-Pty=0 purge "$extension" ext-migrate
left=$(find / -xdev \( -path /proc -o -path /debs -o -path /var/lib/postgresql \) -prune -o \
    \( -name '*ext_registry*' -o -name '*ext-registry*' -o -name '*ext-migrate*' \) -print)
expect "$left" ''
sql 'DELETE FROM extension_bundle' 2>&1 | grep -q refused || fail "a bundle could be removed"
pg_ctlcluster "$major" main stop
