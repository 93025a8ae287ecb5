// Bytes per second without bursts: however much comes at once, in any second at most 1.2 times the
// rate passes. What is larger than a slice passes slice by slice, those who wait pass in turn, and
// the rate can be changed while they wait.

import { abortable, throwIfAborted } from './abort.ts';
import type { Clock } from './clock.ts';

/** A slice is what passes at once; after a rest one more may. */
const SLICE_MS = 50;
/** How late a changed rate is noticed by who waits. */
const LOOK_MS = 100;
/** A piece is taken whole: a rate that falls meanwhile has it come late, and then at once. */
const PIECE_MS = 20;
const PIECE_BYTES_MAX = 256 * 1024;

export class SmoothRate {
  readonly #clock: Clock;
  #bytesPerSecond: number | undefined;
  /** What has passed and is not paid for, at `#countedAtMs`; negative after a rest. */
  #debtBytes = 0;
  #countedAtMs: number;
  /** Settled when the last of those who wait has passed. */
  #last: Promise<void> = Promise.resolve();
  #passedBytes = 0;
  #waitingCount = 0;
  #heldUpMs = 0;
  #heldUpSinceMs = 0;

  /** Undefined is no limit, and 0 lets nothing pass. */
  constructor(bytesPerSecond: number | undefined, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#countedAtMs = clock.monotonic();
  }

  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  /** All that ever passed, without a limit as well. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** For how long in all somebody has waited here; two at once count once. */
  get heldUpMs(): number {
    if (this.#waitingCount === 0) return this.#heldUpMs;
    return this.#heldUpMs + this.#clock.monotonic() - this.#heldUpSinceMs;
  }

  /** From now on, for those who wait too. */
  set(bytesPerSecond: number | undefined): void {
    this.#count();
    this.#bytesPerSecond = bytesPerSecond;
    // A rest at a high rate is no reserve at a low one.
    this.#debtBytes = Math.max(this.#debtBytes, -this.#sliceBytes());
  }

  /** Resolves when all `bytes` have passed. @throws ABORTED; a part of them may have passed */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    await this.#inTurn(bytes, signal);
    this.#passedBytes += bytes;
  }

  /** Room for so many, until it is given back. @throws ABORTED */
  async reserve(bytes: number, signal?: AbortSignal): Promise<Disposable> {
    await this.#inTurn(bytes, signal);
    return { [Symbol.dispose]: () => this.#owe(-bytes) };
  }

  async #inTurn(bytes: number, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    using _waiting = this.#wait();
    try {
      await abortable(before, signal);
      await this.#pass(bytes, signal);
    } finally {
      // Who was aborted while waiting leaves the order of the others as it is.
      void before.then(resolve);
    }
  }

  /** Bytes that have passed already: those who come later wait for them. */
  charge(bytes: number): void {
    this.#passedBytes += bytes;
    this.#owe(bytes);
  }

  #owe(bytes: number): void {
    if (this.#bytesPerSecond === undefined) return;
    this.#count();
    this.#debtBytes += bytes;
  }

  /** While the rate is 0. Whoever begins something that is timed waits here before it. */
  async whenOpen(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    using _waiting = this.#wait();
    while (this.#bytesPerSecond === 0) await this.#clock.sleep(LOOK_MS, signal);
  }

  /** The same bytes in pieces that pass one after the other. */
  async *pieces(bytes: Uint8Array, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    for (let offset = 0; offset < bytes.length;) {
      const piece = bytes.subarray(offset, offset + this.pieceBytes);
      await this.take(piece.length, signal);
      yield piece;
      offset += piece.length;
    }
  }

  /** What passes at once. */
  get pieceBytes(): number {
    const bytes = ((this.#bytesPerSecond ?? Number.POSITIVE_INFINITY) * PIECE_MS) / 1000;
    return Math.max(1, Math.floor(Math.min(bytes, PIECE_BYTES_MAX)));
  }

  #wait(): Disposable {
    if (this.#waitingCount === 0) this.#heldUpSinceMs = this.#clock.monotonic();
    this.#waitingCount += 1;
    return {
      [Symbol.dispose]: () => {
        this.#waitingCount -= 1;
        if (this.#waitingCount > 0) return;
        this.#heldUpMs += this.#clock.monotonic() - this.#heldUpSinceMs;
      },
    };
  }

  async #pass(bytes: number, signal?: AbortSignal): Promise<void> {
    let left = bytes;
    while (left > 0) {
      this.#count();
      if (this.#bytesPerSecond === undefined) return;
      if (this.#bytesPerSecond > 0 && this.#debtBytes <= 0) {
        const slice = Math.min(left, Math.max(1, this.#sliceBytes()));
        this.#debtBytes += slice;
        left -= slice;
        continue;
      }
      const dueMs = (this.#debtBytes / this.#bytesPerSecond) * 1000;
      const waitMs = Number.isFinite(dueMs) ? Math.min(dueMs, LOOK_MS) : LOOK_MS;
      await this.#clock.sleep(Math.max(1, Math.ceil(waitMs)), signal);
    }
  }

  /** Takes the time that has passed off the debt. */
  #count(): void {
    const nowMs = this.#clock.monotonic();
    const paidBytes = ((this.#bytesPerSecond ?? 0) * (nowMs - this.#countedAtMs)) / 1000;
    this.#countedAtMs = nowMs;
    this.#debtBytes = Math.max(this.#debtBytes - paidBytes, -this.#sliceBytes());
  }

  #sliceBytes(): number {
    return Math.floor(((this.#bytesPerSecond ?? 0) * SLICE_MS) / 1000);
  }
}
