// Index files out of rows: sorted, merged, split into shards where one file would be too large.
// Used by a flush (one small file) and by compaction.

import { EngineError } from '#engine/base/errors.ts';
import { encodeIndexV1 } from './encode-v1.ts';
import { encodeIndexV2 } from './encode-v2.ts';
import { winningRows } from './row-order.ts';
import type { IndexRows } from './rows.ts';

/** kopia's DefaultIndexShardSize (repo/content/committed_content_index.go). */
export const SHARD_ENTRIES_MAX = 16_000_000;

const ENCODERS = Object.freeze({ 1: encodeIndexV1, 2: encodeIndexV2 });

export interface EncodeIndexOptions {
  readonly version: 1 | 2;
  readonly shardEntriesMax?: number;
}

/**
 * The index files that say what `rows` say, after the merge rule. No rows give no file. All files
 * of one call belong to one set (`-c<N>` in their blob names is how many there are).
 * @throws LIMIT_EXCEEDED when the rows do not fit the file format
 */
export function encodeIndex(rows: IndexRows, options: EncodeIndexOptions): Uint8Array[] {
  const encode = ENCODERS[options.version];
  const order = winningRows(rows);
  const shards = shardRows(rows, order, options.shardEntriesMax ?? SHARD_ENTRIES_MAX);
  return shards.map(shard => encode(rows, shard));
}

/** Splits rows the way kopia does, by the hash of the content id; empty shards are left out. */
function shardRows(rows: IndexRows, order: Uint32Array, entriesMax: number): Uint32Array[] {
  if (!(entriesMax >= 1)) throw new EngineError('INTERNAL', 'a shard needs room for an entry');
  const shardCount = Math.ceil(order.length / entriesMax);
  if (shardCount <= 1) return order.length === 0 ? [] : [order];
  const counts = new Uint32Array(shardCount);
  const shardOf = (row: number) => contentIdHash(rows.keys, row * rows.keyBytes, rows.keyBytes);
  for (const row of order) counts[shardOf(row) % shardCount]++;
  const shards = Array.from(counts, count => new Uint32Array(count));
  counts.fill(0);
  for (const row of order) {
    const shard = shardOf(row) % shardCount;
    shards[shard][counts[shard]++] = row;
  }
  return shards.filter(shard => shard.length > 0);
}

const HEX = Uint8Array.from('0123456789abcdef', digit => digit.charCodeAt(0));
const FNV_PRIME = 0x01000193;

/** FNV-1a-32 of the content id as text (prefix letter, hash in hex), without making the text. */
export function contentIdHash(key: Uint8Array, offset: number, keyBytes: number): number {
  let hash = 0x811c9dc5;
  if (key[offset] !== 0) hash = Math.imul(hash ^ key[offset], FNV_PRIME);
  for (let i = offset + 1; i < offset + keyBytes; i++) {
    hash = Math.imul(hash ^ HEX[key[i] >> 4], FNV_PRIME);
    hash = Math.imul(hash ^ HEX[key[i] & 15], FNV_PRIME);
  }
  return hash >>> 0;
}
