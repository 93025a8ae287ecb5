// One number for all entries of a directory as they were found (entry-rows.ts). Where it is what it
// was, nothing that the parent snapshot holds of the directory has to be read
// (docs/change-detection.md).
//
// Only of directories without children: of a child the parent's entry is wanted anyway.

import type { ContentHash } from '#engine/hash/content-hash.ts';
import { DIGEST_WORDS } from './change-record.ts';
import { EntryRows } from './entry-rows.ts';
import type { SourceListing } from './source-listing.ts';
import type { SourceStat } from './source-stat.ts';

const WORD_BYTES = 4;

export class EntriesDigest {
  readonly #hash: ContentHash;
  readonly #rows = new EntryRows();
  #isVoid = false;

  /** @param hash the repository's, so that nobody else can aim at a digest */
  constructor(hash: ContentHash) {
    this.#hash = hash;
  }

  clear(): void {
    this.#rows.clear();
    this.#isVoid = false;
  }

  /** There is something that it cannot speak for. */
  spoil(): void {
    this.#isVoid = true;
  }

  /**
   * Adds an entry, in stored order. One that is too much for the rows has no digest.
   * @param stat after wrapModificationTime
   */
  add(names: SourceListing, index: number, stat: SourceStat): void {
    if (!this.#isVoid && !this.#rows.add(names, index, stat)) this.spoil();
  }

  /** Takes all entries of a directory at once, as EntryRows have them. */
  addRows(rows: Uint8Array): void {
    this.clear();
    if (!this.#rows.take(rows)) this.spoil();
  }

  /** Undefined where it cannot speak for all entries. */
  finish(): Uint32Array<ArrayBuffer> | undefined {
    if (this.#isVoid || this.#hash.digestBytes < DIGEST_WORDS * WORD_BYTES) return undefined;
    const digest = new Uint8Array(new ArrayBuffer(this.#hash.digestBytes));
    this.#hash.digest(this.#rows.arena, 0, this.#rows.usedBytes, digest, 0);
    return new Uint32Array(digest.buffer, 0, DIGEST_WORDS).slice();
  }
}
