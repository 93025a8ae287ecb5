// What restores and backups of two volumes ask a storage for, and the same through a cache of ours
// with the plans of its restores.

import { mkdirSync, rmSync } from 'node:fs';
import { Cache } from '#engine/cache/cache.ts';
import type { CacheSettings } from '#engine/cache/cache-settings.ts';
import {
  recordVolume,
  type Trace,
  type TraceRecorder,
  type TraceStep,
} from '#test/engine/cache/trace-replay.ts';
import { SeededRandom } from '#test/support/random.ts';

/** What is done with a volume, or with the other one of the same node. */
export type Act = 'restore' | 'three restores' | 'backup' | 'restore of another';

export const TRACES: Readonly<Record<string, readonly Act[]>> = {
  restore: ['restore'],
  'restore, and again': ['restore', 'restore'],
  'three side by side': ['three restores'],
  'the same five times': ['restore', 'restore', 'restore', 'restore', 'restore'],
  'a volume three times, then another twice': [
    'restore',
    'restore',
    'restore',
    'restore of another',
    'restore of another',
  ],
  'two volumes by turns': [
    'restore',
    'restore of another',
    'restore',
    'restore of another',
    'restore',
    'restore of another',
  ],
  // These come last: each backup leaves a snapshot more.
  'backup after restore': ['restore', 'backup'],
  'restore, backup, restore': ['restore', 'backup', 'restore'],
};

export interface Volumes {
  readonly directory: string;
  readonly one: TraceRecorder;
  readonly other: TraceRecorder;
}

export async function makeVolumes(
  directory: string,
  seed: number,
  shape: { readonly fileCount: number; readonly generations: number },
): Promise<Volumes> {
  const make = async (name: string, volumeSeed: number): Promise<TraceRecorder> => {
    mkdirSync(`${directory}/${name}`);
    return recordVolume(`${directory}/${name}`, new SeededRandom(volumeSeed), shape);
  };
  return { directory, one: await make('one', seed), other: await make('other', ~seed) };
}

/** What the storages are asked for without a cache. */
export async function recordActs(volumes: Volumes, acts: readonly Act[]): Promise<Trace> {
  return stepsOf(acts, volumes, (recorder, work) => recorder.record(work));
}

export interface CachedActs {
  /** Bytes that the engine asked for. */
  readonly asked: number;
  /** Bytes that the storages were asked for. */
  readonly fetched: number;
}

/**
 * The same acts with a new cache of `capacityBytes`, all that it needs for itself included.
 * @param policy in place of plans
 */
export async function actsThroughCache(
  volumes: Volumes,
  acts: readonly Act[],
  capacityBytes: number,
  policy?: CacheSettings['newPolicy'],
): Promise<CachedActs> {
  const directory = `${volumes.directory}/cache`;
  mkdirSync(directory);
  const room = { directory, isRootDiskAllowed: true, absoluteBytes: capacityBytes };
  const cache = await Cache.open({ ...room, newPolicy: policy });
  if (policy) cache.plans.begin = () => ({ [Symbol.dispose]: () => undefined });
  try {
    const steps = await stepsOf(acts, volumes, (recorder, work) =>
      recorder.recordThrough(cache, work),
    );
    const { hitBytes, missBytes } = cache.statistics;
    const fetched = steps.reduce((sum, { length }) => sum + length, 0);
    return { asked: hitBytes + missBytes, fetched };
  } finally {
    await cache.close();
    rmSync(directory, { recursive: true });
  }
}

type Work = (recorder: TraceRecorder) => Promise<void>;

async function stepsOf(
  acts: readonly Act[],
  { one, other }: Volumes,
  during: (recorder: TraceRecorder, work: Work) => Promise<Trace>,
): Promise<Trace> {
  const steps: TraceStep[] = [];
  for (const act of acts) {
    const recorder = act === 'restore of another' ? other : one;
    steps.push(...(await during(recorder, each => perform(each, act))));
  }
  return steps;
}

async function perform(recorder: TraceRecorder, act: Act): Promise<void> {
  if (act === 'backup') return recorder.backup();
  const count = act === 'three restores' ? 3 : 1;
  await Promise.all(Array.from({ length: count }, () => recorder.restore()));
}
