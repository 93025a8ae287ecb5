// What lies in a directory and is none of ours: measured, so that it can be charged, and left as it
// is. No link is followed, and another file system that is mounted there is somebody else's.

import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Amount } from './ledger.ts';

/** Of a tree with more, so many are counted. */
const FOREIGN_FILES_MAX = 10_000;
const STAT_BLOCK_BYTES = 512;
export const NOTHING: Amount = Object.freeze({ bytes: 0, inodes: 0 });

/** What `names` in `directory` take of its file system, with everything below them. */
export async function allocatedFor(directory: string, names: readonly string[]): Promise<Amount> {
  if (names.length === 0) return NOTHING;
  const { dev } = await lstat(directory);
  const waiting = names.map(name => join(directory, name));
  let [bytes, inodes] = [0, 0];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const found = await lstatOrNot(path);
    if (found === undefined || found.dev !== dev) continue;
    bytes += found.blocks * STAT_BLOCK_BYTES;
    if (++inodes >= FOREIGN_FILES_MAX) break;
    if (found.isDirectory()) waiting.push(...(await namesIn(path)).map(name => join(path, name)));
  }
  return { bytes, inodes };
}

async function lstatOrNot(path: string): Promise<Stats | undefined> {
  // Whatever went meanwhile takes nothing.
  return lstat(path).catch(() => undefined);
}

async function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}
