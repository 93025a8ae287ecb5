// Where a target is, whichever path leads there: through a symbolic link or a bind mount two paths
// that have nothing in common are one directory. A target need not be there yet.

import fs from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { systemCodeOf } from '#engine/base/errors.ts';

/** What tells directories from the root to the place itself apart. */
export type TargetPlace = readonly string[];

/** The place of the directory at `path`, which is absolute. */
export async function placeOfDirectory(path: string): Promise<TargetPlace> {
  const missing: string[] = [];
  let existing = path;
  let real = await realPath(existing);
  while (real === undefined) {
    missing.unshift(basename(existing));
    existing = dirname(existing);
    real = await realPath(existing);
  }
  const place = await identitiesTo(real);
  for (const name of missing) place.push(`${place[place.length - 1]}/${name}`);
  return place;
}

/** The place of an entry: a link that is there gives way to it and is not followed. */
export async function placeOfEntry(directory: string, name: string): Promise<TargetPlace> {
  const place = await placeOfDirectory(directory);
  return [...place, `${place[place.length - 1]}/${name}`];
}

export function isSamePlace(a: TargetPlace, b: TargetPlace): boolean {
  return a[a.length - 1] === b[b.length - 1];
}

/** Whether `inner` is `outer`, or in it. */
export function isWithin(inner: TargetPlace, outer: TargetPlace): boolean {
  return inner.includes(outer[outer.length - 1]);
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await fs.realpath(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' && path !== dirname(path)) return undefined;
    throw error;
  }
}

/** From the root down. */
async function identitiesTo(path: string): Promise<string[]> {
  const { dev, ino } = await fs.stat(path, { bigint: true });
  const above = path === dirname(path) ? [] : await identitiesTo(dirname(path));
  return [...above, `${dev}:${ino}`];
}
