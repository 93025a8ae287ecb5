// Sorts names that lie in one buffer by their bytes without making strings of them.
//
// The prefix that all names of a range share is skipped; the next four or six bytes and the
// position become one 64-bit integer; the engine's own sort orders those. Ranges that are still
// equal are sorted by the same means with what follows. A comparator was 5 to 8 times slower.

export interface NameTable {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint16Array;
}

const INSERTION_MAX = 8;
const SHORT_INDEX_MAX = 0x10000;

export class NameSorter {
  #keys = new BigUint64Array(256);
  #words = new Uint32Array(this.#keys.buffer);
  #hasDuplicates = false;

  /**
   * Orders the positions in `order` by name.
   * @returns how many are left at the front of `order` once names that occur twice are there once
   */
  sort(names: NameTable, order: Uint32Array): number {
    this.#hasDuplicates = false;
    this.#sortRange(names, order);
    return this.#hasDuplicates ? dropDuplicates(names, order) : order.length;
  }

  #sortRange(names: NameTable, order: Uint32Array): void {
    if (order.length <= INSERTION_MAX) {
      this.#insertionSort(names, order);
      return;
    }
    const prefix = commonPrefix(names, order);
    if (order.every(index => names.lengths[index] === prefix)) {
      this.#hasDuplicates = true;
      return;
    }
    const isShort = order.length <= SHORT_INDEX_MAX;
    const positions = order.slice();
    this.#fillKeys(names, positions, prefix, isShort);
    this.#keys.subarray(0, order.length).sort();
    this.#takeOrder(names, order, positions, isShort);
  }

  /** Key i holds the bytes behind the prefix, and below them i itself. */
  #fillKeys(names: NameTable, positions: Uint32Array, prefix: number, isShort: boolean): void {
    const { bytes, offsets, lengths } = names;
    const count = positions.length;
    if (this.#keys.length < count) {
      this.#keys = new BigUint64Array(count * 2);
      this.#words = new Uint32Array(this.#keys.buffer);
    }
    const words = this.#words;
    for (let i = 0; i < count; i++) {
      const position = positions[i] ?? 0;
      const at = (offsets[position] ?? 0) + prefix;
      const left = (lengths[position] ?? 0) - prefix;
      words[2 * i + 1] =
        (((left > 0 ? (bytes[at] ?? 0) : 0) << 24) |
          ((left > 1 ? (bytes[at + 1] ?? 0) : 0) << 16) |
          ((left > 2 ? (bytes[at + 2] ?? 0) : 0) << 8) |
          (left > 3 ? (bytes[at + 3] ?? 0) : 0)) >>>
        0;
      words[2 * i] = isShort
        ? (((left > 4 ? (bytes[at + 4] ?? 0) : 0) << 24) |
            ((left > 5 ? (bytes[at + 5] ?? 0) : 0) << 16) |
            i) >>>
          0
        : i;
    }
  }

  /** Writes the sorted positions to `order`, then sorts the ranges whose keys did not differ. */
  #takeOrder(names: NameTable, order: Uint32Array, positions: Uint32Array, isShort: boolean): void {
    const words = this.#words;
    const count = order.length;
    const indexMask = isShort ? 0xffff : 0xffffffff;
    const ties: number[] = [];
    let start = 0;
    for (let i = 0; i < count; i++) {
      order[i] = positions[((words[2 * i] ?? 0) & indexMask) >>> 0] ?? 0;
      const isLast = i + 1 === count;
      const isTie =
        !isLast &&
        words[2 * i + 1] === words[2 * i + 3] &&
        (!isShort || (words[2 * i] ?? 0) >>> 16 === (words[2 * i + 2] ?? 0) >>> 16);
      if (isTie) continue;
      if (i > start) ties.push(start, i + 1);
      start = i + 1;
    }
    // The keys are overwritten from here on.
    for (let i = 0; i < ties.length; i += 2) {
      this.#sortRange(names, order.subarray(ties[i], ties[i + 1]));
    }
  }

  #insertionSort(names: NameTable, order: Uint32Array): void {
    for (let i = 1; i < order.length; i++) {
      const moving = order[i] ?? 0;
      let hole = i;
      for (; hole > 0; hole--) {
        const before = order[hole - 1] ?? 0;
        const comparison = compareNames(names, before, moving);
        if (comparison === 0) this.#hasDuplicates = true;
        if (comparison <= 0) break;
        order[hole] = before;
      }
      order[hole] = moving;
    }
  }
}

/** Length of the prefix that all names of a range share. */
function commonPrefix({ bytes, offsets, lengths }: NameTable, order: Uint32Array): number {
  const first = order[0] ?? 0;
  const base = offsets[first] ?? 0;
  let prefix = lengths[first] ?? 0;
  for (let i = 1; i < order.length && prefix > 0; i++) {
    const position = order[i] ?? 0;
    const offset = offsets[position] ?? 0;
    const limit = Math.min(prefix, lengths[position] ?? 0);
    let same = 0;
    while (same < limit && bytes[base + same] === bytes[offset + same]) same++;
    prefix = same;
  }
  return prefix;
}

function compareNames({ bytes, offsets, lengths }: NameTable, a: number, b: number): number {
  const offsetA = offsets[a] ?? 0;
  const offsetB = offsets[b] ?? 0;
  const lengthA = lengths[a] ?? 0;
  const lengthB = lengths[b] ?? 0;
  const limit = Math.min(lengthA, lengthB);
  for (let i = 0; i < limit; i++) {
    const difference = (bytes[offsetA + i] ?? 0) - (bytes[offsetB + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

function dropDuplicates(names: NameTable, order: Uint32Array): number {
  let kept = 0;
  for (let i = 0; i < order.length; i++) {
    const position = order[i] ?? 0;
    if (kept > 0 && compareNames(names, order[kept - 1] ?? 0, position) === 0) continue;
    order[kept++] = position;
  }
  return kept;
}
