// Which blocks of a segment are free. First fit, so that a segment fills from its beginning. No
// more than a bound of the longest free run is kept, so that full segments cost nothing to pass
// over.

import { EngineError } from '#engine/base/errors.ts';

export interface BlockRun {
  readonly start: number;
  readonly length: number;
}

const WORD_BITS = 32;
const FULL = 0xffff_ffff;

export class BlockMap {
  readonly count: number;
  /** A bit is set where the block is taken. */
  readonly #words: Uint32Array;
  #free: number;
  /** No free run is longer than this. */
  #longest: number;
  #isLongestExact = true;

  constructor(count: number) {
    this.count = count;
    this.#free = count;
    this.#longest = count;
    this.#words = new Uint32Array(Math.ceil(count / WORD_BITS));
    for (let block = count; block < this.#words.length * WORD_BITS; block++) this.#set(block);
  }

  get free(): number {
    return this.#free;
  }

  /** Length of the longest free run. */
  get longest(): number {
    if (!this.#isLongestExact) {
      this.#longest = this.#find(this.count + 1).length;
      this.#isLongestExact = true;
    }
    return this.#longest;
  }

  /** Takes a run of `length` blocks; undefined where there is none as long. */
  takeWhole(length: number): BlockRun | undefined {
    if (length > this.#longest) return undefined;
    const found = this.#find(length);
    if (found.length < length) {
      this.#longest = found.length;
      this.#isLongestExact = true;
      return undefined;
    }
    this.mark(found);
    return found;
  }

  /** Takes a run of `length` blocks, or where there is none as long the longest. */
  take(length: number): BlockRun | undefined {
    const whole = this.takeWhole(length);
    if (whole !== undefined || this.#free === 0) return whole;
    const longest = this.#find(length);
    this.mark(longest);
    return longest;
  }

  isFree({ start, length }: BlockRun): boolean {
    if (start < 0 || length < 1 || start + length > this.count) return false;
    for (let block = start; block < start + length; block++) if (this.#isTaken(block)) return false;
    return true;
  }

  mark(run: BlockRun): void {
    if (!this.isFree(run)) throw new EngineError('INTERNAL', 'blocks were taken twice');
    for (let block = run.start; block < run.start + run.length; block++) this.#set(block);
    this.#free -= run.length;
    this.#isLongestExact = false;
  }

  release({ start, length }: BlockRun): void {
    for (let block = start; block < start + length; block++) {
      if (!this.#isTaken(block)) throw new EngineError('INTERNAL', 'blocks were freed twice');
      this.#words[block >>> 5] &= ~(1 << (block & 31));
    }
    this.#free += length;
    this.#longest = this.#free;
    this.#isLongestExact = false;
  }

  /** The first free run of at least `length`, else the longest. */
  #find(length: number): BlockRun {
    let best = { start: 0, length: 0 };
    let start = 0;
    for (let block = 0; block <= this.count; block++) {
      const isAtWord = (block & 31) === 0 && block < this.count;
      if (isAtWord && this.#words[block >>> 5] === 0 && block + WORD_BITS <= this.count) {
        if (block + WORD_BITS - start >= length) return { start, length };
        block += WORD_BITS - 1;
        continue;
      }
      if (block < this.count && !this.#isTaken(block)) {
        if (block + 1 - start >= length) return { start, length };
        continue;
      }
      if (block - start > best.length) best = { start, length: block - start };
      start = block + 1;
      if (isAtWord && this.#words[block >>> 5] === FULL) {
        block += WORD_BITS - 1;
        start = block + 1;
      }
    }
    return best;
  }

  #isTaken(block: number): boolean {
    return (this.#words[block >>> 5] & (1 << (block & 31))) !== 0;
  }

  #set(block: number): void {
    this.#words[block >>> 5] |= 1 << (block & 31);
  }
}
