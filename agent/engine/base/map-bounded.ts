// Parallelism with a bound. The first failure aborts what is still running and is what is thrown.

import { throwIfAborted } from './abort.ts';

export interface BoundedOptions {
  /** How many calls may run at once, at least 1. */
  readonly parallelism: number;
  readonly signal?: AbortSignal;
}

export interface BoundedPlace {
  /** Of the item. */
  readonly index: number;
  /** Which of the parallel lanes runs the call; later ones are used only when there is work. */
  readonly laneIndex: number;
}

/**
 * Calls `work` for each item, at most `parallelism` at a time, and returns the results in the order
 * of the items. `work` gets a signal that also fires when another call has failed. Resolves or
 * rejects only after every call that was started has ended.
 */
export async function mapBounded<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  options: BoundedOptions,
  work: (item: Item, signal: AbortSignal, place: BoundedPlace) => Promise<Result>,
): Promise<Result[]> {
  const failure = new AbortController();
  const signal = options.signal
    ? AbortSignal.any([options.signal, failure.signal])
    : failure.signal;
  const results: Result[] = [];
  const source =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let nextIndex = 0;
  let firstError: { error: unknown } | undefined;

  async function lane(laneIndex: number): Promise<void> {
    while (firstError === undefined) {
      const next = await source.next();
      if (next.done === true) return;
      // The check stands after the await: whoever aborts while we wait sees nothing started.
      throwIfAborted(signal);
      const index = nextIndex++;
      results[index] = await work(next.value, signal, { index, laneIndex });
    }
  }

  async function guardedLane(laneIndex: number): Promise<void> {
    try {
      await lane(laneIndex);
    } catch (error) {
      firstError ??= { error };
      failure.abort(error);
    }
  }

  throwIfAborted(options.signal);
  const lanes = Array.from({ length: Math.max(1, options.parallelism) }, (_, laneIndex) =>
    guardedLane(laneIndex),
  );
  await Promise.all(lanes);
  if (firstError !== undefined) {
    await source.return?.();
    throw firstError.error;
  }
  return results;
}
