// What policies would have fetched in what restores and backups of volumes really ask for, and what
// a cache of ours with the plans of its restores does fetch: volumes with thousands of files and
// some days of backups, by several seeds. The tables of docs/cache.md are its output.

import t, { type Test } from 'tap';
import { adaptiveLru } from '#engine/cache/adaptive-lru.ts';
import { kopiaSweep } from '#test/engine/cache/kopia-sweep.ts';
import { lru } from '#test/engine/cache/lru.ts';
import { s3Fifo } from '#test/engine/cache/s3-fifo.ts';
import { sieve } from '#test/engine/cache/sieve.ts';
import { distinctBytes, later, replay, type Trace } from '#test/engine/cache/trace-replay.ts';
import { wTinyLfu } from '#test/engine/cache/w-tiny-lfu.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed } from '#test/support/random.ts';
import {
  type Act,
  actsThroughCache,
  type CachedActs,
  makeVolumes,
  recordActs,
  TRACES,
  type Volumes,
} from './cache-traces.ts';

t.setTimeout(0);
const POLICIES = { adaptiveLru, lru, kopia: kopiaSweep, sieve, s3Fifo, wTinyLfu };
const WITH_PLANS = 'with plans';
/** The same cache without plans, where what is asked hangs on what the cache does. */
const WITHOUT_PLANS = 'lru in a cache';
const SIDE_BY_SIDE = 'three side by side';
const SHARES = [0.25, 0.5, 0.75, 1];
const SEEDS = Number(process.env.STEVEDORE_TRACE_SEEDS ?? 1);
const VOLUME = {
  fileCount: Number(process.env.STEVEDORE_TRACE_FILES ?? 2000),
  generations: 7,
};
/** Of the room of a real cache some is for itself. */
const PLANS_SLACK = 1.1;
/** How far restores side by side get apart is another matter each time. */
const SIDE_BY_SIDE_SLACK = 1.3;
const HOUR_SECONDS = 3600;
/** Bytes that are all but files: of snapshots that were not there yet when it was recorded. */
const BACKUP_SLACK = 1.01;
/** By trace, and what was there with each policy and share, of each seed. */
const found = new Map<string, Map<string, CachedActs[][]>>();
const distincts = new Map<string, number[]>();
const first = newSeed();

for (let seed = first; seed < first + SEEDS; seed++) {
  t.test(`no policy fetches more than is asked for, seed ${seed}`, async t => {
    const volumes = await makeVolumes(fastDirectory(t), seed, VOLUME);
    for (const [name, acts] of Object.entries(TRACES)) {
      const trace = await recordActs(volumes, acts);
      const distinct = distinctBytes(trace);
      t.comment(`${name}: ${trace.length} reads, ${Math.round(distinct / 2 ** 20)} MiB`);
      replayAll(t, name, trace);
      if (name === 'restore, and again') {
        const half = trace.length / 2;
        const paused = [...trace.slice(0, half), ...later(trace.slice(half), HOUR_SECONDS)];
        replayAll(t, 'restore, and again an hour later', paused);
      }
      for (const [index, share] of SHARES.entries()) {
        const capacityBytes = Math.ceil(distinct * share);
        const cached = await actsThroughCache(volumes, acts, capacityBytes);
        note(name, WITH_PLANS, index, cached);
        if (name === SIDE_BY_SIDE) {
          note(
            name,
            WITHOUT_PLANS,
            index,
            await actsThroughCache(volumes, acts, capacityBytes, lru),
          );
        }
        const slack = acts.includes('backup') ? BACKUP_SLACK : 1;
        t.ok(cached.fetched <= cached.asked * slack, `${name}, ${share}: ${cached.fetched}`);
        if (name === 'restore') t.ok(cached.fetched <= distinct, 'each byte once at most');
      }
    }
    await secondReplica(t, volumes);
  });
}

async function secondReplica(t: Test, volumes: Volumes): Promise<void> {
  const acts: Act[] = ['restore'];
  const distinct = distinctBytes(await recordActs(volumes, acts));
  const both = await actsThroughCache(volumes, [...acts, ...acts], distinct * 1.25);
  const share = (both.fetched - distinct) / distinct;
  t.comment(`second replica: ${(share * 100).toFixed(2)} % of what the first one fetched`);
  t.ok(share < 0.05);
}

