# What commands.slow.test.ts runs in a mount namespace of its own: a root directory in memory with
# the machine's programs, and empty places that pages write to; there, each block of SCRATCH/blocks
# in order. Exported variables and the directory go on from one to the next, as in a terminal.
set -u
root=$SCRATCH/root
mkdir -p "$root"
mount -t tmpfs -o mode=755 root "$root"
for entry in /* /.[!.]*; do
  case ${entry#/} in
    # Those that pages use, and what shall be there but not of the machine.
    srv | mnt | data | backup | cache | src | tmp | home | '.[!.]*') continue ;;
    etc) cp -a /etc "$root/etc" && continue ;;
  esac
  if [ -L "$entry" ]; then
    cp -a "$entry" "$root$entry"
  elif [ -d "$entry" ]; then
    mkdir "$root$entry" && mount --rbind "$entry" "$root$entry"
  fi
done
for place in srv mnt data backup cache src tmp home/me; do mkdir -p "$root/$place"; done
mount -t tmpfs cache "$root/cache"
mkdir "$root/tmp/scratch" && mount --bind "$SCRATCH" "$root/tmp/scratch"
# A checkout, and a Node, may lie below one of those places.
for needed in "$START" "$(dirname "$(command -v node)")"; do
  [ -d "$root$needed" ] || { mkdir -p "$root$needed" && mount --rbind "$needed" "$root$needed"; }
done
cat >"$root/tmp/run-blocks.sh" <<'END'
cd "$START"
for block in /tmp/scratch/blocks/*.sh; do
  timeout 120 bash "$block" >"${block%.sh}.out" 2>&1
  echo $? >"${block%.sh}.status"
  . "$STATE"
done
END
exec env -i HOME=/home/me PATH="$PATH" LANG=C.UTF-8 START="$START" STATE=/tmp/state \
  chroot "$root" bash /tmp/run-blocks.sh
