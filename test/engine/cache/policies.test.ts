import { mkdirSync } from 'node:fs';
import t from 'tap';
import { EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import type { EvictionPolicy } from '#engine/cache/eviction-policy.ts';
import { lru } from './lru.ts';
import { s3Fifo } from '#engine/cache/s3-fifo.ts';
import { sieve } from './sieve.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { distinctBytes, makeSource, replay, type Trace, TraceRecorder } from './trace-replay.ts';

const POLICIES = { lru, sieve, s3Fifo };
/** A clock that only ticks every ten minutes makes kopia's LRU go by age (content_cache.go). */
const kopia = (table: EntryTable): EvictionPolicy => {
  const policy = lru(table);
  return Object.assign(policy, { used: () => undefined });
};

const seed = newSeed();
t.comment(`STEVEDORE_TEST_SEED=${seed}`);
const directory = fastDirectory(t);
mkdirSync(`${directory}/source`);
makeSource(`${directory}/source`, new SeededRandom(seed), 24);
const recorder = await TraceRecorder.make(directory);
const traces: Readonly<Record<string, Trace>> = {
  restore: await recorder.record(each => each.restore()),
  'restore again': await recorder.record(async each => {
    await each.restore();
    await each.restore();
  }),
  'three side by side': await recorder.record(async each => {
    await Promise.all([each.restore(), each.restore(), each.restore()]);
  }),
  'backup after restore': await recorder.record(async each => {
    await each.restore();
    await each.backup();
    await each.restore();
  }),
};

function add(table: EntryTable, number: number): number {
  const key = { a: Math.imul(number, 0x9e37_79b1) >>> 0, b: number };
  const place = { segment: 0, slot: 0, block: 0, repository: 0, kind: 0, isLast: false };
  return table.add({ key, offset: 0, length: 1, check: { a: 0, b: 0 }, ...place });
}

for (const [name, newPolicy] of Object.entries(POLICIES)) {
  t.test(`${name} names each entry once, and none that may not go`, async t => {
    const seed = newSeed();
    t.comment(`STEVEDORE_TEST_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const table = new EntryTable();
    const policy = newPolicy(table);
    const there = new Set<number>();
    const held = new Set<number>();
    for (let step = 0; step < 20_000; step++) {
      const known = [...there];
      if (random.once(3) || known.length === 0) {
        const row = add(table, step);
        policy.added(row);
        there.add(row);
        if (random.once(10)) held.add(row);
      } else if (random.once(2)) policy.used(random.pick(known));
      else {
        const row = policy.victim(each => !held.has(each));
        if (row === NO_ENTRY) {
          held.clear();
          continue;
        }
        if (!there.has(row) || held.has(row)) t.fail(`named ${row}`);
        there.delete(row);
        policy.removed(row);
        table.remove(row);
        table.recycle(row);
      }
      if (table.count !== there.size) t.fail('count');
    }
    held.clear();
    for (let left = there.size; left > 0; left--) {
      const row = policy.victim(() => true);
      if (!there.delete(row)) t.fail(`named ${row} twice`);
      policy.removed(row);
      table.remove(row);
      table.recycle(row);
    }
    t.equal(
      policy.victim(() => true),
      NO_ENTRY,
    );
  });
}

t.test(
  'what is used again and again survives a scan with SIEVE and S3-FIFO, not with LRU',
  async t => {
    const survivors = (newPolicy: (table: EntryTable) => EvictionPolicy): number => {
      const table = new EntryTable();
      const policy = newPolicy(table);
      const hot = Array.from({ length: 50 }, (_, index) => add(table, index));
      for (const row of hot) policy.added(row);
      for (let round = 0; round < 3; round++) for (const row of hot) policy.used(row);
      const gone = new Set<number>();
      for (let scanned = 0; scanned < 90; scanned++) {
        policy.added(add(table, 1000 + scanned));
        if (table.count <= 100) continue;
        const row = policy.victim(() => true);
        policy.removed(row);
        table.remove(row);
        gone.add(row);
      }
      return hot.filter(row => !gone.has(row)).length;
    };
    t.equal(survivors(sieve), 50);
    t.equal(survivors(s3Fifo), 50);
    t.equal(survivors(lru), 10);
  },
);

for (const [name, trace] of Object.entries(traces)) {
  t.test(`no policy fetches more than is asked for: ${name}`, async t => {
    const distinct = distinctBytes(trace);
    for (const share of [0.25, 0.5, 0.75, 1]) {
      const capacityBytes = Math.ceil(distinct * share);
      const row = Object.entries({ ...POLICIES, kopia }).map(([policy, newPolicy]) => {
        const { asked, fetched } = replay(trace, { capacityBytes, newPolicy });
        t.ok(fetched >= distinct && fetched <= asked);
        return `${policy} ${(fetched / distinct).toFixed(2)}`;
      });
      t.comment(`cache of ${share * 100} %: fetched, of the distinct bytes: ${row.join(', ')}`);
    }
  });
}

t.test('one restore fetches each byte once, whatever the policy', async t => {
  const trace = traces.restore;
  const distinct = distinctBytes(trace);
  for (const newPolicy of Object.values(POLICIES)) {
    t.equal(replay(trace, { capacityBytes: distinct / 4, newPolicy }).fetched / distinct, 1);
  }
});

t.test('a second restore that fits fetches nothing', async t => {
  const trace = traces['restore again'];
  const distinct = distinctBytes(trace);
  for (const newPolicy of Object.values(POLICIES)) {
    t.equal(replay(trace, { capacityBytes: distinct, newPolicy }).fetched, distinct);
  }
});
