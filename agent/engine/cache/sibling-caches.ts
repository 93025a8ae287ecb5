// Other caches in the same location, which no limit of ours knows of: of a node that has another
// name now, of a command beside the agent. What no process holds goes where it can be nobody
// else's, and is reported everywhere else.

import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '#engine/base/errors.ts';
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

/**
 * By name; links and other file systems are none.
 * @throws the system's error: EACCES, EIO, …
 */
export async function siblingCaches(request: DirectoryRequest): Promise<SiblingCache[]> {
  const siblings: SiblingCache[] = [];
  for (const name of await siblingNames(request)) {
    const sibling = await lookAt(request, name);
    if (sibling) siblings.push(sibling);
  }
  return siblings;
}

async function siblingNames(request: DirectoryRequest): Promise<string[]> {
  const own = basename(cacheDirectoryOf(request));
  const names = await readdir(request.location);
  return names.filter(name => name.startsWith(CACHE_NAME) && name !== own).sort();
}

/** Undefined for what is no directory of the same file system, or is gone by now. */
async function lookAt(
  { location }: DirectoryRequest,
  name: string,
): Promise<SiblingCache | undefined> {
  const directory = join(location, name);
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (!found?.isDirectory() || found.dev !== lstatSync(`${location}/`).dev) return undefined;
  const { bytes } = await allocatedFor(location, [name]);
  return { directory, bytes, isHeld: isHeld(directory) };
}

/** Several nodes may have the location: then caches of others are as they should be. */
export function isLocal(location: CacheLocation | undefined): boolean {
  return location !== undefined && LOCAL_FILE_SYSTEMS.has(location.fileSystem);
}

/**
 * Removes siblings that nobody holds where the location is this node's alone and `request` names
 * the node, and tells of those that stay. A volume may come back to the node it was at, and
 * whoever has no name is a guest: both only tell. Never rejects: what cannot be looked at is told
 * of, and says nothing about our own directory.
 */
export async function tendSiblings(
  request: DirectoryRequest,
  location: CacheLocation | undefined,
  tell: (event: CacheEvent) => void,
): Promise<void> {
  if (!isLocal(location)) return;
  const tellTrouble = (directory: string, error: unknown): void =>
    tell({ kind: 'siblings unknown', directory, reason: messageOf(error) });
  const isOurs = request.node !== undefined && location?.kind !== 'volume';
  const names = await siblingNames(request).catch((error: unknown) => {
    tellTrouble(request.location, error);
    return [];
  });
  for (const name of names) {
    try {
      const sibling = await lookAt(request, name);
      if (sibling === undefined || sibling.isHeld) continue;
      const { directory, bytes } = sibling;
      const isRemoved = isOurs && OWN_NAME.test(name) && (await remove(directory));
      tell({ kind: 'sibling', directory, bytes, isRemoved });
    } catch (error) {
      tellTrouble(join(request.location, name), error);
    }
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
