#!/bin/sh
# Builds Prometheus and promtool (go.mod) into a directory, out/bin by default, for
# test/observability. Needs Go 1.26. Without the ways to find targets in clouds (remove_all_sd), which
# no test has: 165 s of processor time from nothing, and 443 s with them. Without the web interface,
# which is another download.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
cd "$here"
GOBIN=$bin CGO_ENABLED=0 go install -tags netgo,remove_all_sd -ldflags '-s -w' tool
