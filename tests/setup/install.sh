#!/bin/sh
# Installs a release build of the extension into the PostgreSQL of PG_CONFIG, and ext-migrate for this user.
set -eu
here=$(dirname "$0")
. "$here/common.sh"

[ -n "${PG_CONFIG:-}" ] || die "Which PostgreSQL? Say make install PG_CONFIG=/path/to/its/pg_config."
[ -x "$PG_CONFIG" ] || die "PG_CONFIG=$PG_CONFIG is not a program."
"$here/build-tools.sh"
major=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
case $major in
15 | 16 | 17 | 18) ;;
*) die "$("$PG_CONFIG" --version) is not supported: 15, 16, 17 and 18 are." ;;
esac

PGRX_HOME=$build/pgrx-home/$(key_of "$PG_CONFIG")
export PGRX_HOME
"$here/cargo-pgrx.sh" "$major" "$PG_CONFIG"

PATH=$build/cargo-pgrx/bin:$PATH
package=$build/package
rm -rf "$package"
cd "$root/pg_ext"
cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$package" --no-default-features --features "pg$major"

sudo=
if [ ! -w "$("$PG_CONFIG" --sharedir)/extension" ] || [ ! -w "$("$PG_CONFIG" --pkglibdir)" ]; then
    have sudo || die "$("$PG_CONFIG" --sharedir) is not writable, and there is no sudo."
    sudo=sudo
fi
# A new file each: overwriting the library that a running server has loaded would crash it.
find "$package" -type f | while read -r file; do
    $sudo cp --remove-destination "$file" "${file#"$package"}" </dev/null
done
say "installed into $("$PG_CONFIG" --sharedir) and $("$PG_CONFIG" --pkglibdir)"
cargo install --locked --path "$root/migrator"
