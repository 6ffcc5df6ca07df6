# Sourced after common.sh: the server of the demo. shellcheck shell=sh

# What `make demo` has written down about it, for `make psql` and `make demo-stop`.
demo_settings=$build/demo.env
if [ -f "$demo_settings" ]; then
    . "$demo_settings"
fi

demo_is_running() {
    [ -n "${DEMO_BIN:-}" ] && as_demo_user "$DEMO_BIN/pg_ctl" --pgdata="$DEMO_HOME/data" status >/dev/null 2>&1
}

# As the server's user, with none of the caller's settings.
as_demo_user() {
    server_user=$DEMO_USER
    as_server_user env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@"
}

demo_start() {
    DEMO_BIN=$(dirname "$PG_CONFIG")
    DEMO_HOME=$SERVER_HOME/demo
    DEMO_USER=$SERVER_USER
    DEMO_SOCKETS=$DEMO_HOME
    # The path of a socket may have 107 bytes only.
    if [ "${#DEMO_HOME}" -gt 80 ]; then
        DEMO_SOCKETS=$(mktemp -d /tmp/ext_registry-demo.XXXXXX)
    fi
    mkdir -p "$DEMO_HOME"
    chmod 700 "$DEMO_HOME" "$DEMO_SOCKETS"
    if is_root; then
        chown "$DEMO_USER" "$DEMO_HOME" "$DEMO_SOCKETS"
    fi
    cat >"$demo_settings" <<END
DEMO_BIN='$DEMO_BIN'
DEMO_HOME='$DEMO_HOME'
DEMO_USER='$DEMO_USER'
DEMO_SOCKETS='$DEMO_SOCKETS'
END
    as_demo_user "$DEMO_BIN/initdb" --pgdata="$DEMO_HOME/data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync --no-instructions >"$build/demo.log" || die "initdb failed: see above."
    # A session of its own: it stays when this terminal is closed.
    as_demo_user setsid "$DEMO_BIN/pg_ctl" --pgdata="$DEMO_HOME/data" --log="$DEMO_HOME/log" --wait --silent \
        --options="-c listen_addresses='' -c unix_socket_directories='$DEMO_SOCKETS'" start ||
        die "The server did not start: see $DEMO_HOME/log."
}

demo_stop() {
    if demo_is_running; then
        as_demo_user "$DEMO_BIN/pg_ctl" --pgdata="$DEMO_HOME/data" --mode=fast --wait --silent stop
    fi
    if [ -n "${DEMO_HOME:-}" ]; then
        rm -rf "$DEMO_HOME" "$DEMO_SOCKETS"
        rm -f "$demo_settings"
    fi
}

demo_psql() {
    env -u PGPORT -u PGSERVICE -u PGOPTIONS "$DEMO_BIN/psql" --host="$DEMO_SOCKETS" --username=postgres --dbname=demo "$@"
}
