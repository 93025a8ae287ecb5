// How policies do with what restores ask for, and that each keeps to the rules.

import t from 'tap';
import { adaptiveLru } from '#engine/cache/adaptive-lru.ts';
import { EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import type { EvictionPolicy } from '#engine/cache/eviction-policy.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { kopiaSweep } from './kopia-sweep.ts';
import { lru } from './lru.ts';
import { s3Fifo } from './s3-fifo.ts';
import { sieve } from './sieve.ts';
import { distinctBytes, type NewPolicy, replay, type Trace } from './trace-replay.ts';
import { wTinyLfu } from './w-tiny-lfu.ts';

const POLICIES = { adaptiveLru, lru, sieve, s3Fifo, wTinyLfu };

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

/** As a restore reads them; those that real ones ask for are in test/long/cache-traces.test.ts. */
function volume(name: string, entries = 200): Trace {
  return Array.from({ length: entries }, (_, index) => ({
    id: `p${name}${Math.floor(index / 20)}`,
    offset: (index % 20) * 2 ** 20,
    length: 100_000 + ((index * 7919) % 900_000),
  }));
}

const one = volume('one');
const other = volume('other');
const TRACES: Readonly<Record<string, Trace>> = {
  'a restore': one,
  'a restore, and again': [...one, ...one],
  'a restore five times': [one, one, one, one, one].flat(),
  'a volume three times, then another twice': [one, one, one, other, other].flat(),
  'two volumes by turns': [one, other, one, other, one, other].flat(),
};

/** Bytes that were fetched, of the distinct ones. */
function fetchedShare(trace: Trace, share: number, newPolicy: NewPolicy): number {
  const distinct = distinctBytes(trace);
  const capacityBytes = Math.ceil(distinct * share);
  const { asked, fetched } = replay(trace, { capacityBytes, newPolicy });
  if (fetched < distinct || fetched > asked) throw new Error(`${fetched} of ${asked}`);
  return fetched / distinct;
}

for (const [name, trace] of Object.entries(TRACES)) {
  t.test(`going by what is seen to be better is never much worse: ${name}`, async t => {
    for (const share of [0.25, 0.5, 0.75, 1]) {
      const shares = Object.entries({ ...POLICIES, kopiaSweep }).map(
        ([policy, newPolicy]) => [policy, fetchedShare(trace, share, newPolicy)] as const,
      );
      t.comment(share, ...shares.map(([policy, fetched]) => `${policy} ${fetched.toFixed(2)}`));
      const best = Math.min(...shares.map(([, fetched]) => fetched));
      t.ok((shares[0]?.[1] ?? 0) <= best * 1.15, 'the first is ours');
    }
  });
}

t.test('one restore fetches each byte once, whatever the policy', async t => {
  for (const newPolicy of Object.values(POLICIES)) t.equal(fetchedShare(one, 0.25, newPolicy), 1);
});

t.test('what does not fit is kept in part by those who read it again', async t => {
  const trace = TRACES['a restore five times'] ?? [];
  t.equal(fetchedShare(trace, 0.5, lru), 5);
  t.ok(fetchedShare(trace, 0.5, adaptiveLru) < 3.3);
});

t.test('another volume that fits is let in', async t => {
  const trace = TRACES['a volume three times, then another twice'] ?? [];
  t.ok(fetchedShare(trace, 0.5, wTinyLfu) > 1.2);
  t.equal(fetchedShare(trace, 0.5, adaptiveLru), 1);
});

t.test('of many entries some are enough to see it', async t => {
  const large = volume('large', 12_000);
  const trace = [...large, ...large, ...large];
  t.ok(fetchedShare(trace, 0.5, adaptiveLru) < 2.3);
});
