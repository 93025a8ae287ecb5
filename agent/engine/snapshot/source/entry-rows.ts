// The entries of one directory as they were found, side by side in one buffer: names, and all of
// them that a backup compares. Where the bytes are equal, so are the entries.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { asBuffer } from '#engine/base/bytes.ts';
import { putChange, STAMP_WORDS } from './change-record.ts';
import type { SourceListing } from './source-listing.ts';
import type { SourceStat } from './source-stat.ts';

const STAT_WORDS = 12;
const WORD_BYTES = 4;
const WORD = 0x1_0000_0000;
const FIRST_BYTES = 64 * 1024;
/** Larger directories go to several threads in pages. */
const ROWS_BYTES_MAX = 2 * 1024 * 1024;

export class EntryRows {
  /** Replaced when it grows. */
  arena: Arena = allocateArena(FIRST_BYTES);
  usedBytes = 0;
  #words = new Uint32Array(this.arena.bytes.buffer);

  clear(): void {
    this.usedBytes = 0;
  }

  /**
   * Adds an entry, in stored order. Rows begin at multiples of four bytes, and a name ends with
   * NULs, of which none is in it.
   * @param stat after wrapModificationTime
   * @returns false when there is no room for it
   */
  add(names: SourceListing, index: number, stat: SourceStat): boolean {
    const nameBytes = names.lengths[index];
    const nameWords = (nameBytes + WORD_BYTES) >>> 2;
    const end = this.usedBytes + (STAT_WORDS + nameWords) * WORD_BYTES;
    if (!this.#reserve(end)) return false;
    const words = this.#words;
    let at = this.usedBytes >>> 2;
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
    const target = this.arena.bytes;
    const to = at * WORD_BYTES;
    for (let byte = 0; byte < nameBytes; byte++) target[to + byte] = bytes[from + byte];
    this.usedBytes = end;
    return true;
  }

  /** Takes rows that another instance has had in its arena, in place of its own. */
  take(rows: Uint8Array): boolean {
    this.clear();
    if (!this.#reserve(rows.length)) return false;
    this.arena.bytes.set(rows);
    this.usedBytes = rows.length;
    return true;
  }

  #reserve(bytes: number): boolean {
    if (bytes <= this.arena.bytes.length) return true;
    if (bytes > ROWS_BYTES_MAX) return false;
    const grown = allocateArena(Math.max(bytes, this.arena.bytes.length * 2));
    grown.bytes.set(this.arena.bytes.subarray(0, this.usedBytes));
    this.arena = grown;
    this.#words = new Uint32Array(grown.bytes.buffer);
    return true;
  }
}

/** Whether one of the entries in `rows` has one of these names. */
export function hasName(rows: Uint8Array, names: readonly Uint8Array[]): boolean {
  const text = asBuffer(rows);
  // Most are nowhere in it, which is soon seen.
  if (!names.some(name => text.includes(asBuffer(name)))) return false;
  for (let row = 0; row < rows.length;) {
    const start = row + STAT_WORDS * WORD_BYTES;
    const end = rows.indexOf(0, start);
    if (names.some(name => isNameAt(rows, start, end, name))) return true;
    row = start + ((end - start + WORD_BYTES) & -WORD_BYTES);
  }
  return false;
}

function isNameAt(rows: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  return end - start === name.length && name.every((byte, index) => rows[start + index] === byte);
}
