#!/bin/sh
# Opens psql on the server of the demo.
set -eu
. "$(dirname "$0")/../setup/common.sh"
. "$(dirname "$0")/server.sh"

demo_is_running || die "The demo is not running: make demo starts it."
cd "$root"
demo_psql "$@"
