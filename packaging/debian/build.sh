#!/bin/sh
# Builds two Debian packages into .build/deb from release builds: the extension for one major version of PostgreSQL,
# and ext-migrate. Two, because several majors are installed side by side while a cluster is upgraded, and each needs
# the extension, while there is one ext-migrate. Expects the settings of .build/env.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/setup/common.sh"
. "$here/../../tests/setup/apt.sh"
cd "$root"

have dpkg-shlibdeps || apt_install dpkg-dev

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
revision=1
arch=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-ext_registry developers} <${DEBEMAIL:-ext_registry@localhost}>"
# The day of the release, so that the same source gives the same packages.
released=$(sed -n "s/^## \[$version\] - //p" CHANGELOG.md)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "${released:-today}" +%s)}
export SOURCE_DATE_EPOCH

out=$build/deb
work=$out/work
rm -rf "$out"
mkdir -p "$work"
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# CHANGELOG.md stays beside it for what changed.
changelog() {
    printf '%s (%s-%s) unstable; urgency=medium\n\n  * Release %s: see changelog.gz.\n\n -- %s  %s\n' \
        "$1" "$version" "$revision" "$version" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

# notices CRATE FEATURE_OPTIONS…: the crates that it is linked from, with their license files, which go with the binary.
notices() {
    crate=$1
    shift
    sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
    cargo tree --locked --package "$crate" --edges normal --no-dedupe --prefix none --format '{p}|{l}' "$@" |
        grep -v "($root" | sort -u | while IFS='|' read -r linked license; do
        linked=${linked%% (*}
        printf '== %s: %s\n\n' "$linked" "$license"
        find "$sources"/*/"${linked% v*}-${linked##* v}" -maxdepth 1 -type f \
            \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) -exec cat {} +
        printf '\n'
    done
}

# document PACKAGE CRATE FEATURE_OPTIONS…: what every package says about itself
document() {
    folder=$work/$1/usr/share/doc/$1
    mkdir -p "$folder"
    {
        printf '%s\n' 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' \
            'Upstream-Name: ext_registry' '' 'Files: *' 'Copyright: 2026, the ext_registry developers' \
            'License: PostgreSQL'
        sed -n '/^Permission/,$p' LICENSE | sed 's/^$/./; s/^/ /'
        printf '%s\n' 'Comment: The licenses of the Rust crates that are linked into it are in' \
            ' third-party-licenses.gz beside this file.'
    } >"$folder/copyright"
    changelog "$1" | gzip -9n >"$folder/changelog.Debian.gz"
    gzip -9n <CHANGELOG.md >"$folder/changelog.gz"
    shift
    notices "$@" | gzip -9n >"$folder/third-party-licenses.gz"
}

# Libraries that FILE is linked with, as packages.
depends_of() {
    mkdir -p "$work/shlibs/debian"
    printf 'Source: ext-registry\n\nPackage: ext-registry\nArchitecture: any\n' >"$work/shlibs/debian/control"
    # Of what a server offers to its extensions it says that no library has it: on stderr.
    (cd "$work/shlibs" && dpkg-shlibdeps -O -e"$1" 2>"$work/shlibs.log") | sed 's/^shlibs:Depends=//' | grep . || {
        cat "$work/shlibs.log" >&2
        return 1
    }
}

# build PACKAGE, with control fields on stdin
build_package() {
    folder=$work/$1
    mkdir -p "$folder/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s-%s\nArchitecture: %s\nMaintainer: %s\n' \
            "$1" "$version" "$revision" "$arch" "$maintainer"
        printf 'Section: database\nPriority: optional\nInstalled-Size: %s\n' "$(du -sk --exclude DEBIAN "$folder" | cut -f 1)"
        cat
    } >"$folder/DEBIAN/control"
    (cd "$folder" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
    find "$folder" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group --build "$folder" "$out" >&2
}

say "ext-migrate $version"
cargo build --locked --release --package ext-migrate
package=ext-migrate
usr=$work/$package/usr
mkdir -p "$usr/bin" "$usr/share/man/man1" "$usr/share/bash-completion/completions" "$usr/share/ext-registry"
install -m 755 "$target/release/ext-migrate" "$usr/bin/"
strip --remove-section .comment "$usr/bin/ext-migrate"
"$usr/bin/ext-migrate" man | gzip -9n >"$usr/share/man/man1/ext-migrate.1.gz"
"$usr/bin/ext-migrate" completions bash >"$usr/share/bash-completion/completions/ext-migrate"
install -m 644 sql/versions.psql "$usr/share/ext-registry/"
document "$package" ext-migrate
cp -R doc README.md "$usr/share/doc/$package/"
needs=$(depends_of "$usr/bin/ext-migrate")
build_package "$package" <<END
Depends: $needs
Recommends: ca-certificates
Suggests: postgresql-$PG_MAJOR-ext-registry, postgresql-client
Description: registry of published versions in PostgreSQL: its migrations
 Brings a database, empty or years in use, to the schema of ext_registry and
 proves before each commit that nothing that was there has been touched; says
 whether the guards of what is published are in place; grants what publishers
 and readers need.
END

package=postgresql-$PG_MAJOR-ext-registry
say "$package $version"
# Below the paths of the PostgreSQL that it was built with, which need not be those of Debian's.
(cd pg_ext && cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$work/pgrx" --no-default-features --features "pg$PG_MAJOR")
library=$work/$package/usr/lib/postgresql/$PG_MAJOR/lib
extension=$work/$package/usr/share/postgresql/$PG_MAJOR/extension
mkdir -p "$library" "$extension"
find "$work/pgrx" -name 'ext_registry*.so' -exec install -m 644 {} "$library/" \;
find "$work/pgrx" \( -name 'ext_registry*.sql' -o -name ext_registry.control \) -exec install -m 644 {} "$extension/" \;
strip --strip-unneeded --remove-section .comment "$library/ext_registry.so"
document "$package" ext_registry --no-default-features "--features=pg$PG_MAJOR"
needs=$(depends_of "$library/ext_registry.so")
build_package "$package" <<END
Depends: postgresql-$PG_MAJOR, $needs
Recommends: ext-migrate (>= $version)
Description: registry of published versions inside PostgreSQL $PG_MAJOR
 A version is published once, by one SQL call. Publishing it again is refused
 with an error that a person can read and a program can act on, and no SQL
 statement changes what is published.
 .
 The tables that it works on are made by ext-migrate.
END

rm -rf "$work"
ls "$out"/*.deb
