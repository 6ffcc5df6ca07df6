# Sourced by the scripts beside it. shellcheck shell=sh

# Everything private is below $build; what a server must reach, below $server_home (see server-home.sh).
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/.build
# Servers run as another user than root: what is made here must be readable for it.
umask 022
mkdir -p "$build"

say() {
    printf '%s\n' "== $*" >&2
}

# One sentence, and no more.
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

is_root() {
    [ "$(id -u)" = 0 ]
}

# A short name for a path.
key_of() {
    printf '%s' "$1" | cksum | cut -d ' ' -f 1
}

# Runs a command as the user of the servers, in a folder that this user can enter.
as_server_user() (
    cd /
    if is_root; then
        exec setpriv --reuid "$(id -u "$server_user")" --regid "$(id -g "$server_user")" --clear-groups "$@"
    fi
    exec "$@"
)
