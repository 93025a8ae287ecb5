// What stands where a restore needs a directory, told as what it is: making one there fails with
// EEXIST, ENOENT or ENOTDIR, of which nobody learns that a name is a file or a link to nowhere.

import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';

/**
 * Looks at `path`, which is absolute, or where it is not there at what is above it. What cannot be
 * looked at is left to whoever opens it.
 * @throws TARGET_NOT_WRITABLE
 */
export async function assertNoObstacle(path: string): Promise<void> {
  let existing = path;
  let found = await attempt(fs.lstat(existing));
  while (isAbsent(found) && existing !== dirname(existing)) {
    existing = dirname(existing);
    found = await attempt(fs.lstat(existing));
  }
  if (found instanceof Error) return;
  const text = found.isSymbolicLink() ? await linkObstacle(existing) : obstacle(existing, found);
  if (text === undefined) return;
  throw new EngineError('TARGET_NOT_WRITABLE', `cannot use the target ${path}: ${text}`, {
    details: { path: existing },
  });
}

async function linkObstacle(path: string): Promise<string | undefined> {
  const found = await attempt(fs.stat(path));
  if (!(found instanceof Error)) return obstacle(path, found);
  if (!isAbsent(found) && systemCodeOf(found) !== 'ELOOP') return undefined;
  const to = await fs.readlink(path);
  const advice = 'remove the link or make the directory that it names';
  return `${path} is a link to ${to}, which is not there; ${advice}`;
}

function obstacle(path: string, found: Stats): string | undefined {
  if (found.isDirectory()) return undefined;
  const kind = found.isFile() ? 'a file' : 'no directory';
  const advice = 'name a directory, or a path where nothing is';
  return `${path} is ${kind}, and what is restored needs a directory there; ${advice}`;
}

function isAbsent(found: unknown): boolean {
  const code = systemCodeOf(found);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function attempt(looking: Promise<Stats>): Promise<Stats | Error> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
