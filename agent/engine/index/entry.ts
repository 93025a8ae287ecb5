// What an index says about one content, the limits of those values, and which of two entries for
// the same content counts. Everything else in this folder stores such entries in some way.
// A content key is the prefix byte (0 or 'g'..'z') followed by the hash (kopia-format.md 4.1).

import { toHex } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';

/** The values of an entry that do not depend on where it is stored. */
export interface EntryFields {
  /** Unix seconds by the writer's clock, u32. */
  readonly timestampSeconds: number;
  /** Where the content begins in its pack, below 2^30. */
  readonly packOffset: number;
  /** Bytes in the pack with everything that encryption adds, below 2^28. */
  readonly packedBytes: number;
  /** Bytes before compression, below 2^28. */
  readonly originalBytes: number;
  /** Compression header id, u32; 0 means not compressed. */
  readonly compressionId: number;
  readonly formatVersion: number;
  readonly isDeleted: boolean;
}

/** One entry as an object, for paths that see few of them. */
export interface IndexEntry extends EntryFields {
  readonly key: Uint8Array;
  readonly packId: string;
}

export const KEY_BYTES_MIN = 2;
export const KEY_BYTES_MAX = 33;
/** Limits of index version 2 (kopia repo/content/index/index_v2.go). */
export const OFFSET_LIMIT = 2 ** 30;
export const LENGTH_LIMIT = 2 ** 28;
export const PACKS_MAX = 2 ** 24;
export const PACK_ID_BYTES_MAX = 255;
export const TIMESTAMP_MAX = 2 ** 32 - 1;

const FIRST_PREFIX = 0x67; // g
const LAST_PREFIX = 0x7a; // z
/** What PREFIX_CODES holds for a byte that is no prefix. */
export const NO_PREFIX_CODE = 255;
/** Codes run from 0 (no prefix) to 20 ('z'), in key order, so they fit five bits. */
export const PREFIX_CODE_COUNT = LAST_PREFIX - FIRST_PREFIX + 2;
export const PREFIX_CODES: Uint8Array = new Uint8Array(256).fill(NO_PREFIX_CODE);
PREFIX_CODES[0] = 0;
for (let byte = FIRST_PREFIX; byte <= LAST_PREFIX; byte++) {
  PREFIX_CODES[byte] = byte - FIRST_PREFIX + 1;
}

/** The prefix byte that a code stands for. */
export function prefixByteOf(code: number): number {
  return code === 0 ? 0 : code + FIRST_PREFIX - 1;
}

/**
 * The first two steps of the merge rule (kopia repo/content/index/merged.go): positive when entry a
 * beats entry b, negative when b beats a, 0 when the larger pack id decides. Takes plain values,
 * a's first, because it runs for every duplicate of a large index.
 */
export function compareAge(
  timestampA: number,
  isDeletedA: boolean,
  timestampB: number,
  isDeletedB: boolean,
): number {
  if (timestampA !== timestampB) return timestampA - timestampB;
  return Number(isDeletedB) - Number(isDeletedA);
}

/** What look-ups throw for a key whose length or prefix cannot occur in the repository. */
export function impossibleKey(key: Uint8Array, keyBytes: number): EngineError {
  return new EngineError(
    'CONTENT_ID_INVALID',
    `cannot look up content key ${toHex(key)} of ${key.length} bytes in a repository whose keys ` +
      `have ${keyBytes} bytes and a known prefix; check the object id it came from`,
  );
}
