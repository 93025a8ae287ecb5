// Many entries become known again beside what else the thread has to do. STEVEDORE_CACHE_ENTRIES
// asks for more of them.

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { adaptiveLru } from '#engine/cache/adaptive-lru.ts';
import { repositoryKey } from '#engine/cache/blob-key.ts';
import { CacheVolume } from '#engine/cache/cache-volume.ts';
import { createChecksum } from '#engine/cache/checksum.ts';
import type { EntryTable } from '#engine/cache/entry-table.ts';
import type { EvictionPolicy } from '#engine/cache/eviction-policy.ts';
import { Ledger } from '#engine/cache/ledger.ts';
import { PlannedUses } from '#engine/cache/planned-uses.ts';
import {
  encodeHeader,
  encodeRow,
  ROW_BYTES,
  rowCount,
  SEGMENT_BYTES_MAX,
  tableBlocks,
} from '#engine/cache/segment-format.ts';
import { inSequence } from '#engine/cache/sequence-merge.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const ENTRIES = Number(process.env.STEVEDORE_CACHE_ENTRIES ?? 200_000);
const ROWS = rowCount(SEGMENT_BYTES_MAX);
const SEGMENTS = Math.ceil(ENTRIES / (ROWS - 1));
const LONGEST_TURN_MS = 100;
const MEMORY_BYTES_AN_ENTRY = 150;

/** Segments full of entries of a block each, whose numbers go round the segments. */
function fill(directory: string, random: SeededRandom): void {
  const { kind: checksum } = createChecksum();
  const repository = repositoryKey('one');
  const firstBlock = tableBlocks(SEGMENT_BYTES_MAX);
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const table = Buffer.alloc(ROWS * ROW_BYTES);
    table.set(encodeHeader(SEGMENT_BYTES_MAX, checksum));
    for (let slot = 1; slot < ROWS; slot++) {
      const number = (slot - 1) * SEGMENTS + segment;
      if (number >= ENTRIES) break;
      const row = encodeRow({
        keyA: number,
        keyB: random.below(2 ** 32),
        repositoryA: repository.a,
        repositoryB: repository.b,
        offset: 0,
        length: 4000,
        block: firstBlock + slot,
        checkA: 0,
        checkB: 0,
        sequence: number + 1,
        kind: 0,
        isLast: false,
      });
      table.set(row, slot * ROW_BYTES);
    }
    const fd = openSync(`${directory}/segment-${String(segment).padStart(5, '0')}`, 'w');
    writeSync(fd, table);
    ftruncateSync(fd, SEGMENT_BYTES_MAX);
    closeSync(fd);
  }
}

function openVolume(newPolicy: (table: EntryTable) => EvictionPolicy): Promise<CacheVolume> {
  const ledger = new Ledger();
  ledger.setLimit({ bytes: 1e12, inodes: 1e6 });
  const checksum = createChecksum();
  return CacheVolume.open(directory, { ledger, checksum, plans: new PlannedUses(), newPolicy });
}

/** The longest that `work` kept the thread, in time of its processor: others may be busy. */
async function longestTurnMs(work: Promise<void>): Promise<number> {
  let isDone = false;
  const ended = work.finally(() => (isDone = true));
  let longest = 0;
  let before = process.threadCpuUsage();
  while (!isDone) {
    await nextTurn();
    const now = process.threadCpuUsage();
    longest = Math.max(longest, now.user + now.system - before.user - before.system);
    before = now;
  }
  await ended;
  return longest / 1000;
}

const directory = fastDirectory(t);
const seed = newSeed();
t.comment(`STEVEDORE_TEST_SEED=${seed}`);
fill(directory, new SeededRandom(seed));

const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  // What that flag makes global in new contexts.
  return runInNewContext('gc') as () => void;
})();

/** Arrays that were outgrown go some turns after they were found to be garbage. */
async function memoryBytes(): Promise<number> {
  let least = Number.MAX_VALUE;
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    await nextTurn();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

t.test('all that is in memory of an entry is less than 150 bytes, policy and maps too', async t => {
  const before = await memoryBytes();
  const volume = await openVolume(adaptiveLru);
  await volume.recover();
  const each = ((await memoryBytes()) - before) / volume.table.count;
  t.comment(`${each.toFixed(1)} bytes of heap and arrays an entry`);
  t.equal(volume.table.count, ENTRIES);
  t.ok(each < MEMORY_BYTES_AN_ENTRY, `${each} bytes`);
  volume.close();
});

t.test('many entries become known in order, and the thread is never kept for long', async t => {
  const added: number[] = [];
  const spied = (table: EntryTable): EvictionPolicy => {
    const policy = adaptiveLru(table);
    return {
      added: row => {
        added.push(table.columns.keyA[row]);
        policy.added(row);
      },
      used: row => policy.used(row),
      removed: row => policy.removed(row),
      victim: isFree => policy.victim(isFree),
    };
  };
  const volume = await openVolume(spied);
  const longestMs = await longestTurnMs(volume.recover());
  t.comment(`${ENTRIES} entries; the longest turn took ${longestMs.toFixed(1)} ms`);
  t.equal(volume.table.count, ENTRIES);
  t.ok(
    added.every((number, at) => number === at),
    'the oldest first, across segments',
  );
  t.ok(longestMs < LONGEST_TURN_MS, `${longestMs} ms`);
  volume.close();
});

t.test('a volume that is closed while entries become known stops with that', async t => {
  const volume = await openVolume(adaptiveLru);
  const recovering = volume.recover();
  while (volume.table.count === 0) await nextTurn();
  volume.close();
  const { count } = volume.table;
  await recovering;
  t.equal(volume.table.count, count);
  t.ok(count < ENTRIES, `${count} were known`);
});

t.test('segments that go while entries become known take theirs with them', async t => {
  const volume = await openVolume(adaptiveLru);
  const recovering = volume.recover();
  while (volume.table.count === 0) await nextTurn();
  volume.setLimit({ bytes: 2.5 * SEGMENT_BYTES_MAX, inodes: 1000 });
  await recovering;
  const { entries } = volume.accounts.get(0);
  t.equal(volume.table.count, entries);
  t.ok(entries > 0 && entries <= 2 * ROWS, `${entries} entries in two segments`);
  await volume.settled();
  volume.close();
});

t.test('runs are gone through as if they were one', async t => {
  const random = new SeededRandom(seed);
  for (let round = 0; round < 50; round++) {
    const runs = Array.from({ length: random.below(9) }, () => ({
      sequences: Float64Array.from({ length: random.below(30) }, () => random.below(1000)).sort(),
      at: 0,
    }));
    const all = Float64Array.from(runs.flatMap(({ sequences }) => [...sequences])).sort();
    const merged = [...inSequence(runs).map(({ sequences, at }) => sequences[at])];
    if (merged.join() !== all.join()) t.strictSame(merged, [...all]);
  }
  t.pass('50 rounds');
});
