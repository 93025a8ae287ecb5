// What running plans will need and when. A restore knows every range that it will read, in order,
// so what is needed furthest from now can go (Belady), and what comes next stays. A plan is
// followed by what is read: whoever reads ahead or in another order does no harm.

import type { BlobKey } from './blob-key.ts';
import { windowOf } from './entry-table.ts';

export interface PlannedRange {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly offset: number;
  readonly length: number;
}

export interface PlannedWindow {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly window: number;
}

export type HasEntries = (key: PlannedWindow['key'], window: number) => boolean;

/** Distance of what no plan needs. */
export const NEVER = Number.POSITIVE_INFINITY;
const EMPTY = 0;

/** Windows of blobs in the order in which one plan reads them. */
export class Plan {
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  readonly #window: Uint32Array;
  readonly #isDone: Uint8Array;
  /** Hash of a window -> number of its step + 1. */
  readonly #slots: Uint32Array;
  /** All that it reads. */
  readonly bytes: number;
  #cursor = 0;
  #count = 0;
  /** Steps from here on have nothing in the cache. */
  #end = 0;

  constructor(ranges: readonly PlannedRange[]) {
    const countMax = ranges.reduce(
      (sum, { offset, length }) => sum + windowOf(offset + length - 1) - windowOf(offset) + 1,
      0,
    );
    this.bytes = ranges.reduce((sum, { length }) => sum + length, 0);
    this.#a = new Uint32Array(countMax);
    this.#b = new Uint32Array(countMax);
    this.#window = new Uint32Array(countMax);
    this.#isDone = new Uint8Array(countMax);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(countMax * 2 + 2)));
    for (const { key, offset, length } of ranges) {
      for (let window = windowOf(offset); window <= windowOf(offset + length - 1); window++) {
        this.#add(key, window);
      }
    }
  }

  /** Whether the window is or was a part of it. */
  includes(key: Pick<BlobKey, 'a' | 'b'>, window: number): boolean {
    return this.#find(key, window) !== undefined;
  }

  /** Steps until the window is read; NEVER when it is not, or was. */
  distance(key: Pick<BlobKey, 'a' | 'b'>, window: number): number {
    const step = this.#find(key, window);
    if (step === undefined || this.#isDone[step] === 1) return NEVER;
    return Math.max(0, step - this.#cursor);
  }

  /** The window was read. */
  read(key: Pick<BlobKey, 'a' | 'b'>, window: number): void {
    const step = this.#find(key, window);
    if (step === undefined) return;
    this.#isDone[step] = 1;
    while (this.#cursor < this.#count && this.#isDone[this.#cursor] === 1) this.#cursor++;
  }

  /** Something of the window is in the cache now. */
  stored(key: Pick<BlobKey, 'a' | 'b'>, window: number): void {
    const step = this.#find(key, window);
    if (step !== undefined) this.#end = Math.max(this.#end, step + 1);
  }

  /** Windows that are still to be read and have something in the cache, the last one first. */
  *fromTheEnd(hasEntries: HasEntries): Generator<PlannedWindow> {
    let isAtEnd = true;
    for (let step = this.#end - 1; step >= this.#cursor; step--) {
      const key = { a: this.#a[step], b: this.#b[step] };
      const window = this.#window[step];
      const isOffered = this.#isDone[step] === 0 && hasEntries(key, window);
      if (isOffered) yield { key, window };
      isAtEnd &&= !isOffered;
      // Until something is stored there again, nobody need look.
      if (isAtEnd) this.#end = step;
    }
  }

  /** Windows that are still to be read, in that order. */
  *ahead(): Generator<PlannedWindow> {
    for (let step = this.#cursor; step < this.#count; step++) {
      if (this.#isDone[step] === 1) continue;
      yield { key: { a: this.#a[step], b: this.#b[step] }, window: this.#window[step] };
    }
  }

  #add(key: Pick<BlobKey, 'a' | 'b'>, window: number): void {
    if (this.#find(key, window) !== undefined) return;
    const step = this.#count++;
    this.#a[step] = key.a;
    this.#b[step] = key.b;
    this.#window[step] = window;
    this.#slots[this.#slotOf(key, window)] = step + 1;
  }

  #find(key: Pick<BlobKey, 'a' | 'b'>, window: number): number | undefined {
    const found = this.#slots[this.#slotOf(key, window)];
    return found === EMPTY ? undefined : found - 1;
  }

  #slotOf({ a, b }: Pick<BlobKey, 'a' | 'b'>, window: number): number {
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

/** All plans that run. */
export class PlannedUses {
  readonly #plans = new Set<Plan>();

  get isEmpty(): boolean {
    return this.#plans.size === 0;
  }

  begin(plan: Plan): Disposable {
    this.#plans.add(plan);
    return { [Symbol.dispose]: () => void this.#plans.delete(plan) };
  }

  distance(key: Pick<BlobKey, 'a' | 'b'>, window: number): number {
    let least = NEVER;
    for (const plan of this.#plans) least = Math.min(least, plan.distance(key, window));
    return least;
  }

  /** Whether it is, or was, a part of a plan that reads more than `bytes`. */
  isOfPlanAbove(key: Pick<BlobKey, 'a' | 'b'>, window: number, bytes: number): boolean {
    for (const plan of this.#plans)
      if (plan.bytes > bytes && plan.includes(key, window)) return true;
    return false;
  }

  read(key: Pick<BlobKey, 'a' | 'b'>, window: number): void {
    for (const plan of this.#plans) plan.read(key, window);
  }

  stored(key: Pick<BlobKey, 'a' | 'b'>, window: number): void {
    for (const plan of this.#plans) plan.stored(key, window);
  }

  *ahead(): Generator<PlannedWindow> {
    for (const plan of this.#plans) yield* plan.ahead();
  }

  *fromTheEnd(hasEntries: HasEntries): Generator<PlannedWindow> {
    for (const plan of this.#plans) yield* plan.fromTheEnd(hasEntries);
  }
}
