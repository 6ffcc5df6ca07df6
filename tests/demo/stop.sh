#!/bin/sh
# Stops the server of the demo and removes its data.
set -eu
. "$(dirname "$0")/../setup/common.sh"
. "$(dirname "$0")/server.sh"

demo_stop
