// Reads units that are wrapped in kopia's error correction, REED-SOLOMON-CRC32 (kopia
// repo/ecc/ecc_rs_crc.go): parity shards, then data shards, each behind its CRC-32; the data begins
// with its length. Undamaged data needs no parity, and damaged data is refused, not repaired. The
// sizes of the shards follow from the stored length and the configured overhead.

import { crc32 } from 'node:zlib';
import { EngineError } from '#engine/base/errors.ts';
import { unknownAlgorithm } from './repository-key.ts';

export const ECC_ALGORITHMS: readonly string[] = Object.freeze(['REED-SOLOMON-CRC32']);

const CRC_BYTES = 4;
const LENGTH_BYTES = 4;
const SMALL_DATA_SHARDS = 6;
const SMALL_PARITY_SHARDS = 2;

interface Layout {
  readonly dataShards: number;
  readonly parityShards: number;
  readonly shardBytes: number;
  readonly blocks: number;
}

interface Sizes {
  readonly dataShards: number;
  readonly parityShards: number;
  readonly shardBytesMax: number;
  /** Units of up to this stored length are in 6 + 2 shards. */
  readonly smallStoredMax: number;
  /** Units of up to this stored length are one block with shards as short as they can be. */
  readonly blockStoredMax: number;
}

/**
 * Whether a repository's units are wrapped at all.
 * @throws ALGORITHM_UNKNOWN
 */
export function hasEcc(config: { readonly ecc: string; readonly eccOverheadPercent: number }) {
  if (config.ecc === '' || config.eccOverheadPercent === 0) return false;
  if (!ECC_ALGORITHMS.includes(config.ecc)) {
    throw unknownAlgorithm('error correction', config.ecc, ECC_ALGORITHMS);
  }
  return true;
}

/**
 * The sealed unit within a wrapped one.
 * @param overheadPercent as configured, 1 to 100
 * @returns memory of its own
 * @throws CONTENT_DAMAGED when a shard that is needed has the wrong checksum
 */
export function unwrapEcc(stored: Uint8Array, overheadPercent: number): Uint8Array {
  const layout = layoutOf(stored.length, sizesOf(overheadPercent));
  const { shardBytes } = layout;
  const unitBytes = CRC_BYTES + shardBytes;
  const dataStart = layout.parityShards * layout.blocks * unitBytes;
  if (dataStart >= stored.length) throw damaged('it is too short');
  const shards = Math.ceil((stored.length - dataStart) / unitBytes);
  const plain = new Uint8Array(shards * shardBytes);
  for (let shard = 0; shard < shards; shard++) {
    const start = dataStart + shard * unitBytes;
    const end = Math.min(start + unitBytes, stored.length);
    if (end - start < CRC_BYTES) throw damaged('it ends within a checksum');
    // Only the very last shard can be cut; its checksum covers the zeros that are not stored.
    plain.set(stored.subarray(start + CRC_BYTES, end), shard * shardBytes);
    const expected = new DataView(stored.buffer, stored.byteOffset + start).getUint32(0);
    const actual = crc32(plain.subarray(shard * shardBytes, (shard + 1) * shardBytes));
    if (actual !== expected) throw damaged(`the checksum of shard ${shard} is wrong`);
  }
  return cutToLength(plain);
}

function cutToLength(plain: Uint8Array): Uint8Array {
  if (plain.length < LENGTH_BYTES) throw damaged('it is too short');
  const length = new DataView(plain.buffer).getUint32(0);
  if (length > plain.length - LENGTH_BYTES) throw damaged('it is shorter than it says');
  return plain.slice(LENGTH_BYTES, LENGTH_BYTES + length);
}

function layoutOf(storedBytes: number, sizes: Sizes): Layout {
  const { dataShards, parityShards, shardBytesMax } = sizes;
  if (storedBytes <= sizes.smallStoredMax) {
    return oneBlock(storedBytes, SMALL_DATA_SHARDS, SMALL_PARITY_SHARDS);
  }
  if (storedBytes <= sizes.blockStoredMax) return oneBlock(storedBytes, dataShards, parityShards);
  const blockBytes = (dataShards + parityShards) * (CRC_BYTES + shardBytesMax);
  const blocks = Math.ceil(storedBytes / blockBytes);
  return { dataShards, parityShards, shardBytes: shardBytesMax, blocks };
}

function oneBlock(storedBytes: number, dataShards: number, parityShards: number): Layout {
  const unitBytes = Math.max(Math.ceil(storedBytes / (dataShards + parityShards)), CRC_BYTES + 1);
  return { dataShards, parityShards, shardBytes: unitBytes - CRC_BYTES, blocks: 1 };
}

/** Mirrors kopia's arithmetic, single precision included: the sizes must agree to the byte. */
function sizesOf(overheadPercent: number): Sizes {
  const shardBytesMax = shardBytesMaxOf(overheadPercent);
  const checksumShare = Math.fround((100 * CRC_BYTES) / shardBytesMax);
  const free = Math.max(Math.fround(overheadPercent - checksumShare), Math.fround(0.01));
  const { dataShards, parityShards } = shardCounts(free);
  const total = dataShards + parityShards;
  const smallPlainMax = 2 * CRC_BYTES * total;
  const smallShardBytes = Math.ceil(smallPlainMax / SMALL_DATA_SHARDS);
  return {
    dataShards,
    parityShards,
    shardBytesMax,
    smallStoredMax: (SMALL_DATA_SHARDS + SMALL_PARITY_SHARDS) * (CRC_BYTES + smallShardBytes),
    blockStoredMax: total * (CRC_BYTES + shardBytesMax),
  };
}

function shardBytesMaxOf(overheadPercent: number): number {
  if (overheadPercent === 1) return 1024;
  if (overheadPercent === 2) return 512;
  if (overheadPercent === 3) return 256;
  return overheadPercent <= 6 ? 128 : 64;
}

function shardCounts(freePercent: number): { dataShards: number; parityShards: number } {
  const parity = Math.floor(128 * Math.fround(freePercent / 100));
  if (parity > 1) return { dataShards: 128, parityShards: Math.min(parity, 128) };
  const data = Math.floor(2 * Math.fround(100 / freePercent));
  return { dataShards: Math.min(Math.max(data, 128), 254), parityShards: 2 };
}

function damaged(problem: string): EngineError {
  return new EngineError(
    'CONTENT_DAMAGED',
    `cannot read a unit with error correction: ${problem}; let kopia repair it`,
  );
}
