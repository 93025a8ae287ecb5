// Entries that flags protect from every change (chattr +i, +a), and that have to give way. Flags
// belong to a file and not to its name: whoever has another name for it, outside the target as
// well, keeps them.

import { constants as fsConstants } from 'node:fs';
import { constants as osConstants } from 'node:os';

import { clearProtection } from './inode-flags.ts';
import type { TargetCalls } from './target-calls.ts';
import { TargetFile, type TargetDirectory } from './target-handle.ts';
import { TargetStat } from './target-stat.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fsConstants;
const { EPERM } = osConstants.errno;
/** Scratch of this thread; nothing in here waits. */
const stat = new TargetStat();

/** Takes the protection from what has the name, as far as may be. */
export function clearProtectionAt(
  calls: TargetCalls,
  directory: TargetDirectory,
  name: Uint8Array,
): void {
  using file = openProtected(calls, directory, name);
  if (file) clearProtection(calls, file);
}

/**
 * Takes a name away although flags forbid it.
 * @returns 0, or an errno below zero: EPERM when it is not the flags that forbid it, and what keeps
 *   them from being set again
 */
export function unlinkProtected(
  calls: TargetCalls,
  directory: TargetDirectory,
  name: Uint8Array,
): number {
  using file = openProtected(calls, directory, name);
  if (file === undefined) return -EPERM;
  const flags = calls.getFlags(file);
  if (!clearProtection(calls, file)) return -EPERM;
  const result = calls.unlinkAt(directory.descriptor, name, false);
  // Asked afterwards: it has a name left, too, when that one could not be taken away.
  const isGone = calls.statOpen(file.descriptor, stat) === 0 && stat.linkCount === 0;
  const restored = isGone ? 0 : calls.setFlags(file, flags);
  return result < 0 ? result : restored;
}

/** Opens nothing but files and directories: to open a device may set it in motion. */
function openProtected(
  calls: TargetCalls,
  directory: TargetDirectory,
  name: Uint8Array,
): TargetFile | undefined {
  if (calls.statAt(directory.descriptor, name, stat) < 0) return undefined;
  if (!stat.isFile && !stat.isDirectory) return undefined;
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  const descriptor = calls.openAt(directory.descriptor, name, flags, 0);
  return descriptor < 0 ? undefined : new TargetFile(calls, descriptor, directory, [name]);
}
