// Looks at keys, some at a time and never one twice at a time, with the one verb that a reconciler
// has. What throws comes again later, as does what asks for it (controller-runtime
// pkg/internal/controller).

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { ObjectKey } from './kube-object.ts';
import { WorkQueue } from './work-queue.ts';

export interface ReconcileResult {
  /** Look again after that, if nothing happens before. */
  readonly requeueAfterMs?: number;
}

export interface ControlLoopParts {
  /**
   * Makes what is there what it should be, for one key; the signal fires when the loop stops. A
   * throw means: again, later.
   */
  readonly reconcile: (
    key: ObjectKey,
    signal: AbortSignal,
  ) => Promise<ReconcileResult | undefined | void>;
  /** For the log; conflicts are not told, they belong to the work. Must not throw. */
  readonly onError?: (key: ObjectKey, error: unknown) => void;
  readonly clock?: Clock;
  /** How many keys are looked at at once. */
  readonly workers?: number;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
}

const WORKERS_DEFAULT = 8;

export class ControlLoop {
  readonly #parts: ControlLoopParts;
  readonly #queue: WorkQueue;
  readonly #end = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: ControlLoopParts) {
    this.#parts = parts;
    this.#queue = new WorkQueue({
      onReady: () => this.#begin(),
      clock: parts.clock ?? systemClock,
      random: parts.random,
    });
  }

  /** Keys that wait. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Keys that are being looked at. */
  get busyCount(): number {
    return this.#running.size;
  }

  /** Has `key` looked at, after now and once however often it is asked. @throws LIMIT_EXCEEDED */
  enqueue(key: ObjectKey): void {
    this.#queue.add(key);
  }

  /** Begins nothing any more, and resolves when what has begun has ended. */
  async stop(): Promise<void> {
    this.#queue.close();
    this.#end.abort();
    await Promise.all(this.#running);
  }

  #begin(): void {
    const workers = this.#parts.workers ?? WORKERS_DEFAULT;
    while (this.#running.size < workers && !this.#end.signal.aborted) {
      const key = this.#queue.take();
      if (key === undefined) return;
      const work = this.#lookAt(key).finally(() => {
        this.#running.delete(work);
        this.#queue.done(key);
        this.#begin();
      });
      this.#running.add(work);
    }
  }

  async #lookAt(key: ObjectKey): Promise<void> {
    const { signal } = this.#end;
    // Whoever enqueues goes on first: a reconciler never runs inside of an informer's news.
    await Promise.resolve();
    if (signal.aborted) return;
    try {
      const result = await this.#parts.reconcile(key, signal);
      this.#queue.forget(key);
      const afterMs = result?.requeueAfterMs;
      if (afterMs !== undefined) this.#queue.addAfter(key, afterMs);
    } catch (error) {
      if (signal.aborted) return;
      if (!isEngineError(error, 'KUBE_CONFLICT')) this.#parts.onError?.(key, error);
      this.#queue.addFailed(key);
    }
  }
}
