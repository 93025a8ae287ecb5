// Whether a restored tree is what was backed up. A fast restore that restores little is not fast,
// so a row whose trees differ has no figure. This runs outside of the time that is measured.

import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { readSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '#test/support/random.ts';
import { MIB } from './stages/figure.ts';

export interface TreeComparison {
  readonly files: number;
  readonly bytes: number;
  /** A line for each; the first few. */
  readonly differences: readonly string[];
}

export interface CompareTreesOptions {
  /** Content of one in so many files is read, chosen by `seed`; 1 reads all of it. */
  readonly oneIn: number;
  readonly seed: number;
}

const DIFFERENCES_MAX = 10;

export function compareTrees(
  expected: string,
  found: string,
  { oneIn, seed }: CompareTreesOptions,
): TreeComparison {
  const random = new SeededRandom(seed);
  const buffers: Buffers = [Buffer.alloc(MIB), Buffer.alloc(MIB)];
  const differences: string[] = [];
  let files = 0;
  let bytes = 0;
  const pending = ['.'];
  while (differences.length < DIFFERENCES_MAX) {
    const directory = pending.pop();
    if (directory === undefined) break;
    const names = namesOf(join(expected, directory));
    for (const name of namesOf(join(found, directory)).difference(names)) {
      differences.push(`${join(directory, name)} is there, too`);
    }
    for (const name of names) {
      const path = join(directory, name);
      const stat = lstatSync(join(expected, path), { bigint: true });
      if (stat.isDirectory()) pending.push(path);
      if (stat.isFile()) {
        files++;
        bytes += Number(stat.size);
      }
      const isRead = stat.isFile() && random.once(oneIn);
      const difference = differenceOf(
        { expected: join(expected, path), found: join(found, path) },
        stat,
        isRead ? buffers : undefined,
      );
      if (difference !== undefined) differences.push(`${path}: ${difference}`);
    }
  }
  return { files, bytes, differences: differences.slice(0, DIFFERENCES_MAX) };
}

type Buffers = readonly [Buffer, Buffer];

function namesOf(directory: string): Set<string> {
  try {
    return new Set(readdirSync(directory));
  } catch {
    // It is missing, or no directory; its own entry says so.
    return new Set();
  }
}

function differenceOf(
  paths: { readonly expected: string; readonly found: string },
  before: BigIntStats,
  buffers: Buffers | undefined,
): string | undefined {
  const after = lstatSync(paths.found, { bigint: true, throwIfNoEntry: false });
  if (after === undefined) return 'is missing';
  if (after.mode !== before.mode) return `mode ${after.mode.toString(8)}`;
  if (before.isSymbolicLink()) {
    return readlinkSync(paths.expected) === readlinkSync(paths.found) ? undefined : 'other target';
  }
  if (!before.isFile()) return undefined;
  if (after.size !== before.size) return `${after.size} bytes of ${before.size}`;
  if (after.mtimeNs !== before.mtimeNs) return `modified at ${after.mtimeNs} ns`;
  if (buffers === undefined) return undefined;
  return sameBytes(paths, buffers) ? undefined : 'other bytes';
}

function sameBytes(
  paths: { readonly expected: string; readonly found: string },
  [left, right]: Buffers,
): boolean {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const expected = openSync(paths.expected, flags);
  const found = openSync(paths.found, flags);
  try {
    for (;;) {
      const count = readSync(expected, left);
      const other = readSync(found, right);
      if (count !== other) return false;
      if (count === 0) return true;
      if (!left.subarray(0, count).equals(right.subarray(0, count))) return false;
    }
  } finally {
    closeSync(expected);
    closeSync(found);
  }
}
