#!/bin/sh
# Builds Prometheus and promtool (go.mod) into a directory, out/bin by default, for
# test/observability. Needs Go 1.26. Without the ways to find targets in clouds, which no test has and
# whose SDKs are most of the code, and without the web interface, which is another download.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
cd "$here"
GOBIN=$bin CGO_ENABLED=0 go install -tags netgo,remove_all_sd -ldflags '-s -w' tool
