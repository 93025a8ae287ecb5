// One number for all entries of a directory as they were found: names, and everything of them that
// a backup compares. Where it is what it was, nothing that the parent snapshot holds of the
// directory has to be read (docs/change-detection.md).
//
// Only of directories without children: of a child the parent's entry is wanted anyway.

import { allocateArena } from '#engine/base/arena.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { DIGEST_WORDS, putChange, STAMP_WORDS } from './change-record.ts';
import type { SourceListing } from './source-listing.ts';
import type { SourceStat } from './source-stat.ts';

const STAT_WORDS = 12;
const WORD_BYTES = 4;
const WORD = 0x1_0000_0000;
const FIRST_BYTES = 64 * 1024;
/** Larger directories go to several threads in pages and have no digest. */
const BYTES_MAX = 2 * 1024 * 1024;

export class EntriesDigest {
  readonly #hash: ContentHash;
  #arena = allocateArena(FIRST_BYTES);
  #words = new Uint32Array(this.#arena.bytes.buffer);
  #usedBytes = 0;
  #isVoid = false;

  /** @param hash the repository's, so that nobody else can aim at a digest */
  constructor(hash: ContentHash) {
    this.#hash = hash;
  }

  clear(): void {
    this.#usedBytes = 0;
    this.#isVoid = false;
  }

  /** There is something that it cannot speak for. */
  spoil(): void {
    this.#isVoid = true;
  }

  /**
   * Adds an entry, in stored order. Rows begin at multiples of four bytes, and a name ends with
   * NULs, of which none is in it, so equal bytes are equal entries.
   * @param stat after wrapModificationTime
   */
  add(names: SourceListing, index: number, stat: SourceStat): void {
    if (this.#isVoid) return;
    const nameBytes = names.lengths[index];
    const nameWords = (nameBytes + WORD_BYTES) >>> 2;
    const end = this.#usedBytes + (STAT_WORDS + nameWords) * WORD_BYTES;
    if (end > this.#arena.bytes.length && !this.#grow(end)) return;
    const words = this.#words;
    let at = this.#usedBytes >>> 2;
    words[at++] = stat.type * 0x1_0000 + stat.permissions;
    words[at++] = stat.uid;
    words[at++] = stat.gid;
    words[at++] = stat.size >>> 0;
    words[at++] = Math.floor(stat.size / WORD);
    words[at++] = stat.mtimeSeconds >>> 0;
    words[at++] = Math.floor(stat.mtimeSeconds / WORD) * 16 + stat.mtimeEras;
    words[at++] = stat.mtimeNanoseconds;
    putChange(words, at, stat);
    at += STAMP_WORDS;
    words[at + nameWords - 1] = 0;
    const { bytes } = names.arena;
    const from = names.offsets[index];
    const target = this.#arena.bytes;
    const to = at * WORD_BYTES;
    for (let byte = 0; byte < nameBytes; byte++) target[to + byte] = bytes[from + byte];
    this.#usedBytes = end;
  }

  /** Undefined where it cannot speak for all entries. */
  finish(): Uint32Array<ArrayBuffer> | undefined {
    if (this.#isVoid || this.#hash.digestBytes < DIGEST_WORDS * WORD_BYTES) return undefined;
    const digest = new Uint8Array(new ArrayBuffer(this.#hash.digestBytes));
    this.#hash.digest(this.#arena, 0, this.#usedBytes, digest, 0);
    return new Uint32Array(digest.buffer, 0, DIGEST_WORDS).slice();
  }

  #grow(bytes: number): boolean {
    if (bytes > BYTES_MAX) {
      this.spoil();
      return false;
    }
    const grown = allocateArena(Math.max(bytes, this.#arena.bytes.length * 2));
    grown.bytes.set(this.#arena.bytes.subarray(0, this.#usedBytes));
    this.#arena = grown;
    this.#words = new Uint32Array(grown.bytes.buffer);
    return true;
  }
}
