// Other caches in the same location, which no limit of ours knows of: of a node that has another
// name now, of a command beside the agent. What no process holds goes where it can be nobody
// else's, and is reported everywhere else.

import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  CACHE_NAME,
  cacheDirectoryOf,
  type DirectoryRequest,
  LOCK_NAME,
} from './cache-directory.ts';
import type { CacheEvent } from './cache-settings.ts';
import { allocatedFor } from './foreign-files.ts';
import type { CacheLocation } from './location.ts';
import { lockFile } from './native-files.ts';
import { NOTES_NAME } from './notes-file.ts';
import { SEGMENT_NAME } from './segment-pool.ts';

export interface SiblingCache {
  readonly directory: string;
  readonly bytes: number;
  /** Whether a process has it open now. */
  readonly isHeld: boolean;
}

/** No two machines have one of these mounted at a time. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<string> = new Set(['ext4', 'ext3', 'xfs', 'btrfs', 'tmpfs']);
/** As cacheDirectoryOf makes them. */
const OWN_NAME = new RegExp(`^${CACHE_NAME}(-[\\w.-]+)?$`);
const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** By name; links and other file systems are none. */
export async function siblingCaches(request: DirectoryRequest): Promise<SiblingCache[]> {
  const own = basename(cacheDirectoryOf(request));
  const names = await readdir(request.location);
  const siblings: SiblingCache[] = [];
  const { dev } = lstatSync(`${request.location}/`);
  for (const name of names.sort()) {
    const directory = join(request.location, name);
    const found = lstatSync(directory, { throwIfNoEntry: false });
    const isSibling = name.startsWith(CACHE_NAME) && name !== own;
    if (!isSibling || !found?.isDirectory() || found.dev !== dev) continue;
    const { bytes } = await allocatedFor(request.location, [name]);
    siblings.push({ directory, bytes, isHeld: isHeld(directory) });
  }
  return siblings;
}

/** Several nodes may have the location: then caches of others are as they should be. */
export function isLocal(location: CacheLocation | undefined): boolean {
  return location !== undefined && LOCAL_FILE_SYSTEMS.has(location.fileSystem);
}

/**
 * Removes siblings that nobody holds where the location is this node's alone and `request` names
 * the node, and tells of those that stay. A volume may come back to the node it was at, and
 * whoever has no name is a guest: both only tell.
 */
export async function tendSiblings(
  request: DirectoryRequest,
  location: CacheLocation | undefined,
  tell: (event: CacheEvent) => void,
): Promise<void> {
  if (!isLocal(location)) return;
  const isOurs = request.node !== undefined && location?.kind !== 'volume';
  for (const { directory, bytes, isHeld: isUsed } of await siblingCaches(request)) {
    if (isUsed) continue;
    const isRemoved = isOurs && OWN_NAME.test(basename(directory)) && (await remove(directory));
    tell({ kind: 'sibling', directory, bytes, isRemoved });
  }
}

/**
 * Removes what a cache has made, and nothing else, under its lock. All names are below the open
 * directory (proc_pid_fd(5)), so that nobody can put a link in its place meanwhile.
 * @returns whether it is gone
 */
async function remove(directory: string): Promise<boolean> {
  const fds: number[] = [];
  try {
    const fd = openSync(directory, DIRECTORY_FLAGS);
    fds.push(fd);
    if (fstatSync(fd).uid !== process.geteuid?.()) return false;
    const below = `/proc/self/fd/${fd}`;
    const lock = openSync(`${below}/${LOCK_NAME}`, constants.O_RDWR | constants.O_NOFOLLOW);
    fds.push(lock);
    if (lockFile(lock) !== 'locked') return false;
    for (const name of await readdir(below)) {
      if (name === NOTES_NAME || SEGMENT_NAME.test(name)) await unlink(`${below}/${name}`);
    }
    const hasOthers = (await readdir(below)).some(name => name !== LOCK_NAME);
    if (hasOthers) return false;
    await unlink(`${below}/${LOCK_NAME}`);
    await rmdir(directory);
    return true;
  } catch {
    // It stays, and is told of.
    return false;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** One without a lock was never opened. */
function isHeld(directory: string): boolean {
  try {
    const lock = openSync(join(directory, LOCK_NAME), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return lockFile(lock) === 'taken';
    } finally {
      closeSync(lock);
    }
  } catch {
    return false;
  }
}
