// Changes a tree in place, the same way for the same seed, and back again: bytes are combined with
// noise by exclusive or, and twice the same noise is nothing. Sizes stay; times become those of the
// change, and of before when it is taken back.

import { closeSync, lstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { lutimesSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '#test/support/random.ts';
import { MIB } from './stages/figure.ts';
import { NoiseStream } from './stages/test-bytes.ts';

interface Edit {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly mtimeSeconds: number;
}

export interface Change {
  readonly files: number;
  readonly bytes: number;
  readonly apply: () => void;
  readonly revert: () => void;
}

export interface ChangeOptions {
  readonly seed: number;
  /** Of all small files, and of the bytes of each large one. */
  readonly share: number;
}

/** From here on only some places of a file are changed, not all of it. */
const LARGE_FILE_BYTES = 32 * MIB;
const PLACES_A_LARGE_FILE = 32;

/** Plans a change of the files below `root`. */
export function planChange(root: string, { seed, share }: ChangeOptions): Change {
  const random = new SeededRandom(seed);
  const files = listFiles(root);
  const small = files.filter(({ size }) => size > 0 && size < LARGE_FILE_BYTES);
  const large = files.filter(({ size }) => size >= LARGE_FILE_BYTES);
  const edits = [
    ...picked(small, Math.round(small.length * share), random).map(
      ({ path, size, mtimeSeconds }) => ({ path, offset: 0, length: size, mtimeSeconds }),
    ),
    ...large.flatMap(file => editsOfLarge(file, share, random)),
  ];
  const noiseSeed = random.below(2 ** 32);
  return {
    files: new Set(edits.map(({ path }) => path)).size,
    bytes: edits.reduce((sum, { length }) => sum + length, 0),
    apply: () => applyEdits(edits, noiseSeed),
    revert: () => {
      applyEdits(edits, noiseSeed);
      for (const { path, mtimeSeconds } of edits) lutimesSync(path, mtimeSeconds, mtimeSeconds);
    },
  };
}

interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeSeconds: number;
}

/** In an order that does not depend on the file system. */
function listFiles(root: string): ListedFile[] {
  const found: ListedFile[] = [];
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) pending.push(path);
      if (!entry.isFile()) continue;
      const { size, mtimeMs } = lstatSync(path);
      found.push({ path, size, mtimeSeconds: mtimeMs / 1000 });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `count` of them, each at most once. */
function picked<Item>(items: readonly Item[], count: number, random: SeededRandom): Item[] {
  const pool = [...items];
  return Array.from({ length: Math.min(count, pool.length) }, (_, index) => {
    const at = index + random.below(pool.length - index);
    const item = pool[at];
    const other = pool[index];
    if (item === undefined || other === undefined) throw new Error('picked outside of the pool');
    pool[at] = other;
    return item;
  });
}

/** Places that do not overlap: one in each of as many equal parts of the file. */
function editsOfLarge(
  { path, size, mtimeSeconds }: ListedFile,
  share: number,
  random: SeededRandom,
) {
  const part = Math.floor(size / PLACES_A_LARGE_FILE);
  const length = Math.floor(part * share);
  return Array.from({ length: PLACES_A_LARGE_FILE }, (_, index) => {
    const offset = index * part + random.below(part - length);
    return { path, offset, length, mtimeSeconds };
  });
}

function applyEdits(edits: readonly Edit[], seed: number): void {
  const noise = new NoiseStream(seed);
  for (const { path, offset, length } of edits) {
    const file = openSync(path, 'r+');
    const bytes = new Uint8Array(length);
    if (readSync(file, bytes, 0, length, offset) !== length) {
      throw new Error(`${path} became shorter`);
    }
    const mask = noise.take(length);
    for (let at = 0; at < length; at++) bytes[at] = (bytes[at] ?? 0) ^ (mask[at] ?? 0);
    writeSync(file, bytes, 0, length, offset);
    closeSync(file);
  }
}
