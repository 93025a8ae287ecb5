// Restores of one volume side by side that are not in step: what each reads when is given by a
// seed, so that the same can be asked of a policy.

import { CacheRepository } from '#engine/cache/cache-repository.ts';
import type { Cache } from '#engine/cache/cache.ts';
import { cached } from '#engine/cache/cached.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { generatedStorage, packId } from './scratch-cache.ts';
import type { Trace, TraceStep } from './trace-replay.ts';

export const READ_BYTES = 256 * 1024;

/** What restores read, in the order in which they do; all of them read the same. */
export interface Schedule {
  readonly reads: readonly TraceStep[];
  /** The numbers of restores, as often as there are reads for each. */
  readonly turns: readonly number[];
}

export interface Gait {
  /** Reads that the first one has done when this one begins. */
  readonly lag: number;
  /** Reads beside one of the first. */
  readonly speed: number;
}

/** @param random lets each be slower and faster for a while */
export function scheduleOf(
  readCount: number,
  gaits: readonly Gait[],
  random: SeededRandom,
): Schedule {
  const reads = Array.from({ length: readCount }, (_, read) => ({
    id: packId(read),
    offset: 0,
    length: READ_BYTES,
  }));
  const done = gaits.map(() => 0);
  // Fractions of a read.
  const due = gaits.map(({ lag, speed }) => -lag * speed);
  const turns: number[] = [];
  while (done.some(count => count < readCount)) {
    for (const [restore, { speed }] of gaits.entries()) {
      due[restore] += speed * (0.5 + random.below(1000) / 1000);
      for (; due[restore] >= 1; due[restore]--) {
        if (done[restore] >= readCount) continue;
        done[restore]++;
        turns.push(restore);
      }
    }
  }
  return { reads, turns };
}

/** As a policy is asked it. */
export function traceOf({ reads, turns }: Schedule): Trace {
  const at = new Map<number, number>();
  return turns.map(restore => {
    const read = at.get(restore) ?? 0;
    at.set(restore, read + 1);
    return reads[read];
  });
}

/**
 * Bytes that the storage was asked for; each restore has a plan from its first read to its last.
 */
export async function fetchedThrough(cache: Cache, { reads, turns }: Schedule): Promise<number> {
  const inner = generatedStorage(READ_BYTES);
  const repository = new CacheRepository(cache, { identity: 'one', name: 'one' });
  const storage = cached(inner, repository);
  const planned = reads.map(({ id, offset, length }) => ({ blobId: id, offset, length }));
  const running = new Map<number, Restore>();
  for (const restore of turns) {
    const { plan, at } = running.get(restore) ?? { plan: repository.plan(planned), at: 0 };
    const { blobId, offset, length } = planned[at];
    plan.reading(planned[at]);
    await storage.get(blobId, { range: { offset, length } });
    running.set(restore, { plan, at: at + 1 });
    if (at + 1 === planned.length) plan[Symbol.dispose]();
  }
  return inner.bytes;
}

interface Restore {
  readonly plan: ReturnType<CacheRepository['plan']>;
  readonly at: number;
}
