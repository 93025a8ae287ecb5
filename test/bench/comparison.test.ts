// What `--check` decides by, on samples that are made up.

import t from 'tap';
import { compare } from './comparison.ts';
import type { Sample } from './cycle.ts';
import { rowsNamed } from './row-table.ts';
import { indexTargets, rowTargets } from './target-table.ts';

function sample(contender: string, round: number, wallSeconds: number): Sample {
  return {
    row: 'large-first',
    source: 'large',
    operation: 'first backup',
    contender,
    round,
    isWarm: true,
    wallSeconds,
    cpuSeconds: 2 * wallSeconds,
    peakMib: contender === 'kopia' ? 200 : 100,
    diskReadMib: 0,
  };
}

const ROWS = rowsNamed(['large']);
const NAMES = ['large-first'];

/** The second round was twice as slow for everybody. */
const SAMPLES = [
  sample('stevedore', 1, 1),
  sample('kopia', 1, 2),
  sample('stevedore', 2, 2),
  sample('kopia', 2, 4),
  sample('stevedore', 3, 1.5),
  sample('kopia', 3, 2),
];

t.test('a ratio compares runs of the same round', async t => {
  const [{ rows }] = compare(ROWS, SAMPLES);
  const ratio = rows.find(({ name }) => name === 'stevedore ÷ kopia');
  t.same(ratio?.spreads.wallSeconds, { median: 0.5, min: 0.5, max: 0.75 });
});

t.test('a row has the median of its runs and their spread', async t => {
  const [{ rows }] = compare(ROWS, SAMPLES);
  const ours = rows.find(({ name }) => name === 'stevedore');
  t.same(ours?.spreads.wallSeconds, { median: 1.5, min: 1, max: 2 });
  t.equal(ours?.coldRuns, 0);
});

t.test('runs that were not warm are counted', async t => {
  const cold = SAMPLES.map(each => ({ ...each, isWarm: each.round !== 2 }));
  const [{ rows }] = compare(ROWS, cold);
  t.equal(rows.find(({ name }) => name === 'kopia')?.coldRuns, 1);
});

t.test('a target is met by the median', async t => {
  const targets = rowTargets(NAMES, compare(ROWS, SAMPLES));
  t.match(
    targets.filter(({ name }) => name.endsWith('kopia')),
    [
      { name: /wallSeconds/, value: 0.5, isMet: true },
      { name: /cpuSeconds/, value: 0.5, isMet: true },
      { name: /peakMib/, value: 0.5, isMet: true },
    ],
  );
  const slow = SAMPLES.map(each =>
    each.contender === 'kopia' ? each : { ...each, wallSeconds: each.wallSeconds * 1.3 },
  );
  const [wall] = rowTargets(NAMES, compare(ROWS, slow));
  t.match(wall, { value: 0.65, isMet: false });
});

t.test('a row without figures, or with nobody to compare with, misses its targets', async t => {
  const alone = SAMPLES.filter(({ contender }) => contender === 'stevedore');
  for (const samples of [alone, []]) {
    const targets = rowTargets(NAMES, compare(ROWS, samples));
    t.ok(targets.length >= 3);
    t.ok(targets.every(({ isMet }) => !isMet));
  }
});

t.test('rows that nobody asked for have no targets', async t => {
  t.same(rowTargets(['node_modules-none'], compare(ROWS, SAMPLES)), []);
});

t.test('a figure that is missing misses its target', async t => {
  const [bytes, hits, misses] = indexTargets('index', [
    { name: 'memory per content', value: 35, unit: 'B' },
    { name: 'look-ups, hits', value: 2_000_000, unit: '/s' },
  ]);
  t.equal(bytes?.isMet, true);
  t.equal(hits?.isMet, false);
  t.equal(misses?.isMet, false);
});
