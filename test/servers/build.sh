#!/bin/sh
# Builds the S3 servers that the tests run against (the tools of go.mod) into out/bin. Needs Go 1.26.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
cd "$here"
GOBIN=$(CDPATH='' cd -- "$bin" && pwd) CGO_ENABLED=0 go install tool
