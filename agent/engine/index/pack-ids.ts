// A list of distinct pack ids, off the JavaScript heap: the bytes of all ids in one buffer, where
// each ends in a second one, and while ids are being added an open-addressed hash table. A
// repository has up to millions of packs; as strings in a Map they would cost more than the index.

import { EngineError } from '#engine/base/errors.ts';
import { asBuffer } from '#engine/base/bytes.ts';
import { PACK_ID_BYTES_MAX, PACKS_MAX } from './entry.ts';

/** A finished list in the form in which it crosses threads; plain buffers or shared ones. */
export interface PackIdsBuffers {
  readonly count: number;
  readonly bytes: ArrayBufferLike;
  readonly ends: ArrayBufferLike;
}

export class PackIds {
  #count = 0;
  #bytes: Uint8Array;
  #ends: Uint32Array;
  /** Number of the id plus one, 0 where empty; built when the first id is looked up. */
  #slots: Int32Array | undefined;
  #lastIndex = -1;
  #lastId = '';

  constructor(buffers?: PackIdsBuffers) {
    this.#count = buffers?.count ?? 0;
    this.#bytes = new Uint8Array(buffers?.bytes ?? new ArrayBuffer(1024));
    this.#ends = new Uint32Array(buffers?.ends ?? new ArrayBuffer(64));
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes that ids and ends take; the hash table, which only builders have, is left out. */
  get usedBytes(): number {
    return this.#startOf(this.#count) + 4 * this.#count;
  }

  /** The number of the id in source[offset, offset + length), which is added when it is new. */
  intern(source: Uint8Array, offset: number, length: number): number {
    const slot = this.#slotOf(source, offset, length);
    const slots = this.#slots ?? this.#buildSlots(64);
    if (slots[slot] !== 0) return slots[slot] - 1;
    this.#checkRoom(length);
    const start = this.#startOf(this.#count);
    this.#reserve(start + length);
    for (let i = 0; i < length; i++) this.#bytes[start + i] = source[offset + i];
    this.#ends[this.#count++] = start + length;
    slots[slot] = this.#count;
    if (this.#count * 2 > slots.length) this.#buildSlots(slots.length * 2);
    return this.#count - 1;
  }

  internText(id: string): number {
    const bytes = Buffer.from(id, 'latin1');
    return this.intern(bytes, 0, bytes.length);
  }

  /** The number of an id, or -1. */
  find(id: string): number {
    const bytes = Buffer.from(id, 'latin1');
    const slot = this.#slotOf(bytes, 0, bytes.length);
    return (this.#slots ?? this.#buildSlots(64))[slot] - 1;
  }

  idAt(index: number): string {
    // Contents that are asked for one after the other lie mostly in one pack.
    if (index === this.#lastIndex) return this.#lastId;
    this.#lastId = asBuffer(this.#bytes).toString(
      'latin1',
      this.#startOf(index),
      this.#ends[index],
    );
    this.#lastIndex = index;
    return this.#lastId;
  }

  lengthAt(index: number): number {
    return this.#ends[index] - this.#startOf(index);
  }

  copyIdAt(index: number, target: Uint8Array, targetOffset: number): void {
    target.set(this.#bytes.subarray(this.#startOf(index), this.#ends[index]), targetOffset);
  }

  /** Bytewise order of an id here and one of another list. */
  compare(index: number, other: PackIds, otherIndex: number): number {
    const start = this.#startOf(index);
    const otherStart = other.#startOf(otherIndex);
    const length = this.lengthAt(index);
    const otherLength = other.lengthAt(otherIndex);
    for (let i = 0; i < length && i < otherLength; i++) {
      const difference = this.#bytes[start + i] - other.#bytes[otherStart + i];
      if (difference !== 0) return difference;
    }
    return length - otherLength;
  }

  /** Adds all ids of another list; element i of the result is the number here of its id i. */
  addAll(other: PackIds): Uint32Array {
    const numbers = new Uint32Array(other.count);
    for (let i = 0; i < other.count; i++) {
      numbers[i] = this.intern(other.#bytes, other.#startOf(i), other.lengthAt(i));
    }
    return numbers;
  }

  /** The list in buffers of exactly the right size; a copy, so this list may go on growing. */
  copyInto<Kind extends ArrayBufferLike>(
    allocate: (bytes: number) => Kind,
  ): PackIdsBuffers & { bytes: Kind; ends: Kind } {
    const bytes = allocate(this.#startOf(this.#count));
    new Uint8Array(bytes).set(this.#bytes.subarray(0, bytes.byteLength));
    const ends = allocate(4 * this.#count);
    new Uint32Array(ends).set(this.#ends.subarray(0, this.#count));
    return { count: this.#count, bytes, ends };
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1];
  }

  #slotOf(source: Uint8Array, offset: number, length: number): number {
    const slots = this.#slots ?? this.#buildSlots(64);
    const mask = slots.length - 1;
    let slot = hashOf(source, offset, length) & mask;
    while (slots[slot] !== 0 && !this.#isAt(slots[slot] - 1, source, offset, length)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isAt(index: number, source: Uint8Array, offset: number, length: number): boolean {
    const start = this.#startOf(index);
    if (this.#ends[index] - start !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.#bytes[start + i] !== source[offset + i]) return false;
    }
    return true;
  }

  #buildSlots(length: number): Int32Array {
    let size = length;
    while (size < this.#count * 2) size *= 2;
    const slots = new Int32Array(size);
    for (let i = 0; i < this.#count; i++) {
      let slot = hashOf(this.#bytes, this.#startOf(i), this.lengthAt(i)) & (size - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      slots[slot] = i + 1;
    }
    this.#slots = slots;
    return slots;
  }

  #checkRoom(length: number): void {
    if (this.#count >= PACKS_MAX) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `an index cannot refer to more than ${PACKS_MAX} packs`,
      );
    }
    if (length === 0 || length > PACK_ID_BYTES_MAX) {
      throw new EngineError('LIMIT_EXCEEDED', `a pack id of ${length} bytes cannot be indexed`);
    }
  }

  #reserve(bytes: number): void {
    if (bytes > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(bytes, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (this.#count === this.#ends.length) {
      const grown = new Uint32Array(Math.max(64, this.#ends.length * 2));
      grown.set(this.#ends);
      this.#ends = grown;
    }
  }
}

/** FNV-1a with a final mix, since only the low bits choose the slot. */
function hashOf(source: Uint8Array, offset: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = offset; i < offset + length; i++) hash = Math.imul(hash ^ source[i], 0x01000193);
  return hash ^ (hash >>> 15);
}
