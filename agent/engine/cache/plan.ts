// What one restore will read, and when: windows of blobs in the order in which it reads them. A
// plan is followed by what its own restore reads; whoever reads ahead or in another order does no
// harm.

import type { BlobKey } from './blob-key.ts';
import { windowOf } from './entry-table.ts';
import { StepSet } from './step-set.ts';

export interface PlannedRange {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly offset: number;
  readonly length: number;
}

export interface PlannedWindow {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly window: number;
}

/** Distance of what no plan needs. */
export const NEVER = Number.POSITIVE_INFINITY;
const EMPTY = 0;

export class Plan {
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  readonly #window: Uint32Array;
  /** How many ranges that touch the window are still to be read. */
  readonly #readsLeft: Uint32Array;
  /** What is read before the first of them. */
  readonly #bytesBefore: Float64Array;
  /** Hash of a window -> number of its step + 1. */
  readonly #slots: Uint32Array;
  /** All that it reads. */
  readonly bytes: number;
  /** Of its steps to come, those with something in the cache that this plan answers for. */
  readonly held: StepSet;
  /** Of the steps it has done, those with something in the cache that nobody will read. */
  readonly spent: StepSet;
  #cursor = 0;
  #count = 0;

  constructor(ranges: readonly PlannedRange[]) {
    const countMax = ranges.reduce(
      (sum, { offset, length }) => sum + windowOf(offset + length - 1) - windowOf(offset) + 1,
      0,
    );
    this.#a = new Uint32Array(countMax);
    this.#b = new Uint32Array(countMax);
    this.#window = new Uint32Array(countMax);
    this.#readsLeft = new Uint32Array(countMax);
    this.#bytesBefore = new Float64Array(countMax);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(countMax * 2 + 2)));
    let bytes = 0;
    for (const { key, offset, length } of ranges) {
      for (let window = windowOf(offset); window <= windowOf(offset + length - 1); window++) {
        this.#add(key, window, bytes);
      }
      bytes += length;
    }
    this.bytes = bytes;
    this.held = new StepSet(this.#count);
    this.spent = new StepSet(this.#count);
  }

  get stepCount(): number {
    return this.#count;
  }

  /** The number of the window in the order; undefined for what is no part of it. */
  stepOf(key: PlannedWindow['key'], window: number): number | undefined {
    const found = this.#slots[this.#slotOf(key, window)];
    return found === EMPTY ? undefined : found - 1;
  }

  at(step: number): PlannedWindow {
    return { key: { a: this.#a[step], b: this.#b[step] }, window: this.#window[step] };
  }

  isDone(step: number): boolean {
    return this.#readsLeft[step] === 0;
  }

  /** Bytes that it reads before it comes to the step; NEVER when it will not come there again. */
  distanceOf(step: number): number {
    if (this.isDone(step)) return NEVER;
    return Math.max(0, this.#bytesBefore[step] - this.#bytesBefore[this.#cursor]);
  }

  /** A range that touches the window of the step was read. */
  read(step: number): void {
    if (this.isDone(step)) return;
    this.#readsLeft[step]--;
    while (this.#cursor < this.#count && this.isDone(this.#cursor)) this.#cursor++;
  }

  /** Windows that are still to be read, in that order. */
  *ahead(): Generator<PlannedWindow> {
    for (let step = this.#cursor; step < this.#count; step++) {
      if (!this.isDone(step)) yield this.at(step);
    }
  }

  #add(key: PlannedWindow['key'], window: number, bytesBefore: number): void {
    const known = this.stepOf(key, window);
    const step = known ?? this.#count++;
    this.#readsLeft[step]++;
    if (known !== undefined) return;
    this.#a[step] = key.a;
    this.#b[step] = key.b;
    this.#window[step] = window;
    this.#bytesBefore[step] = bytesBefore;
    this.#slots[this.#slotOf(key, window)] = step + 1;
  }

  #slotOf({ a, b }: PlannedWindow['key'], window: number): number {
    const mask = this.#slots.length - 1;
    let slot = (a ^ Math.imul(b + window, 0x9e37_79b1)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const step = this.#slots[slot] - 1;
      const isHere =
        step < 0 || (this.#a[step] === a && this.#b[step] === b && this.#window[step] === window);
      if (isHere) return slot;
      slot = (slot + 1) & mask;
    }
  }
}
