#!/bin/sh
# Unpacks the distribution's newest PostgreSQL into the folder given, without installing it: no cluster is created
# or started, no file of the system is touched. Only the libraries it links are installed.
# usage: debian-server.sh FOLDER; prints the major version, which is also the name of the new folder inside.
set -eu
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"
folder=$1

have apt-get || die "There is no apt-get here: set PG_CONFIG=/path/to/pg_config of a PostgreSQL 15 to 18 with its server headers."
apt_lists_exist || apt_update

newest() {
    for major in 18 17 16 15; do
        if apt-cache policy "postgresql-server-dev-$major" | grep -q 'Candidate: [0-9]'; then
            echo "$major"
            return
        fi
    done
}
major=$(newest)
if [ -z "$major" ]; then
    die "This distribution has no PostgreSQL 15 or later: set PG_CONFIG=/path/to/pg_config of one with its server headers."
fi
packages="postgresql-$major postgresql-client-$major postgresql-server-dev-$major"

# shellcheck disable=SC2086
libraries=$(apt-cache depends -i "postgresql-$major" "postgresql-client-$major" | awk '$1 ~ /Depends:$/ && $2 ~ /^lib/ { print $2 }' | sort -u)
# libpq must be at least as new as psql.
# shellcheck disable=SC2086
missing=$(not_installed $libraries tzdata)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    apt_install $missing libpq5
fi

work=$folder/$major.new
rm -rf "$work"
mkdir -p "$work/debs"
download() {
    # shellcheck disable=SC2086
    (cd "$work/debs" && apt-get -qq -o APT::Sandbox::User=root download $packages >&2)
}
say "unpacking $packages"
if ! download; then
    apt_update
    download || die "apt-get could not download $packages: see above."
fi
for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$work"
done
rm -rf "$work/debs"
mv "$work" "$folder/$major"
echo "$major"
