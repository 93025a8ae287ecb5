// Counts what a storage is asked for and tells it to whoever keeps the metrics. The engine knows no
// Prometheus: it hands over one plain sample per operation.

import { stat } from 'node:fs/promises';
import { totalBytes } from '#engine/base/bytes.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { BlobMetadata, CallOptions, StagedBlob, Storage } from './storage.ts';
import { wrap } from './wrap.ts';

export interface StorageSample {
  readonly operation: 'get' | 'put' | 'head' | 'list' | 'delete';
  /** `ok`, or the code of the error; a small set, fit for a label. */
  readonly outcome: 'ok' | ErrorCode;
  /** Of blobs, that were stored or handed over; 0 for a failure and for head, list and delete. */
  readonly bytes: number;
  /** How many blobs a listing named; 1 for the others. */
  readonly blobs: number;
  readonly durationMs: number;
}

export interface StorageMetrics {
  /** Must not throw. */
  operationEnded(sample: StorageSample): void;
}

type Operation = StorageSample['operation'];

/** `inner` with a sample for every call; wrap it innermost to count every attempt. */
export function metered(
  inner: Storage,
  metrics: StorageMetrics,
  clock: Clock = systemClock,
): Storage {
  const meter = new Meter(metrics, clock);
  const stage = inner.stage?.bind(inner);
  return wrap(inner, {
    get: (id, options) =>
      meter.run(
        'get',
        () => inner.get(id, options),
        bytes => bytes.length,
      ),
    put: (id, pieces, options) =>
      meter.run(
        'put',
        () => inner.put(id, pieces, options),
        () => totalBytes(pieces),
      ),
    head: (id, options) =>
      meter.run(
        'head',
        () => inner.head(id, options),
        () => 0,
      ),
    delete: (id, options) =>
      meter.run(
        'delete',
        () => inner.delete(id, options),
        () => 0,
      ),
    list: (prefix, options) => meter.list(inner, prefix, options),
    stage: stage && (async (id, options) => meterStaged(await stage(id, options), meter)),
  });
}

function meterStaged(staged: StagedBlob, meter: Meter): StagedBlob {
  return {
    path: staged.path,
    discard: () => staged.discard(),
    commit: async options => {
      const work = async (): Promise<number> => {
        // Before the commit, after which the name is gone.
        const { size } = await stat(staged.path);
        await staged.commit(options);
        return size;
      };
      await meter.run('put', work, bytes => bytes);
    },
  };
}

class Meter {
  readonly #metrics: StorageMetrics;
  readonly #clock: Clock;

  constructor(metrics: StorageMetrics, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  async run<Result>(
    operation: Operation,
    work: () => Promise<Result>,
    bytesOf: (result: Result) => number,
  ): Promise<Result> {
    const startMs = this.#clock.monotonic();
    try {
      const result = await work();
      this.#end(operation, startMs, { bytes: bytesOf(result) });
      return result;
    } catch (error) {
      this.#end(operation, startMs, { error });
      throw error;
    }
  }

  /** One sample when the listing ends, is given up, or fails. The consumer's time counts, too. */
  async *list(
    inner: Storage,
    prefix: string,
    options: CallOptions | undefined,
  ): AsyncIterable<BlobMetadata> {
    const startMs = this.#clock.monotonic();
    let blobs = 0;
    let error: unknown;
    try {
      for await (const blob of inner.list(prefix, options)) {
        blobs++;
        yield blob;
      }
    } catch (caught) {
      error = caught;
      throw caught;
    } finally {
      this.#end('list', startMs, { error, blobs });
    }
  }

  #end(
    operation: Operation,
    startMs: number,
    result: { bytes?: number; blobs?: number; error?: unknown },
  ): void {
    const { bytes = 0, blobs = 1, error } = result;
    const durationMs = this.#clock.monotonic() - startMs;
    this.#metrics.operationEnded({
      operation,
      outcome: outcomeOf(error),
      bytes,
      blobs,
      durationMs,
    });
  }
}

function outcomeOf(error: unknown): StorageSample['outcome'] {
  if (error === undefined) return 'ok';
  return error instanceof EngineError ? error.code : 'INTERNAL';
}
