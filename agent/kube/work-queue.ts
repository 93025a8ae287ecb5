// Keys that somebody has to look at: each stands in the queue once, is looked at by one at a time,
// and comes back later where that was asked for or went wrong (client-go util/workqueue).

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import type { ObjectKey } from './kube-object.ts';

/** Keys that wait, are delayed or have failed; more than an informer ever knows. */
const KEYS_MAX = 200_000;

const QUEUE_BACK_OFF: BackOffPolicy = Object.freeze({
  firstDelayMs: 20,
  delayMsMax: 60_000,
});

export interface WorkQueueOptions {
  /** There is a key to take, or may be. Must not throw. */
  readonly onReady: () => void;
  readonly clock?: Clock;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  /** In the order of their coming. */
  readonly #waiting = new Set<ObjectKey>();
  readonly #underWork = new Set<ObjectKey>();
  /** Came again while they were looked at. */
  readonly #again = new Set<ObjectKey>();
  /** Key to when it is due, by the monotonic clock. */
  readonly #delayed = new Map<ObjectKey, number>();
  readonly #failures = new Map<ObjectKey, number>();
  #alarm: { readonly dueMs: number; readonly off: AbortController } | undefined;
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keys that can be taken or will be as soon as they are done. */
  get depth(): number {
    return this.#waiting.size + this.#again.size;
  }

  /** Keys that come later. */
  get delayedCount(): number {
    return this.#delayed.size;
  }

  /** @throws LIMIT_EXCEEDED */
  add(key: ObjectKey): void {
    if (this.#isClosed) return;
    if (this.#underWork.has(key)) {
      this.#again.add(key);
      return;
    }
    checkRoom(this.#waiting, key);
    this.#waiting.add(key);
    this.#options.onReady();
  }

  /** Comes by itself after that, if it is not taken before. @throws LIMIT_EXCEEDED */
  addAfter(key: ObjectKey, delayMs: number): void {
    if (this.#isClosed) return;
    checkRoom(this.#delayed, key);
    const dueMs = this.#clock.monotonic() + delayMs;
    this.#delayed.set(key, Math.min(dueMs, this.#delayed.get(key) ?? Infinity));
    this.#setAlarm(dueMs);
  }

  /** Comes later, and each time later, until `forget`. @throws LIMIT_EXCEEDED */
  addFailed(key: ObjectKey): void {
    checkRoom(this.#failures, key);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const random = (this.#options.random ?? Math.random)();
    this.addAfter(key, backOffMs(QUEUE_BACK_OFF, failures, random));
  }

  /** Its next failure is a first one. */
  forget(key: ObjectKey): void {
    this.#failures.delete(key);
  }

  /** The oldest key, which is ours until `done`; what was planned for it is dropped. */
  take(): ObjectKey | undefined {
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      this.#delayed.delete(key);
      this.#underWork.add(key);
      return key;
    }
    return undefined;
  }

  done(key: ObjectKey): void {
    this.#underWork.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Nothing comes any more. */
  close(): void {
    this.#isClosed = true;
    this.#alarm?.off.abort();
    this.#alarm = undefined;
    for (const keys of [this.#waiting, this.#again, this.#delayed, this.#failures]) keys.clear();
  }

  #setAlarm(dueMs: number): void {
    if (this.#alarm !== undefined && this.#alarm.dueMs <= dueMs) return;
    this.#alarm?.off.abort();
    const off = new AbortController();
    this.#alarm = { dueMs, off };
    const delayMs = Math.max(0, dueMs - this.#clock.monotonic());
    void this.#clock.sleep(delayMs, off.signal).then(
      () => this.#onAlarm(off),
      () => undefined, // An earlier alarm took its place, or the queue is closed.
    );
  }

  #onAlarm(off: AbortController): void {
    if (this.#alarm?.off !== off) return;
    this.#alarm = undefined;
    const nowMs = this.#clock.monotonic();
    let nextMs = Infinity;
    for (const [key, dueMs] of this.#delayed) {
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#delayed.delete(key);
      this.add(key);
    }
    if (nextMs < Infinity) this.#setAlarm(nextMs);
  }
}

function checkRoom(keys: ReadonlySet<ObjectKey> | ReadonlyMap<ObjectKey, number>, key: ObjectKey) {
  if (keys.size < KEYS_MAX || keys.has(key)) return;
  throw new EngineError('LIMIT_EXCEEDED', `more than ${KEYS_MAX} objects wait to be looked at`);
}
