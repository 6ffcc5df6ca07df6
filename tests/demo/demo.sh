#!/bin/sh
# Publishes, is refused and lists on a private server, and leaves it running. Each run begins with a new database.
# Expects the settings of .build/env, the extension installed and ext-migrate built.
set -eu
. "$(dirname "$0")/../setup/common.sh"
. "$(dirname "$0")/server.sh"
cd "$root"

tell() {
    printf '\n== %s\n' "$*"
}

tell "a private PostgreSQL"
demo_stop
demo_start
"$DEMO_BIN/createdb" --host="$DEMO_SOCKETS" --username=postgres demo
demo_psql --quiet --command='SELECT version()' --tuples-only --no-align
demo_psql --quiet --command='CREATE ROLE demo_publisher' --command='CREATE ROLE demo_reader'

ext_migrate=${CARGO_TARGET_DIR:-$root/target}/debug/ext-migrate
database_url=postgresql:///demo?host=$DEMO_SOCKETS\&user=postgres
tell "ext-migrate up, ext-migrate grant"
"$ext_migrate" up --database-url "$database_url"
"$ext_migrate" grant --publisher demo_publisher --reader demo_reader --database-url "$database_url"

tell "publishing"
demo_psql --no-psqlrc --quiet <tests/demo/publish.sql 2>&1

tell "psql -v publisher=acme -v name=clock -v tenant=berlin -f sql/versions.psql"
demo_psql --no-psqlrc -v publisher=acme -v name=clock -v tenant=berlin -f sql/versions.psql

tell "rewriting history"
demo_psql --no-psqlrc --quiet <tests/demo/rewrite.sql 2>&1

published=$(demo_psql --no-psqlrc --tuples-only --no-align --command="
    SELECT string_agg(v.version, ' ' ORDER BY v.created_at), count(DISTINCT b.content_hash)
    FROM extension_version v JOIN extension_bundle b ON b.version_id = v.id")
[ "$published" = '1.0.0 1.1.0 1.1.1|2' ] || die "The demo went wrong: published is $published."

tell "The server keeps running."
cat <<END
Connect:                        make psql
or with any client:             psql -h $DEMO_SOCKETS -U postgres demo
Stop it and remove its data:    make demo-stop
END
