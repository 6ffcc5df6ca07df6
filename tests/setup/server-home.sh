# Sourced: sets $server_user and $server_home, the place for server copies and data. shellcheck shell=sh

if is_root; then
    # PostgreSQL refuses to run as root.
    server_user=nobody
else
    server_user=$(id -un)
fi

server_home=$build
# shellcheck disable=SC2016
if ! as_server_user sh -c 'cd "$1"' sh "$build" 2>/dev/null; then
    # A tree below /root, for example. The name follows from the tree's path, so that the next run finds it again.
    server_home=${TMPDIR:-/var/tmp}/ext_registry-$(key_of "$root")
    if ! mkdir "$server_home" 2>/dev/null; then
        if [ ! -d "$server_home" ] || [ -L "$server_home" ] || [ ! -O "$server_home" ]; then
            die "$server_home is needed for the servers but belongs to somebody else: remove it, or set TMPDIR to another directory."
        fi
    fi
fi

server_data=$server_home/servers
mkdir -p "$server_data"
if is_root; then
    chown "$server_user" "$server_data"
fi
