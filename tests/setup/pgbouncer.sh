#!/bin/sh
# Unpacks the distribution's PgBouncer without installing it: no service is created or started. Where that does not
# work, the tests that need it say so and are skipped.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
. "$here/server-home.sh"
. "$here/apt.sh"
folder=$server_home/pgbouncer

[ -d "$folder" ] && exit
have apt-get || exit 0
apt_lists_exist || apt_update
# The one library it links that a system with PostgreSQL's client does not have.
resolver=$(apt-cache depends -i pgbouncer | awk '$1 ~ /Depends:$/ && $2 ~ /ares/ { print $2; exit }')

rm -rf "$folder.new"
mkdir -p "$folder.new/debs"
say "unpacking pgbouncer"
# shellcheck disable=SC2086
if ! (cd "$folder.new/debs" && apt-get -qq -o APT::Sandbox::User=root download pgbouncer $resolver >&2); then
    say "pgbouncer could not be downloaded: its tests are skipped"
    rm -rf "$folder.new"
    exit 0
fi
for deb in "$folder.new"/debs/*.deb; do
    dpkg -x "$deb" "$folder.new"
done
rm -rf "$folder.new/debs"
mv "$folder.new" "$folder"
