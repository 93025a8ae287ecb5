#!/bin/sh
# Builds the kopia of Velero 1.18 (go.mod) into a directory, out/bin by default, for the tests of
# test/compat. Needs Go 1.26. The web interface is left out: it is another download and no test's.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
cd "$here"
GOBIN=$bin CGO_ENABLED=0 go install -tags nohtmlui tool
