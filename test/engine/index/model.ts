// Seeded random index entries, and the merge rule restated over plain objects.

import type { IndexEntry } from '#engine/index/entry.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import { IndexRows } from '#engine/index/rows.ts';

export type Random = (limit: number) => number;

/** The seed of this run: SEED from the environment or a new one. */
export function pickSeed(): number {
  return Number(process.env.SEED ?? Date.now() % 2 ** 31);
}

/** Integers below a limit (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed;
  return limit => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

export interface RandomEntries {
  readonly random: Random;
  readonly hashBytes: number;
  readonly count: number;
  /** Distinct keys; fewer than `count` gives duplicates. */
  readonly keys: number;
}

const PREFIXES = [0, 0, 0, 0, 0x67, 0x6b, 0x6d, 0x78, 0x7a];

function randomKey(random: Random, hashBytes: number): Uint8Array {
  const key = new Uint8Array(hashBytes + 1);
  for (let i = 1; i < key.length; i++) key[i] = random(256);
  key[0] = PREFIXES[random(PREFIXES.length)];
  // Some keys agree in all but the last bytes, or lie in one bucket.
  if (random(8) === 0) key.fill(random(2) * 255, 1, hashBytes - 1);
  if (random(8) === 0) key.fill(7, 1, 4);
  return key;
}

/** Entries with many duplicates, ties in time, deletions and the largest values there can be. */
export function randomEntries({ random, hashBytes, count, keys }: RandomEntries): IndexEntry[] {
  const pool = Array.from({ length: keys }, () => randomKey(random, hashBytes));
  return Array.from({ length: count }, () => ({
    key: pool[random(keys)],
    packId: `${'pq'[random(2)]}${random(12).toString(16).padStart(4, '0')}-s1`,
    timestampSeconds: random(10) === 0 ? 2 ** 32 - 1 - random(3) : 1767225600 + random(4),
    packOffset: random(10) === 0 ? 2 ** 30 - 1 : random(2 ** 24),
    packedBytes: random(20) === 0 ? 2 ** 28 - 1 : random(2 ** 22),
    originalBytes: random(20) === 0 ? 2 ** 28 - 1 : random(2 ** 22),
    compressionId: [0, 0x1101, 0xffffffff][random(3)],
    formatVersion: 1 + random(3),
    isDeleted: random(4) === 0,
  }));
}

/** Whether a beats b, by kopia-format.md 6.1. */
function beats(a: IndexEntry, b: IndexEntry): boolean {
  if (a.timestampSeconds !== b.timestampSeconds) return a.timestampSeconds > b.timestampSeconds;
  if (a.isDeleted !== b.isDeleted) return !a.isDeleted;
  return a.packId > b.packId;
}

/**
 * One of several entries alike in key, time, deletion and pack may win; tests that compare whole
 * entries make those equal first.
 */
export function withoutTwins(entries: readonly IndexEntry[]): IndexEntry[] {
  const first = new Map<string, IndexEntry>();
  return entries.map(entry => {
    const { key, packId, timestampSeconds, isDeleted } = entry;
    const name = `${hexOf(key)} ${packId} ${timestampSeconds} ${isDeleted}`;
    const twin = first.get(name) ?? entry;
    first.set(name, twin);
    return twin;
  });
}

/** The winners, in key order. */
export function mergeByRule(entries: readonly IndexEntry[]): IndexEntry[] {
  const winners = new Map<string, IndexEntry>();
  for (const entry of entries) {
    const name = hexOf(entry.key);
    const other = winners.get(name);
    if (other === undefined || beats(entry, other)) winners.set(name, entry);
  }
  return [...winners.values()].sort((a, b) => Buffer.compare(a.key, b.key));
}

export function rowsFrom(entries: readonly IndexEntry[], hashBytes: number): IndexRows {
  const rows = new IndexRows(hashBytes + 1);
  for (const entry of entries) {
    rows.add(entry.key, 0, { ...entry, packIndex: rows.addPack(entry.packId) });
  }
  return rows;
}

/** A version 2 index file of entries, which must not be none. */
export function fileFrom(entries: readonly IndexEntry[], hashBytes: number): Uint8Array {
  return encodeIndex(rowsFrom(entries, hashBytes), { version: 2 })[0];
}

/** Entries split at random places. */
export function splitAtRandom<Item>(
  items: readonly Item[],
  parts: number,
  random: Random,
): Item[][] {
  const split: Item[][] = Array.from({ length: parts }, () => []);
  for (const item of items) split[random(parts)].push(item);
  return split.filter(part => part.length > 0);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
