// A pipeline stage: works on a few items ahead of the consumer and hands the results on in order.

import { throwIfAborted } from './abort.ts';

export interface AheadOptions<Item> {
  /** How many calls may run ahead of the consumer, at least 1. */
  readonly ahead: number;
  /** How many bytes the items of these calls may have together; one alone may have more. */
  readonly bytesMax?: number;
  readonly bytesOf?: (item: Item) => number;
  readonly signal?: AbortSignal;
}

interface Running<Result> {
  readonly result: Promise<Result>;
  readonly bytes: number;
}

/**
 * Yields work(item) for each item, in order, with up to `ahead` calls under way. When the consumer
 * stops early or a call fails, the signal that calls get fires and those under way are waited for.
 */
export async function* mapAhead<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  options: AheadOptions<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const { ahead, bytesMax = 0, bytesOf = () => 0 } = options;
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  const running: Running<Result>[] = [];
  try {
    for await (const item of items) {
      throwIfAborted(signal);
      const bytes = bytesOf(item);
      while (running.length > 0 && bytes + bytesUnderWay(running) > bytesMax) {
        yield await takeFirst(running);
      }
      throwIfAborted(signal);
      const result = work(item, signal);
      // A failure is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined);
      running.push({ result, bytes });
      if (running.length >= ahead) yield await takeFirst(running);
    }
    while (running.length > 0) yield await takeFirst(running);
  } finally {
    // An abort costs a stack trace, so only where somebody is there to hear it.
    if (running.length > 0) ending.abort();
    await Promise.allSettled(running.map(({ result }) => result));
  }
}

function bytesUnderWay(running: readonly Running<unknown>[]): number {
  return running.reduce((sum, { bytes }) => sum + bytes, 0);
}

function takeFirst<Result>(running: Running<Result>[]): Promise<Result> {
  const [{ result }] = running;
  running.shift();
  return result;
}
