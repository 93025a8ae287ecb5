// Work beneath an open directory of a volume, whatever those who use the volume do to it meanwhile:
// each step goes through the descriptor of the directory above (/proc/self/fd, see proc(5)) and
// follows no link, so that nothing outside is ever touched.

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rmdir, unlink } from 'node:fs/promises';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Each level holds a descriptor. */
export const REMOVAL_DEPTH_MAX = 64;

/** @throws with the system's code: ELOOP and ENOTDIR where it is no directory */
export function openDirectory(path: string | Buffer): Promise<FileHandle> {
  return open(path, DIRECTORY);
}

/** The path of an entry beneath an open directory. */
export function beneath(directory: FileHandle, name: string | Buffer): Buffer {
  const prefix = Buffer.from(`/proc/self/fd/${directory.fd}/`);
  return Buffer.concat([prefix, typeof name === 'string' ? Buffer.from(name) : name]);
}

/**
 * Removes what has the name, with everything in it; a link as a link. What is mounted is not
 * entered.
 * @throws EBUSY and others of the system, LIMIT_EXCEEDED
 */
export async function removeBeneath(
  directory: FileHandle,
  name: string | Buffer,
  depth = 0,
): Promise<void> {
  const path = beneath(directory, name);
  if (!(await isDirectory(path))) {
    await ignoring('ENOENT', unlink(path));
    return;
  }
  if (depth >= REMOVAL_DEPTH_MAX) {
    const text = `a directory is nested deeper than ${REMOVAL_DEPTH_MAX} levels`;
    throw new EngineError('LIMIT_EXCEEDED', `${text}; remove it by hand`);
  }
  const child = await openDirectory(path);
  try {
    if ((await child.stat()).dev === (await directory.stat()).dev) {
      const names = await readdir(`/proc/self/fd/${child.fd}/`, { encoding: 'buffer' });
      for (const each of names) await removeBeneath(child, each, depth + 1);
    }
  } finally {
    await child.close();
  }
  await ignoring('ENOENT', rmdir(path));
}

async function isDirectory(path: Buffer): Promise<boolean> {
  const stat = await ignoring('ENOENT', lstat(path));
  return stat?.isDirectory() ?? false;
}

/** Undefined where it fails with that code of the system. */
export async function ignoring<Value>(
  code: string,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (systemCodeOf(error) === code) return undefined;
    throw error;
  }
}
