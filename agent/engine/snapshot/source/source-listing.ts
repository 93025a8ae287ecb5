// The names of one directory: bytes in one buffer that grows, addressed by offset and length, so
// that neither listing nor sorting makes an object per name. One instance serves many directories.
//
// Records lie as getdents64(2) writes them or as add() lays them down; each name ends with a NUL,
// so that native code can be given its address.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { asBuffer, compareBytes } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { NamePlace } from '#engine/format/entry-bytes.ts';
import { goNameTextWithin } from '#engine/format/go-name.ts';

import { NameSorter } from './name-sorter.ts';
import { nameText } from './source-name.ts';
import { ENTRY_TYPE } from './source-stat.ts';

const FIRST_BYTES = 64 * 1024;
/** About ten million long names; a directory beyond that cannot be one kopia directory object. */
export const LISTING_BYTES_MAX = 1024 * 1024 * 1024;

export class SourceListing {
  /** Replaced when it grows: take arena and addresses anew after each call that adds names. */
  arena: Arena = allocateArena(FIRST_BYTES);
  count = 0;
  offsets = new Uint32Array(1024);
  lengths = new Uint16Array(1024);
  /** One of ENTRY_TYPE each. */
  types = new Uint8Array(1024);
  /** Positions in kopia's order after sort(). */
  order = new Uint32Array(0);
  /** How many of them are directories; they come first. */
  directoryCount = 0;
  usedBytes = 0;
  readonly #sorter = new NameSorter();
  /** Of the arena. */
  #buffer = asBuffer(this.arena.bytes);

  clear(): void {
    this.count = 0;
    this.usedBytes = 0;
    this.directoryCount = 0;
    this.order = this.order.subarray(0, 0);
  }

  /** Makes room for `bytes` more behind usedBytes. @throws LIMIT_EXCEEDED */
  reserve(bytes: number): void {
    const needed = this.usedBytes + bytes;
    const { length } = this.arena.bytes;
    if (needed <= length) return;
    if (needed > LISTING_BYTES_MAX) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `a directory has more than ${LISTING_BYTES_MAX} bytes of names; divide it`,
      );
    }
    const grown = allocateArena(Math.max(needed, Math.min(length * 2, LISTING_BYTES_MAX)));
    grown.bytes.set(this.arena.bytes.subarray(0, this.usedBytes));
    this.arena = grown;
  }

  /** Notes a name that lies in the arena with a NUL behind it. */
  note(offset: number, length: number, type: number): void {
    const index = this.count++;
    if (index === this.offsets.length) this.#growTables();
    this.offsets[index] = offset;
    this.lengths[index] = length;
    this.types[index] = type;
  }

  /** Copies a name into the arena and notes it; returns its position. */
  add(name: Uint8Array, type: number): number {
    this.reserve(name.length + 1);
    this.arena.bytes.set(name, this.usedBytes);
    this.arena.bytes[this.usedBytes + name.length] = 0;
    this.note(this.usedBytes, name.length, type);
    this.usedBytes += name.length + 1;
    return this.count - 1;
  }

  /** A view of a name, good until names are added. */
  nameAt(index: number): Uint8Array {
    const offset = this.offsets[index] ?? 0;
    return this.arena.bytes.subarray(offset, offset + (this.lengths[index] ?? 0));
  }

  /** The text of a name as kopia stores it (source-name.ts). */
  textAt(index: number): string {
    const offset = this.offsets[index] ?? 0;
    return nameText(this.arena.bytes, offset, offset + (this.lengths[index] ?? 0));
  }

  /** The JSON literal of a name (go-name.ts). */
  literalAt(index: number): string {
    if (this.#buffer.buffer !== this.arena.bytes.buffer) this.#buffer = asBuffer(this.arena.bytes);
    const offset = this.offsets[index];
    return goNameTextWithin(this.#buffer, offset, offset + this.lengths[index]);
  }

  /** Where a name lies, good until names are added. */
  placeOf(index: number): NamePlace {
    const start = this.offsets[index];
    return { bytes: this.arena.bytes, start, end: start + this.lengths[index] };
  }

  /** Whether a name is ASCII, and so certainly a text. */
  isAsciiAt(index: number): boolean {
    const { bytes } = this.arena;
    const start = this.offsets[index];
    const end = start + this.lengths[index];
    for (let at = start; at < end; at++) if (bytes[at] >= 0x80) return false;
    return true;
  }

  typeAt(index: number): number {
    return this.types[index] ?? ENTRY_TYPE.unknown;
  }

  /**
   * Puts positions into `order` as kopia orders a directory object: directories, then everything
   * else, each by the bytes of the name (kopia snapshot/snapshotfs/dir_manifest_builder.go). A name
   * that the kernel reported twice, which happens while a directory changes, is there once.
   */
  sort(): void {
    const order = new Uint32Array(this.count);
    let directories = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.types[index] === ENTRY_TYPE.directory) order[directories++] = index;
    }
    let next = directories;
    for (let index = 0; index < this.count; index++) {
      if (this.types[index] !== ENTRY_TYPE.directory) order[next++] = index;
    }
    const { bytes } = this.arena;
    const names = { bytes, offsets: this.offsets, lengths: this.lengths };
    const first = this.#sorter.sort(names, order.subarray(0, directories));
    const second = this.#sorter.sort(names, order.subarray(directories));
    this.directoryCount = first;
    if (first + second === this.count) {
      this.order = order;
      return;
    }
    order.copyWithin(first, directories, directories + second);
    this.order = order.subarray(0, first + second);
  }

  /** Position of the entry of that name which is not a directory, or -1. After sort(). */
  findFile(name: Uint8Array): number {
    let low = this.directoryCount;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const index = this.order[middle] ?? 0;
      const comparison = compareBytes(this.nameAt(index), name);
      if (comparison === 0) return index;
      if (comparison < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #growTables(): void {
    const length = this.offsets.length * 2;
    this.offsets = grow(this.offsets, new Uint32Array(length));
    this.lengths = grow(this.lengths, new Uint16Array(length));
    this.types = grow(this.types, new Uint8Array(length));
  }
}

function grow<Table extends Uint32Array | Uint16Array | Uint8Array>(from: Table, to: Table): Table {
  to.set(from);
  return to;
}
