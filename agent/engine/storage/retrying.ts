// Tries again what may succeed later: only errors whose `retryable` says so. The loop is our own
// and not p-retry's, because a delay has to follow the server's Retry-After, time has to come from
// Clock (tests wait for nothing), and the total has to be bounded before a delay rather than after.

import { throwIfAborted } from '#engine/base/abort.ts';
import { equalBytes, totalBytes } from '#engine/base/bytes.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { RETRY_POLICY, retryDelayMs, type RetryPolicy } from './retry-policy.ts';
import type { BlobMetadata, CallOptions, PutOptions, Storage } from './storage.ts';
import { wrap } from './wrap.ts';

export interface RetryEvent {
  readonly operation: 'get' | 'put' | 'head' | 'list' | 'delete';
  /** The blob's id, for list the prefix. */
  readonly id: string;
  /** The attempt that failed, 1 for the first. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: EngineError;
}

export interface RetryingOptions {
  readonly policy?: RetryPolicy;
  /** Called before each delay; must not throw. */
  readonly onRetry?: (event: RetryEvent) => void;
  readonly clock?: Clock;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
}

/** `inner` with retries. Staged blobs are local files and are not retried. */
export function retrying(inner: Storage, options: RetryingOptions = {}): Storage {
  const loop = new RetryLoop(options);
  return wrap(inner, {
    get: (id, call) => loop.run('get', id, call?.signal, () => inner.get(id, call)),
    head: (id, call) => loop.run('head', id, call?.signal, () => inner.head(id, call)),
    delete: (id, call) => loop.run('delete', id, call?.signal, () => inner.delete(id, call)),
    put: (id, pieces, call) =>
      loop.run('put', id, call?.signal, attempt => putOnce(inner, id, pieces, call, attempt)),
    list: (prefix, call) => loop.list(inner, prefix, call),
  });
}

/**
 * A put whose answer was lost may have happened: then the next attempt with `ifAbsent` finds our
 * own blob there. Equal bytes are taken for ours, so whoever uses a blob as a lock must put
 * something into it that nobody else would.
 */
async function putOnce(
  inner: Storage,
  id: string,
  pieces: readonly Uint8Array[],
  options: PutOptions | undefined,
  attempt: number,
): Promise<void> {
  try {
    await inner.put(id, pieces, options);
  } catch (error) {
    if (attempt === 1 || !isEngineError(error, 'STORAGE_BLOB_EXISTS')) throw error;
    const there = await inner.get(id, { signal: options?.signal });
    if (!holds(there, pieces)) throw error;
  }
}

function holds(bytes: Uint8Array, pieces: readonly Uint8Array[]): boolean {
  if (bytes.length !== totalBytes(pieces)) return false;
  let offset = 0;
  return pieces.every(piece => {
    const isEqual = equalBytes(bytes.subarray(offset, offset + piece.length), piece);
    offset += piece.length;
    return isEqual;
  });
}

class RetryLoop {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onRetry: ((event: RetryEvent) => void) | undefined;

  constructor(options: RetryingOptions) {
    this.#policy = options.policy ?? RETRY_POLICY;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#onRetry = options.onRetry;
  }

  async run<Result>(
    operation: RetryEvent['operation'],
    id: string,
    signal: AbortSignal | undefined,
    work: (attempt: number) => Promise<Result>,
  ): Promise<Result> {
    const startMs = this.#clock.monotonic();
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      try {
        return await work(attempt);
      } catch (error) {
        await this.#wait({ operation, id, attempt, startMs, error }, signal);
      }
    }
  }

  /** Begins again from the start and leaves out what was already handed over. */
  async *list(
    inner: Storage,
    prefix: string,
    options: CallOptions | undefined,
  ): AsyncIterable<BlobMetadata> {
    const startMs = this.#clock.monotonic();
    const seen = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const blob of inner.list(prefix, options)) {
          if (seen.has(blob.id)) continue;
          seen.add(blob.id);
          yield blob;
        }
        return;
      } catch (error) {
        const { signal } = options ?? {};
        await this.#wait({ operation: 'list', id: prefix, attempt, startMs, error }, signal);
      }
    }
  }

  async #wait(
    failed: Pick<RetryEvent, 'operation' | 'id' | 'attempt'> & { startMs: number; error: unknown },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { operation, id, attempt, startMs, error } = failed;
    throwIfAborted(signal);
    const elapsedMs = this.#clock.monotonic() - startMs;
    const random = this.#random();
    const delayMs = retryDelayMs(this.#policy, { error, attempt, elapsedMs, random });
    // Only an EngineError has a delay.
    if (delayMs === undefined || !(error instanceof EngineError)) throw error;
    this.#onRetry?.({ operation, id, attempt, delayMs, error });
    await this.#clock.sleep(delayMs, signal);
  }
}
