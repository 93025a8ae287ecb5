// A set of small numbers, a bit for each, in which the greatest below and the least from a number
// on are found by looking at 32 at a time: a plan of a TiB has a million steps, in 33,000 words.

const WORD_BITS = 32;
const NONE = -1;

export class StepSet {
  readonly #words: Uint32Array;

  /** Of numbers from 0 to before `size`. */
  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / WORD_BITS));
  }

  has(step: number): boolean {
    return ((this.#words[step >>> 5] >>> (step & 31)) & 1) === 1;
  }

  /** Whether it is new. */
  add(step: number): boolean {
    const isNew = !this.has(step);
    this.#words[step >>> 5] |= 1 << (step & 31);
    return isNew;
  }

  /** Whether it was there. */
  delete(step: number): boolean {
    const wasThere = this.has(step);
    this.#words[step >>> 5] &= ~(1 << (step & 31));
    return wasThere;
  }

  /** The greatest that is less than `limit`, or -1. */
  lastBelow(limit: number): number {
    if (limit <= 0) return NONE;
    const last = limit - 1;
    let at = last >>> 5;
    // Of the word in which the limit lies, its lower bits.
    let word = this.#words[at] & (0xffff_ffff >>> (31 - (last & 31)));
    while (word === 0 && at > 0) word = this.#words[--at];
    return word === 0 ? NONE : at * WORD_BITS + 31 - Math.clz32(word);
  }

  /** The least that is not less than `start`, or -1. */
  firstFrom(start: number): number {
    let at = start >>> 5;
    if (at >= this.#words.length) return NONE;
    let word = this.#words[at] & (0xffff_ffff << (start & 31));
    while (word === 0 && at < this.#words.length - 1) word = this.#words[++at];
    return word === 0 ? NONE : at * WORD_BITS + 31 - Math.clz32(word & -word);
  }
}
