// The directory that the cache has for itself: made private, never reached through a link, and held
// by a lock as long as this process lives.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf } from '#engine/base/errors.ts';
import { forbidCopyOnWrite, lockFile } from './native-files.ts';

export const CACHE_NAME = 'stevedore-cache';
export const LOCK_NAME = 'lock';
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const WRITABLE_BY_OTHERS = 0o077;

export type DirectoryObstacle = 'locked' | 'lock unsupported' | 'not a directory' | 'not ours';

/** For people. */
export const OBSTACLES: Readonly<Record<DirectoryObstacle, string>> = Object.freeze({
  locked: 'another process uses the directory',
  'lock unsupported': 'the directory cannot be locked',
  'not a directory': 'there is something else where the directory should be',
  'not ours': 'the directory belongs to another user or holds a link in place of its lock',
});

export interface DirectoryRequest {
  /** What the operator named. */
  readonly location: string;
  /** Of several nodes that share a volume each has its own. */
  readonly node: string | undefined;
}

/** The directory with the segments. */
export function cacheDirectoryOf({ location, node }: DirectoryRequest): string {
  return join(
    location,
    node === undefined ? CACHE_NAME : `${CACHE_NAME}-${node.replace(/[^\w.-]/g, '_')}`,
  );
}

/** Of those that have a directory in the location; none where it cannot be read. */
export function nodesIn(location: string): readonly string[] {
  try {
    return readdirSync(location)
      .filter(name => name.startsWith(`${CACHE_NAME}-`))
      .map(name => name.slice(CACHE_NAME.length + 1))
      .sort();
  } catch {
    return [];
  }
}

export class CacheDirectory {
  readonly path: string;
  readonly #directoryFd: number;
  readonly #lockFd: number;
  readonly #lockPath: string;
  readonly #lock: Pick<Stats, 'ino' | 'dev'>;

  private constructor(path: string, directoryFd: number, lockFd: number) {
    this.path = path;
    this.#directoryFd = directoryFd;
    this.#lockFd = lockFd;
    this.#lockPath = join(path, LOCK_NAME);
    this.#lock = fstatSync(lockFd);
  }

  /**
   * Makes and locks it, or says why it cannot be had.
   * @throws the system's error: ENOENT, EROFS, EACCES, ENOSPC, …
   */
  static open(request: DirectoryRequest): CacheDirectory | DirectoryObstacle {
    const path = cacheDirectoryOf(request);
    makeDirectory(path);
    const directoryFd = openNoLink(path, constants.O_RDONLY | constants.O_DIRECTORY);
    if (directoryFd === undefined) return 'not a directory';
    const lockFd = isPrivate(directoryFd) ? openLock(path) : undefined;
    const result = lockFd === undefined ? 'not ours' : lockFile(lockFd);
    if (lockFd !== undefined && result === 'locked') {
      forbidCopyOnWrite(directoryFd);
      return new CacheDirectory(path, directoryFd, lockFd);
    }
    closeSync(directoryFd);
    if (lockFd !== undefined) closeSync(lockFd);
    if (result === 'taken') return 'locked';
    return result === 'unsupported' ? 'lock unsupported' : 'not ours';
  }

  /** Whether the path still leads to the directory and to the lock that we hold. */
  isInPlace(): boolean {
    return (
      isSameFile(this.path, this.#directoryFd) &&
      isSameFile(join(this.path, LOCK_NAME), this.#lockFd)
    );
  }

  /**
   * Whether the way to the lock that we hold is still the same: not where the directory was removed
   * or replaced, or the volume detached. One system call, so that it can be asked before each use.
   */
  isLockInPlace(): boolean {
    const there = lstatSync(this.#lockPath, { throwIfNoEntry: false });
    return there !== undefined && there.ino === this.#lock.ino && there.dev === this.#lock.dev;
  }

  close(): void {
    closeSync(this.#lockFd);
    closeSync(this.#directoryFd);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}

/** Ours, and closed to everybody else from now on. */
function isPrivate(fd: number): boolean {
  const { uid, mode } = fstatSync(fd);
  if (uid !== process.geteuid?.()) return false;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) fchmodSync(fd, DIRECTORY_MODE);
  return true;
}

function openLock(path: string): number | undefined {
  return openNoLink(join(path, LOCK_NAME), constants.O_RDWR | constants.O_CREAT);
}

/** Undefined for a link, and for what is no directory where one is wanted. */
function openNoLink(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, FILE_MODE);
  } catch (error) {
    if (['ELOOP', 'ENOTDIR', 'EISDIR'].includes(systemCodeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function isSameFile(path: string, fd: number): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const held = fstatSync(fd);
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}
