// Whether a tree can be looked at before it is known what of it is wanted: one file system of this
// machine, without anything that would be mounted by looking, or is and may hang.

import { readFileSync, realpathSync } from 'node:fs';
import { holdingMount, isWithin, parseMountInfo } from '#engine/base/mount-info.ts';

const MOUNTS = '/proc/self/mountinfo';
/** As in /proc/filesystems. Network file systems mount what is beneath them when it is opened. */
const OF_THIS_MACHINE = new Set([
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs'],
  ...['tmpfs', 'overlay'],
]);

/** Throws what node:fs does where the path cannot be followed. */
export function isCalmTree(root: Uint8Array): boolean {
  // Bytes as characters, on both sides: names need not be text.
  const path = realpathSync(Buffer.from(root), 'latin1');
  const mounts = parseMountInfo(readFileSync(MOUNTS, 'latin1'));
  if (mounts.some(mount => mount.path !== path && isWithin(mount.path, path))) return false;
  const holding = holdingMount(mounts, path);
  return holding !== undefined && OF_THIS_MACHINE.has(holding.fileSystem);
}
