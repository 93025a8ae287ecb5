#!/bin/sh
# Makes the recorded repositories anew with the kopia that KOPIA_BIN names, 0.23 or later. Run as
# root, so that the sources have owners and all mode bits. Keys and ids are random: every run makes
# other bytes. Arguments are the names of the cases to make; all without any.
set -eu
cd "$(dirname -- "$0")/../.."
exec node test/node24.js test/vectors/repositories/make.ts "$@"
