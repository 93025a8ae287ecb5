// What policies would have fetched in what restores and backups of volumes really ask for: volumes
// with thousands of files and some days of backups, by several seeds.

import { rmSync } from 'node:fs';
import t from 'tap';
import { adaptiveLru } from '#engine/cache/adaptive-lru.ts';
import { kopiaSweep } from '#test/engine/cache/kopia-sweep.ts';
import { lru } from '#test/engine/cache/lru.ts';
import { s3Fifo } from '#test/engine/cache/s3-fifo.ts';
import { sieve } from '#test/engine/cache/sieve.ts';
import {
  distinctBytes,
  later,
  type NewPolicy,
  ofAnotherVolume,
  recordVolume,
  replay,
  type Trace,
} from '#test/engine/cache/trace-replay.ts';
import { wTinyLfu } from '#test/engine/cache/w-tiny-lfu.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

t.setTimeout(0);
const POLICIES: Readonly<Record<string, NewPolicy>> = {
  adaptiveLru,
  lru,
  sieve,
  s3Fifo,
  wTinyLfu,
  kopia: kopiaSweep,
};
const SHARES = [0.25, 0.5, 0.75, 1];
const SEEDS = 3;
const VOLUME = {
  fileCount: Number(process.env.STEVEDORE_TRACE_FILES ?? 6000),
  generations: 7,
};
/** Bytes that were fetched, of the distinct ones, by policy, over all traces, shares and seeds. */
const sums = new Map<string, number>();
const first = newSeed();

for (let seed = first; seed < first + SEEDS; seed++) {
  t.test(`no policy fetches more than is asked for, seed ${seed}`, async t => {
    const directory = fastDirectory(t);
    const traces = await record(directory, seed);
    rmSync(`${directory}/source`, { recursive: true });
    for (const [name, trace] of Object.entries(traces)) {
      const distinct = distinctBytes(trace);
      t.comment(`${name}: ${trace.length} reads, ${Math.round(distinct / 2 ** 20)} MiB`);
      for (const share of SHARES) {
        const row = Object.entries(POLICIES).map(([policy, newPolicy]) => {
          const capacityBytes = Math.ceil(distinct * share);
          const { asked, fetched, entries } = replay(trace, { capacityBytes, newPolicy });
          if (fetched < distinct || fetched > asked) t.fail(`${policy}: ${fetched}`);
          if (name === 'restore' && policy !== 'kopia') t.equal(fetched, distinct);
          sums.set(policy, (sums.get(policy) ?? 0) + fetched / distinct);
          if (share === 1 && policy === 'lru') t.comment(`${entries} entries`);
          return `${policy} ${(fetched / distinct).toFixed(2)}`;
        });
        t.comment(`  ${share * 100} %: ${row.join(', ')}`);
      }
    }
  });
}

t.test('going by what is seen to be better fetches least', async t => {
  t.comment(JSON.stringify(Object.fromEntries(sums)));
  const ours = sums.get('adaptiveLru') ?? 0;
  for (const [other, sum] of sums) t.ok(ours <= sum, other);
});

async function record(directory: string, seed: number): Promise<Readonly<Record<string, Trace>>> {
  const recorder = await recordVolume(directory, new SeededRandom(seed), VOLUME);
  const restore = await recorder.record(each => each.restore());
  const other = ofAnotherVolume(restore);
  return {
    restore,
    'restore, and again': await recorder.record(async each => {
      await each.restore();
      await each.restore();
    }),
    'restore, and again an hour later': [...restore, ...later(restore, 3600)],
    'three side by side': await recorder.record(async each => {
      await Promise.all([each.restore(), each.restore(), each.restore()]);
    }),
    'restore, backup, restore': await recorder.record(async each => {
      await each.restore();
      await each.backup();
      await each.restore();
    }),
    'the same five times': [restore, restore, restore, restore, restore].flat(),
    'one volume three times, then another twice': [restore, restore, restore, other, other].flat(),
    'two volumes by turns': [restore, other, restore, other, restore, other].flat(),
  };
}
