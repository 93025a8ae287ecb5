// Several restores of one volume that are not in step, through a cache that does not hold it.

import t, { type Test } from 'tap';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { lru } from './lru.ts';
import {
  fetchedThrough,
  type Gait,
  READ_BYTES,
  type Schedule,
  scheduleOf,
  traceOf,
} from './restores-apart.ts';
import { MIB, scratchCache } from './scratch-cache.ts';
import { replay } from './trace-replay.ts';

const READS = 64;
const VOLUME_BYTES = READS * READ_BYTES;
/** Of a segment, a row of 64 bytes for two blocks of 4 KiB. */
const DATA_SHARE = 127 / 128;
const RANDOM_GAITS = 8;

const IN_STEP: Gait = { lag: 0, speed: 1 };
const GAITS: Readonly<Record<string, readonly Gait[]>> = {
  'in step': [IN_STEP, IN_STEP, IN_STEP],
  'a bit apart': [IN_STEP, { lag: 4, speed: 1 }, { lag: 8, speed: 1 }],
  'as far apart as fits': [IN_STEP, { lag: 12, speed: 1 }, { lag: 24, speed: 1 }],
  'two together, one behind': [IN_STEP, { lag: 2, speed: 1 }, { lag: 40, speed: 1 }],
  'one before, two together': [IN_STEP, { lag: 30, speed: 1 }, { lag: 34, speed: 1 }],
  'getting apart': [IN_STEP, { lag: 0, speed: 0.9 }, { lag: 0, speed: 0.7 }],
  'one of them slow': [IN_STEP, IN_STEP, { lag: 0, speed: 0.2 }],
  'one overtakes': [IN_STEP, { lag: 20, speed: 2 }, { lag: 30, speed: 1 }],
};

interface Fetched {
  readonly ours: number;
  readonly plain: number;
}

/** Of the bytes of the volume, by a cache with plans and by LRU of the same room. */
async function fetchedBy(t: Test, schedule: Schedule, share: number): Promise<Fetched> {
  const absoluteBytes = Math.ceil(VOLUME_BYTES * share * 1.08) + MIB / 4;
  const { cache } = await scratchCache(t, { absoluteBytes });
  const ours = await fetchedThrough(cache, schedule);
  t.ok(cache.plans.isEmpty);
  const capacityBytes = (cache.volume?.segmentBytes() ?? 0) * DATA_SHARE;
  const { fetched: plain } = replay(traceOf(schedule), { capacityBytes, newPolicy: lru });
  await cache.close();
  return { ours: ours / VOLUME_BYTES, plain: plain / VOLUME_BYTES };
}

const seed = newSeed();
const random = new SeededRandom(seed);
const drawn = Array.from({ length: RANDOM_GAITS }, (_, number) => {
  const gait = (): Gait => ({ lag: random.below(READS), speed: 0.2 + random.below(20) / 10 });
  return [`drawn, ${number}`, [IN_STEP, gait(), gait()]] as const;
});

for (const [name, gaits] of [...Object.entries(GAITS), ...drawn]) {
  t.test(`three restores side by side fetch no more than with LRU: ${name}`, async t => {
    t.comment(`STEVEDORE_TEST_SEED=${seed}`, JSON.stringify(gaits));
    const schedule = scheduleOf(READS, gaits, random);
    for (const share of [0.25, 0.5, 0.75]) {
      const { ours, plain } = await fetchedBy(t, schedule, share);
      t.comment(`${share}: ${ours.toFixed(2)} of the distinct bytes, LRU ${plain.toFixed(2)}`);
      t.ok(ours <= plain, `${share}`);
    }
  });
}

t.test('one restore by itself fetches each byte once', async t => {
  const schedule = scheduleOf(READS, [IN_STEP], random);
  t.equal((await fetchedBy(t, schedule, 0.25)).ours, 1);
});
