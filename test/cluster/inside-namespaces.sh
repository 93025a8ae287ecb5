# What in-namespaces.ts runs first in there: hides the places of the machine that a node writes to,
# each with a directory below $TMPDIR, or a copy. Not by exec: process 1 has to wait for orphans.
set -eu
mount --make-rshared /
ip link set lo up
for place in /run /var/lib /var/log; do
  mkdir -p "$TMPDIR$place"
  mount --bind "$TMPDIR$place" "$place"
done
# The kubelet sets these; they are the whole machine's.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  mkdir -p "$TMPDIR/settings/${setting%/*}"
  cat "/proc/sys/$setting" >"$TMPDIR/settings/$setting"
  mount --bind "$TMPDIR/settings/$setting" "/proc/sys/$setting"
done
status=0
"$@" || status=$?
exit $status
