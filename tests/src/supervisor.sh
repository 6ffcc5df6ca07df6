# Keeps one server for a test process, its parent: takes commands from stdin, answers each with a line. When the
# parent is gone, stdin ends, and server and files go too.
set -u
data_parent=$1
home=$(mktemp -d "$data_parent/server.XXXXXX") || exit 1
# Not in $home: the path of a socket may have 107 bytes only.
sockets=$(mktemp -d /tmp/ext_registry.XXXXXX) || exit 1
data=$home/data
server=

# The server is a child of this shell, not of pg_ctl: where nobody else reaps orphans, a killed one would stay in
# the process table, and its successor would take it for alive.
start() {
    postgres -D "$data" </dev/null >>"$home/log" 2>&1 &
    server=$!
    tries=0
    # Its first line tells this server's file from one that a killed server has left.
    until [ "$(sed -n '1p; 8s/ *$//p' "$data/postmaster.pid" 2>/dev/null)" = "$server
ready" ]; do
        tries=$((tries + 1))
        if [ ! -e "/proc/$server/exe" ] || [ "$tries" -gt 3000 ]; then
            return 1
        fi
        sleep 0.02
    done
}

stop() {
    kill -s "$1" "$server" && wait "$server" && server=
}

# Like a power cut: nobody gets to say goodbye.
kill_all() {
    # Stopped first, so that it starts no process that the list misses.
    kill -s STOP "$server" || return 1
    children=$(cat "/proc/$server/task/$server/children")
    # shellcheck disable=SC2086
    kill -s KILL "$server" $children
    wait "$server"
    server=
    # Dead, reaped or not: until then it may still hold the shared memory, for which its successor would not start.
    for process in $children; do
        while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$process/status"; do sleep 0.01; done
    done
}

obey() {
    case $1 in
    initdb)
        shift
        initdb --pgdata="$data" --username=postgres --auth=trust --no-sync --no-instructions "$@"
        ;;
    # host and port of the server to copy
    basebackup)
        pg_basebackup --pgdata="$data" --host="$2" --port="$3" --username=postgres --checkpoint=fast --no-sync \
            --write-recovery-conf
        ;;
    # programs and data of the server to take over, which is stopped
    upgrade)
        cd "$home" && pg_upgrade --old-bindir="$2" --old-datadir="$3" --new-datadir="$data" --username=postgres \
            --socketdir="$sockets" --old-port=5433 --new-port=5434 --no-sync
        ;;
    start) start ;;
    stop) stop INT ;;
    kill) kill_all ;;
    *) return 1 ;;
    esac
}

echo "$home $sockets"
while read -r command; do
    # Arguments never hold spaces.
    # shellcheck disable=SC2086
    if obey $command </dev/null >"$home/answer" 2>&1; then
        echo ok
    else
        echo failed
    fi
done
if [ -n "$server" ]; then
    stop QUIT 2>/dev/null
fi
rm -rf "$home" "$sockets"
