// Finds the record of a directory by its key: a table with open places, in the form in which it is
// stored behind the records. A place is two doubles, the key and the record's offset plus one.

import type { DirectoryKey } from '#engine/snapshot/source/change-record.ts';

export const SLOT_BYTES = 16;
/** Some 2.8 million directories; what is beyond is not known next time. */
export const CHANGE_INDEX_BYTES_MAX = 64 * 1024 * 1024;
const FULL_SHARE = 2 / 3;
const FIRST_ENTRIES = 1024;

export class ChangeIndexBuilder {
  #keys = new Float64Array(FIRST_ENTRIES);
  #offsets = new Float64Array(FIRST_ENTRIES);
  count = 0;

  get isFull(): boolean {
    return slotsFor(this.count + 1) * SLOT_BYTES > CHANGE_INDEX_BYTES_MAX;
  }

  add(key: DirectoryKey, offset: number): void {
    if (this.count === this.#keys.length) this.#grow();
    this.#keys[this.count] = keyNumber(key);
    this.#offsets[this.count] = offset;
    this.count++;
  }

  /** The table; the same for the same entries in the same order. */
  build(): Float64Array<ArrayBuffer> {
    const slots = slotsFor(this.count);
    const table = new Float64Array(slots * 2);
    for (let entry = 0; entry < this.count; entry++) {
      const key = this.#keys[entry];
      let slot = key % slots;
      while (table[2 * slot + 1] !== 0) slot = (slot + 1) % slots;
      table[2 * slot] = key;
      table[2 * slot + 1] = this.#offsets[entry] + 1;
    }
    return table;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2);
    const offsets = new Float64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    offsets.set(this.#offsets);
    this.#keys = keys;
    this.#offsets = offsets;
  }
}

/** Offset of a record, or -1. */
export function findRecord(table: Float64Array, key: DirectoryKey): number {
  const slots = table.length / 2;
  const wanted = keyNumber(key);
  let slot = wanted % slots;
  for (let tries = 0; tries < slots && table[2 * slot + 1] > 0; tries++) {
    if (table[2 * slot] === wanted) return table[2 * slot + 1] - 1;
    slot = (slot + 1) % slots;
  }
  return -1;
}

/** As many bits of the key as a double holds; the record has all of them. */
function keyNumber({ low, high }: DirectoryKey): number {
  return (high & 0x1f_ffff) * 0x1_0000_0000 + low;
}

function slotsFor(count: number): number {
  let slots = 16;
  while (count > slots * FULL_SHARE) slots *= 2;
  return slots;
}
