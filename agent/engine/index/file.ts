// Reading index files of any version, entry by entry, without an object per entry: a cursor moves
// over the decrypted bytes and its fields change. Used by the table builder and by IndexRows.
// Promise: whatever the bytes are, a cursor ends, stays inside them, and yields values within the
// limits of entry.ts in strictly ascending key order or throws INDEX_DAMAGED.

import type { EntryFields } from './entry.ts';
import { damagedIndex } from './file-check.ts';
import { openIndexV1 } from './file-v1.ts';
import { openIndexV2 } from './file-v2.ts';

/** Ids of packs as ranges of the index file's bytes. */
export interface FilePacks {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint8Array;
}

/** The fields are those of the entry that the last call of next() moved to. */
export interface EntryCursor extends EntryFields {
  /** The file; the cursor keeps it and copies nothing. */
  readonly bytes: Uint8Array;
  readonly entryCount: number;
  readonly keyBytes: number;
  readonly packs: FilePacks;
  /** Where the key of the entry begins in `bytes`. */
  readonly keyOffset: number;
  /** Index into `packs`. */
  readonly packIndex: number;
  /**
   * Moves to the next entry; false after the last.
   * @throws INDEX_DAMAGED
   */
  next(): boolean;
}

export interface IndexFileOptions {
  /** The blob's name, for messages. */
  readonly name: string;
  /**
   * What encryption adds to a content: version 1 stores packed lengths only and the original length
   * is the difference. 28 for the ciphers that kopia still writes.
   */
  readonly contentOverheadBytes?: number;
}

/** Bytes that AES-256-GCM and ChaCha20-Poly1305 add: a nonce of 12 and a tag of 16. */
const CONTENT_OVERHEAD_BYTES = 28;

/**
 * A cursor before the first entry of a decrypted index file. Header and tables are checked here,
 * entries as the cursor reaches them. Bytes after the file's own end are ignored (kopia appends
 * random ones to some index files).
 * @throws INDEX_DAMAGED
 */
export function openIndexFile(bytes: Uint8Array, options: IndexFileOptions): EntryCursor {
  const version = bytes[0];
  if (version === 2) return openIndexV2(bytes, options.name);
  if (version === 1) {
    const overhead = options.contentOverheadBytes ?? CONTENT_OVERHEAD_BYTES;
    return openIndexV1(bytes, options.name, overhead);
  }
  throw damagedIndex(options.name, `its version byte is ${version ?? 'missing'}, not 1 or 2`);
}
