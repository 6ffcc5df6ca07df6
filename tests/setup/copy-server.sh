#!/bin/sh
# Copies an installation of PostgreSQL, so that the given one is never written to. PostgreSQL finds its files
# relative to its programs: every folder keeps its path below the copy.
# usage: copy-server.sh PG_CONFIG FOLDER; prints the pg_config of the copy.
set -eu
. "$(dirname "$0")/common.sh"

original=$1
folder=$2
[ -x "$original" ] || die "PG_CONFIG=$original is not a program."
bin=$("$original" --bindir)
[ -x "$bin/postgres" ] || die "PG_CONFIG=$original: there is no server in $bin."
[ -x "$bin/pg_config" ] || die "PG_CONFIG=$original: there is no pg_config beside the server in $bin, so it cannot be copied."
headers=$("$original" --includedir-server)
[ -f "$headers/postgres.h" ] || die "PG_CONFIG=$original: $headers/postgres.h is missing (Debian has it in postgresql-server-dev)."

# A copy of what is there now is good.
if [ -x "$folder$bin/postgres" ] && [ "$("$folder$bin/postgres" --version)" = "$("$bin/postgres" --version)" ]; then
    echo "$folder$bin/pg_config"
    exit
fi

say "copying $("$bin/postgres" --version) from $bin"
work=$folder.new
rm -rf "$work" "$folder"

copy() {
    mkdir -p "$work$(dirname "$1")"
    cp -a "$1" "$work$1"
}

# The programs by name: on some systems the folder is /usr/bin.
for program in postgres psql initdb createdb dropdb createuser dropuser vacuumdb reindexdb clusterdb pgbench; do
    if [ -e "$bin/$program" ]; then copy "$bin/$program"; fi
done
for program in "$bin"/pg_*; do
    copy "$program"
done
copy "$("$original" --pkglibdir)"
copy "$("$original" --sharedir)"
copy "$headers"

# Libraries that came with it are found relative to the programs, too.
ldd "$bin/postgres" "$bin/psql" "$bin/initdb" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    while read -r library; do
        library=$(realpath "$library")
        case $library in
        /lib/* | /lib64/* | /usr/lib/* | /usr/lib64/*) ;;
        *) copy "$library" ;;
        esac
    done

if [ "$("$work$bin/pg_config" --sharedir)" != "$work$("$original" --sharedir)" ]; then
    rm -rf "$work"
    die "PG_CONFIG=$original: this installation cannot be moved, so it cannot be copied."
fi
mv "$work" "$folder"
echo "$folder$bin/pg_config"
