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
# The libraries it links that this system does not have; the test looks for the first of them beside it.
libraries=$(apt-cache depends -i pgbouncer | awk '$1 ~ /Depends:$/ && $2 ~ /^lib/ { print $2 }')
resolver=$(printf '%s\n' "$libraries" | grep ares | head -n 1)
# shellcheck disable=SC2086
libraries="$resolver $(not_installed $(printf '%s\n' "$libraries" | grep -v ares))"

# shellcheck disable=SC2086
if ! apt_unpack "$folder" pgbouncer $libraries; then
    say "pgbouncer could not be unpacked: its tests are skipped"
    rm -rf "$folder.new"
fi
