// A pipeline stage: works on a few items ahead of the consumer and hands the results on in order.

import { throwIfAborted } from './abort.ts';

export interface AheadOptions {
  /** How many calls may run ahead of the consumer, at least 1. */
  readonly ahead: number;
  readonly signal?: AbortSignal;
}

/**
 * Yields work(item) for each item, in order, with up to `ahead` calls under way. When the consumer
 * stops early or a call fails, the signal that calls get fires and those under way are waited for.
 */
export async function* mapAhead<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  options: AheadOptions,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  const running: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      throwIfAborted(signal);
      const result = work(item, signal);
      // A failure is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined);
      running.push(result);
      if (running.length >= options.ahead) yield await takeFirst(running);
    }
    while (running.length > 0) yield await takeFirst(running);
  } finally {
    ending.abort();
    await Promise.allSettled(running);
  }
}

function takeFirst<Result>(running: Promise<Result>[]): Promise<Result> {
  const [first] = running.splice(0, 1);
  return first;
}
