// What storages are asked for and have not answered yet, for a process that has to end: one that
// waits for a server which takes requests and answers none would be killed before it could say how
// its work has ended.

import { abortedError } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { BlobMetadata, CallOptions, Storage } from './storage.ts';
import { wrap } from './wrap.ts';

export interface StorageOperation {
  readonly operation: 'open' | 'get' | 'put' | 'head' | 'list' | 'delete';
  /** The storage's displayName. */
  readonly storage: string;
  /** The blob's id, for list the prefix, for open nothing. */
  readonly id: string;
}

export interface PendingOperation extends StorageOperation {
  /** Since it was asked for. */
  readonly durationMs: number;
}

interface Entry {
  readonly what: StorageOperation;
  readonly startMs: number;
  readonly end: AbortController;
}

export class PendingOperations {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #entries = new Set<Entry>();
  readonly #cut = new AbortController();
  #answeredMs = -Infinity;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /**
   * How long something has been asked for and nothing has come to an end, retries and the pauses
   * between them included; 0 where nothing is asked for.
   */
  get unansweredMs(): number {
    const [oldest] = this.#entries;
    if (oldest === undefined) return 0;
    return this.#clock.monotonic() - Math.max(oldest.startMs, this.#answeredMs);
  }

  /** The oldest first. */
  get list(): PendingOperation[] {
    const nowMs = this.#clock.monotonic();
    return [...this.#entries].map(({ what, startMs }) => ({
      ...what,
      durationMs: Math.round(nowMs - startMs),
    }));
  }

  /** Aborts all that is under way, and refuses what comes later. @returns what was under way */
  cut(): PendingOperation[] {
    const { list } = this;
    const { signal } = this.#cut;
    this.#cut.abort(new EngineError('ABORTED', 'the process ends and waits for no storage'));
    for (const { end } of this.#entries) end.abort(signal.reason);
    return list;
  }

  /** `work` gets the signal that is to end it. @throws ABORTED, what `work` throws */
  async run<Result>(
    what: StorageOperation,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    using entry = this.#begin(what, signal);
    return await work(entry.signal);
  }

  /** `inner`; what it is asked for from now on is known here. Of staged blobs nothing is. */
  watch(inner: Storage): Storage {
    const { displayName: storage } = inner;
    type Operation = StorageOperation['operation'];
    const what = (operation: Operation, id: string) => ({ operation, storage, id });
    return wrap(inner, {
      get: (id, call) =>
        this.run(what('get', id), call?.signal, signal => inner.get(id, { ...call, signal })),
      head: (id, call) =>
        this.run(what('head', id), call?.signal, signal => inner.head(id, { ...call, signal })),
      delete: (id, call) =>
        this.run(what('delete', id), call?.signal, signal => inner.delete(id, { ...call, signal })),
      put: (id, pieces, call) =>
        this.run(what('put', id), call?.signal, signal =>
          inner.put(id, pieces, { ...call, signal }),
        ),
      list: (prefix, call) => this.#list(inner, what('list', prefix), call),
    });
  }

  /** Each blob that is named counts as an answer. */
  async *#list(
    inner: Storage,
    what: StorageOperation,
    call: CallOptions | undefined,
  ): AsyncIterable<BlobMetadata> {
    using entry = this.#begin(what, call?.signal);
    for await (const blob of inner.list(what.id, { ...call, signal: entry.signal })) {
      this.#answeredMs = this.#clock.monotonic();
      yield blob;
    }
  }

  #begin(
    what: StorageOperation,
    signal: AbortSignal | undefined,
  ): Disposable & { readonly signal: AbortSignal } {
    if (this.#cut.signal.aborted) throw abortedError(this.#cut.signal);
    const end = new AbortController();
    const giveUp = (): void => end.abort(signal?.reason);
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    const entry = { what, startMs: this.#clock.monotonic(), end };
    this.#entries.add(entry);
    return {
      signal: end.signal,
      [Symbol.dispose]: () => {
        signal?.removeEventListener('abort', giveUp);
        this.#entries.delete(entry);
        this.#answeredMs = this.#clock.monotonic();
      },
    };
  }
}
