// What the volumes hold before a backup, and what is said of them afterwards.

import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { OddTree } from '#test/support/odd-tree.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { treeListing, type ListedEntry } from '#test/support/tree-listing.ts';

const ODD_ENTRIES = 300;
const LARGE_BYTES = 8 << 20;
const SPARSE_BYTES = 64 << 20;
const WRITE_BYTES = 4 << 20;
/** Of a restore before the backup. */
export const OLD_DONE_FILE = 'of-old';

/**
 * Everything that a file system can hold and Velero's agent tell apart, a large file, a sparse one,
 * and a `.velero` of old.
 */
export function fillVolume(path: string, random: SeededRandom): void {
  new OddTree(join(path, 'odd'), random, { hasLookalikes: false }).make(ODD_ENTRIES);
  writeFileSync(join(path, 'large'), random.bytes(LARGE_BYTES));
  makeSparse(join(path, 'sparse'), SPARSE_BYTES, random.bytes(4096));
  mkdirSync(join(path, '.velero'));
  writeFileSync(join(path, '.velero', OLD_DONE_FILE), 'x');
  utimesSync(path, 1_577_836_800, 1_577_836_800);
}

/** A file that is empty but for `middle`. */
export function makeSparse(path: string, bytes: number, middle: Uint8Array): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, bytes);
  writeSync(file, middle, 0, middle.length, bytes / 2);
  closeSync(file);
}

/** Bytes that nobody has seen before and that do not compress, in one file and in many small. */
export function fillWithBytes(path: string, large: number, smallCount = 0): void {
  const bytes = Buffer.alloc(WRITE_BYTES);
  const file = openSync(join(path, 'bytes'), 'w');
  for (let left = large; left > 0; left -= WRITE_BYTES) {
    writeSync(file, randomFillSync(bytes), 0, Math.min(left, WRITE_BYTES));
  }
  closeSync(file);
  for (let index = 0; index < smallCount; index++) {
    const at = join(path, String(index % 20));
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, String(index)), randomFillSync(bytes).subarray(0, 100_000));
  }
}

/** Without what Velero itself leaves in a volume. */
export async function listVolume(path: string): Promise<ListedEntry[]> {
  const entries = await treeListing(path);
  return entries.filter(entry => !/^\.velero(\/|$)/.test(entry.path));
}