function replayAll(t: Test, name: string, trace: Trace): void {
  const distinct = distinctBytes(trace);
  distincts.set(name, [...(distincts.get(name) ?? []), distinct]);
  for (const [policy, newPolicy] of Object.entries(POLICIES)) {
    for (const [index, share] of SHARES.entries()) {
      const replayed = replay(trace, { capacityBytes: Math.ceil(distinct * share), newPolicy });
      const { asked, fetched } = replayed;
      note(name, policy, index, { asked, fetched });
      if (fetched < distinct || fetched > asked) t.fail(`${name}, ${policy}: ${fetched}`);
      if (name === 'restore' && policy !== 'kopia') t.equal(fetched, distinct);
    }
  }
}

function note(trace: string, policy: string, shareIndex: number, acts: CachedActs): void {
  const policies = found.get(trace) ?? new Map<string, CachedActs[][]>();
  found.set(trace, policies);
  const shares = policies.get(policy) ?? SHARES.map(() => []);
  policies.set(policy, shares);
  shares[shareIndex].push(acts);
}

t.test('going by what is seen to be better fetches least', async t => {
  const sums = new Map<string, number>();
  for (const [trace, policies] of found) {
    for (const [policy, shares] of policies) {
      if (policy === WITH_PLANS || policy === WITHOUT_PLANS) continue;
      const ofAll = SHARES.map((_, index) => meanOfDistinct(trace, shares[index]));
      sums.set(policy, (sums.get(policy) ?? 0) + ofAll.reduce((sum, each) => sum + each, 0));
    }
  }
  t.comment(JSON.stringify(Object.fromEntries(sums)));
  const ours = sums.get('adaptiveLru') ?? Number.POSITIVE_INFINITY;
  for (const [other, sum] of sums) t.ok(ours <= sum, other);
});

t.test('the plans of restores fetch no more than the policy does without them', async t => {
  const columns = [WITH_PLANS, WITHOUT_PLANS, ...Object.keys(POLICIES)];
  const fetched = tableOf(columns, (trace, acts) => meanOfDistinct(trace, acts).toFixed(2));
  const hits = tableOf(columns, (_, acts) => `${Math.round(meanHitRatio(acts) * 100)}`);
  t.comment(`bytes fetched, of the distinct ones, with ${SHARES.join(', ')} of them as a cache`);
  for (const row of fetched) t.comment(row);
  t.comment('percent of the bytes asked for that were hits');
  for (const row of hits) t.comment(row);
  t.ok(found.size > Object.keys(TRACES).length);
  for (const [trace, policies] of found) {
    const isSideBySide = trace === SIDE_BY_SIDE;
    const plain = policies.get(isSideBySide ? WITHOUT_PLANS : 'adaptiveLru');
    const slack = isSideBySide ? SIDE_BY_SIDE_SLACK : PLANS_SLACK;
    const planned = policies.get(WITH_PLANS);
    if (planned === undefined || plain === undefined) continue;
    const sumOf = (shares: CachedActs[][]): number =>
      shares.reduce((sum, acts) => sum + meanOfDistinct(trace, acts), 0);
    t.ok(sumOf(planned) <= sumOf(plain) * slack, trace);
  }
});

/** As Markdown. */
function tableOf(
  columns: readonly string[],
  cellOf: (trace: string, acts: readonly CachedActs[]) => string,
): string[] {
  const rows = [...found].map(([trace, policies]) => {
    const cells = columns.map(column =>
      (policies.get(column) ?? []).map(acts => cellOf(trace, acts)).join(', '),
    );
    return `| ${[trace, ...cells].join(' | ')} |`;
  });
  return [
    `| ${['trace', ...columns].join(' | ')} |`,
    `|${'---|'.repeat(columns.length + 1)}`,
    ...rows,
  ];
}

function meanOfDistinct(trace: string, acts: readonly CachedActs[]): number {
  const distinct = distincts.get(trace) ?? [];
  return mean(acts.map(({ fetched }, seed) => fetched / distinct[seed]));
}

function meanHitRatio(acts: readonly CachedActs[]): number {
  return mean(acts.map(({ asked, fetched }) => 1 - fetched / asked));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
